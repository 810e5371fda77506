//! Holds what a migration left behind, read into memory once: what the destination has, and the audit workbook's sheets.
//!
//! It compares nothing, and does not know how a destination is read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use calamine::Reader as _;

/// Where the records went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// Into a local CRM.
    LocalCrm,
    /// Into a HubSpot portal.
    Hubspot,
}

/// What each object of the source became.
const OBJECTS: [(&str, &str); 14] = [
    ("user", "owner"),
    ("currency", "currency"),
    ("organization", "company"),
    ("person", "contact"),
    ("lead", "lead"),
    ("product", "product"),
    ("deal", "deal"),
    ("deal_product", "line_item"),
    ("project", "project"),
    ("note", "note"),
    ("call", "call"),
    ("task", "task"),
    ("meeting", "meeting"),
    ("email", "email"),
];

/// One record of the destination.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: i64,
    /// What records of its object may have.
    pub(crate) columns: Arc<HashSet<String>>,
    /// What it has.
    pub(crate) cells: HashMap<String, String>,
}

impl Row {
    /// A column's value; numbers as their digits, `None` where it is blank.
    #[track_caller]
    pub(crate) fn text(&self, column: &str) -> Option<String> {
        assert!(self.columns.contains(column), "no column {column:?}");
        self.cells.get(column).cloned()
    }
}

/// A property of an object of the destination.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    pub(crate) name: String,
    /// Value and label of each option.
    pub(crate) options: Vec<(String, String)>,
}

impl Property {
    /// The labels of the options that a column holds: one as it is, several as a JSON list.
    pub(crate) fn labels(&self, cell: Option<&str>) -> Vec<String> {
        let label = |value: String| {
            let found = self.options.iter().find(|(other, _)| *other == value);
            found.map_or_else(|| format!("unlisted {value}"), |(_, label)| label.clone())
        };
        chosen(cell).into_iter().map(label).collect()
    }
}

/// The values in a column of options: one as it is, several as a JSON list.
pub(crate) fn chosen(cell: Option<&str>) -> Vec<String> {
    let Some(cell) = cell else { return Vec::new() };
    let several = cell
        .starts_with('[')
        .then(|| serde_json::from_str(cell).ok());
    several.flatten().unwrap_or_else(|| vec![cell.to_owned()])
}

/// One line of the workbook's sheet of findings.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) code: String,
    pub(crate) object: String,
    pub(crate) record: String,
    pub(crate) field: String,
}

/// Both ends and the label, `""` for the plain one.
pub(crate) type Association = (String, i64, String, i64, String);

/// An association in the one form that is compared: two objects in the order of their names, because their order says nothing; two
/// records of one object as they stand where a label may mean a direction.
pub(crate) fn keep(from: (&str, i64), to: (&str, i64), label: &str) -> Association {
    let is_turned = match from.0 == to.0 {
        true => label.is_empty() && from.1 > to.1,
        false => from.0 > to.0,
    };
    let (from, to) = if is_turned { (to, from) } else { (from, to) };
    (
        from.0.to_owned(),
        from.1,
        to.0.to_owned(),
        to.1,
        label.to_owned(),
    )
}

/// What a destination holds, however it was read.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) at: At,
    /// Records by object.
    pub(crate) tables: HashMap<&'static str, Vec<Row>>,
    /// Custom properties by object and label.
    pub(crate) properties: HashMap<(String, String), Vec<Property>>,
    /// Stage id to pipeline's label, stage's label, meaning.
    pub(crate) stages: HashMap<String, (String, String, String)>,
    pub(crate) associations: HashSet<Association>,
}

/// Everything that a migration left behind.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) summary: serde_json::Value,
    contents: Contents,
    by_source: HashMap<String, usize>,
    pub(crate) findings: Vec<Finding>,
    by_record: HashMap<(String, String), Vec<usize>>,
    /// Object and source id of a duplicate to the source id of the kept record.
    duplicates: HashMap<(String, String), String>,
    left_out: HashMap<(String, String), String>,
    sheets: HashMap<String, Vec<Vec<String>>>,
}

impl House {
    /// What the migration of that summary left: in the destination, and in that workbook. No record is there twice.
    pub(crate) fn new(summary: serde_json::Value, contents: Contents, workbook: &Path) -> Self {
        let mut house = Self {
            summary,
            by_source: HashMap::new(),
            contents,
            findings: Vec::new(),
            by_record: HashMap::new(),
            duplicates: HashMap::new(),
            left_out: HashMap::new(),
            sheets: read_sheets(workbook),
        };
        for rows in house.contents.tables.values() {
            for (place, row) in rows.iter().enumerate() {
                if let Some(key) = row.text("longshore_source_id") {
                    let twice = house.by_source.insert(key.clone(), place);
                    assert_eq!(twice, None, "{key} is at the destination twice");
                }
            }
        }
        house.read_accounts();
        house
    }

    /// Where the records went.
    pub(crate) fn at(&self) -> At {
        self.contents.at
    }

    /// Stage id to pipeline's label, stage's label, meaning.
    pub(crate) fn stages(&self) -> &HashMap<String, (String, String, String)> {
        &self.contents.stages
    }

    fn read_accounts(&mut self) {
        let rows = |name: &str| {
            self.sheets
                .get(name)
                .unwrap_or_else(|| panic!("no sheet {name:?}"))
                .iter()
                .skip(1)
        };
        let of = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
        self.findings = rows("Findings")
            .map(|row| Finding {
                code: of(row, 0),
                object: of(row, 1),
                record: of(row, 2),
                field: of(row, 3),
            })
            .collect();
        self.duplicates = rows("Duplicates")
            .map(|row| ((of(row, 0), of(row, 1)), of(row, 2)))
            .collect();
        self.left_out = rows("Excluded and failed")
            .map(|row| ((of(row, 0), of(row, 1)), of(row, 3)))
            .collect();
        for (place, finding) in self.findings.iter().enumerate() {
            self.by_record
                .entry((finding.object.clone(), finding.record.clone()))
                .or_default()
                .push(place);
        }
    }

    /// The destination's object that a source's object became.
    #[track_caller]
    pub(crate) fn object(source: &str) -> &'static str {
        OBJECTS
            .iter()
            .find(|(from, _)| *from == source)
            .unwrap_or_else(|| panic!("no object {source:?}"))
            .1
    }

    /// All records of an object of the destination.
    pub(crate) fn rows(&self, object: &str) -> &[Row] {
        &self.contents.tables[object]
    }

    /// The record that a source's record became, or is part of as a duplicate.
    pub(crate) fn find(&self, source: &str, id: &str) -> Option<&Row> {
        let kept = self.kept(source, id);
        let place = self.by_source.get(&format!("pipedrive/{source}/{kept}"))?;
        self.contents.tables[Self::object(source)].get(*place)
    }

    /// The source id of the record that is kept for this one: its own, unless it is a duplicate.
    pub(crate) fn kept(&self, source: &str, id: &str) -> String {
        let mut kept = id.to_owned();
        for _ in 0..8 {
            match self.duplicates.get(&(source.to_owned(), kept.clone())) {
                Some(other) => kept.clone_from(other),
                None => break,
            }
        }
        kept
    }

    /// Whether the workbook names it as a duplicate.
    pub(crate) fn is_duplicate(&self, source: &str, id: &str) -> bool {
        self.duplicates
            .contains_key(&(source.to_owned(), id.to_owned()))
    }

    /// Why a whole record is not there, where the workbook says so.
    pub(crate) fn why_left_out(&self, source: &str, id: &str) -> Option<&str> {
        self.left_out
            .get(&(source.to_owned(), id.to_owned()))
            .map(String::as_str)
    }

    /// Whether a finding of one of those codes names that field of that record.
    pub(crate) fn names(&self, codes: &[&str], source: &str, id: &str, field: &str) -> bool {
        let found = self.by_record.get(&(source.to_owned(), id.to_owned()));
        let mut findings = found
            .into_iter()
            .flatten()
            .map(|place| &self.findings[*place]);
        findings.any(|finding| finding.field == field && codes.contains(&finding.code.as_str()))
    }

    /// The property of that label that was made for the source's field.
    pub(crate) fn property(&self, object: &str, label: &str) -> Result<&Property, String> {
        let found = self
            .contents
            .properties
            .get(&(object.to_owned(), label.to_owned()));
        match found.map(Vec::as_slice) {
            Some([property]) => Ok(property),
            Some(several) => Err(format!(
                "{object}: {} properties are called {label:?}",
                several.len()
            )),
            None => Err(format!("{object}: no property is called {label:?}")),
        }
    }

    /// Whether two records are associated by that label, `""` for the plain one.
    pub(crate) fn is_linked(&self, from: (&str, i64), to: (&str, i64), label: &str) -> bool {
        self.contents.associations.contains(&keep(from, to, label))
    }

    /// All associations.
    pub(crate) fn associations(&self) -> BTreeSet<Association> {
        self.contents.associations.iter().cloned().collect()
    }

    /// The records of an object that have a plain association with one of another object.
    pub(crate) fn linked_with(&self, object: &str, other: &str) -> HashSet<i64> {
        let plain = self
            .contents
            .associations
            .iter()
            .filter(|link| link.4.is_empty());
        plain
            .filter_map(
                |(from, from_id, to, to_id, _)| match (from.as_str(), to.as_str()) {
                    (from, to) if from == object && to == other => Some(*from_id),
                    (from, to) if from == other && to == object => Some(*to_id),
                    _ => None,
                },
            )
            .collect()
    }

    /// A sheet's rows, the heading first.
    #[track_caller]
    pub(crate) fn sheet(&self, name: &str) -> &[Vec<String>] {
        self.sheets
            .get(name)
            .unwrap_or_else(|| panic!("no sheet {name:?} in {:?}", self.sheets.keys()))
    }
}

fn read_sheets(path: &Path) -> HashMap<String, Vec<Vec<String>>> {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).expect("the workbook opens");
    let read = |(name, range): (String, calamine::Range<calamine::Data>)| {
        let rows = range
            .rows()
            .map(|row| row.iter().map(ToString::to_string).collect());
        (name, rows.collect())
    };
    book.worksheets().into_iter().map(read).collect()
}
