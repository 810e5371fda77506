//! What a store holds besides the guest: the deadline, the limits, and the two interfaces that the guest may import.
//!
//! It decides nothing about egress; it checks the deadline, converts, and hands on.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;

use crate::bindings::longshore::connector::{http, runtime, types};
use crate::console::{LineBuffer, OutputStream};
use crate::limits::{CellLimits, LogLimits};
use crate::outbound::{Outbound, failure_of, request_of};
use crate::quota::Share;
use crate::stop::Stop;
use crate::text::{MESSAGE_MAX_CHARS, clean};

/// The host's half of one cell.
pub(crate) struct CellState {
    outbound: Arc<dyn Outbound>,
    settings: Arc<BTreeMap<String, String>>,
    connector: Arc<str>,
    deadline: Instant,
    limits: Arc<CellLimits>,
    logs: LogBudget,
    /// Whether a request of this call got no answer, repeats included.
    outbound_gave_up: bool,
    pub(crate) usage: MemoryUsage,
    pub(crate) console: Console,
}

/// What the cell of a component of another language has besides.
pub(crate) struct Console {
    pub(crate) resources: ResourceTable,
    pub(crate) started: Instant,
    stdout: LineBuffer,
    stderr: LineBuffer,
}

/// Streams and waits that one cell has at once.
const RESOURCES_MAX: usize = 1_000;

impl Console {
    fn new() -> Self {
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES_MAX);
        Self {
            resources,
            started: Instant::now(),
            stdout: LineBuffer::default(),
            stderr: LineBuffer::default(),
        }
    }

    fn buffer(&mut self, stream: OutputStream) -> &mut LineBuffer {
        match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        }
    }
}

impl CellState {
    pub(crate) fn new(
        connector: Arc<str>,
        outbound: Arc<dyn Outbound>,
        settings: Arc<BTreeMap<String, String>>,
        limits: Arc<CellLimits>,
        shares: Vec<Share>,
    ) -> Self {
        let usage = MemoryUsage::new(&limits, shares);
        let logs = LogBudget::new(limits.logs);
        Self {
            outbound,
            settings,
            connector,
            deadline: Instant::now(),
            limits,
            logs,
            outbound_gave_up: false,
            usage,
            console: Console::new(),
        }
    }

    /// Starts a call: a new deadline and a new log budget.
    pub(crate) fn begin_call(&mut self) -> Instant {
        self.end_lines();
        self.deadline = Instant::now() + self.limits.call_timeout;
        self.logs = LogBudget::new(self.limits.logs);
        self.outbound_gave_up = false;
        self.deadline
    }

    /// Whether a request of this call was repeated outside as often as makes sense, and still got no answer.
    pub(crate) fn has_outbound_given_up(&self) -> bool {
        self.outbound_gave_up
    }

    pub(crate) fn limits(&self) -> &CellLimits {
        &self.limits
    }

    /// Refuses once the call's time is over.
    pub(crate) fn check_deadline(&self) -> wasmtime::Result<()> {
        if Instant::now() < self.deadline {
            Ok(())
        } else {
            Err(Stop::Time(self.limits.call_timeout).into())
        }
    }

    /// The time of day, as the way out has it: on a replayed tape, that of the recording.
    pub(crate) fn wall_clock(&self) -> model::Instant {
        self.outbound.now()
    }

    /// Puts a connector's words into the trace, as far as its budget goes.
    fn trace(&mut self, level: &'static str, message: &str) {
        let Some(message) = self.logs.admit(message) else {
            return;
        };
        let message = self.outbound.redact(message);
        let message = clean(&message, MESSAGE_MAX_CHARS);
        tracing::debug!(target: "longshore::connector", connector = &*self.connector, level, message);
    }

    /// Takes what a component writes to its output: a line is an entry.
    pub(crate) fn print(&mut self, stream: OutputStream, bytes: &[u8]) {
        if self.logs.is_spent() {
            return;
        }
        let mut buffer = std::mem::take(self.console.buffer(stream));
        buffer.write(bytes, |line| self.trace(level_of(stream), line));
        *self.console.buffer(stream) = buffer;
    }

    fn end_lines(&mut self) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let mut buffer = std::mem::take(self.console.buffer(stream));
            buffer.end(|line| self.trace(level_of(stream), line));
        }
    }
}

fn level_of(stream: OutputStream) -> &'static str {
    match stream {
        OutputStream::Stdout => "info",
        OutputStream::Stderr => "error",
    }
}

impl types::Host for CellState {}

impl http::Host for CellState {
    async fn send(
        &mut self,
        request: http::Request,
    ) -> wasmtime::Result<Result<http::Response, types::Failure>> {
        self.check_deadline()?;
        let answer = self.outbound.send(request_of(request), self.deadline).await;
        self.check_deadline()?;
        let transient = [egress::FailureKind::Transient, egress::FailureKind::Timeout];
        if let Err(error) = &answer
            && error.kind().is_some_and(|kind| transient.contains(&kind))
        {
            self.outbound_gave_up = true;
        }
        Ok(match answer {
            Ok(response) => Ok(http::Response {
                status: response.status,
                headers: response.headers,
                body: response.body,
            }),
            Err(error) => Err(failure_of(&error)),
        })
    }
}

impl runtime::Host for CellState {
    fn log(&mut self, level: runtime::LogLevel, message: String) -> wasmtime::Result<()> {
        self.check_deadline()?;
        let level = match level {
            runtime::LogLevel::Error => "error",
            runtime::LogLevel::Warn => "warn",
            runtime::LogLevel::Info => "info",
            runtime::LogLevel::Debug => "debug",
        };
        self.trace(level, &message);
        Ok(())
    }

    fn now(&mut self) -> wasmtime::Result<String> {
        self.check_deadline()?;
        Ok(self.wall_clock().to_string())
    }

    fn setting(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.check_deadline()?;
        Ok(self.settings.get(&name).cloned())
    }

    fn deadline_ms(&mut self) -> wasmtime::Result<u64> {
        self.check_deadline()?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        Ok(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }
}

/// What a call may still log.
struct LogBudget {
    entries_left: u32,
    bytes_left: usize,
}

impl LogBudget {
    fn new(limits: LogLimits) -> Self {
        Self {
            entries_left: limits.entries_max,
            bytes_left: limits.bytes_max,
        }
    }

    fn is_spent(&self) -> bool {
        self.entries_left == 0 || self.bytes_left == 0
    }

    /// As much of the message as still fits; `None` when nothing does.
    fn admit<'a>(&mut self, message: &'a str) -> Option<&'a str> {
        if self.is_spent() {
            return None;
        }
        let message = &message[..message.floor_char_boundary(self.bytes_left)];
        self.entries_left -= 1;
        // An entry costs at least one byte, so that empty ones do not come free.
        self.bytes_left = self.bytes_left.saturating_sub(message.len().max(1));
        Some(message)
    }
}

/// Counts and caps a cell's memories and tables.
pub(crate) struct MemoryUsage {
    memory_bytes: usize,
    memory_max_bytes: usize,
    table_elements: usize,
    table_max_elements: usize,
    /// Of the tenant, and of the connector.
    shares: Vec<Share>,
}

impl MemoryUsage {
    fn new(limits: &CellLimits, shares: Vec<Share>) -> Self {
        let (memory_max_bytes, table_max_elements) =
            (limits.memory_max_bytes, limits.table_max_elements);
        Self {
            memory_bytes: 0,
            memory_max_bytes,
            table_elements: 0,
            table_max_elements,
            shares,
        }
    }

    /// Bytes of all memories.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for MemoryUsage {
    /// Stops the cell instead of answering -1: a guest that cannot get memory would only panic without saying why.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let wanted_bytes = self.memory_bytes.saturating_add(more);
        if wanted_bytes > self.memory_max_bytes {
            return Err(Stop::Memory {
                wanted_bytes,
                max_bytes: self.memory_max_bytes,
            }
            .into());
        }
        self.shares
            .iter_mut()
            .try_for_each(|share| share.grow(more))?;
        self.memory_bytes = wanted_bytes;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let wanted = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if wanted > self.table_max_elements {
            return Err(Stop::Table {
                wanted,
                max: self.table_max_elements,
            }
            .into());
        }
        self.table_elements = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_flood_ends_after_its_entries_and_its_bytes() {
        let mut budget = LogBudget::new(LogLimits {
            entries_max: 3,
            bytes_max: 10,
        });
        assert_eq!(budget.admit("äää"), Some("äää"));
        assert_eq!(budget.admit("äää"), Some("ää"), "cut at a character");
        assert_eq!(budget.admit("x"), None, "bytes are used up");
        let mut budget = LogBudget::new(LogLimits {
            entries_max: 2,
            bytes_max: 10,
        });
        assert_eq!(
            (budget.admit(""), budget.admit(""), budget.admit("x")),
            (Some(""), Some(""), None)
        );
    }

    #[test]
    fn memories_of_one_cell_share_one_limit() {
        let limits = CellLimits {
            memory_max_bytes: 100,
            ..CellLimits::default()
        };
        let mut usage = MemoryUsage::new(&limits, Vec::new());
        assert!(usage.memory_growing(0, 60, None).unwrap());
        let refused = usage.memory_growing(0, 60, None).unwrap_err();
        assert_eq!(
            Stop::from_engine(&refused, 0),
            Stop::Memory {
                wanted_bytes: 120,
                max_bytes: 100
            },
        );
        assert_eq!(usage.memory_bytes(), 60);
    }
}
