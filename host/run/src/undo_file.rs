//! The steps of a roll back in a file for a person: a workbook where its name ends in `.xlsx`, else JSON by lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use model::ObjectName;

use crate::error::RunError;
use crate::file::WholeFile;
use crate::undone::Undoing;
use crate::workbook::{Book, SheetId};

/// A file that is being written; it appears whole or not at all.
pub struct UndoFile {
    path: PathBuf,
    form: Form,
}

enum Form {
    Lines(WholeFile, BufWriter<File>),
    Book(Box<Book>, BTreeMap<ObjectName, SheetId>),
}

impl UndoFile {
    /// Begins the file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        let is_workbook = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
        let form = if is_workbook {
            Form::Book(Box::new(Book::new(path)), BTreeMap::new())
        } else {
            let (whole, file) = WholeFile::create(path).map_err(|error| failed(path, error))?;
            Form::Lines(whole, BufWriter::new(file))
        };
        Ok(Self {
            path: path.to_owned(),
            form,
        })
    }

    /// Adds a step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, step: &Undoing) -> Result<(), RunError> {
        match &mut self.form {
            Form::Lines(_, out) => {
                let line = serde_json::to_string(step).expect("a step is plain JSON");
                writeln!(out, "{line}").map_err(|error| failed(&self.path, error))
            }
            Form::Book(book, sheets) => {
                let sheet = match sheets.get(&step.object) {
                    Some(sheet) => *sheet,
                    None => {
                        let columns = [
                            ("Source id", 20.0),
                            ("Destination id", 18.0),
                            ("Becomes", 12.0),
                            ("Set back", 80.0),
                            ("Stays", 80.0),
                        ];
                        let sheet = book.add_sheet(step.object.as_str(), &columns)?;
                        sheets.insert(step.object.clone(), sheet);
                        sheet
                    }
                };
                let values: Vec<_> = step
                    .values
                    .iter()
                    .map(|(property, value)| format!("{property} -> {value}"))
                    .collect();
                let (values, stays) = (values.join("; "), step.exceptions.join("; "));
                let cells = [
                    step.record.as_str().into(),
                    step.destination.as_str().into(),
                    step.becomes.name().into(),
                    values.as_str().into(),
                    stays.as_str().into(),
                ];
                book.row(sheet, &cells)
            }
        }
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), RunError> {
        let path = self.path;
        match self.form {
            Form::Lines(whole, mut out) => out
                .flush()
                .and_then(|()| whole.finish())
                .map_err(|error| failed(&path, error)),
            Form::Book(mut book, sheets) => {
                // A workbook has at least one sheet.
                if sheets.is_empty() {
                    book.add_sheet("Nothing to undo", &[])?;
                }
                book.finish()
            }
        }
    }
}

fn failed(path: &Path, error: std::io::Error) -> RunError {
    RunError::File {
        path: path.to_owned(),
        error,
    }
}
