//! A project that reads a simulator of its own, and what its local CRM holds, told without row numbers so that two runs can be compared.
//!
//! It breaks nothing and kills nothing: that is for the tests that use it.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use it::{Desk, Ended, Simulation};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// Arguments of the account that every test of this kind reads.
pub(crate) const ACCOUNT: [&str; 4] = ["--records", "60", "--limits", "off"];

/// A connected project in the folder `base`, never migrated, to be copied.
pub(crate) struct Site {
    pub(crate) desk: Desk,
    pub(crate) simulation: Simulation,
}

impl Site {
    #[track_caller]
    pub(crate) fn connected() -> Self {
        let mut desk = Desk::new();
        let simulation = desk.simulate("pipedrive", &ACCOUNT);
        desk.set_environment("LONGSHORE_TOKEN", simulation.token());
        desk.run_expecting(&[0], &["init", "--dir", "base"]);
        connect(&desk, "base", simulation.base_url());
        Self { desk, simulation }
    }

    /// A copy of the project, in a folder of that name.
    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        let to = self.desk.path().join(name);
        copy_folder(&self.desk.path().join("base"), &to);
        to
    }

    /// Runs the migration of a folder to its end.
    #[track_caller]
    pub(crate) fn migrate(&self, name: &str) -> Ended {
        self.desk.run_expecting(&[0, 1], &migration(name))
    }

    pub(crate) fn dump(&self, name: &str) -> Dump {
        dump(&self.desk.path().join(name).join("local-crm.db"))
    }
}

/// The command that migrates that project.
pub(crate) fn migration(name: &str) -> [&str; 5] {
    ["migrate", "--dir", name, "--yes", "--json"]
}

#[track_caller]
pub(crate) fn connect(desk: &Desk, name: &str, base_url: &str) -> Ended {
    desk.run_expecting(&[0], &connection(name, base_url))
}

/// The command that connects that project to a simulator.
pub(crate) fn connection<'a>(name: &'a str, base_url: &'a str) -> [&'a str; 11] {
    let (param, company) = ("--param", "company=demo");
    [
        "connect",
        "pipedrive",
        "--dir",
        name,
        param,
        company,
        "--base-url",
        base_url,
        "--allow-loopback",
        "--no-rate-limits",
        "--yes",
    ]
}

/// A child that does not outlive the test, whatever the test does.
pub(crate) struct Guarded(pub(crate) Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a simulator whose port the test chooses, and waits until it answers.
#[track_caller]
pub(crate) fn simulate_at(mut command: Command) -> (Guarded, Value) {
    let mut child = Guarded(
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts"),
    );
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("readable");
    (
        child,
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("first line is JSON: {line:?}")),
    )
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every table of a local CRM: its rows as text, sorted, with the source id or the label in place of each row number.
pub(crate) type Dump = BTreeMap<String, Vec<String>>;

pub(crate) fn dump(path: &Path) -> Dump {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables = texts(
        &db,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    let names = Names::load(&db, &tables);
    let mut dump = Dump::new();
    for table in tables {
        // Beside the version of the layout it holds an account id made by chance.
        if table != "crm" {
            dump.insert(table.clone(), rows(&db, &table, &names));
        }
    }
    dump
}

/// What stands for each row number.
struct Names {
    /// Table to its object.
    objects: HashMap<String, String>,
    /// Object, column to what the column's numbers are ids of.
    references: HashMap<(String, String), String>,
    /// Kind (an object, `pipeline`, `stage`) and number to its name.
    names: HashMap<(String, i64), String>,
}

impl Names {
    fn load(db: &Connection, tables: &[String]) -> Self {
        let mut objects = HashMap::new();
        for object in texts(db, "SELECT DISTINCT object FROM properties") {
            let plural = object
                .strip_suffix('y')
                .map_or_else(|| format!("{object}s"), |stem| format!("{stem}ies"));
            assert!(
                tables.contains(&plural),
                "object {object} has a table {plural}"
            );
            objects.insert(plural, object);
        }
        let mut references = HashMap::new();
        let mut select = db
            .prepare("SELECT object, name, refers_to FROM properties WHERE refers_to IS NOT NULL")
            .unwrap();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            references.insert(
                (row.get(0).unwrap(), row.get(1).unwrap()),
                row.get(2).unwrap(),
            );
        }
        let mut names = HashMap::new();
        let mut add = |kind: &str, sql: &str| {
            let mut select = db.prepare(sql).unwrap();
            let mut found = select.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let name: Option<String> = row.get(1).unwrap();
                names.insert(
                    (kind.to_owned(), row.get(0).unwrap()),
                    name.unwrap_or_else(|| "without a source".to_owned()),
                );
            }
        };
        for (table, object) in &objects {
            add(
                object,
                &format!("SELECT id, longshore_source_id FROM {table}"),
            );
        }
        add("pipeline", "SELECT id, label FROM pipelines");
        add(
            "stage",
            "SELECT s.id, p.label || ' / ' || s.label FROM stages s JOIN pipelines p ON p.id = s.pipeline_id",
        );
        Self {
            objects,
            references,
            names,
        }
    }

    /// What the numbers of a column are ids of, where they are.
    fn kind(&self, table: &str, column: &str, from: &str, to: &str) -> Option<String> {
        match (table, column) {
            ("pipelines", "id") | ("stages", "pipeline_id") => Some("pipeline".to_owned()),
            ("stages", "id") => Some("stage".to_owned()),
            ("associations", "from_id") => Some(from.to_owned()),
            ("associations", "to_id") => Some(to.to_owned()),
            _ => self
                .references
                .get(&(self.objects.get(table)?.clone(), column.to_owned()))
                .cloned(),
        }
    }
}

fn rows(db: &Connection, table: &str, names: &Names) -> Vec<String> {
    let is_object = names.objects.contains_key(table);
    let mut select = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
    let mut dumped = Vec::new();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let ends = if table == "associations" {
            (
                row.get("from_object").unwrap(),
                row.get("to_object").unwrap(),
            )
        } else {
            Default::default()
        };
        let (from, to): (String, String) = ends;
        let mut cells = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            if is_object && ["id", "created_at", "updated_at"].contains(&column.as_str()) {
                continue;
            }
            let value = row.get_ref(at).unwrap();
            let text = match (value, names.kind(table, column, &from, &to)) {
                (ValueRef::Integer(id), Some(kind)) => names
                    .names
                    .get(&(kind.clone(), id))
                    .cloned()
                    .unwrap_or_else(|| panic!("{table}.{column}: no {kind} {id}")),
                (ValueRef::Text(bytes), _) => String::from_utf8(bytes.to_vec()).unwrap(),
                (value, _) => format!("{value:?}"),
            };
            cells.push(format!("{column}={text:?}"));
        }
        dumped.push(cells.join(" "));
    }
    dumped.sort();
    dumped
}

fn texts(db: &Connection, sql: &str) -> Vec<String> {
    let mut select = db.prepare(sql).unwrap();
    let found = select.query_map([], |row| row.get(0)).unwrap();
    found.collect::<Result<_, _>>().unwrap()
}

/// The same records, values and associations, none twice. A difference is shown by its first rows.
#[track_caller]
pub(crate) fn assert_same(what: &str, left: &Dump, right: &Dump) {
    assert_eq!(
        left.keys().collect::<Vec<_>>(),
        right.keys().collect::<Vec<_>>(),
        "{what}: tables"
    );
    for (table, rows) in left {
        let others = &right[table];
        let missing: Vec<_> = rows
            .iter()
            .filter(|row| !others.contains(row))
            .take(3)
            .collect();
        let extra: Vec<_> = others
            .iter()
            .filter(|row| !rows.contains(row))
            .take(3)
            .collect();
        assert!(
            rows == others,
            "{what}: {table} has {} rows, not {}; missing {missing:#?}, extra {extra:#?}",
            others.len(),
            rows.len()
        );
    }
}

/// Not done, in words that name the thing and the remedy, and without a crash.
#[track_caller]
pub(crate) fn assert_refused(ended: &Ended, words: &[&str]) {
    let missing = missing(ended, words);
    assert!(missing.is_empty(), "{missing:?}: {ended:#?}");
}

/// What the end of a command that could not be done lacks.
pub(crate) fn missing(ended: &Ended, words: &[&str]) -> Vec<String> {
    let mut missing = Vec::new();
    if ended.code != Some(2) {
        missing.push(format!("ends with 2, not {:?}", ended.code));
    }
    let ugly = ["panicked", "RUST_BACKTRACE", "stack backtrace"]
        .into_iter()
        .filter(|ugly| ended.stderr.contains(ugly));
    missing.extend(ugly.map(|ugly| format!("must not show {ugly:?}")));
    let absent = words
        .iter()
        .chain(&["error: "])
        .filter(|word| !ended.stderr.contains(**word));
    missing.extend(absent.map(|word| format!("must say {word:?}")));
    missing
}
