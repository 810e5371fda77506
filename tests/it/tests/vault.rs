//! `longshore vault` as a person gives it: where the key is, a new one, another place for it. What a kill between two steps leaves is the
//! vault crate's own test.

use it::Desk;

use crate::failures_site::{Site, assert_refused};

const ONE: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const TWO: &str = "0202020202020202020202020202020202020202020202020202020202020202";

fn status(desk: &Desk) -> serde_json::Value {
    desk.run_expecting(&[0], &["vault", "status", "--dir", "base", "--json"])
        .json()
}

#[track_caller]
fn opens(desk: &Desk) {
    desk.run_expecting(&[0, 1], &["discover", "--dir", "base"]);
}

fn rotate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["vault", "rotate", "--dir", "base", "--json"], more].concat()
}

#[test]
fn the_key_is_rotated_and_moved_and_said_where_it_is() {
    let mut site = Site::connected();
    let folder = site.desk.path().join("base");
    let desk = &mut site.desk;
    let first = status(desk);
    assert_eq!(first["key"], "key file base/vault.key", "{first}");
    assert_eq!(
        (&first["entries"], &first["unfinished"]),
        (
            &serde_json::json!([{"connection": "pipedrive", "credential": "api-token"}]),
            &false.into()
        )
    );
    let rotated = desk.run_expecting(&[0], &rotate(&[])).json();
    assert_ne!(rotated["key_id"], first["key_id"]);
    assert_eq!(status(desk), rotated);
    opens(desk);

    // To the environment: the variable must be there first.
    let to_environment = rotate(&["--to", "environment"]);
    assert_refused(
        &desk.run(&to_environment),
        &["LONGSHORE_VAULT_KEY", "not set"],
    );
    opens(desk);
    desk.set_environment("LONGSHORE_VAULT_KEY", ONE);
    opens(desk);
    let moved = desk.run_expecting(&[0], &to_environment).json();
    assert_eq!(moved["key"], "environment variable LONGSHORE_VAULT_KEY");
    assert!(!folder.join("vault.key").exists(), "the old key is gone");
    opens(desk);

    // Within the environment: both are there, the vault takes the second, and then that is the only one.
    desk.set_environment("LONGSHORE_VAULT_KEY_NEXT", TWO);
    let ended = desk.run_expecting(&[0], &rotate(&[]));
    assert!(ended.stderr.contains("unset the former"), "{ended:#?}");
    assert_ne!(ended.json()["key_id"], moved["key_id"]);
    assert_eq!(
        status(desk)["key"],
        "environment variable LONGSHORE_VAULT_KEY_NEXT"
    );
    opens(desk);
    desk.set_environment("LONGSHORE_VAULT_KEY", TWO);
    opens(desk);
    desk.set_environment("LONGSHORE_VAULT_KEY", ONE);
    desk.set_environment("LONGSHORE_VAULT_KEY_NEXT", ONE);
    assert_refused(
        &desk.run(&["vault", "status", "--dir", "base"]),
        &["was made with another key"],
    );
    desk.set_environment("LONGSHORE_VAULT_KEY", TWO);
    let back = desk.run_expecting(&[0], &rotate(&["--to", "file"])).json();
    assert_eq!(back["key"], "key file base/vault.key");
    opens(desk);
}

/// A machine whose kernel closes its keyring says so, and nothing is changed.
#[test]
fn the_keyring_is_chosen_and_never_taken_by_itself() {
    let site = Site::connected();
    let desk = &site.desk;
    let before = status(desk);
    let ended = desk.run(&rotate(&["--to", "keyring"]));
    if ended.code != Some(0) {
        assert_refused(
            &ended,
            &["keyring does not answer", "keep the key in a file"],
        );
        assert_eq!(status(desk)["key_id"], before["key_id"]);
        opens(desk);
        println!("SKIPPED: {}", ended.stderr);
        return;
    }
    let moved = ended.json();
    let origin = moved["key"].as_str().unwrap();
    assert!(
        origin.contains("of the operating system's keyring"),
        "{moved}"
    );
    assert!(!desk.path().join("base/vault.key").exists());
    let file = std::fs::read_to_string(desk.path().join("base/longshore.toml")).unwrap();
    assert!(file.contains("keyring = \"vault of "), "{file}");
    opens(desk);
    desk.run_expecting(&[0], &rotate(&[]));
    opens(desk);
    // Nothing of the test stays in the keyring.
    desk.run_expecting(&[0], &rotate(&["--to", "file"]));
    opens(desk);
}
