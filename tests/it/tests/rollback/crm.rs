//! A project whose source can be another account from one run to the next, and everything that its local CRM holds, by table and id.

use std::collections::{BTreeMap, BTreeSet};

use it::{Desk, Simulation};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::Value;

use crate::failures_site::{connect, migration};

/// A record: its table and id.
pub(crate) type Key = (String, i64);

/// Numbers by chance that are the same every time (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % most as u64).unwrap()
    }
}

/// An association as the CRM keeps it: object and id of both ends, and the label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link(
    pub(crate) String,
    pub(crate) i64,
    pub(crate) String,
    pub(crate) i64,
    pub(crate) String,
);

impl Link {
    pub(crate) fn ends(&self) -> [Key; 2] {
        [(table(&self.0), self.1), (table(&self.2), self.3)]
    }
}

fn table(object: &str) -> String {
    object
        .strip_suffix('y')
        .map_or_else(|| format!("{object}s"), |stem| format!("{stem}ies"))
}

/// What somebody did by hand.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Value {
        record: Key,
        column: String,
        value: String,
    },
    Link(Link),
}

/// All live records with their values, blanks left out, and all associations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) records: BTreeMap<Key, BTreeMap<String, String>>,
    pub(crate) links: BTreeSet<Link>,
}

impl State {
    /// What the CRM in that file holds.
    pub(crate) fn of(path: &std::path::Path) -> Self {
        Self::load(&Connection::open(path).unwrap())
    }

    fn load(db: &Connection) -> Self {
        let mut state = Self::default();
        for object in texts(db, "SELECT DISTINCT object FROM properties") {
            let table = table(&object);
            let mut select = db
                .prepare(&format!("SELECT * FROM {table} WHERE archived = 0"))
                .unwrap();
            let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
            let mut rows = select.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let mut values = BTreeMap::new();
                for (at, column) in columns.iter().enumerate() {
                    let value: Sql = row.get(at).unwrap();
                    if value != Sql::Null
                        && !["id", "archived", "created_at", "updated_at"]
                            .contains(&column.as_str())
                    {
                        values.insert(column.clone(), text(value));
                    }
                }
                state
                    .records
                    .insert((table.clone(), row.get("id").unwrap()), values);
            }
        }
        let mut select = db
            .prepare("SELECT from_object, from_id, to_object, to_id, label FROM associations")
            .unwrap();
        let links = select.query_map([], |row| {
            Ok(Link(
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        });
        state.links = links.unwrap().map(Result::unwrap).collect();
        state
    }

    /// A difference is shown by its first records.
    #[track_caller]
    pub(crate) fn assert_is(&self, right: &Self, what: &str) {
        let keys: BTreeSet<_> = self.records.keys().chain(right.records.keys()).collect();
        let differ = keys
            .into_iter()
            .filter(|key| self.records.get(*key) != right.records.get(*key));
        let differ: Vec<_> = differ
            .take(3)
            .map(|key| {
                let empty = BTreeMap::new();
                let (is, should) = (self.records.get(key), right.records.get(key));
                let (left, right) = (is.unwrap_or(&empty), should.unwrap_or(&empty));
                let columns: BTreeSet<_> = left.keys().chain(right.keys()).collect();
                let cells = columns
                    .into_iter()
                    .filter(|column| left.get(*column) != right.get(*column));
                let cells = cells.map(|column| {
                    (
                        column.clone(),
                        left.get(column).cloned(),
                        right.get(column).cloned(),
                    )
                });
                (
                    key.clone(),
                    is.is_some(),
                    should.is_some(),
                    cells.take(4).collect::<Vec<_>>(),
                )
            })
            .collect();
        assert!(differ.is_empty(), "{what}: (is, should be) {differ:#?}");
        let extra: Vec<_> = self.links.difference(&right.links).take(4).collect();
        let missing: Vec<_> = right.links.difference(&self.links).take(4).collect();
        assert!(
            extra.is_empty() && missing.is_empty(),
            "{what}: links too many {extra:#?}, missing {missing:#?}"
        );
    }

    /// How many records of each table there are with each source key, and how many associations: what does not depend on row numbers.
    pub(crate) fn told(&self) -> (BTreeSet<(String, String)>, usize) {
        let keys = self
            .records
            .iter()
            .map(|((table, _), row)| (table.clone(), row["longshore_source_id"].clone()));
        (keys.collect(), self.links.len())
    }
}

fn text(value: Sql) -> String {
    match value {
        Sql::Text(text) => text,
        Sql::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn texts(db: &Connection, sql: &str) -> Vec<String> {
    let mut select = db.prepare(sql).unwrap();
    let found = select.query_map([], |row| row.get(0)).unwrap();
    found.collect::<Result<_, _>>().unwrap()
}

/// How many records of all objects a report counts.
pub(crate) fn count(report: &Value, what: &str) -> u64 {
    let objects = report["objects"].as_object().unwrap().values();
    objects.map(|object| object[what].as_u64().unwrap()).sum()
}

/// The project `p`.
pub(crate) struct House {
    pub(crate) desk: Desk,
    source: Simulation,
}

impl House {
    pub(crate) fn new(seed: u64) -> Self {
        let mut desk = Desk::new();
        desk.run_expecting(&[0], &["init", "--dir", "p"]);
        let source = simulate(&mut desk, seed);
        Self { desk, source }
    }

    /// The source has become another account.
    pub(crate) fn read_from(&mut self, seed: u64) {
        self.source = simulate(&mut self.desk, seed);
    }

    pub(crate) fn migrate(&self) -> Value {
        self.desk.run_expecting(&[0, 1], &migration("p")).json()
    }

    /// The runs that wrote, newest first.
    pub(crate) fn wrote(&self) -> Vec<String> {
        let status = self
            .desk
            .run_expecting(&[0], &["status", "--dir", "p", "--json"])
            .json();
        let runs = status["wrote"].as_array().unwrap();
        runs.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn db(&self) -> Connection {
        Connection::open(self.desk.path().join("p/local-crm.db")).unwrap()
    }

    pub(crate) fn sql(&self, sql: &str) {
        self.db().execute(sql, []).unwrap();
    }

    pub(crate) fn state(&self) -> State {
        State::load(&self.db())
    }

    /// The source's id of a record.
    pub(crate) fn source_of(&self, table: &str, id: &str) -> String {
        let select = format!("SELECT longshore_source_id FROM {table} WHERE id = ?1");
        let key: String = self
            .db()
            .query_row(&select, [id], |row| row.get(0))
            .unwrap();
        key.rsplit('/').next().unwrap().to_owned()
    }

    /// Records that no run made, associated with what a run made.
    pub(crate) fn add_own_records(&self) {
        let db = self.db();
        for n in 1..=4 {
            let own = [
                format!(
                    "INSERT INTO contacts (id, created_at, updated_at, firstname, email) VALUES ({}, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'Own {n}', 'own{n}@by.hand')",
                    9_000 + n
                ),
                format!(
                    "INSERT INTO notes (id, created_at, updated_at, hs_note_body) VALUES ({}, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'Own note {n}')",
                    9_000 + n
                ),
                format!(
                    "INSERT INTO associations VALUES ('note', {}, 'contact', {n}, '')",
                    9_000 + n
                ),
                format!(
                    "INSERT INTO associations VALUES ('note', {0}, 'contact', {0}, '')",
                    9_000 + n
                ),
            ];
            own.iter()
                .for_each(|sql| assert_eq!(db.execute(sql, []).unwrap(), 1));
        }
    }

    /// Does so many things by hand in a state: values of records, and notes of others put to them.
    pub(crate) fn edit(&self, dice: &mut Dice, state: &State, number: usize) -> Vec<Edit> {
        const TEXTS: [(&str, &str); 6] = [
            ("contacts", "firstname"),
            ("contacts", "lastname"),
            ("companies", "name"),
            ("deals", "dealname"),
            ("notes", "hs_note_body"),
            ("tasks", "hs_task_subject"),
        ];
        let (db, mut edits, mut seen) = (self.db(), Vec::new(), BTreeSet::new());
        for n in 0..number {
            if n % 5 == 4 {
                edits.extend(self.link_own_note(dice, state));
                continue;
            }
            let (table, column) = TEXTS[dice.below(TEXTS.len())];
            let of: Vec<_> = state
                .records
                .keys()
                .filter(|(other, _)| other == table)
                .collect();
            let record = of[dice.below(of.len())].clone();
            if !seen.insert((record.clone(), column)) {
                continue;
            }
            let value = format!("by hand {n}");
            let update = format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1");
            assert_eq!(
                db.execute(&update, rusqlite::params![record.1, value])
                    .unwrap(),
                1
            );
            edits.push(Edit::Value {
                record,
                column: column.to_owned(),
                value,
            });
        }
        edits
    }

    /// Puts a note that no run made to a contact or deal.
    fn link_own_note(&self, dice: &mut Dice, state: &State) -> Option<Edit> {
        let is_own = |key: &&Key| key.0 == "notes" && key.1 > 9_000;
        let notes: Vec<_> = state.records.keys().filter(is_own).collect();
        let (table, object) = [("contacts", "contact"), ("deals", "deal")][dice.below(2)];
        let of: Vec<_> = state
            .records
            .keys()
            .filter(|(other, _)| other == table)
            .collect();
        let (note, end) = (notes[dice.below(notes.len())].1, of[dice.below(of.len())].1);
        let link = Link(
            "note".to_owned(),
            note,
            object.to_owned(),
            end,
            String::new(),
        );
        let insert = "INSERT OR IGNORE INTO associations VALUES ('note', ?1, ?2, ?3, '')";
        let made = self
            .db()
            .execute(insert, rusqlite::params![note, object, end])
            .unwrap();
        (made == 1).then_some(Edit::Link(link))
    }

    /// A state with those edits.
    pub(crate) fn with(&self, state: &State, edits: &[Edit]) -> State {
        let mut edited = state.clone();
        for edit in edits {
            match edit {
                Edit::Value {
                    record,
                    column,
                    value,
                } => {
                    let row = edited.records.get_mut(record).unwrap();
                    row.insert(column.clone(), value.clone());
                }
                Edit::Link(link) => drop(edited.links.insert(link.clone())),
            }
        }
        edited
    }
}

fn simulate(desk: &mut Desk, seed: u64) -> Simulation {
    let seed = seed.to_string();
    let source = desk.simulate(
        "pipedrive",
        &["--records", "60", "--limits", "off", "--seed", &seed],
    );
    desk.set_environment("LONGSHORE_TOKEN", source.token());
    connect(desk, "p", source.base_url());
    source
}
