//! Progress on standard error: bars with rate and remaining time on a terminal, plain lines otherwise.
//!
//! It also hears Ctrl-C, so that a phase stops between two batches and can be resumed.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use model::ObjectName;
use run::{Phase, Progress};

/// How often a plain line is written for one object.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// What is said beside the numbers, where there is something to say now.
pub(crate) type Aside = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// Shows progress, and hears Ctrl-C.
pub(crate) struct Display {
    aside: Option<Aside>,
    terminal: bool,
    quiet: bool,
    current: Mutex<Current>,
    done: AtomicU64,
    stopped: &'static AtomicBool,
}

#[derive(Debug)]
struct Current {
    bar: ProgressBar,
    title: String,
    expected: Option<u64>,
    begun: Instant,
    told: Instant,
}

static STOPPED: AtomicBool = AtomicBool::new(false);

/// The bar on the terminal, which makes room for lines.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn set_bar(bar: Option<ProgressBar>) {
    *BAR.lock().expect("no holder of this lock panics") = bar;
}

impl Display {
    /// Shows nothing when `quiet`; must be made within a tokio runtime.
    pub(crate) fn new(quiet: bool, aside: Option<Aside>) -> Self {
        tokio::spawn(async {
            // Without a handler for signals the process just ends, which is safe too.
            if tokio::signal::ctrl_c().await.is_ok() {
                STOPPED.store(true, Ordering::Relaxed);
                tell("stopping after this batch; press Ctrl-C again to stop at once");
                if tokio::signal::ctrl_c().await.is_ok() {
                    std::process::exit(2);
                }
            }
        });
        let (now, bar) = (Instant::now(), ProgressBar::hidden());
        let title = String::new();
        let current = Current {
            bar,
            title,
            expected: None,
            begun: now,
            told: now,
        };
        Self {
            aside,
            terminal: std::io::stderr().is_terminal() && !quiet,
            quiet,
            current: Mutex::new(current),
            done: AtomicU64::new(0),
            stopped: &STOPPED,
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().expect("no holder of this lock panics")
    }
}

/// Whole records a second: nobody wants the fractions that the library shows.
fn write_rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    // A bar that cannot be written is the terminal's trouble, not ours.
    let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
}

/// Writes one line to standard error, which may be closed: nobody reads it then.
pub(crate) fn tell(line: &str) {
    let write = || drop(writeln!(std::io::stderr(), "{line}"));
    let bar = BAR.lock().expect("no holder of this lock panics").clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

impl Progress for Display {
    fn begin(&self, phase: Phase, object: &ObjectName, expected: Option<u64>) {
        tracing::info!(target: "longshore::object", phase = phase.name(), object = object.as_str(), "begins");
        let mut current = self.current();
        current.title = format!("{:<8} {object}", phase.name());
        (current.expected, current.begun, current.told) =
            (expected, Instant::now(), Instant::now());
        self.done.store(0, Ordering::Relaxed);
        if self.terminal {
            let bar = expected.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = match expected {
                Some(_) => "{msg:24} {bar:30} {human_pos}/{human_len} {rate} {eta} left",
                None => "{msg:24} {spinner} {human_pos} {rate} {elapsed}",
            };
            bar.set_style(
                ProgressStyle::with_template(template)
                    .expect("the template is a constant that parses")
                    .with_key("rate", write_rate),
            );
            bar.set_message(current.title.clone());
            set_bar(Some(bar.clone()));
            current.bar = bar;
        }
    }

    fn advance(&self, records: u64) {
        let done = self.done.fetch_add(records, Ordering::Relaxed) + records;
        let mut current = self.current();
        let aside = || self.aside.as_ref().and_then(|aside| aside());
        if self.terminal {
            current.bar.set_position(done);
            if let Some(aside) = aside() {
                current
                    .bar
                    .set_message(format!("{} [{aside}]", current.title));
            }
        } else if !self.quiet && current.told.elapsed() >= PLAIN_EVERY {
            current.told = Instant::now();
            let seconds = current.begun.elapsed().as_secs_f64();
            let left = current
                .expected
                .filter(|_| done > 0)
                .map_or_else(String::new, |expected| {
                    format!(
                        ", {:.0} s left",
                        seconds / done as f64 * expected.saturating_sub(done) as f64
                    )
                });
            let aside = aside().map_or_else(String::new, |aside| format!(" [{aside}]"));
            tell(&format!(
                "{} {done}, {:.0}/s{left}{aside}",
                current.title,
                done as f64 / seconds
            ));
        }
    }

    fn end(&self) {
        tracing::info!(target: "longshore::object", records = self.done.load(Ordering::Relaxed), "ends");
        let current = self.current();
        if self.terminal {
            set_bar(None);
            current.bar.finish_and_clear();
        }
        let done = self.done.load(Ordering::Relaxed);
        if !self.quiet && done > 0 {
            let seconds = current.begun.elapsed().as_secs_f64();
            tell(&format!(
                "{:<28} {done:>9} in {seconds:>6.1} s",
                current.title
            ));
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
