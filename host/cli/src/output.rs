//! Standard output: data, and nothing but data. Everything else goes to standard error.

use std::io::{Error, ErrorKind, Write as _};
use std::sync::OnceLock;

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

/// The first failure to print.
static FAILURE: OnceLock<Error> = OnceLock::new();

/// Prints one JSON document on one line.
pub(crate) fn print_json(value: &impl Serialize) {
    print_line(
        &serde_json::to_string(value).expect("what is printed has text keys and no failing parts"),
    );
}

/// Prints one line for a person.
pub(crate) fn print_line(line: &str) {
    let mut output = std::io::stdout().lock();
    if let Err(error) = writeln!(output, "{line}").and_then(|()| output.flush()) {
        // The first one says why; those after it follow from it.
        let _ = FAILURE.set(error);
    }
}

/// Why something that was printed did not arrive. A reader that went away, as `head` does, had what it wanted: that is no failure.
pub(crate) fn failure() -> Option<&'static Error> {
    FAILURE
        .get()
        .filter(|error| error.kind() != ErrorKind::BrokenPipe)
}
