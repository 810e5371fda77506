//! The process is killed at random moments while it writes into a portal that errs, again and again, and started again: the portal ends
//! up as after a run that nothing disturbed, with nothing lost and nothing twice.
//!
//! A dozen kills by default; `LONGSHORE_KILLS=500 cargo test -p it portal_kill -- --nocapture` does the whole five hundred.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use it::Ended;
use serde_json::Value;
use simulators::hubspot::{Access, Options, Running};

use crate::failures_site::{Dump, Guarded, assert_same, migration};
use crate::portal_site::{Office, assert_once, dump, log_in_as_before};

/// Kills where nobody says how many.
const KILLS: u64 = 12;

/// The most kills of one migration.
const KILLS_IN_ONE: u64 = 4;

/// What goes wrong besides, by rate.
const FAULTS: &str = "429=0.02,500=0.01,500-after=0.01,502=0.02,502-after=0.02,503=0.01,504-after=0.01,423=0.005,reset=0.01,reset-after=0.01,\
    truncate=0.005";

/// Calls that an access token is good for: a run takes several.
const ACCESS_USES: u64 = 50;

/// Numbers by chance that are the same every time.
struct Dice(u64);

impl Dice {
    /// From 0 to below 1 (splitmix64).
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Which command is killed and given again.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// `apply` of a plan that was made before, then `audit`.
    Apply,
    /// `migrate` from reading the source on.
    Migrate,
}

impl Way {
    /// The folder that a round begins with.
    fn begins(self) -> &'static str {
        match self {
            Self::Apply => "planned",
            Self::Migrate => "base",
        }
    }

    fn command(self, folder: &str) -> [&str; 5] {
        match self {
            Self::Apply => ["apply", "--dir", folder, "--yes", "--json"],
            Self::Migrate => migration(folder),
        }
    }
}

/// A project that was connected, and a run of it that nothing disturbed.
struct Site {
    office: Office,
    /// Where the portal was that it was connected to.
    address: String,
    /// Where the browser was sent to.
    login: String,
    right: Dump,
    report: Value,
}

impl Site {
    fn new() -> Self {
        let office = Office::new(60);
        let portal = office.start(options(&office, ""));
        let login = office.connect_by_oauth("base", &portal);
        let site = Self {
            address: portal.base_url.clone(),
            login,
            right: Dump::new(),
            report: Value::Null,
            office,
        };
        site.office.stop(portal);
        let portal = site.portal("");
        site.copy("base", "planned", &portal);
        let planned = ["plan", "--dir", "planned"];
        site.office.desk.run_expecting(&[0, 1], &planned);
        site.copy("base", "right", &portal);
        let ended = site.office.desk.run_expecting(&[0, 1], &migration("right"));
        let right = dump(&portal.portal);
        assert!(
            right["contact"].len() > 50 && right["associations"].len() > 500,
            "there is something to lose"
        );
        assert_once("undisturbed", &portal.portal);
        // The plan that rounds begin with was made against a portal that is gone: what it says of where it was goes with the copy.
        let file = site.office.desk.path().join("planned/longshore.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, text.replace(&portal.base_url, &site.address)).unwrap();
        site.office.stop(portal);
        Self {
            right,
            report: ended.json(),
            ..site
        }
    }

    /// A fresh portal in which the project is logged in.
    fn portal(&self, faults: &str) -> Running {
        let portal = self.office.start(options(&self.office, faults));
        log_in_as_before(&portal, &self.login);
        portal
    }

    fn copy(&self, from: &str, to: &str, portal: &Running) {
        self.office.copy(from, to, &self.address, portal);
    }

    /// How long the command takes that is not killed, with the faults.
    fn time(&self, way: Way) -> Duration {
        let portal = self.portal(&format!("{FAULTS},seed=1000"));
        let folder = format!("timed-{way:?}");
        self.copy(way.begins(), &folder, &portal);
        let begun = Instant::now();
        self.office
            .desk
            .run_expecting(&[0, 1], &way.command(&folder));
        let took = begun.elapsed();
        let faults: u64 = portal.portal.counters().faults.values().sum();
        assert!(faults >= 5, "it errs: {:?}", portal.portal.counters());
        assert_same("not killed", &self.right, &dump(&portal.portal));
        self.office.stop(portal);
        took
    }

    /// Runs a command until the moment, then kills it; false where it ended by itself before.
    fn run_until(&self, command: &[&str], moment: Duration) -> bool {
        let mut command = self.office.desk.command(command);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Guarded(command.spawn().unwrap());
        let mut stdout = child.0.stdout.take().unwrap();
        let (tell, ended) = channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            // A broken pipe is an end as well.
            let _ = stdout.read_to_string(&mut text);
            let _ = tell.send(text);
        });
        match ended.recv_timeout(moment) {
            Err(RecvTimeoutError::Timeout) => {
                child.0.kill().unwrap();
                child.0.wait().unwrap().code().is_none()
            }
            text => {
                let code = child.0.wait().unwrap().code();
                assert!(matches!(code, Some(0 | 1)), "{code:?}: {text:?}");
                false
            }
        }
    }

    /// One migration that is killed up to so many times; says how often it was.
    fn round(&self, number: u64, way: Way, length: Duration, most: u64) -> u64 {
        let mut dice = Dice(number);
        let portal = self.portal(&format!("{FAULTS},seed={number}"));
        let folder = format!("round-{number}");
        self.copy(way.begins(), &folder, &portal);
        let mut moments = Vec::new();
        while (moments.len() as u64) < most {
            let moment = length.mul_f64(dice.roll());
            if !self.run_until(&way.command(&folder), moment) {
                break;
            }
            moments.push(moment);
        }
        let what = format!("round {number}, {way:?} of {length:?}, killed after {moments:?}");
        let desk = &self.office.desk;
        let mut ended = desk.run(&way.command(&folder));
        if let (Way::Apply, Some(0 | 1)) = (way, ended.code) {
            ended = desk.run(&["audit", "--dir", &folder, "--json"]);
        }
        assert!(matches!(ended.code, Some(0 | 1)), "{what}: {ended:#?}");
        assert_once(&what, &portal.portal);
        assert_same(&what, &self.right, &dump(&portal.portal));
        assert_adds_up(&what, &ended, &self.report);
        std::fs::remove_dir_all(desk.path().join(&folder)).unwrap();
        self.office.stop(portal);
        moments.len() as u64
    }
}

fn options(office: &Office, faults: &str) -> Options {
    Options {
        faults: faults.parse().unwrap(),
        access: Access {
            access_uses: Some(ACCESS_USES),
            ..Access::default()
        },
        ..office.options()
    }
}

/// The account of the last audit: every record has an outcome, and the numbers are those of the undisturbed run.
#[track_caller]
fn assert_adds_up(what: &str, ended: &Ended, right: &Value) {
    let report = ended.json();
    let number = |value: &Value, key: &str| {
        let number = value[key].as_u64();
        number.unwrap_or_else(|| panic!("{what}: {key} is a number in {value}"))
    };
    let objects = report["objects"].as_object().unwrap();
    let expected = right["objects"].as_object().unwrap();
    assert_eq!(
        objects.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "{what}"
    );
    for (name, object) in objects {
        let expected = &expected[name];
        let same = ["selected", "excluded", "failed", "linked", "updated"];
        let same = same.into_iter().chain(["read_back", "differing"]);
        for key in same {
            let (there, right) = (number(object, key), number(expected, key));
            assert_eq!(there, right, "{what}: {key} of {name}: {object}");
        }
        // A migration that was killed behind its end is another one then, which finds everything there.
        let done = |object| number(object, "created") + number(object, "unchanged");
        assert_eq!(done(object), done(expected), "{what}: {name}: {object}");
    }
    let (links, expected) = (&report["associations"], &right["associations"]);
    let done = |links| number(links, "made") + number(links, "existing");
    assert_eq!(done(links), done(expected), "{what}: {links}");
    for key in ["failed", "missing_end"] {
        assert_eq!(links[key], expected[key], "{what}: {links}");
    }
    assert_eq!(report["money"], right["money"], "{what}: money");
}

#[test]
fn killed_at_any_moment_in_a_portal_that_errs_nothing_is_lost_or_twice() {
    let wanted = std::env::var("LONGSHORE_KILLS").ok();
    let wanted = wanted.and_then(|wish| wish.parse().ok()).unwrap_or(KILLS);
    let site = Site::new();
    let lengths = [site.time(Way::Apply), site.time(Way::Migrate)];
    let (begun, rounds, kills) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
    // Much of a round is waiting for a portal that asked for it.
    let workers = 6;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while kills.load(Ordering::SeqCst) < wanted {
                    let number = rounds.fetch_add(1, Ordering::SeqCst);
                    let (way, length) = match number % 3 {
                        2 => (Way::Migrate, lengths[1]),
                        _ => (Way::Apply, lengths[0]),
                    };
                    let killed = site.round(number, way, length, KILLS_IN_ONE);
                    let before = kills.fetch_add(killed, Ordering::SeqCst);
                    let now = before + killed;
                    if now / 25 > before / 25 {
                        let told = format!("{now} kills in {:?}\n", begun.elapsed());
                        std::io::stderr().write_all(told.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    assert!(kills.into_inner() >= wanted, "it was killed often enough");
}
