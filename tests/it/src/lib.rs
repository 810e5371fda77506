//! Drives the built `longshore` binary as a person would: commands in, output, exit code and files out.
//!
//! It looks at nothing inside; the tests compare what a command printed and wrote with the simulator's truth.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The binary, built once in the profile of the tests.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--locked",
            "-p",
            "cli",
            "--bin",
            "longshore",
            "--message-format=json-render-diagnostics",
        ]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let output = build
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "cargo builds the binary");
        let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
        let executables = messages.lines().filter_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        });
        executables
            .reduce(|_, newest| newest)
            .expect("cargo names the executable it built")
    })
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// The last JSON document on standard output.
    ///
    /// # Panics
    /// When there is none: the whole output is shown.
    #[track_caller]
    pub fn json(&self) -> Value {
        let last = self.stdout.lines().rev().find(|line| line.starts_with('{'));
        let parsed = last.and_then(|line| serde_json::from_str(line).ok());
        parsed.unwrap_or_else(|| panic!("no JSON in the output: {self:#?}"))
    }
}

/// The folder of one test: its state, its environment, its commands.
#[derive(Debug)]
pub struct Desk {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// A fresh folder.
    ///
    /// # Panics
    /// When there is no place for temporary files.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            environment: Vec::new(),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Sets an environment variable for the commands that follow.
    pub fn set_environment(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The command, not yet started, with the folder as its working directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
            .env_remove("RUST_LOG")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().expect("the binary starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs a command that must end with one of the codes.
    #[track_caller]
    pub fn run_expecting(&self, codes: &[i32], arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert!(
            ended.code.is_some_and(|code| codes.contains(&code)),
            "longshore {}: {ended:#?}",
            arguments.join(" ")
        );
        ended
    }

    /// Starts `longshore simulate` and waits for its first line.
    ///
    /// # Panics
    /// When it does not say where it is.
    #[track_caller]
    pub fn simulate(&self, vendor: &str, arguments: &[&str]) -> Simulation {
        let mut all = vec!["simulate", vendor, "--port", "0", "--json"];
        all.extend(arguments);
        let mut child = self
            .command(&all)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("readable");
        let facts =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("first line is JSON: {line:?}"));
        Simulation { child, facts }
    }
}

/// A running simulator; it ends with this value.
#[derive(Debug)]
pub struct Simulation {
    child: Child,
    facts: Value,
}

impl Simulation {
    /// Where it listens.
    #[track_caller]
    pub fn base_url(&self) -> &str {
        self.facts["base_url"]
            .as_str()
            .expect("the first line has base_url")
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The API token that it accepts.
    #[track_caller]
    pub fn token(&self) -> &str {
        self.facts["token"]
            .as_str()
            .expect("the first line has token")
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
