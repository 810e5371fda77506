//! Standard output: data, and nothing but data. Everything else goes to standard error.

#![expect(
    clippy::print_stdout,
    reason = "this module is the one door to standard output"
)]

use serde::Serialize;

/// How a command ended; it becomes the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done, nothing to tell: 0.
    Done,
    /// Done, with findings about the data: 1.
    WithFindings,
}

impl Ending {
    /// Done, with or without findings.
    pub(crate) fn with(findings: u64) -> Self {
        if findings == 0 {
            Self::Done
        } else {
            Self::WithFindings
        }
    }
}

/// Prints one JSON document on one line.
pub(crate) fn print_json(value: &impl Serialize) {
    println!(
        "{}",
        serde_json::to_string(value).expect("what is printed has text keys and no failing parts")
    );
}

/// Prints one line for a person.
pub(crate) fn print_line(line: &str) {
    println!("{line}");
}
