//! Acceptance rule 17: people and programs are told what became of a run, and nothing of what they must not hear.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::Value;

use crate::failures_site::{Site, migration};
use crate::notify_site::{Call, Listening, mail_server, program};

#[cfg(test)]
mod told {
    use super::*;

    /// A connected project in the folder `p`, whose runs are told to a mailbox and to a program.
    pub(super) struct Told {
        pub(super) site: Site,
        pub(super) mail: Listening<String>,
        pub(super) program: Listening<Call>,
        pub(super) secret: String,
    }

    impl Told {
        pub(super) fn connected() -> Self {
            Self::over(mail_server(None), program(204))
        }

        pub(super) fn over(mail: Listening<String>, program: Listening<Call>) -> Self {
            let site = Site::connected();
            site.copy("p");
            let told = Self {
                site,
                mail,
                program,
                secret: String::new(),
            };
            told.add_settings(&format!(
                "[notify.email]\nto = [\"Ada <ada@example.com>\"]\nfrom = \"longshore@example.com\"\nhost = \"127.0.0.1\"\n\
                 port = {}\nsecurity = \"none\"\n[[notify.webhook]]\nname = \"ops\"\nurl = \"http://127.0.0.1:{}/hook\"\n",
                told.mail.port, told.program.port
            ));
            let desk = &told.site.desk;
            let made = desk.run_expecting(
                &[0],
                &["notify", "secret", "ops", "--generate", "--dir", "p"],
            );
            let secret = made.stdout.trim().to_owned();
            Self { secret, ..told }
        }

        pub(super) fn add_settings(&self, text: &str) {
            let path = self.site.desk.path().join("p/longshore.toml");
            let settings = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{settings}\n{text}")).unwrap();
        }

        /// The only message and the only call since it was asked last; the call is signed as it should be.
        #[track_caller]
        pub(super) fn take(&self) -> (String, Value) {
            let (mut mails, mut calls) = (self.mail.take(), self.program.take());
            assert_eq!((mails.len(), calls.len()), (1, 1), "{mails:?} {calls:?}");
            let (mail, call) = (mails.remove(0), calls.remove(0));
            let token = self.site.simulation.token();
            for hidden in [token, &self.secret] {
                assert!(!mail.contains(hidden) && !call.body.contains(hidden));
            }
            let signed = format!(
                "{}.{}.{}",
                call.header("webhook-id"),
                call.header("webhook-timestamp"),
                call.body
            );
            let key = self.secret.strip_prefix("whsec_").unwrap();
            let key = STANDARD.decode(key).unwrap();
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
            mac.update(signed.as_bytes());
            let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
            assert_eq!(call.header("webhook-signature"), expected);
            (mail, serde_json::from_str(&call.body).unwrap())
        }

        #[track_caller]
        pub(super) fn check(&self, event: &str, became: &str) -> (String, Value) {
            let (mail, call) = self.take();
            assert_eq!(call["type"], format!("longshore.run.{event}"), "{call:#}");
            assert!(mail.contains(became), "{mail}");
            (mail, call)
        }
    }
}

use told::Told;

#[test]
fn rule_17_completion_is_notified() {
    let told = Told::connected();
    let desk = &told.site.desk;
    let test = desk.run_expecting(&[0], &["notify", "test", "--dir", "p"]);
    assert_eq!(test.stdout, "email was told\nops was told\n");
    let (mail, call) = told.take();
    assert!(
        mail.contains("Subject: Longshore: a test from project p"),
        "{mail}"
    );
    assert_eq!(call["type"], "longshore.test");
    let report = desk.run_expecting(&[0, 1], &migration("p")).json();
    let (mail, call) = told.check("completed", "is done, with findings");
    let created = report["objects"]["contact"]["created"].as_u64().unwrap();
    let data = &call["data"];
    assert_eq!(data["counts"]["contact"]["created"], created, "{call:#}");
    assert_eq!(data["findings"], report["findings"]["total"]);
    assert_eq!(data["plan"]["id"], report["plan"]["id"]);
    assert_eq!(data["workbook"], "p/audit.xlsx");
    assert!(
        mail.contains("Subject: Longshore: migrate of pipedrive"),
        "{mail}"
    );
    assert!(
        mail.contains(&format!("contact: {created} created")),
        "{mail}"
    );
    desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
    let (mail, call) = told.check("completed", "plan of pipedrive");
    let hash = call["data"]["plan"]["hash"].as_str().unwrap();
    assert!(mail.replace("=\r\n", "").contains(hash), "{mail}");
    desk.run_expecting(
        &[0],
        &["rollback", "latest", "--dir", "p", "--apply", "--yes"],
    );
    told.check("completed", "rollback of pipedrive");
    // Somebody who is asked and says no knows it already.
    desk.run_expecting(&[2], &["apply", "--dir", "p"]);
    assert!(told.mail.heard().is_empty() && told.program.heard().is_empty());
}

#[test]
fn rule_17_a_pause_is_notified_by_its_cause_and_without_the_record() {
    let told = Told::connected();
    let desk = &told.site.desk;
    desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
    told.take();
    let crm = rusqlite::Connection::open(desk.path().join("p/local-crm.db")).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON contacts WHEN NEW.email IS NOT NULL BEGIN SELECT RAISE (IGNORE); END";
    crm.execute_batch(refuse).unwrap();
    let paused = desk.run_expecting(&[2], &["apply", "--yes", "--dir", "p"]);
    let (mail, call) = told.check("paused", "is paused");
    let message = call["data"]["message"].as_str().unwrap();
    assert!(
        message.contains("person records failed for one cause"),
        "{message}"
    );
    assert!(
        call["data"]["next"]
            .as_str()
            .unwrap()
            .contains("--ignore-cause")
    );
    let example = paused.stderr.split("for example person ").nth(1).unwrap();
    let id = example.split(':').next().unwrap();
    assert!(!message.contains("for example") && !mail.contains(&format!("person {id}")));
}

#[test]
fn rule_17_a_failure_is_notified() {
    let told = Told::connected();
    let desk = &told.site.desk;
    fs::write(
        desk.path().join("p/mapping.toml"),
        "[objects.person.fields]\nnowhere = false\n",
    )
    .unwrap();
    desk.run_expecting(&[2], &migration("p"));
    let (_, call) = told.check("failed", "is not done");
    let message = call["data"]["message"].as_str().unwrap();
    assert!(
        message.contains("mapping") && message.contains("nowhere"),
        "{message}"
    );
}

#[test]
fn rule_17_a_lost_token_is_notified() {
    let told = Told::connected();
    let desk = &told.site.desk;
    let refusing = program(401);
    let other = format!("http://127.0.0.1:{}", refusing.port);
    let path = desk.path().join("p/longshore.toml");
    let settings = fs::read_to_string(&path).unwrap();
    let moved = settings.replace(told.site.simulation.base_url(), &other);
    fs::write(&path, moved).unwrap();
    desk.run_expecting(&[2], &migration("p"));
    let (mail, call) = told.check("token-lost", "credential");
    assert!(
        call["data"]["next"]
            .as_str()
            .unwrap()
            .contains("longshore connect")
    );
    assert!(mail.contains("Next: "), "{mail}");
}

/// A run ends as it ends, whoever could not be told.
#[test]
fn a_run_is_the_same_where_nobody_can_be_told() {
    let told = Told::over(mail_server(Some("550 no such user")), program(404));
    let desk = &told.site.desk;
    let ended = desk.run_expecting(&[0, 1], &migration("p"));
    ended.json();
    for part in [
        "email was not told: ",
        "550",
        "ops was not told: it answered 404",
    ] {
        assert!(ended.stderr.contains(part), "{part} in {}", ended.stderr);
    }
    let test = desk.run_expecting(&[2], &["notify", "test", "--dir", "p", "--json"]);
    assert!(
        test.stderr.contains("2 of 2 were not told"),
        "{}",
        test.stderr
    );
    told.add_settings("[[notify.webhook]]\nname = \"late\"\nurl = \"http://127.0.0.1:1/\"\n");
    let hinted = desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
    assert!(
        hinted.stderr.contains("hint: late is not told"),
        "{}",
        hinted.stderr
    );
}

#[test]
fn settings_that_cannot_be_used_are_told_before_anything_begins() {
    let site = Site::connected();
    let folder = site.copy("p");
    let settings = fs::read_to_string(folder.join("longshore.toml")).unwrap();
    let wrong = "[notify.email]\nto = [\"nobody\"]\nfrom = \"l@example.com\"\nhost = \"smtp.example.com\"\nsecurity = \"none\"\n\
                 [[notify.webhook]]\nname = \"ops\"\nurl = \"https://user:canary@10.0.0.1/\"\n";
    fs::write(
        folder.join("longshore.toml"),
        format!("{settings}\n{wrong}"),
    )
    .unwrap();
    let status = ["status", "--dir", "p", "--json"];
    let runs = || site.desk.run_expecting(&[0], &status).json()["runs"].clone();
    let before = runs();
    let refused = site.desk.run_expecting(&[2], &migration("p"));
    for part in [
        "no e-mail address",
        "not this machine",
        "a password; calls are signed",
    ] {
        assert!(
            refused.stderr.contains(part),
            "{part} in {}",
            refused.stderr
        );
    }
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
    assert_eq!(runs(), before, "nothing began");
}

/// A secret comes through standard input, is sealed in the vault, and is in no output and no other file.
#[test]
fn a_secret_is_kept_in_the_vault_and_nowhere_else() {
    let told = Told::connected();
    let desk = &told.site.desk;
    let secret = format!("whsec_{}", STANDARD.encode(b"canary-canary-canary-canary"));
    let keep = |secret: &str| {
        let mut child = desk
            .command(&["notify", "secret", "ops", "--dir", "p"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(secret.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    let kept = keep(&secret);
    assert!(kept.status.success(), "{kept:?}");
    let refused = keep("canary");
    assert_eq!(refused.status.code(), Some(2));
    let said = [kept.stdout, kept.stderr, refused.stdout, refused.stderr].concat();
    assert!(!String::from_utf8(said).unwrap().contains("canary"));
    let told = Told {
        secret: secret.clone(),
        ..told
    };
    let desk = &told.site.desk;
    let ended = desk.run_expecting(&[0, 1], &migration("p"));
    told.check("completed", "is done");
    assert!(!ended.stdout.contains(&secret) && !ended.stderr.contains(&secret));
    for entry in fs::read_dir(desk.path().join("p")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let found = bytes
                .windows(secret.len())
                .any(|bytes| bytes == secret.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
