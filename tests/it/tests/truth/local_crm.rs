//! Reads what `longshore demo` left in a local CRM: its tables, properties, stages, associations.
//!
//! It compares nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use it::Desk;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use super::house::{Association, At, Contents, House, Property, Row, keep};

/// Objects and their tables.
const TABLES: [(&str, &str); 15] = [
    ("owner", "owners"),
    ("currency", "currencies"),
    ("company", "companies"),
    ("contact", "contacts"),
    ("lead", "leads"),
    ("product", "products"),
    ("deal", "deals"),
    ("line_item", "line_items"),
    ("invoice", "invoices"),
    ("project", "projects"),
    ("note", "notes"),
    ("call", "calls"),
    ("task", "tasks"),
    ("meeting", "meetings"),
    ("email", "emails"),
];

/// Runs `longshore demo` and reads what it left.
pub(crate) fn of_demo(arguments: &[&str]) -> House {
    let desk = Desk::new();
    let all: Vec<_> = ["demo", "--dir", "demo", "--json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let summary = desk.run_expecting(&[0, 1], &all).json();
    let folder = desk.path().join("demo");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(folder.join("local-crm.db"), flags)
        .expect("the local CRM is a database");
    let tables = TABLES.map(|(object, table)| (object, load_table(&db, table)));
    let contents = Contents {
        at: At::LocalCrm,
        tables: tables.into(),
        properties: load_properties(&db),
        stages: load_stages(&db),
        associations: load_associations(&db),
    };
    House::new(summary, contents, &folder.join("audit.xlsx"))
}

fn load_table(db: &Connection, table: &str) -> Vec<Row> {
    let mut select = db
        .prepare(&format!(
            "SELECT * FROM {table} WHERE archived = 0 ORDER BY id"
        ))
        .expect("the table is there");
    let names: Vec<String> = select.column_names().map(str::to_owned).collect();
    let columns: Arc<HashSet<String>> = Arc::new(names.iter().cloned().collect());
    let mut rows = select.query([]).expect("readable");
    let mut read = Vec::new();
    while let Some(row) = rows.next().expect("readable") {
        let cell = |(place, name): (usize, &String)| {
            let text = match row.get(place).expect("a value") {
                Value::Null => return None,
                Value::Integer(number) => number.to_string(),
                Value::Text(text) => text,
                other => panic!("column {name:?} holds {other:?}"),
            };
            Some((name.clone(), text))
        };
        read.push(Row {
            id: row.get("id").expect("an id"),
            columns: Arc::clone(&columns),
            cells: names.iter().enumerate().filter_map(cell).collect(),
        });
    }
    read
}

fn load_properties(db: &Connection) -> HashMap<(String, String), Vec<Property>> {
    let mut properties: HashMap<_, Vec<Property>> = HashMap::new();
    let mut select = db
        .prepare("SELECT object, label, name, options FROM properties WHERE custom = 1")
        .expect("a table");
    let mut rows = select.query([]).expect("readable");
    while let Some(row) = rows.next().expect("readable") {
        let options: Option<String> = row.get(3).expect("a text");
        let options: serde_json::Value = options.map_or_else(Default::default, |json| {
            serde_json::from_str(&json).expect("JSON")
        });
        let text = |option: &serde_json::Value, key: &str| {
            option[key].as_str().expect("a text").to_owned()
        };
        let options = options
            .as_array()
            .into_iter()
            .flatten()
            .map(|option| (text(option, "value"), text(option, "label")));
        let property = Property {
            name: row.get(2).expect("a text"),
            options: options.collect(),
        };
        let key = (row.get(0).expect("a text"), row.get(1).expect("a text"));
        properties.entry(key).or_default().push(property);
    }
    properties
}

fn load_stages(db: &Connection) -> HashMap<String, (String, String, String)> {
    let sql = "SELECT s.id, p.label, s.label, s.meaning FROM stages s JOIN pipelines p ON p.id = s.pipeline_id";
    let mut select = db.prepare(sql).expect("tables");
    let read = select.query_map([], |row| {
        Ok((
            row.get::<_, i64>(0)?.to_string(),
            (row.get(1)?, row.get(2)?, row.get(3)?),
        ))
    });
    read.expect("readable")
        .collect::<Result<_, _>>()
        .expect("readable")
}

fn load_associations(db: &Connection) -> HashSet<Association> {
    let mut select = db
        .prepare("SELECT from_object, from_id, to_object, to_id, label FROM associations")
        .expect("a table");
    let mut rows = select.query([]).expect("readable");
    let mut all = HashSet::new();
    while let Some(row) = rows.next().expect("readable") {
        let text = |at: usize| row.get::<_, String>(at).expect("a text");
        let id = |at: usize| row.get::<_, i64>(at).expect("an id");
        let (from, to) = (text(0), text(2));
        let is_new = all.insert(keep((&from, id(1)), (&to, id(3)), &text(4)));
        assert!(
            is_new,
            "{from} {} and {to} {} are linked twice",
            id(1),
            id(3)
        );
    }
    all
}
