//! The file's layout: tables, indexes and views, made once and kept readable for a person with an SQLite browser.
//!
//! Custom properties are added later, by `prepare`; the views name built-in columns only.

use std::fmt::Write as _;

use model::FieldKind;
use model::destination::SOURCE_KEY_PROPERTY;
use rusqlite::{Connection, params};

use crate::name::ColumnName;
use crate::standard::{TABLES, Table, Unique};

/// `PRAGMA application_id` of the file: "LSHR".
pub(crate) const APPLICATION_ID: i32 = 0x4C53_4852;

/// `PRAGMA user_version`: the layout that this program writes.
pub(crate) const LAYOUT_VERSION: i32 = 1;

const FIXED_TABLES: &str = r#"
CREATE TABLE crm (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO crm VALUES ('account_id', lower(hex(randomblob(8))));
CREATE TABLE properties (
  object TEXT NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  kind TEXT NOT NULL,
  custom INTEGER NOT NULL CHECK (custom IN (0, 1)),
  options TEXT, -- JSON: [{"value", "label"}]; NULL: any value
  currency_field TEXT,
  refers_to TEXT,
  is_unique INTEGER NOT NULL CHECK (is_unique IN (0, 1)),
  PRIMARY KEY (object, name)
) WITHOUT ROWID;
CREATE TABLE pipelines (
  id INTEGER PRIMARY KEY,
  object TEXT NOT NULL,
  label TEXT NOT NULL,
  position INTEGER NOT NULL
);
CREATE TABLE stages (
  id INTEGER PRIMARY KEY,
  pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
  label TEXT NOT NULL,
  position INTEGER NOT NULL,
  probability INTEGER CHECK (probability BETWEEN 0 AND 100), -- percent
  meaning TEXT NOT NULL CHECK (meaning IN ('open', 'won', 'lost'))
);
CREATE TABLE association_labels (
  from_object TEXT NOT NULL,
  to_object TEXT NOT NULL,
  label TEXT NOT NULL CHECK (label <> ''),
  PRIMARY KEY (from_object, to_object, label)
) WITHOUT ROWID;
CREATE TABLE associations (
  from_object TEXT NOT NULL,
  from_id INTEGER NOT NULL,
  to_object TEXT NOT NULL,
  to_id INTEGER NOT NULL,
  label TEXT NOT NULL DEFAULT '', -- '': the plain link
  PRIMARY KEY (from_object, from_id, to_object, to_id, label)
) WITHOUT ROWID;
CREATE INDEX associations_reverse ON associations (to_object, to_id, from_object, from_id);
"#;

const VIEWS: &str = r#"
CREATE VIEW deals_by_stage AS
SELECT p.label AS pipeline, s.label AS stage, s.meaning, d.deal_currency_code AS currency,
       count(*) AS deals, round(total(CAST(d.amount AS REAL)), 2) AS amount
FROM deals d LEFT JOIN stages s ON s.id = d.dealstage LEFT JOIN pipelines p ON p.id = d.pipeline
WHERE d.archived = 0
GROUP BY d.pipeline, d.dealstage, d.deal_currency_code
ORDER BY p.position, s.position, d.deal_currency_code;
CREATE VIEW deals_in_words AS
SELECT d.id, d.dealname, CAST(d.amount AS REAL) AS amount, d.deal_currency_code AS currency,
       p.label AS pipeline, s.label AS stage, s.meaning, d.closedate,
       coalesce(o.name, trim(coalesce(o.firstname, '') || ' ' || coalesce(o.lastname, ''))) AS owner
FROM deals d LEFT JOIN stages s ON s.id = d.dealstage LEFT JOIN pipelines p ON p.id = d.pipeline
LEFT JOIN owners o ON o.id = d.hubspot_owner_id
WHERE d.archived = 0;
CREATE VIEW contact_companies AS
SELECT c.id AS contact_id, c.firstname, c.lastname, c.email, k.id AS company_id, k.name AS company, a.label
FROM associations a JOIN contacts c ON c.id = a.from_id JOIN companies k ON k.id = a.to_id
WHERE a.from_object = 'contact' AND a.to_object = 'company' AND c.archived = 0 AND k.archived = 0;
CREATE VIEW deal_contacts AS
SELECT d.id AS deal_id, d.dealname, c.id AS contact_id, c.firstname, c.lastname, c.email, a.label
FROM associations a JOIN deals d ON d.id = a.from_id JOIN contacts c ON c.id = a.to_id
WHERE a.from_object = 'deal' AND a.to_object = 'contact' AND d.archived = 0 AND c.archived = 0;
CREATE VIEW deal_companies AS
SELECT d.id AS deal_id, d.dealname, k.id AS company_id, k.name AS company, a.label
FROM associations a JOIN deals d ON d.id = a.from_id JOIN companies k ON k.id = a.to_id
WHERE a.from_object = 'deal' AND a.to_object = 'company' AND d.archived = 0 AND k.archived = 0;
CREATE VIEW deal_line_items AS
SELECT d.id AS deal_id, d.dealname, l.id AS line_item_id, coalesce(l.name, p.name) AS line_item, p.hs_sku AS sku,
       l.quantity, l.price, l.amount, l.currency
FROM associations a JOIN line_items l ON l.id = a.from_id JOIN deals d ON d.id = a.to_id
LEFT JOIN products p ON p.id = l.hs_product_id
WHERE a.from_object = 'line_item' AND a.to_object = 'deal' AND l.archived = 0 AND d.archived = 0;
CREATE VIEW engagements AS
SELECT 'note' AS kind, id, hs_timestamp AS at, NULL AS subject, hs_note_body AS body, hubspot_owner_id AS owner_id
FROM notes WHERE archived = 0
UNION ALL SELECT 'call', id, hs_timestamp, hs_call_title, hs_call_body, hubspot_owner_id FROM calls WHERE archived = 0
UNION ALL SELECT 'task', id, hs_timestamp, hs_task_subject, hs_task_body, hubspot_owner_id FROM tasks WHERE archived = 0
UNION ALL SELECT 'meeting', id, hs_timestamp, hs_meeting_title, hs_meeting_body, hubspot_owner_id
FROM meetings WHERE archived = 0
UNION ALL SELECT 'email', id, hs_timestamp, hs_email_subject, coalesce(hs_email_text, hs_email_html), hubspot_owner_id
FROM emails WHERE archived = 0;
CREATE VIEW timeline AS
SELECT a.to_object AS object, a.to_id AS record_id, e.at, e.kind, e.id AS engagement_id, e.subject, e.body, e.owner_id
FROM engagements e JOIN associations a ON a.from_object = e.kind AND a.from_id = e.id;
"#;

/// Makes everything a new file needs. The caller holds the transaction.
pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(FIXED_TABLES)?;
    for table in &TABLES {
        create_table(conn, table)?;
    }
    conn.execute_batch(VIEWS)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", LAYOUT_VERSION)
}

fn create_table(conn: &Connection, table: &Table) -> rusqlite::Result<()> {
    let name = table.table;
    let mut sql = format!(
        "CREATE TABLE {name} (\n  id INTEGER PRIMARY KEY,\n  {SOURCE_KEY_PROPERTY} TEXT,\n  \
         archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),\n  \
         created_at TEXT NOT NULL,\n  updated_at TEXT NOT NULL"
    );
    for property in table.properties {
        let column = ColumnName::new(property.name).expect("built-in names are plain");
        let definition = column_definition(&column, property.kind, property.refers_to);
        write!(sql, ",\n  {definition}").expect("a String takes every write");
    }
    sql.push_str("\n);\n");
    // An archived record frees its source key and its e-mail, so that a migration that was rolled back can be run again.
    writeln!(
        sql,
        "CREATE UNIQUE INDEX {name}_source ON {name} ({SOURCE_KEY_PROPERTY}) WHERE archived = 0;"
    )
    .expect("a String takes every write");
    conn.execute_batch(&sql)?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO properties (object, position, name, label, kind, custom, options, currency_field, refers_to, is_unique)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, NULL, ?6, ?7, ?8)",
    )?;
    for (position, property) in (0_i64..).zip(table.properties) {
        let unique = property.unique == Unique::Yes;
        insert.execute(params![
            table.object.name(),
            position,
            property.name,
            property.label,
            property.kind.name(),
            property.currency_field,
            property.refers_to,
            unique,
        ])?;
        if unique {
            let column = ColumnName::new(property.name).expect("built-in names are plain");
            conn.execute_batch(&unique_index(name, &column, property.kind))?;
        }
    }
    Ok(())
}

/// The column of a property: the form that its values are kept in.
///
/// Decimals are text, because every other form that SQLite has goes through a float.
pub(crate) fn column_definition(
    column: &ColumnName,
    kind: FieldKind,
    refers_to: Option<&str>,
) -> String {
    match kind {
        FieldKind::Boolean => format!("{column} INTEGER CHECK ({column} IN (0, 1))"),
        FieldKind::Integer => format!("{column} INTEGER"),
        _ if refers_to.is_some() => format!("{column} INTEGER"),
        _ => format!("{column} TEXT"),
    }
}

/// The index that keeps a property's values apart; e-mail addresses are one whatever their case.
pub(crate) fn unique_index(table: &str, column: &ColumnName, kind: FieldKind) -> String {
    let (plain, collation) = (column.as_str(), collation(kind));
    format!(
        "CREATE UNIQUE INDEX \"{table}_unique_{plain}\" ON {table} ({column}{collation}) WHERE archived = 0 AND {column} <> '';"
    )
}

/// How values of a unique property are compared.
pub(crate) fn collation(kind: FieldKind) -> &'static str {
    if kind == FieldKind::Email {
        " COLLATE NOCASE"
    } else {
        ""
    }
}
