//! CSV files, read with errors that say where and what to do.
//!
//! Cells are trimmed. What the columns mean is not looked at here.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Error, Result};
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};

use crate::failure::WithHint;

/// A table that is being read, row by row.
pub(crate) struct Table<'p> {
    path: &'p Path,
    reader: Reader<BufReader<File>>,
    /// The names of its columns.
    pub(crate) headers: Vec<String>,
    row: StringRecord,
}

impl<'p> Table<'p> {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &'p Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let mut file = BufReader::new(File::open(path).with_context(cannot)?);
        let start = file.fill_buf().with_context(cannot)?;
        if start.iter().all(u8::is_ascii_whitespace) {
            return Err(WithHint::error(
                format!("{} is empty", path.display()),
                "its first line names the columns, every other one is a record",
            ));
        }
        let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
        let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
        // The first of those that occur most often.
        let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|by| count(*by));
        if start.starts_with("\u{feff}".as_bytes()) {
            file.consume(3);
        }
        let mut table = Self {
            path,
            reader: ReaderBuilder::new()
                .trim(Trim::All)
                .delimiter(delimiter.unwrap_or(b','))
                .from_reader(file),
            headers: Vec::new(),
            row: StringRecord::new(),
        };
        match table.reader.headers() {
            Ok(headers) => table.headers = headers.iter().map(str::to_owned).collect(),
            Err(error) => return Err(table.tell(&error)),
        }
        Ok(table)
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Result<usize> {
        let mut found = self.headers.iter().enumerate();
        let mut named = found.by_ref().filter(|(_, header)| *header == name);
        match (named.next(), named.next()) {
            (Some((at, _)), None) => Ok(at),
            (Some(_), Some(_)) => Err(WithHint::error(
                format!(
                    "{}, line 1: two columns are called {name:?}",
                    self.path.display()
                ),
                "give them different names",
            )),
            (None, _) => {
                let known = self.headers.iter().map(|header| format!("{header:?}"));
                let known: Vec<_> = known.take(40).collect();
                Err(WithHint::error(
                    format!("{}, line 1: no column {name:?}", self.path.display()),
                    format!("it has {}", known.join(", ")),
                ))
            }
        }
    }

    /// The next row with its line, until there is none.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &StringRecord)>> {
        match self.reader.read_record(&mut self.row) {
            Ok(true) => {
                let line = self.row.position().map_or(0, csv::Position::line);
                Ok(Some((line, &self.row)))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(self.tell(&error)),
        }
    }

    /// An error in a row, with its remedy.
    pub(crate) fn error(&self, line: u64, what: &str, hint: &str) -> Error {
        WithHint::error(
            format!("{}, line {line}: {what}", self.path.display()),
            hint,
        )
    }

    fn tell(&self, error: &csv::Error) -> Error {
        let line = error.position().map_or(1, csv::Position::line);
        match error.kind() {
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => self.error(
                line,
                &format!("{len} fields, where the header has {expected_len}"),
                "put values that hold the separator or a line break into double quotes",
            ),
            ErrorKind::Utf8 { err, .. } => {
                let column = self.headers.get(err.field());
                let column = column
                    .map_or_else(|| (err.field() + 1).to_string(), |name| format!("{name:?}"));
                self.error(
                    line,
                    &format!("column {column} is not UTF-8"),
                    "save the file in UTF-8; `iconv -f WINDOWS-1252 -t UTF-8` converts most others",
                )
            }
            _ => self.error(
                line,
                &error.to_string(),
                "check that the file is on a disk that can be read",
            ),
        }
    }
}
