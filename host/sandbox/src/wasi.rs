//! The few functions of WASI that a component of another language may call: clocks, random numbers, output that goes into the trace, an end.
//!
//! There are no files, sockets, environment or arguments here, and nothing to read from. Output and waits are bounded as a call is.

use tokio::time::Instant;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};

use crate::bindings::wasi::Imports;
use crate::bindings::wasi::wasi::{cli, clocks, io, random};
use crate::console::{InputStream, OutputStream, Pollable, StreamFailure};
use crate::state::CellState;
use crate::stop::Stop;

use io::streams::StreamError;

/// Random bytes that a component gets at once.
const RANDOM_MAX_BYTES: u64 = 1 << 16;
/// Bytes that a stream is ready to take at once.
const WRITE_MAX_BYTES: u64 = 1 << 16;
const NANOSECONDS_A_TICK: u64 = 1_000;

type Written = wasmtime::Result<Result<(), StreamError>>;

/// Offers them to whoever imports them.
pub(crate) fn add_to_linker(linker: &mut Linker<CellState>) -> wasmtime::Result<()> {
    Imports::add_to_linker::<_, HasSelf<CellState>>(linker, |state| state)
}

impl CellState {
    fn resources(&mut self) -> &mut ResourceTable {
        &mut self.console.resources
    }

    fn random<const N: usize>() -> wasmtime::Result<[u8; N]> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(std::io::Error::from)?;
        Ok(bytes)
    }

    fn random_list(len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > RANDOM_MAX_BYTES {
            let what =
                format!("it asked for {len} random bytes; the most at once is {RANDOM_MAX_BYTES}");
            return Err(Stop::Contract(what).into());
        }
        let mut bytes = vec![0; usize::try_from(len)?];
        getrandom::fill(&mut bytes).map_err(std::io::Error::from)?;
        Ok(bytes)
    }

    /// Nanoseconds since the cell was made: how long the machine runs is none of its business.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.console.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn at(&mut self, nanoseconds: u64) -> wasmtime::Result<Resource<Pollable>> {
        let after = std::time::Duration::from_nanos(nanoseconds);
        let at = self.console.started.checked_add(after);
        let pollable = at.map_or(Pollable::Never, Pollable::At);
        Ok(self.resources().push(pollable)?)
    }

    fn write_to(&mut self, stream: &Resource<OutputStream>, bytes: &[u8]) -> Written {
        self.check_deadline()?;
        let stream = *self.resources().get(stream)?;
        self.print(stream, bytes);
        Ok(Ok(()))
    }
}

impl Pollable {
    fn is_ready(self) -> bool {
        match self {
            Self::Ready => true,
            Self::At(at) => at <= Instant::now(),
            Self::Never => false,
        }
    }

    /// Waits for it. A wait that is longer than the call may last is ended by the call's own clock.
    async fn wait(self) {
        match self {
            Self::Ready => {}
            Self::At(at) => tokio::time::sleep_until(at).await,
            Self::Never => std::future::pending().await,
        }
    }
}

impl cli::exit::Host for CellState {
    fn exit(&mut self, _: Result<(), ()>) -> wasmtime::Result<()> {
        Err(Stop::Exit.into())
    }
}

impl cli::stdout::Host for CellState {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<OutputStream>> {
        Ok(self.resources().push(OutputStream::Stdout)?)
    }
}

impl cli::stderr::Host for CellState {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<OutputStream>> {
        Ok(self.resources().push(OutputStream::Stderr)?)
    }
}

impl clocks::monotonic_clock::Host for CellState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.elapsed())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(NANOSECONDS_A_TICK)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<Pollable>> {
        self.at(when)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<Pollable>> {
        self.at(self.elapsed().saturating_add(duration))
    }
}

impl clocks::wall_clock::Host for CellState {
    fn now(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        let us = u64::try_from(self.wall_clock().unix_us()).unwrap_or(0);
        let nanoseconds = u32::try_from(us % 1_000_000)? * 1_000;
        Ok(clocks::wall_clock::Datetime {
            seconds: us / 1_000_000,
            nanoseconds,
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        Ok(clocks::wall_clock::Datetime {
            seconds: 0,
            nanoseconds: u32::try_from(NANOSECONDS_A_TICK)?,
        })
    }
}

impl random::random::Host for CellState {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        Self::random_list(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Self::random().map(u64::from_le_bytes)
    }
}

impl random::insecure::Host for CellState {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        Self::random_list(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Self::random().map(u64::from_le_bytes)
    }
}

impl random::insecure_seed::Host for CellState {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        let halves = [Self::random()?, Self::random()?].map(u64::from_le_bytes);
        Ok(halves.into())
    }
}

impl io::error::Host for CellState {}

impl io::error::HostError for CellState {
    fn to_debug_string(&mut self, error: Resource<StreamFailure>) -> wasmtime::Result<String> {
        match *self.resources().get(&error)? {}
    }

    fn drop(&mut self, error: Resource<StreamFailure>) -> wasmtime::Result<()> {
        match self.resources().delete(error)? {}
    }
}

impl io::poll::Host for CellState {
    async fn poll(&mut self, pollables: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
        if pollables.is_empty() {
            return Err(Stop::Contract("it waits for nothing".to_owned()).into());
        }
        let mut all = Vec::with_capacity(pollables.len());
        for pollable in &pollables {
            all.push(*self.resources().get(pollable)?);
        }
        let first = all.iter().copied().min_by_key(|pollable| match pollable {
            Pollable::Ready => (0, None),
            Pollable::At(at) => (1, Some(*at)),
            Pollable::Never => (2, None),
        });
        if let Some(first) = first {
            first.wait().await;
        }
        let ready = (0..).zip(&all).filter(|(_, pollable)| pollable.is_ready());
        Ok(ready.map(|(position, _)| position).collect())
    }
}

impl io::poll::HostPollable for CellState {
    fn ready(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        Ok(self.resources().get(&pollable)?.is_ready())
    }

    async fn block(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        let pollable = *self.resources().get(&pollable)?;
        pollable.wait().await;
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.resources().delete(pollable)?;
        Ok(())
    }
}

impl io::streams::Host for CellState {}

impl io::streams::HostInputStream for CellState {
    fn read(
        &mut self,
        stream: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, StreamError>> {
        match *self.resources().get(&stream)? {}
    }

    fn blocking_read(
        &mut self,
        stream: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, StreamError>> {
        match *self.resources().get(&stream)? {}
    }

    fn skip(
        &mut self,
        stream: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<u64, StreamError>> {
        match *self.resources().get(&stream)? {}
    }

    fn blocking_skip(
        &mut self,
        stream: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<u64, StreamError>> {
        match *self.resources().get(&stream)? {}
    }

    fn subscribe(&mut self, stream: Resource<InputStream>) -> wasmtime::Result<Resource<Pollable>> {
        match *self.resources().get(&stream)? {}
    }

    fn drop(&mut self, stream: Resource<InputStream>) -> wasmtime::Result<()> {
        match self.resources().delete(stream)? {}
    }
}

impl io::streams::HostOutputStream for CellState {
    fn check_write(
        &mut self,
        _: Resource<OutputStream>,
    ) -> wasmtime::Result<Result<u64, StreamError>> {
        Ok(Ok(WRITE_MAX_BYTES))
    }

    fn write(&mut self, stream: Resource<OutputStream>, contents: Vec<u8>) -> Written {
        self.write_to(&stream, &contents)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<OutputStream>,
        contents: Vec<u8>,
    ) -> Written {
        self.write_to(&stream, &contents)
    }

    fn flush(&mut self, _: Resource<OutputStream>) -> Written {
        Ok(Ok(()))
    }

    fn blocking_flush(&mut self, _: Resource<OutputStream>) -> Written {
        Ok(Ok(()))
    }

    fn subscribe(&mut self, _: Resource<OutputStream>) -> wasmtime::Result<Resource<Pollable>> {
        Ok(self.resources().push(Pollable::Ready)?)
    }

    /// Zeroes are nothing to read in a trace.
    fn write_zeroes(&mut self, _: Resource<OutputStream>, _: u64) -> Written {
        Ok(Ok(()))
    }

    fn blocking_write_zeroes_and_flush(&mut self, _: Resource<OutputStream>, _: u64) -> Written {
        Ok(Ok(()))
    }

    fn splice(
        &mut self,
        _: Resource<OutputStream>,
        source: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<u64, StreamError>> {
        match *self.resources().get(&source)? {}
    }

    fn blocking_splice(
        &mut self,
        _: Resource<OutputStream>,
        source: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<u64, StreamError>> {
        match *self.resources().get(&source)? {}
    }

    fn drop(&mut self, stream: Resource<OutputStream>) -> wasmtime::Result<()> {
        self.resources().delete(stream)?;
        Ok(())
    }
}
