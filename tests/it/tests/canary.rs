//! Nothing secret is anywhere but sealed in the vault: every secret of a key, an OAuth login and the vault's own key is looked for in all that
//! the commands print, write, trace, record and are started with, in plain, base64 and percent form.
//!
//! The secrets are the simulator's own, each unlike the others and unlike anything else; a server that repeats them is among the trials.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use calamine::{Reader as _, Xlsx};
use it::{Desk, Ended};
use simulators::faults::Faults;
use simulators::pipedrive::{Given, Options};

use crate::failures_site::{connection, migration};
use crate::login::{Office, account, get};

/// Every crate's traces but those of the compiler, which sees no secret and says too much.
pub(crate) const EVERYTHING: &str =
    "trace,cranelift=off,cranelift_codegen=off,regalloc2=off,wasmtime=off";

/// The vault's own key.
const VAULT_KEY: &str = "Y2FuYXJ5K2tleS9vZit0aGUrdmF1bHQvMDEyMzQ1Njc=";

/// Secrets and every form of them.
#[derive(Default)]
pub(crate) struct Canaries {
    /// Form to what it is a form of.
    forms: BTreeMap<Vec<u8>, String>,
}

impl Canaries {
    pub(crate) fn plant(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 16, "{what} is long enough to be told apart");
        let mut forms = vec![
            secret.to_owned(),
            secret.to_uppercase(),
            secret.chars().rev().collect(),
            percent(secret),
            percent(secret).to_lowercase(),
        ];
        // Base64 of the inner bytes, wherever the secret begins: whole groups of three bytes only.
        let inner =
            (0..3).map(|skip| &secret.as_bytes()[skip..skip + (secret.len() - skip) / 3 * 3]);
        for bytes in inner {
            let text = base64(bytes);
            forms.push(text.replace('+', "-").replace('/', "_"));
            forms.push(percent(&text));
            forms.push(text);
        }
        for form in forms {
            self.forms.insert(form.into_bytes(), what.to_owned());
        }
    }

    fn plant_given(&mut self, given: &Given) {
        for (what, secrets) in [
            ("code", &given.codes),
            ("access token", &given.access),
            ("refresh token", &given.refresh),
        ] {
            secrets.iter().for_each(|secret| self.plant(what, secret));
        }
    }

    /// What of them the bytes hold.
    fn find(&self, bytes: &[u8]) -> Option<&str> {
        // The first eight bytes tell all forms apart from most data.
        let mut heads: BTreeMap<&[u8], Vec<(&[u8], &str)>> = BTreeMap::new();
        for (form, what) in &self.forms {
            heads.entry(&form[..8]).or_default().push((form, what));
        }
        let firsts: [bool; 256] = {
            let mut firsts = [false; 256];
            heads
                .keys()
                .for_each(|head| firsts[usize::from(head[0])] = true);
            firsts
        };
        bytes.windows(8).enumerate().find_map(|(at, head)| {
            if !firsts[usize::from(head[0])] {
                return None;
            }
            let found = heads.get(head)?;
            let hit = found.iter().find(|(form, _)| bytes[at..].starts_with(form));
            hit.map(|(_, what)| *what)
        })
    }

    #[track_caller]
    fn assert_none_in(&self, place: &str, bytes: &[u8]) {
        if let Some(what) = self.find(bytes) {
            panic!("{place} holds the {what}");
        }
    }

    #[track_caller]
    pub(crate) fn assert_none_printed(&self, command: &str, ended: &Ended) {
        self.assert_none_in(&format!("stdout of {command}"), ended.stdout.as_bytes());
        for line in ended.stderr.lines() {
            if let Some(what) = self.find(line.as_bytes()) {
                panic!("stderr of {command} holds the {what}: {line}");
            }
        }
    }

    /// Every file below the folder, and every part of a workbook.
    #[track_caller]
    pub(crate) fn assert_none_below(&self, folder: &Path, but: &[&str]) {
        let mut files = Vec::new();
        list(folder, &mut files);
        assert!(files.len() >= 6, "{files:?}");
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            if !but.contains(&name) {
                self.assert_none_in(&file.display().to_string(), &std::fs::read(&file).unwrap());
            }
            if name.ends_with(".xlsx") {
                let mut book: Xlsx<_> = calamine::open_workbook(&file).unwrap();
                for (sheet, range) in book.worksheets() {
                    for (.., cell) in range.cells() {
                        self.assert_none_in(&sheet, cell.to_string().as_bytes());
                    }
                }
            }
        }
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}

pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks_exact(3).flat_map(|group| {
        let word = group
            .iter()
            .fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        [word >> 18, word >> 12, word >> 6, word].map(|index| LETTERS[index & 63] as char)
    });
    groups.collect()
}

#[test]
fn the_search_bites() {
    let mut canaries = Canaries::default();
    canaries.plant("token", "v1u:0123456789abcdef");
    for text in [
        "x v1u:0123456789abcdef y".to_owned(),
        "v1u%3A0123456789abcdef".to_owned(),
        "v1u%3a0123456789abcdef".to_owned(),
        base64(b"v1u:0123456789abcdef_"),
        base64(b"_v1u:0123456789abcdef"),
        base64(b"__v1u:0123456789abcdef__"),
    ] {
        assert_eq!(canaries.find(text.as_bytes()), Some("token"), "{text}");
    }
    assert_eq!(canaries.find(b"v1u:0123456789abcde"), None);
}

fn plant_all(office: &Office) -> Canaries {
    let mut canaries = Canaries::default();
    canaries.plant("API token", &office.vendor.token);
    canaries.plant("client secret", &office.vendor.client_secret);
    canaries.plant("vault key", VAULT_KEY);
    canaries.plant("vault key", "canary+key/of+the+vault/01234567");
    canaries.plant_given(&office.vendor.given());
    canaries
}

/// Token and vault key come from the environment here, so that both would be seen where the environment is shown.
fn office(options: Options) -> Office {
    let mut office = Office::new(options);
    office.desk.set_environment("RUST_LOG", EVERYTHING);
    office
        .desk
        .set_environment("LONGSHORE_VAULT_KEY", VAULT_KEY);
    let token = office.vendor.token.clone();
    office.desk.set_environment("LONGSHORE_TOKEN", &token);
    office
}

fn run_all(desk: &Desk, commands: &[Vec<&str>], codes: &[i32]) -> Vec<(String, Ended)> {
    let run = |command: &Vec<&str>| (command.join(" "), desk.run_expecting(codes, command));
    commands.iter().map(run).collect()
}

#[test]
fn no_secret_is_anywhere_but_sealed_in_the_vault() {
    let office = office(Options {
        oauth_access_uses: Some(8),
        ..account()
    });
    let base = connection("p", &office.vendor.base_url);
    let mut ended = run_all(
        &office.desk,
        &[[&base[..], &["--trace-json"]].concat()],
        &[0],
    );
    let (login, page) = office.login(&["--trace-json", "--json"]);
    assert_eq!(login.code, Some(0), "{login:#?}");
    ended.push(("connect --auth oauth".to_owned(), login));
    let trace = |command: &[&'static str]| [command, &["--dir", "p", "--trace-json"]].concat();
    ended.extend(run_all(
        &office.desk,
        &[
            trace(&["discover", "--json"]),
            [
                &migration("p")[..],
                &["--trace-json", "--record", "p/run.tape"],
            ]
            .concat(),
            trace(&["audit"]),
            trace(&["status", "--json"]),
            trace(&["vault", "status", "--json"]),
        ],
        &[0, 1],
    ));
    let canaries = plant_all(&office);
    assert!(
        office.vendor.given().access.len() > 3,
        "tokens were refreshed"
    );
    let lines: usize = ended
        .iter()
        .map(|(_, ended)| ended.stderr.lines().count())
        .sum();
    assert!(lines > 200, "it was traced: {lines} lines");
    for (command, ended) in &ended {
        canaries.assert_none_printed(command, ended);
    }
    // The address that it was asked for with holds the code; the page does not.
    canaries.assert_none_in("the browser's page", page.whole.as_bytes());
    let tape = std::fs::read(office.desk.path().join("p/run.tape")).unwrap();
    assert!(tape.len() > 10_000, "the tape ran: {} bytes", tape.len());
    canaries.assert_none_below(&office.desk.path().join("p"), &[]);
}

/// The key file is the one place where something secret is readable, and it says so in the README.
#[test]
fn a_key_file_holds_the_vaults_key_and_nothing_else_does() {
    let office = Office::new(account());
    let (login, _) = office.login(&[]);
    assert_eq!(login.code, Some(0), "{login:#?}");
    let folder = office.desk.path().join("p");
    let key = std::fs::read_to_string(folder.join("vault.key")).unwrap();
    let mut canaries = plant_all(&office);
    canaries.plant("key file's key", key.trim());
    canaries.assert_none_below(&folder, &["vault.key"]);
    office
        .desk
        .run_expecting(&[0], &["vault", "rotate", "--dir", "p"]);
    canaries.assert_none_below(&folder, &[]);
}

/// A vendor that repeats what it was asked with, each time a question is new: the first of each fails, the second is served.
#[test]
fn a_vendor_that_repeats_the_credential_gives_nothing_away() {
    let echo: Faults = "echo=1".parse().unwrap();
    let office = office(Options {
        faults: echo,
        ..account()
    });
    let base = connection("p", &office.vendor.base_url);
    let key = [&base[..], &["--trace-json", "--json"]].concat();
    let failing = run_all(&office.desk, std::slice::from_ref(&key), &[2]);
    let told = &failing[0].1.stderr;
    assert!(told.contains("[redacted]"), "it was repeated: {told}");
    // The token address repeats code, verifier, client id and secret.
    let (login, page) = office.login(&["--trace-json", "--json"]);
    assert_eq!(login.code, Some(2), "{login:#?}");
    assert!(login.stderr.contains("[redacted]"), "{login:#?}");
    assert!(page.whole.contains("not connected"), "{page:#?}");
    let connected = run_all(&office.desk, &[key], &[0]);
    let run = [
        &migration("p")[..],
        &["--trace-json", "--record", "p/run.tape"],
    ]
    .concat();
    let stopped = run_all(&office.desk, &[run], &[2]);
    let canaries = plant_all(&office);
    let printed = failing.iter().chain(&connected).chain(&stopped);
    for (command, ended) in printed {
        canaries.assert_none_printed(command, ended);
    }
    canaries.assert_none_printed("connect --auth oauth", &login);
    // The connector is given the answer as the tape has it.
    let tape = std::fs::read(office.desk.path().join("p/run.tape")).unwrap();
    let tape = String::from_utf8_lossy(&tape);
    assert!(tape.contains("[redacted]"), "it was repeated: {tape}");
    canaries.assert_none_below(&office.desk.path().join("p"), &[]);
}

/// What other users of the machine can see of a running process, and what would be left of one that crashed.
#[cfg(target_os = "linux")]
#[test]
fn a_running_process_shows_no_secret_and_leaves_no_core_file() {
    let office = Office::new(account());
    let login = office.begin(&[]);
    let canaries = plant_all(&office);
    let proc = PathBuf::from(format!("/proc/{}", login.process()));
    canaries.assert_none_in("cmdline", &std::fs::read(proc.join("cmdline")).unwrap());
    // Its environment is the person's own, and here it holds no secret; nothing was added for a child to inherit.
    if let Ok(environment) = std::fs::read(proc.join("environ")) {
        canaries.assert_none_in("environ", &environment);
    }
    let limits = std::fs::read_to_string(proc.join("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "no core file: {core:?}");
    let back = get(&login.address);
    get(&back.location);
    assert_eq!(login.end().code, Some(0));
}

/// A process that may not be dumped belongs to root below `/proc`, whoever runs it (proc(5)).
#[cfg(target_os = "linux")]
#[test]
fn a_process_of_a_person_is_closed_to_his_other_processes() {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;

    let desk = Desk::new();
    // Below a folder of root nobody else can start the binary from where it was built.
    let binary = desk.path().join("longshore");
    // A copy just written may be busy still for another test's child; only where there is no other way.
    if std::fs::hard_link(it::binary(), &binary).is_err() {
        std::fs::copy(it::binary(), &binary).unwrap();
    }
    open_to_all(desk.path());
    let mut command = Command::new(&binary);
    command
        .args(["simulate", "pipedrive", "--records", "10"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null());
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        command.uid(65_534).gid(65_534);
    }
    let mut child = crate::failures_site::Guarded(command.spawn().unwrap());
    // Its first byte comes after it began.
    let mut pipe = child.0.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 1]).unwrap();
    let proc = PathBuf::from(format!("/proc/{}", child.0.id()));
    let status = std::fs::read_to_string(proc.join("status")).unwrap();
    let runs_as = status.lines().find(|line| line.starts_with("Uid:"));
    let runs_as = runs_as.unwrap().split_whitespace().nth(1).unwrap();
    assert_ne!(runs_as, "0", "somebody else runs it");
    assert_eq!(std::fs::metadata(proc.join("environ")).unwrap().uid(), 0);
}

#[cfg(target_os = "linux")]
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
