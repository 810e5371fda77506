//! CPU time and peak memory of writing a workbook: one sheet of 100,000 rows and 20 columns, texts, numbers and shares.
//!
//! It measures and prints; it judges nothing. `cargo bench -p run --bench workbook -- 100000` takes the number of rows.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use run::workbook::{Book, Cell};

fn main() {
    let mut rows = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok());
    let rows: u64 = rows.next().unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.xlsx");
    let before = (cpu_s(), peak_mib());
    let mut book = Book::new(&path);
    let columns = [("A column", 16.0); 20];
    let sheet = book.add_sheet("Records", &columns).expect("a sheet");
    for row in 0..rows {
        let cells: [Cell<'_>; 20] = std::array::from_fn(|column| cell(row, column));
        book.row(sheet, &cells).expect("a row");
    }
    book.finish().expect("a file");
    let bytes = std::fs::metadata(&path).expect("the file").len();
    println!(
        "{rows} rows of 20 columns: {:.2} CPU s, peak {} MiB ({} before), {:.1} MiB of file",
        cpu_s() - before.0,
        peak_mib(),
        before.1,
        bytes as f64 / f64::from(1 << 20)
    );
}

/// Half of the columns are texts, most of them different in every row; the others are numbers and shares.
fn cell<'c>(row: u64, column: usize) -> Cell<'c> {
    match column {
        0..4 => format!("{row}-{column}").into(),
        4..8 => format!("value {} of {column}", row % 1_000).into(),
        8..10 => "=SUM(A1:A9)".into(),
        10..18 => (row * 31 % 100_003).into(),
        _ => Cell::Share((row % 100) as f64 / 100.0),
    }
}

/// CPU seconds of this thread, as the kernel counts them.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = stat.split(' ').next().and_then(|text| text.parse().ok());
    ns.unwrap_or(0.0_f64) / 1e9
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
