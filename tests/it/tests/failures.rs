//! What goes wrong around a migration: each failure is told with the thing and the remedy, ends with exit code 2, and loses nothing: put
//! right and run again, it comes to the end state of a run that nothing disturbed.
//!
//! Kills are in `kill`. The vendor's own faults end no run at all.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use it::{Desk, Ended};
use rusqlite::Connection;

use crate::failures_site::{
    ACCOUNT, Dump, Guarded, Site, assert_refused, assert_same, connect, connection, copy_folder,
    dump, migration, missing, simulate_at,
};

/// A run that nothing disturbed, to compare with; its project stays in the folder `right`.
fn right(site: &Site) -> Dump {
    site.copy("right");
    site.migrate("right");
    let right = site.dump("right");
    assert!(
        right["contacts"].len() > 50 && right["associations"].len() > 100,
        "there is something to lose"
    );
    right
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

#[test]
fn a_wrong_token_is_refused_and_the_good_one_is_kept() {
    let site = Site::connected();
    let right = right(&site);
    site.copy("token");
    let mut command = site
        .desk
        .command(&connection("token", site.simulation.base_url()));
    let output = command
        .env(
            "LONGSHORE_TOKEN",
            "0123456789abcdef0123456789abcdef01234567",
        )
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ended = Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    assert_refused(
        &ended,
        &[
            "pipedrive cannot be connected",
            "401",
            "hint: ",
            "longshore connect",
            "valid token",
        ],
    );
    assert!(!ended.stderr.contains("0123456789abcdef0123"), "{ended:#?}");
    site.migrate("token");
    assert_same("after a wrong token", &right, &site.dump("token"));
}

#[test]
fn a_host_where_nobody_listens_is_told() {
    let mut desk = Desk::new();
    desk.set_environment(
        "LONGSHORE_TOKEN",
        "0123456789abcdef0123456789abcdef01234567",
    );
    desk.run_expecting(&[0], &["init", "--dir", "p"]);
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let ended = desk.run(&connection("p", &format!("http://127.0.0.1:{port}")));
    assert_refused(
        &ended,
        &[
            "pipedrive cannot be connected",
            "did not answer",
            "hint: check the network and the address",
        ],
    );
    assert!(
        !std::fs::read_to_string(desk.path().join("p/longshore.toml"))
            .unwrap()
            .contains("connection"),
        "nothing is half connected"
    );
}

/// The network goes away between two pages. What was read is kept, and read on from when it is back.
#[test]
fn without_a_network_it_stops_and_goes_on_when_it_is_back() {
    let site = Site::connected();
    let right = right(&site);
    let (vendor, facts) = simulate_at(
        site.desk
            .command(&[&["simulate", "pipedrive", "--port", "0"], &ACCOUNT[..]].concat()),
    );
    let base_url = facts["base_url"].as_str().unwrap();
    let port = base_url.rsplit(':').next().unwrap();
    site.copy("cut");
    connect(&site.desk, "cut", base_url);
    let mut command = site.desk.command(&migration("cut"));
    command
        .arg("--trace-json")
        .env("RUST_LOG", "longshore::commit=trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Guarded(command.spawn().unwrap());
    let mut lines = BufReader::new(child.0.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let pages = lines
        .by_ref()
        .filter(|line| line.contains("StagePage, moment: After"))
        .take(3)
        .count();
    assert_eq!(pages, 3, "it was reading");
    drop(vendor);
    let stderr = lines
        .filter(|line| !line.contains("longshore::commit"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut stdout = String::new();
    child
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    let ended = Ended {
        code: child.0.wait().unwrap().code(),
        stdout,
        stderr,
    };
    assert_refused(
        &ended,
        &[
            "reading",
            "did not answer",
            "hint: check the network",
            "goes on where it stopped",
        ],
    );
    let _vendor = simulate_at(
        site.desk
            .command(&[&["simulate", "pipedrive", "--port", port], &ACCOUNT[..]].concat()),
    );
    site.migrate("cut");
    assert_same("after the network was cut", &right, &site.dump("cut"));
}

#[test]
fn a_vendor_that_errs_now_and_then_changes_nothing() {
    let mut desk = Desk::new();
    let account = ["--records", "250", "--limits", "off"];
    let faults = [
        "--faults",
        "429=0.02,500=0.02,reset=0.02,truncate=0.01,repeat-page=0.02,seed=3",
    ];
    let calm = desk.simulate("pipedrive", &account);
    let rough = desk.simulate("pipedrive", &[&account[..], &faults].concat());
    desk.set_environment("LONGSHORE_TOKEN", calm.token());
    assert_eq!(calm.token(), rough.token(), "it is the same account");
    desk.set_environment("RUST_LOG", "egress=debug");
    let (mut dumps, mut repeated) = (Vec::new(), Vec::new());
    for (name, simulation) in [("calm", &calm), ("rough", &rough)] {
        desk.run_expecting(&[0], &["init", "--dir", name]);
        connect(&desk, name, simulation.base_url());
        let ended = desk.run_expecting(&[0, 1], &migration(name));
        repeated.push(
            ended
                .stderr
                .lines()
                .filter(|line| line.contains("repeating"))
                .count(),
        );
        dumps.push(dump(&desk.path().join(name).join("local-crm.db")));
    }
    assert!(
        dumps[0]["contacts"].len() > 200,
        "there is something to lose"
    );
    assert!(
        repeated[0] == 0 && repeated[1] >= 2,
        "there were faults: {repeated:?} requests were repeated"
    );
    assert_same("with the vendor's faults", &dumps[0], &dumps[1]);
}

/// A file system of a few blocks in a folder; unmounted with this value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this machine does not let the test mount one.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(at.to_owned()))
    }

    fn resize(&self, size: &str) {
        let grown = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.0)
            .status()
            .unwrap();
        assert!(grown.success(), "the disk grows");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A mount that is still busy goes with its last user.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_it_and_space_lets_it_go_on() {
    let site = Site::connected();
    let right = right(&site);
    // A migration takes 1.8 MB: the disk is full while reading, while planning, or while writing.
    let mut problems = Vec::new();
    for size in [400, 1200, 1900] {
        let at = site.desk.path().join(format!("disk-{size}"));
        let Some(disk) = SmallDisk::mount(&at, "64m") else {
            println!(
                "SKIPPED: a full disk cannot be tried, because this user may not mount a small one"
            );
            return;
        };
        let name = format!("disk-{size}/p");
        copy_folder(&site.desk.path().join("base"), &at.join("p"));
        disk.resize(&format!("{}k", folder_kib(&at) + size));
        let ended = site.desk.run(&migration(&name));
        let told = format!("{size} KiB free: {}", ended.stderr.trim());
        problems.extend(
            missing(&ended, &["disk", "space"])
                .into_iter()
                .map(|problem| format!("{told}: {problem}")),
        );
        disk.resize("64m");
        site.migrate(&name);
        assert_same(
            &format!("after a disk with {size} KiB free was full"),
            &right,
            &dump(&at.join("p/local-crm.db")),
        );
    }
    assert_eq!(problems, Vec::<String>::new());
}

/// What the files of a folder take on a disk of pages, in KiB.
fn folder_kib(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.metadata().unwrap() {
            file if file.is_file() => file.len().div_ceil(4096) * 4,
            _ => folder_kib(&entry.path()),
        })
        .sum()
}

/// Damages one file of a project, has the migration refuse it and leave it alone, and puts the file back. Returns what is not as it
/// should be, so that one bad message does not hide the next.
fn refused(
    site: &Site,
    name: &str,
    file: &str,
    damage: impl FnOnce(&Path),
    words: &[&str],
) -> Vec<String> {
    let (folder, path) = (
        site.desk.path().join(name),
        site.desk.path().join(name).join(file),
    );
    let before = std::fs::read(&path).unwrap();
    damage(&path);
    let damaged = files(&folder);
    let ended = site.desk.run(&migration(name));
    let told = format!("{file}: {}", ended.stderr.trim());
    let mut problems = missing(&ended, words);
    // The state may note that a run was started; the damaged file and all others are as they were.
    let notes = ["state.db", "state.db-wal", "state.db-shm", "lock"].map(|note| folder.join(note));
    for (other, bytes) in damaged {
        let counts = other == path || !notes.contains(&other);
        if counts && std::fs::read(&other).map_or(true, |now| now != bytes) {
            problems.push(format!("must not touch {}", other.display()));
        }
    }
    restore(&path, &before);
    problems
        .into_iter()
        .map(|problem| format!("{told}: {problem}"))
        .collect()
}

/// Puts the bytes back in place, with the rights that a key needs.
fn restore(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    let rights = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, rights).unwrap();
}

/// Bytes that are no format's, the same each time.
fn garbage(len: usize) -> Vec<u8> {
    let mut word = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word as u8
    };
    (0..len).map(next).collect()
}

fn overwrite(path: &Path) {
    std::fs::write(path, garbage(9_000)).unwrap();
}

fn truncate(path: &Path, len: u64) {
    std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(len)
        .unwrap();
}

#[test]
fn a_damaged_state_file_is_told_and_left_as_it_is() {
    let site = Site::connected();
    let right = right(&site);
    let half = std::fs::metadata(site.desk.path().join("right/state.db"))
        .unwrap()
        .len()
        / 2;
    let words = [
        "state file",
        "right/state.db",
        "damaged",
        "left untouched",
        "put a backup in its place",
    ];
    let mut problems = refused(&site, "right", "state.db", overwrite, &words);
    for len in [half, 60, 0] {
        problems.extend(refused(
            &site,
            "right",
            "state.db",
            |path| truncate(path, len),
            &words,
        ));
    }
    assert_eq!(problems, Vec::<String>::new());
    std::fs::copy(
        site.desk.path().join("right/state.db"),
        site.desk.path().join("backup"),
    )
    .unwrap();
    overwrite(&site.desk.path().join("right/state.db"));
    assert_refused(&site.desk.run(&["status", "--dir", "right"]), &words);
    std::fs::copy(
        site.desk.path().join("backup"),
        site.desk.path().join("right/state.db"),
    )
    .unwrap();
    let ended = site.migrate("right");
    assert_eq!(
        ended.json()["objects"]["contact"]["created"],
        0,
        "it knows what it had done: {ended:#?}"
    );
    assert_same("with the backup in its place", &right, &site.dump("right"));
}

#[test]
fn a_damaged_local_crm_is_told_and_left_as_it_is() {
    let site = Site::connected();
    let right = right(&site);
    let half = std::fs::metadata(site.desk.path().join("right/local-crm.db"))
        .unwrap()
        .len()
        / 2;
    let mut problems = refused(
        &site,
        "right",
        "local-crm.db",
        overwrite,
        &["local-crm.db", "is not a local CRM", "hint: "],
    );
    for len in [half, 60] {
        problems.extend(refused(
            &site,
            "right",
            "local-crm.db",
            |path| truncate(path, len),
            &["local-crm.db", "hint: "],
        ));
    }
    let foreign = |path: &Path| {
        std::fs::remove_file(path).unwrap();
        Connection::open(path)
            .unwrap()
            .execute_batch("CREATE TABLE mine (x); INSERT INTO mine VALUES (1)")
            .unwrap();
    };
    problems.extend(refused(
        &site,
        "right",
        "local-crm.db",
        foreign,
        &["local-crm.db", "another program", "hint: "],
    ));
    assert_eq!(problems, Vec::<String>::new());
    site.migrate("right");
    assert_same("with the file in its place", &right, &site.dump("right"));
}

/// Moving a damaged state away and starting anew is a remedy that the message names, so it may cost time, but nothing else.
#[test]
fn a_lost_state_is_made_again_without_doubles() {
    let site = Site::connected();
    let right = right(&site);
    std::fs::remove_file(site.desk.path().join("right/state.db")).unwrap();
    site.migrate("right");
    assert_same("after the state was lost", &right, &site.dump("right"));
}

/// A destination that is another one than before has none of what was written to the old one: nothing counts as done there.
#[test]
fn a_lost_local_crm_is_told_and_taken_back() {
    let site = Site::connected();
    let right = right(&site);
    let folder = site.desk.path();
    let (file, aside) = (folder.join("right/local-crm.db"), folder.join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    let arguments = ["migrate", "--dir", "right", "--yes"];
    let ended = site.desk.run_expecting(&[2], &arguments);
    assert!(ended.stderr.contains("put that one back"), "{ended:#?}");
    std::fs::rename(&aside, &file).unwrap();
    site.migrate("right");
    assert_same("after it was put back", &right, &site.dump("right"));
}

#[test]
fn a_damaged_vault_is_told() {
    let site = Site::connected();
    let right = right(&site);
    site.copy("p");
    let mut problems = Vec::new();
    let mut refuses = |file: &str, damage: &dyn Fn(&Path), words: &[&str]| {
        problems.extend(refused(&site, "p", file, damage, words))
    };
    refuses(
        "vault.json",
        &overwrite,
        &[
            "vault.json",
            "damaged",
            "restore it from a backup, or remove it and connect again",
        ],
    );
    refuses(
        "vault.json",
        &|path| truncate(path, 40),
        &["vault.json", "damaged", "restore it from a backup"],
    );
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    refuses(
        "vault.key",
        &remove,
        &["vault.key", "is missing", "put the file back"],
    );
    refuses(
        "vault.key",
        &overwrite,
        &["vault.key", "not 32 bytes", "make one with"],
    );
    let foreign_key = |path: &Path| {
        std::fs::write(path, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap()
    };
    refuses(
        "vault.key",
        &foreign_key,
        &["vault.key", "another key", "connect again"],
    );
    assert_eq!(problems, Vec::<String>::new());
    site.migrate("p");
    assert_same("with everything in its place", &right, &site.dump("p"));
}

#[test]
fn a_damaged_connector_or_project_file_is_told() {
    let site = Site::connected();
    let right = right(&site);
    site.copy("p");
    let mut problems = Vec::new();
    let mut refuses = |file: &str, damage: &dyn Fn(&Path), words: &[&str]| {
        problems.extend(refused(&site, "p", file, damage, words));
    };
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let folder = site.desk.path().join("p/connectors/pipedrive");
    let package = std::fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let package = format!("connectors/pipedrive/{}", package.to_str().unwrap());
    let tamper = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    refuses(
        &package,
        &tamper,
        &["pipedrive", "consented to was sha256:", "again"],
    );
    refuses(&package, &remove, &["pipedrive", "hint: "]);
    refuses(
        "connectors/installed.toml",
        &overwrite,
        &[
            "installed.toml",
            "restore it, or remove it and install the connectors again",
        ],
    );
    let unknown_key = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, format!("colour = \"red\"\n{text}")).unwrap();
    };
    refuses(
        "longshore.toml",
        &unknown_key,
        &["longshore.toml", "unknown field `colour`", "hint: "],
    );
    assert_eq!(problems, Vec::<String>::new());
    site.migrate("p");
    assert_same("with everything in its place", &right, &site.dump("p"));
}

#[test]
fn a_second_process_on_the_same_project_is_sent_away() {
    let site = Site::connected();
    let right = right(&site);
    let folder = site.copy("busy");
    let mut command = site.desk.command(&migration("busy"));
    command
        .arg("--trace-json")
        .env("RUST_LOG", "longshore::commit=trace")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut first = Guarded(command.spawn().unwrap());
    let mut lines = BufReader::new(first.0.stderr.take().unwrap()).lines();
    assert!(
        lines.next().is_some_and(|line| line.is_ok()),
        "it is at work"
    );
    // It stands still from here on: the pipe of its traces fills up, and nobody reads it.
    let pid = first.0.id().to_string();
    let folder = folder.file_name().unwrap().to_str().unwrap();
    for command in [
        &migration("busy")[..],
        &["plan", "--dir", "busy"],
        &["apply", "--dir", "busy", "--yes"],
        &["audit", "--dir", "busy"],
    ] {
        assert_refused(
            &site.desk.run(command),
            &[
                "another process",
                &pid,
                "works on the state in",
                folder,
                "wait until it has ended, or stop it",
            ],
        );
    }
    assert!(lines.all(|line| line.is_ok()));
    assert_eq!(
        first.0.wait().unwrap().code(),
        Some(1),
        "the first was not disturbed"
    );
    assert_same("beside refused ones", &right, &site.dump("busy"));
}

#[test]
fn a_demo_leaves_an_existing_project_alone() {
    let desk = Desk::new();
    desk.run_expecting(&[0], &["init", "--dir", "p"]);
    std::fs::File::create(desk.path().join("p/mine.txt"))
        .unwrap()
        .write_all(b"mine")
        .unwrap();
    let before = files(&desk.path().join("p"));
    assert_refused(
        &desk.run(&["demo", "--dir", "p", "--records", "5"]),
        &[
            "p holds a project already",
            "hint: remove that folder, or name another",
        ],
    );
    assert_refused(
        &desk.run(&["init", "--dir", "p"]),
        &["p holds a project already", "hint: take another folder"],
    );
    assert_eq!(before, files(&desk.path().join("p")), "nothing was touched");
}
