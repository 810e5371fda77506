//! Compiles components in a process of its own, so that one that is made to eat the compiler's time or memory eats nobody else's.
//!
//! Both sides of the pipe are here: [`Compiler`] starts the child and bounds it, [`compile_in_child`] is the child. What is compiled for is
//! the engine's configuration; what becomes of the code is `cache`'s business.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::setup::configure;
use crate::text::clean;

/// What one compilation may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Wall-clock time.
    pub timeout: Duration,
    /// Address space of the child, in bytes (on Linux).
    pub memory_max_bytes: u64,
    /// What it may write, in bytes.
    pub code_max_bytes: u64,
}

impl Default for CompileLimits {
    /// 60 s, 2 GiB, 256 MiB: a component with a whole JavaScript engine takes a fifth of that.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            memory_max_bytes: 2 << 30,
            code_max_bytes: 256 << 20,
        }
    }
}

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is no component, or one that the engine does not take.
    #[error("{0}")]
    Refused(String),
    /// It takes too long.
    #[error("compiling it takes longer than {} ms", .0.as_millis())]
    Time(Duration),
    /// It takes too much memory.
    #[error("compiling it takes more than {0} bytes of memory")]
    Memory(u64),
    /// Its code is too large.
    #[error("its compiled code is larger than {0} bytes")]
    Size(u64),
    /// The compiler broke down over it.
    #[error("the compiler broke down: {0}")]
    Crash(String),
    /// The compiler could not be started or spoken to.
    #[error(
        "the compiler cannot be run: try again, and look at the machine's memory and process limits"
    )]
    Process(#[source] io::Error),
}

/// How the child process is started.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// A program that does nothing but [`compile_in_child`] when it is given `arguments`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What it may use.
    pub limits: CompileLimits,
}

/// How the child ends when the component is at fault.
const REFUSED: u8 = 3;

const SAID_MAX_BYTES: u64 = 4_096;
const SAID_MAX_CHARS: usize = 500;

impl Compiler {
    /// Compiles in a child; blocks until it is done or was stopped.
    pub(crate) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, CompileError> {
        let deadline = Instant::now() + self.limits.timeout;
        let mut child = self.start().map_err(CompileError::Process)?;
        let (mut stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let head = head_of(self.limits);
        let (done, wait) = mpsc::channel();
        thread::scope(|scope| {
            // The child may end before it has read all: then there is nobody to write to, and its exit code says why.
            scope.spawn(move || {
                let stdin = stdin.as_mut().expect("piped");
                stdin
                    .write_all(&head)
                    .and_then(|()| stdin.write_all(component))
            });
            let code_max_bytes = self.limits.code_max_bytes;
            scope.spawn(move || done.send(read_capped(stdout, code_max_bytes + 1)));
            let said = scope.spawn(move || read_capped(stderr, SAID_MAX_BYTES));
            let code = wait.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let ended = match &code {
                Ok(Ok(code)) if code.len() as u64 <= code_max_bytes => end(&mut child, deadline),
                _ => Ok(None),
            };
            // Nothing of the child outlives this call, whatever happened; the other threads end with its pipes.
            let killed = child.kill().and_then(|()| child.wait());
            let status = ended.map_err(CompileError::Process)?;
            killed.map_err(CompileError::Process)?;
            let code = match code {
                Ok(code) => code.map_err(CompileError::Process)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(CompileError::Time(self.limits.timeout));
                }
            };
            if code.len() as u64 > code_max_bytes {
                return Err(CompileError::Size(code_max_bytes));
            }
            let status = status.ok_or(CompileError::Time(self.limits.timeout))?;
            if status.success() {
                return Ok(code);
            }
            let said = said.join().ok().and_then(Result::ok).unwrap_or_default();
            Err(self.why(status, &String::from_utf8_lossy(&said)))
        })
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        // More would be given memory for stacks and heaps that the limit counts.
        command.env("RAYON_NUM_THREADS", "4");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }

    fn why(&self, status: ExitStatus, said: &str) -> CompileError {
        // What Rust's allocator says before it ends the process, and what the system says to those who ask it for memory.
        let is_full = said.contains("memory allocation of") || said.contains("os error 12");
        match status.code() {
            _ if is_full => CompileError::Memory(self.limits.memory_max_bytes),
            Some(code) if code == i32::from(REFUSED) => {
                CompileError::Refused(clean(said.trim(), SAID_MAX_CHARS))
            }
            _ => CompileError::Crash(format!("{status}: {}", clean(said.trim(), SAID_MAX_CHARS))),
        }
    }
}

/// How the child ended by itself; `None` when it did not in time.
fn end(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= deadline {
            return Ok(status);
        }
        // It has closed its output, so it is about to end.
        thread::sleep(Duration::from_millis(1));
    }
}

fn read_capped(from: Option<impl Read>, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.expect("piped")
        .take(max_bytes)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What goes before the component: the limits that the child sets for itself.
fn head_of(limits: CompileLimits) -> [u8; 16] {
    // Several threads compile, so that CPU time may run faster than the clock; the clock is the parent's.
    let cpu_s = limits.timeout.as_secs().saturating_mul(4).max(1);
    let mut head = [0; 16];
    head[..8].copy_from_slice(&limits.memory_max_bytes.to_le_bytes());
    head[8..].copy_from_slice(&cpu_s.to_le_bytes());
    head
}

/// The child's whole life: limits itself, reads a component from standard input, writes its code to standard output.
///
/// A program that is a [`Compiler`] calls this first, before it starts threads or reads anything.
pub fn compile_in_child() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            // There is nobody else to tell if this fails.
            let _ = io::stderr().write_all(message.as_bytes());
            ExitCode::from(code)
        }
    }
}

fn compile() -> Result<(), (u8, String)> {
    let refused = |error: wasmtime::Error| (REFUSED, format!("{error:#}"));
    let broken = |error: io::Error| (1, error.to_string());
    let mut head = [0; 16];
    io::stdin().read_exact(&mut head).map_err(broken)?;
    let (memory, cpu) = head.split_first_chunk().expect("16 bytes");
    let cpu = cpu.first_chunk().expect("8 bytes");
    confine(u64::from_le_bytes(*memory), u64::from_le_bytes(*cpu)).map_err(broken)?;
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component).map_err(broken)?;
    let engine = wasmtime::Engine::new(&configure()).map_err(refused)?;
    let code = engine.precompile_component(&component).map_err(refused)?;
    io::stdout().write_all(&code).map_err(broken)
}

/// No more memory and time than told, no core file (which would hold the component), no file at all; and it ends with its parent.
#[cfg(target_os = "linux")]
fn confine(memory_max_bytes: u64, cpu_max_s: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, Signal, setrlimit};
    let limits = [
        (Resource::As, memory_max_bytes),
        (Resource::Cpu, cpu_max_s),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ];
    for (resource, most) in limits {
        let most = Some(most);
        setrlimit(
            resource,
            Rlimit {
                current: most,
                maximum: most,
            },
        )?;
    }
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // Whoever waits for pages comes before whoever installs.
    rustix::process::nice(5)?;
    Ok(())
}

/// Elsewhere the parent's clock is the only bound.
#[cfg(not(target_os = "linux"))]
fn confine(_: u64, _: u64) -> io::Result<()> {
    Ok(())
}
