//! A rotation that is cut off between any two steps leaves a vault that opens, and says with which key.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use super::*;
use crate::secret::Secret;
use crate::vault::EntryName;

const STEPS: [Step; 4] = [Step::Begun, Step::Finished, Step::Kept, Step::Sealed];

fn names() -> [EntryName; 2] {
    ["a", "b"].map(|connection| EntryName::new(connection.into(), "oauth"))
}

fn secret(name: &EntryName) -> Secret {
    Secret::Key(format!("canary of {name}").into())
}

fn fill(vault: &Vault) {
    for name in names() {
        vault.store(&name, &secret(&name)).unwrap();
    }
}

#[track_caller]
fn is_whole(vault: &Vault) {
    for name in names() {
        assert_eq!(vault.load(&name).unwrap(), secret(&name));
    }
    assert_eq!(vault.list().unwrap(), names());
}

/// As a kill would: nothing after that point is done.
fn cut_off(vault: Vault, to: KeySource, at: Step) {
    let mut watch = |step| {
        if step == at {
            Err(VaultError::Corrupt {
                file: "cut".into(),
                what: "off".to_owned(),
            })
        } else {
            Ok(())
        }
    };
    let error = vault.rotate_watched(to, &mut watch).unwrap_err();
    assert!(matches!(error, VaultError::Corrupt { .. }), "{error}");
}

fn sealed_with(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn a_rotation_seals_everything_anew_and_ends_the_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (
        folder.path().join("vault.json"),
        folder.path().join("vault.key"),
    );
    let source = KeySource::File(file.clone());
    let vault = Vault::open(&path, source.clone()).unwrap();
    fill(&vault);
    let before = vault.status().unwrap();
    let (old_key, old_vault) = (fs::read(&file).unwrap(), sealed_with(&path));
    // Another process has it open all the while.
    let other = Vault::open(&path, source.clone()).unwrap();

    let after = vault.rotate(source.clone()).unwrap();
    assert_eq!(
        (&after.key, after.unfinished, &after.entries[..]),
        (&source, false, &names()[..])
    );
    assert_ne!(after.key_id, before.key_id);
    assert_eq!(
        Vault::open(&path, source.clone())
            .unwrap()
            .status()
            .unwrap(),
        after
    );
    assert_ne!(fs::read(&file).unwrap(), old_key);
    let (old, new) = (
        String::from_utf8(old_vault).unwrap(),
        fs::read_to_string(&path).unwrap(),
    );
    let texts = |json: &str| -> Vec<String> {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        json["entries"]
            .as_object()
            .unwrap()
            .values()
            .map(|entry| entry["text"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        texts(&old).iter().all(|text| !texts(&new).contains(text)),
        "nothing stays under the old key"
    );
    is_whole(&other);
    other.store(&names()[0], &secret(&names()[0])).unwrap();
    is_whole(&Vault::open(&path, source).unwrap());
    let old = crate::key::KeySource::Bytes({
        let text = String::from_utf8(old_key).unwrap();
        let bytes =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text.trim_end());
        Zeroizing::new(bytes.unwrap().try_into().unwrap())
    });
    assert!(
        matches!(Vault::open(&path, old), Err(VaultError::WrongKey { .. })),
        "the old key opens nothing"
    );
}

#[track_caller]
fn check_cut_off(from: &KeySource, to: &KeySource, folder: &Path) {
    for step in STEPS {
        let path = folder.join(format!("{step:?}.json"));
        let vault = Vault::open(&path, from.clone()).unwrap();
        fill(&vault);
        let old = vault.status().unwrap();
        cut_off(vault, to.clone(), step);

        let both = vec![from.clone(), to.clone()];
        let vault = Vault::open_any(&path, both.clone()).unwrap();
        is_whole(&vault);
        let found = vault.status().unwrap();
        let moved = step == Step::Sealed;
        assert_eq!(found.key_id != old.key_id, moved, "{step:?}: {found:?}");
        assert_eq!(found.unfinished, moved, "{step:?}: {found:?}");
        // It is used, and then the same command is given again.
        vault.store(&names()[1], &secret(&names()[1])).unwrap();
        let again = vault.rotate(to.clone()).unwrap();
        assert_eq!((&again.key, again.unfinished), (to, false), "{step:?}");
        let vault = Vault::open(&path, to.clone()).unwrap();
        is_whole(&vault);
        assert_eq!(vault.status().unwrap(), again, "{step:?}");
        fs::remove_file(&path).unwrap();
        from.forget().unwrap();
        to.forget().unwrap();
    }
}

#[test]
fn cut_off_anywhere_it_opens_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| KeySource::File(folder.path().join(name));
    check_cut_off(&file("vault.key"), &file("vault.key"), folder.path());
    check_cut_off(&file("vault.key"), &file("other.key"), folder.path());
}

/// The kernel's keyring may be closed to a container: then it says so, and this test says that it saw nothing else.
#[test]
fn the_keyring_keeps_a_key_and_rotates_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let name = format!("test {} {:p}", std::process::id(), &folder);
    let ring = KeySource::Keyring(name);
    let vault = match Vault::open(&path, ring.clone()) {
        Ok(vault) => vault,
        Err(error @ VaultError::Keyring { .. }) => {
            println!("SKIPPED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    fill(&vault);
    drop(vault);
    is_whole(&Vault::open(&path, ring.clone()).unwrap());
    let file = KeySource::File(folder.path().join("vault.key"));
    assert!(!folder.path().join("vault.key").exists());
    ring.forget().unwrap();
    let gone = Vault::open(&path, ring.clone()).unwrap_err();
    assert!(matches!(gone, VaultError::KeyGone { .. }), "{gone}");
    fs::remove_file(&path).unwrap();
    check_cut_off(&ring, &ring, folder.path());
    check_cut_off(&file, &ring, folder.path());
    check_cut_off(&ring, &file, folder.path());
}

#[test]
fn a_damaged_entry_stops_a_rotation_before_anything_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let source = KeySource::File(folder.path().join("vault.key"));
    let vault = Vault::open(&path, source.clone()).unwrap();
    fill(&vault);
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let foreign = json["check"]["nonce"].clone();
    let entries = json["entries"].as_object_mut().unwrap();
    entries.values_mut().next().unwrap()["nonce"] = foreign;
    fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
    let (before, key) = (
        fs::read(&path).unwrap(),
        fs::read(folder.path().join("vault.key")).unwrap(),
    );
    let error = vault.rotate(source).unwrap_err();
    assert!(matches!(error, VaultError::Tampered { .. }), "{error}");
    assert_eq!(before, fs::read(&path).unwrap());
    assert_eq!(key, fs::read(folder.path().join("vault.key")).unwrap());
    assert!(!folder.path().join("vault.key.next").exists());
}

#[test]
fn a_key_that_the_caller_gives_must_be_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let bytes = |byte| KeySource::Bytes(Zeroizing::new([byte; 32]));
    let vault = Vault::open(&path, bytes(1)).unwrap();
    fill(&vault);
    let same = vault.rotate(bytes(1)).unwrap_err();
    assert!(matches!(same, VaultError::SameKey { .. }), "{same}");
    let vault = Vault::open(&path, bytes(1)).unwrap();
    vault.rotate(bytes(2)).unwrap();
    is_whole(&Vault::open(&path, bytes(2)).unwrap());
    let unset = KeySource::Environment("LONGSHORE_TEST_KEY_NOT_SET".to_owned());
    let error = Vault::open(&path, bytes(2)).unwrap().rotate(unset);
    assert!(matches!(error, Err(VaultError::KeyNotSet { .. })));
    is_whole(&Vault::open(&path, bytes(2)).unwrap());
}
