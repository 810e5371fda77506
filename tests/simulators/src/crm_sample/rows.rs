//! Reads the rows of the sample's CSV files, and says which row is wrong.
//!
//! It corrects nothing: misspelt words stay as they are.

use crate::truth::{Amount, Day, SourceError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) account: String,
    pub(super) sector: String,
    pub(super) year_established: String,
    pub(super) revenue: String,
    pub(super) employees: String,
    pub(super) office_location: String,
    pub(super) subsidiary_of: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Product {
    pub(super) product: String,
    pub(super) series: String,
    pub(super) sales_price: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Agent {
    pub(super) sales_agent: String,
    pub(super) manager: String,
    pub(super) regional_office: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Opportunity {
    pub(super) opportunity_id: String,
    pub(super) sales_agent: String,
    pub(super) product: String,
    pub(super) account: String,
    pub(super) deal_stage: String,
    pub(super) engage_date: String,
    pub(super) close_date: String,
    pub(super) close_value: String,
}

/// All rows of a file with a heading.
pub(super) fn read<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<Vec<T>, SourceError> {
    let path = folder.join(file);
    let rows = csv::Reader::from_path(&path).and_then(|mut reader| reader.deserialize().collect());
    rows.map_err(|source| SourceError::Csv { path, source })
}

/// Where something stands.
pub(super) struct Row {
    pub(super) file: &'static str,
    pub(super) number: u64,
}

impl Row {
    pub(super) fn error(&self, what: String) -> SourceError {
        SourceError::Row {
            file: self.file,
            row: self.number,
            what,
        }
    }

    pub(super) fn amount(&self, text: &str) -> Result<Amount, SourceError> {
        Amount::parse(text).ok_or_else(|| self.error(format!("{text:?} is not a number")))
    }

    /// A date as `month/day/year`; empty is none.
    pub(super) fn day(&self, text: &str) -> Result<Option<Day>, SourceError> {
        if text.is_empty() {
            return Ok(None);
        }
        let parts: Option<Vec<i32>> = text.split('/').map(|part| part.parse().ok()).collect();
        match parts.as_deref() {
            Some([month @ 1..=12, day @ 1..=31, year]) => Ok(Some(Day::of(*year, *month, *day))),
            _ => Err(self.error(format!("{text:?} is not a date"))),
        }
    }
}
