//! The audit workbook as it is written: sheets that grow row by row in constant memory, and a file that appears whole or not at all.
//!
//! What the rows say is the audit's. Every text is written as a text, so a value that looks like a formula stays a value.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::error::RunError;
use crate::file::WholeFile;

/// Rows of one sheet of the file format, less a margin for the heading.
const ROWS_MAX: u32 = 1_048_000;

/// Characters of one cell of the file format.
const CELL_CHARS_MAX: usize = 32_767;

/// One cell.
#[derive(Clone, Debug)]
pub enum Cell<'a> {
    /// A text, never a formula.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// A share between 0 and 1, shown in percent.
    Share(f64),
    /// A state to be seen at a glance.
    Good(&'static str),
    /// Likewise, one that needs a look.
    Bad(&'static str),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Cell<'_> {
    fn from(number: u64) -> Self {
        // Counts of records are far below the 2^53 that a workbook's numbers hold exactly.
        Self::Number(number as f64)
    }
}

/// A sheet of the book, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SheetId(usize);

struct Sheet {
    title: String,
    columns: Vec<(&'static str, f64)>,
    worksheet: usize,
    part: u32,
    next_row: u32,
}

/// The workbook being written.
pub struct Book {
    path: PathBuf,
    workbook: Workbook,
    sheets: Vec<Sheet>,
    formats: Formats,
}

struct Formats {
    title: Format,
    head: Format,
    share: Format,
    good: Format,
    bad: Format,
}

impl Book {
    /// An empty book that will be written to `path`.
    pub fn new(path: &Path) -> Self {
        let head = Format::new()
            .set_bold()
            .set_background_color(Color::RGB(0x1F_3A_5F))
            .set_font_color(Color::White);
        let formats = Formats {
            title: Format::new().set_bold().set_font_size(14),
            head: head
                .set_border_bottom(FormatBorder::Thin)
                .set_align(FormatAlign::VerticalCenter),
            share: Format::new().set_num_format("0.0%"),
            good: Format::new()
                .set_font_color(Color::RGB(0x1B_7F_3B))
                .set_bold(),
            bad: Format::new()
                .set_font_color(Color::RGB(0xB4_23_18))
                .set_bold(),
        };
        Self {
            path: path.to_owned(),
            workbook: Workbook::new(),
            sheets: Vec::new(),
            formats,
        }
    }

    /// Adds a sheet whose first row is the heading, with the columns' widths in characters. A sheet without columns is filled by
    /// [`Self::title`] and [`Self::heading`].
    ///
    /// # Errors
    /// When the file format does not take it.
    pub fn add_sheet(
        &mut self,
        title: &str,
        columns: &[(&'static str, f64)],
    ) -> Result<SheetId, RunError> {
        let sheet = Sheet {
            title: sheet_name(title, 1),
            columns: columns.to_vec(),
            worksheet: 0,
            part: 0,
            next_row: 0,
        };
        self.sheets.push(sheet);
        let id = SheetId(self.sheets.len() - 1);
        self.begin_part(id, title)
            .map_err(|error| self.failed(error))?;
        Ok(id)
    }

    fn begin_part(&mut self, id: SheetId, title: &str) -> Result<(), XlsxError> {
        let worksheet = self.workbook.add_worksheet_with_constant_memory()?;
        let sheet = &mut self.sheets[id.0];
        sheet.part += 1;
        worksheet.set_name(sheet_name(title, sheet.part))?;
        for (column, (_, width)) in (0..).zip(&sheet.columns) {
            worksheet.set_column_width(column, *width)?;
        }
        sheet.next_row = 0;
        if !sheet.columns.is_empty() {
            worksheet.set_freeze_panes(1, 0)?;
            for (column, (head, _)) in (0..).zip(&sheet.columns) {
                worksheet.write_string_with_format(0, column, *head, &self.formats.head)?;
            }
            sheet.next_row = 1;
        }
        sheet.worksheet = self.workbook.worksheets().len() - 1;
        Ok(())
    }

    /// Adds a row; a full sheet goes on in a further one of the same name and a number.
    ///
    /// # Errors
    /// When the file format does not take it.
    pub fn row(&mut self, id: SheetId, cells: &[Cell<'_>]) -> Result<(), RunError> {
        if self.sheets[id.0].next_row >= ROWS_MAX {
            let title = self.sheets[id.0].title.clone();
            self.begin_part(id, &title)
                .map_err(|error| self.failed(error))?;
        }
        self.write_row(id, cells)
            .map_err(|error| self.failed(error))
    }

    fn write_row(&mut self, id: SheetId, cells: &[Cell<'_>]) -> Result<(), XlsxError> {
        let sheet = &mut self.sheets[id.0];
        let (row, formats) = (sheet.next_row, &self.formats);
        sheet.next_row += 1;
        let worksheet = self.workbook.worksheet_from_index(sheet.worksheet)?;
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) if text.is_empty() => continue,
                Cell::Text(text) => worksheet.write_string(row, column, cut(text))?,
                Cell::Number(number) => worksheet.write_number(row, column, *number)?,
                Cell::Share(share) => {
                    worksheet.write_number_with_format(row, column, *share, &formats.share)?
                }
                Cell::Good(text) => {
                    worksheet.write_string_with_format(row, column, *text, &formats.good)?
                }
                Cell::Bad(text) => {
                    worksheet.write_string_with_format(row, column, *text, &formats.bad)?
                }
            };
        }
        Ok(())
    }

    /// Adds a title, after an empty row where the sheet is not empty.
    ///
    /// # Errors
    /// When the file format does not take it.
    pub fn title(&mut self, id: SheetId, title: &str) -> Result<(), RunError> {
        let sheet = &mut self.sheets[id.0];
        let row = sheet.next_row + u32::from(sheet.next_row > 0);
        sheet.next_row = row + 1;
        let index = sheet.worksheet;
        let format = self.formats.title.clone();
        self.on_worksheet(index, |worksheet| {
            worksheet
                .write_string_with_format(row, 0, title, &format)
                .map(|_| ())
        })
    }

    /// Adds a heading row inside a sheet.
    ///
    /// # Errors
    /// When the file format does not take it.
    pub fn heading(&mut self, id: SheetId, heads: &[&str]) -> Result<(), RunError> {
        let sheet = &mut self.sheets[id.0];
        let (row, index) = (sheet.next_row, sheet.worksheet);
        sheet.next_row += 1;
        let format = self.formats.head.clone();
        self.on_worksheet(index, |worksheet| {
            for (column, head) in (0..).zip(heads) {
                worksheet.write_string_with_format(row, column, *head, &format)?;
            }
            Ok(())
        })
    }

    /// Sets the widths of a sheet without columns of its own, in characters.
    ///
    /// # Errors
    /// When the file format does not take it.
    pub fn widths(&mut self, id: SheetId, widths: &[f64]) -> Result<(), RunError> {
        let index = self.sheets[id.0].worksheet;
        self.on_worksheet(index, |worksheet| {
            for (column, width) in (0..).zip(widths) {
                worksheet.set_column_width(column, *width)?;
            }
            Ok(())
        })
    }

    fn on_worksheet(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut Worksheet) -> Result<(), XlsxError>,
    ) -> Result<(), RunError> {
        let written = self.workbook.worksheet_from_index(index).and_then(write);
        written.map_err(|error| self.failed(error))
    }

    /// Writes the file, for its owner only: aside first, then in its place.
    ///
    /// # Errors
    /// When the disk does not take it; nothing of the file is there then.
    pub fn finish(mut self) -> Result<(), RunError> {
        let saved = WholeFile::create(&self.path)
            .map_err(XlsxError::IoError)
            .and_then(|(whole, file)| {
                self.workbook.save_to_writer(file)?;
                Ok(whole.finish()?)
            });
        saved.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: XlsxError) -> RunError {
        RunError::Workbook {
            path: self.path.clone(),
            error,
        }
    }
}

/// A name that the file format takes: at most 31 characters, none of `[]:*?/\`.
fn sheet_name(title: &str, part: u32) -> String {
    let suffix = if part > 1 {
        format!(" ({part})")
    } else {
        String::new()
    };
    let allowed = |c: char| if "[]:*?/\\'".contains(c) { ' ' } else { c };
    let kept: String = title.chars().map(allowed).take(31 - suffix.len()).collect();
    kept + &suffix
}

/// Cuts a text to what a cell holds, and shows that it did.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= CELL_CHARS_MAX {
        return Cow::Borrowed(text);
    }
    // Counted as the file format counts: in UTF-16 units.
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units >= CELL_CHARS_MAX
    });
    end.map_or(Cow::Borrowed(text), |(at, _)| {
        Cow::Owned(format!("{}…", &text[..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheet_names_fit_the_file_format() {
        assert_eq!(sheet_name("a/b:c", 1), "a b c");
        assert_eq!(sheet_name(&"x".repeat(40), 2).len(), 31);
    }

    #[test]
    fn a_long_text_is_cut_where_a_cell_ends() {
        assert_eq!(cut("short"), "short");
        let cut = cut(&"😀".repeat(20_000)).into_owned();
        assert!(cut.encode_utf16().count() <= CELL_CHARS_MAX && cut.ends_with("😀…"));
    }
}
