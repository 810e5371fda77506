//! The workbook of an audit, held against the local CRM by plain SQL: each number, record by record and property by property.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use calamine::{Data, Reader as _, Xlsx};
use rusqlite::Connection;
use rust_decimal::Decimal;

use crate::failures_site::{Site, migration};

/// A sheet's rows by the heads of their columns.
type Rows = Vec<BTreeMap<String, String>>;

#[cfg(test)]
mod site {
    use super::*;

    /// The workbook and the CRM of one migration.
    pub(super) struct Audited {
        pub(super) book: Xlsx<BufReader<File>>,
        pub(super) crm: Connection,
    }

    impl Audited {
        pub(super) fn migrated(site: &Site) -> Self {
            let folder = site.copy("p");
            site.desk.run_expecting(&[0, 1], &migration("p"));
            Self {
                book: calamine::open_workbook(folder.join("audit.xlsx")).unwrap(),
                crm: Connection::open(folder.join("local-crm.db")).unwrap(),
            }
        }

        /// The rows below the row that begins with `head`, until an empty one.
        pub(super) fn rows(&mut self, sheet: &str, head: &str) -> Rows {
            let range = self.book.worksheet_range(sheet).unwrap();
            let text = |row: &[Data]| row.iter().map(ToString::to_string).collect::<Vec<_>>();
            let mut rows = range.rows().map(text).skip_while(|row| row[0] != head);
            let heads = rows.next().unwrap_or_else(|| panic!("{head} in {sheet}"));
            let rows = rows.take_while(|row| !row[0].is_empty());
            rows.map(|row| heads.iter().cloned().zip(row).collect())
                .collect()
        }

        #[track_caller]
        pub(super) fn number(&self, select: &str) -> i64 {
            self.crm
                .query_row(select, [], |row| row.get(0))
                .unwrap_or_else(|error| panic!("{select}: {error}"))
        }

        pub(super) fn columns(&self, table: &str) -> Vec<String> {
            let select = format!("SELECT name FROM pragma_table_info('{table}')");
            let mut select = self.crm.prepare(&select).unwrap();
            let names = select.query_map([], |row| row.get(0)).unwrap();
            names.map(Result::unwrap).collect()
        }
    }

    pub(super) fn table_of(object: &str) -> String {
        match object {
            "company" => "companies".to_owned(),
            "currency" => "currencies".to_owned(),
            other => format!("{other}s"),
        }
    }
}

use site::{Audited, table_of};

#[test]
fn every_sheet_says_what_plain_sql_says() {
    let site = Site::connected();
    let mut audited = Audited::migrated(&site);
    let names = audited.book.sheet_names();
    let objects: Vec<_> = names
        .iter()
        .filter_map(|name| name.strip_suffix(" records"))
        .collect();
    assert!(objects.len() > 10, "{names:?}");
    let (mut records, mut properties) = (0, 0);
    for object in objects {
        let table = table_of(object);
        let mut made = 0;
        for row in audited.rows(&format!("{object} records"), "Source id") {
            if row["What became of it"] != "created" {
                continue;
            }
            let (id, source) = (&row["Destination id"], &row["Source id"]);
            let bears = format!(
                "SELECT count(*) FROM {table} WHERE id = '{id}' AND longshore_source_id LIKE '%/{source}'"
            );
            assert_eq!(audited.number(&bears), 1, "{object} {source}");
            made += 1;
        }
        let there = audited.number(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(made, there, "{object}");
        records += made;
        let columns = audited.columns(&table);
        for row in audited.rows(object, "Name") {
            let property = &row["Matching property"];
            if !columns.contains(property) {
                continue;
            }
            let filled = audited.number(&format!("SELECT count(\"{property}\") FROM {table}"));
            assert_eq!(row["Filled"], filled.to_string(), "{object} {property}");
            let distinct = format!("SELECT count(DISTINCT \"{property}\") FROM {table}");
            let distinct = audited.number(&distinct).to_string();
            assert_eq!(row["Distinct values"], distinct, "{object} {property}");
            properties += 1;
        }
    }
    assert!(records > 200 && properties > 300, "{records} {properties}");
}

#[test]
fn money_and_associations_are_those_of_plain_sql() {
    let site = Site::connected();
    let mut audited = Audited::migrated(&site);
    let mut by_sql: BTreeMap<(String, String, String), (i64, Decimal)> = BTreeMap::new();
    {
        let mut select = audited
            .crm
            .prepare(
                "SELECT p.label, s.label, coalesce(d.deal_currency_code, ''), coalesce(CAST(d.amount AS TEXT), '0')
                 FROM deals d LEFT JOIN pipelines p ON p.id = d.pipeline LEFT JOIN stages s ON s.id = d.dealstage",
            )
            .unwrap();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let key = (
                row.get(0).unwrap(),
                row.get(1).unwrap(),
                row.get(2).unwrap(),
            );
            let amount: String = row.get(3).unwrap();
            let total = by_sql.entry(key).or_default();
            total.0 += 1;
            total.1 += amount.parse::<Decimal>().unwrap();
        }
    }
    let told = audited.rows("Export results", "Pipeline");
    let told: BTreeMap<_, _> = told
        .into_iter()
        .map(|row| {
            assert_eq!(row["Equal"], "equal", "{row:?}");
            let key = ["Pipeline", "Stage", "Currency"].map(|head| row[head].clone());
            let [pipeline, stage, currency] = key;
            let count = row["Destination deals"].parse().unwrap();
            let amount = row["Destination amount"].parse().unwrap();
            ((pipeline, stage, currency), (count, amount))
        })
        .collect();
    assert!(told.len() > 10);
    assert_eq!(told, by_sql);
    let made = audited.rows("Export results", "What became of them");
    let made = made
        .iter()
        .find(|row| row["What became of them"] == "made")
        .unwrap();
    let there = audited.number("SELECT count(*) FROM associations");
    assert_eq!(made["Count"], there.to_string());
}
