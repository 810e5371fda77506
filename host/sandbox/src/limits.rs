//! What one cell may use before it is stopped.
//!
//! The figures come from the manifest and the operator; it enforces none of them.

use std::time::Duration;

use model::row::RowLimits;

/// What a connector's cell may use. Sizes are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellLimits {
    /// Linear memory of the whole cell.
    pub memory_max_bytes: usize,
    /// Elements of all tables of the cell.
    pub table_max_elements: usize,
    /// Wall-clock time of one call, instantiation and waiting in imports included.
    pub call_timeout: Duration,
    /// What a page of rows may be. Its size and a quarter is also what any call may hand to the host.
    pub rows: RowLimits,
    /// What a call may log.
    pub logs: LogLimits,
    /// Calls that one instance answers before a fresh one takes over.
    pub calls_per_instance: u32,
    /// How long an instance is kept without a call.
    pub idle: Duration,
    /// Pages in a row that may be empty before a list counts as one that never ends.
    pub empty_pages_max: u32,
    /// Pages of one list, after which it counts as one that never ends.
    pub pages_max: u32,
}

impl Default for CellLimits {
    /// 64 MiB, 100,000 table elements, 2 minutes a call, 200 calls an instance, 30 seconds idle, 10,000 empty pages,
    /// 1,000,000 pages a list.
    fn default() -> Self {
        Self {
            memory_max_bytes: 64 << 20,
            table_max_elements: 100_000,
            call_timeout: Duration::from_secs(120),
            rows: RowLimits::default(),
            logs: LogLimits::default(),
            calls_per_instance: 200,
            idle: Duration::from_secs(30),
            empty_pages_max: 10_000,
            pages_max: 1_000_000,
        }
    }
}

impl CellLimits {
    /// The bytes that one call may hand to the host, in an import's parameters or an export's result.
    pub fn transfer_max_bytes(&self) -> usize {
        self.rows
            .page_max_bytes
            .saturating_add(self.rows.page_max_bytes / 4)
    }
}

/// What a connector may log during one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// Entries.
    pub entries_max: u32,
    /// Bytes of all entries.
    pub bytes_max: usize,
}

impl Default for LogLimits {
    /// 64 entries of 8 KiB together.
    fn default() -> Self {
        Self {
            entries_max: 64,
            bytes_max: 8 << 10,
        }
    }
}
