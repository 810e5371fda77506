//! Holds the vault to its promises on a real disk.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Instant;
use zeroize::Zeroizing;

use super::*;
use crate::file::{self, Sealed};

fn key(byte: u8) -> KeySource {
    KeySource::Bytes(Zeroizing::new([byte; 32]))
}

fn name(connection: &str) -> EntryName {
    EntryName::new(connection.into(), "api-token")
}

fn oauth() -> Secret {
    Secret::Oauth {
        access: "canary-access".into(),
        refresh: Some("canary-refresh".into()),
        expires_at: Instant::from_unix_us(1_800_000_000_000_000),
        client_id: "app".to_owned(),
        client_secret: Some("canary-client".into()),
        account: Some("https://acme.example".to_owned()),
    }
}

fn edit(vault: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(vault).unwrap()).unwrap();
    change(&mut json);
    fs::write(vault, serde_json::to_vec(&json).unwrap()).unwrap();
}

#[test]
fn what_is_stored_comes_back_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let vault = Vault::open(&path, key(1)).unwrap();
    assert!(!path.exists());
    assert!(vault.list().unwrap().is_empty());
    assert!(!vault.remove(&name("a")).unwrap());
    vault.store(&name("b"), &oauth()).unwrap();
    vault
        .store(&name("a"), &Secret::Key("canary-key".into()))
        .unwrap();
    let vault = Vault::open(&path, key(1)).unwrap();
    assert_eq!(vault.list().unwrap(), [name("a"), name("b")]);
    assert_eq!(vault.load(&name("b")).unwrap(), oauth());
    vault
        .store(&name("a"), &Secret::Key("canary-other".into()))
        .unwrap();
    assert_eq!(
        vault.load(&name("a")).unwrap(),
        Secret::Key("canary-other".into())
    );
    assert!(vault.remove(&name("a")).unwrap());
    assert!(matches!(
        vault.load(&name("a")),
        Err(VaultError::NotFound { .. })
    ));
}

#[test]
fn the_file_has_no_secret_and_only_its_owner_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let vault = Vault::open(&path, KeySource::File(folder.path().join("vault.key"))).unwrap();
    vault.store(&name("b"), &oauth()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        !text.contains("canary") && !text.contains("client"),
        "{text}"
    );
    #[cfg(unix)]
    for file in ["vault.json", "vault.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(folder.path().join(file))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o600,
            "{file}"
        );
    }
}

#[test]
fn a_wrong_key_is_told_from_a_damaged_file_and_from_a_changed_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let vault = Vault::open(&path, key(1)).unwrap();
    vault
        .store(&name("a"), &Secret::Key("canary-a".into()))
        .unwrap();
    vault
        .store(&name("b"), &Secret::Key("canary-b".into()))
        .unwrap();
    let whole = fs::read(&path).unwrap();

    let wrong = Vault::open(&path, key(2)).unwrap_err();
    assert!(matches!(wrong, VaultError::WrongKey { .. }), "{wrong}");
    assert!(wrong.to_string().contains("vault.json"), "{wrong}");

    edit(&path, |json| {
        let other = json["entries"][entry_key(&name("b"))].clone();
        json["entries"][entry_key(&name("a"))] = other;
    });
    let swapped = vault.load(&name("a")).unwrap_err();
    assert!(matches!(swapped, VaultError::Tampered { .. }), "{swapped}");
    assert_eq!(
        vault.load(&name("b")).unwrap(),
        Secret::Key("canary-b".into())
    );

    for cut in [0, 1, whole.len() / 2, whole.len() - 3] {
        fs::write(&path, &whole[..cut]).unwrap();
        let error = Vault::open(&path, key(1)).unwrap_err();
        assert!(
            matches!(error, VaultError::Corrupt { .. }),
            "{cut}: {error}"
        );
        assert!(vault.store(&name("a"), &oauth()).is_err());
        assert_eq!(
            fs::read(&path).unwrap(),
            whole[..cut],
            "a file that is no vault is not overwritten"
        );
    }

    fs::write(&path, &whole).unwrap();
    edit(&path, |json| json["format"] = 99.into());
    assert!(matches!(
        Vault::open(&path, key(1)),
        Err(VaultError::TooNew { found: 99, .. })
    ));
}

/// Whoever can write the file must not be able to have one connection's secret sent for another, or one secret put in another's header.
#[test]
fn a_sealed_entry_is_good_under_its_own_connection_and_name_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let vault = Vault::open(&path, key(1)).unwrap();
    let names = ["a", "b"].map(|connection| {
        ["api-token", "oauth"].map(|credential| EntryName::new(connection.into(), credential))
    });
    let names = names.as_flattened();
    for name in names {
        vault
            .store(name, &Secret::Key(format!("canary of {name}").into()))
            .unwrap();
    }
    let whole = fs::read(&path).unwrap();
    for from in names {
        for to in names.iter().filter(|to| *to != from) {
            edit(&path, |json| {
                json["entries"][entry_key(to)] = json["entries"][entry_key(from)].clone();
            });
            let error = vault.load(to).unwrap_err();
            assert!(
                matches!(&error, VaultError::Tampered { entry, .. } if *entry == to.to_string()),
                "{from} as {to}: {error}"
            );
            fs::write(&path, &whole).unwrap();
        }
    }
    edit(&path, |json| {
        json["entries"][entry_key(&names[0])] = json["check"].clone();
    });
    assert!(matches!(
        vault.load(&names[0]),
        Err(VaultError::Tampered { .. })
    ));
}

#[test]
fn a_vault_in_memory_leaves_nothing_behind() {
    let vault = Vault::in_memory();
    assert!(vault.list().unwrap().is_empty());
    vault.store(&name("a"), &oauth()).unwrap();
    assert_eq!(vault.load(&name("a")).unwrap(), oauth());
    assert!(!vault.path().exists());
    assert!(Vault::in_memory().list().unwrap().is_empty());
}

#[test]
fn every_flipped_byte_of_an_entry_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let vault = Vault::open(&path, key(1)).unwrap();
    vault
        .store(&name("a"), &Secret::Key("canary-a".into()))
        .unwrap();
    let sealed = file::read(&path).unwrap().unwrap().entries[&entry_key(&name("a"))].clone();
    let text = STANDARD.decode(&sealed.text).unwrap();
    for at in 0..text.len() {
        let mut flipped = text.clone();
        flipped[at] ^= 1;
        let sealed = Sealed {
            nonce: sealed.nonce.clone(),
            text: STANDARD.encode(flipped),
        };
        assert!(
            vault
                .opened()
                .sealer
                .unseal(&entry_key(&name("a")), &sealed)
                .is_none(),
            "byte {at}"
        );
    }
}

#[test]
fn key_sources_say_what_is_wrong_with_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let key_file = folder.path().join("vault.key");
    let unset = Vault::open(
        &path,
        KeySource::Environment("LONGSHORE_TEST_KEY_NOT_SET".to_owned()),
    )
    .unwrap_err();
    assert!(
        matches!(&unset, VaultError::KeyNotSet { name } if name == "LONGSHORE_TEST_KEY_NOT_SET")
    );

    let source = KeySource::File(key_file.clone());
    Vault::open(&path, source.clone())
        .unwrap()
        .store(&name("a"), &oauth())
        .unwrap();
    assert_eq!(
        Vault::open(&path, source.clone())
            .unwrap()
            .load(&name("a"))
            .unwrap(),
        oauth()
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Vault::open(&path, source.clone()),
            Err(VaultError::KeyExposed { .. })
        ));
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(&key_file, "short").unwrap();
    assert!(matches!(
        Vault::open(&path, source.clone()),
        Err(VaultError::KeyMalformed { .. })
    ));
    fs::remove_file(&key_file).unwrap();
    assert!(matches!(
        Vault::open(&path, source),
        Err(VaultError::KeyFileMissing { .. })
    ));
    assert!(!key_file.exists(), "no new key is made for an old vault");
}

#[test]
fn writers_of_several_vaults_on_one_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let vault = Vault::open(path, key(1)).unwrap();
                for entry in 0..4 {
                    vault
                        .store(&name(&format!("{writer}-{entry}")), &oauth())
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(
        Vault::open(&path, key(1)).unwrap().list().unwrap().len(),
        32
    );
}

#[cfg(unix)]
#[test]
fn a_failed_write_leaves_the_old_vault() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("state");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("vault.json");
    let vault = Vault::open(&path, key(1)).unwrap();
    vault.store(&name("a"), &oauth()).unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o500)).unwrap();
    // The superuser writes anywhere; there the folder is taken away instead.
    let blocked = tempfile::NamedTempFile::new_in(&inner).is_err();
    if blocked {
        let error = vault.store(&name("b"), &oauth()).unwrap_err();
        assert!(matches!(error, VaultError::Io { .. }), "{error}");
    }
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(vault.load(&name("a")).unwrap(), oauth());
    fs::rename(&inner, folder.path().join("gone")).unwrap();
    let error = vault.store(&name("b"), &oauth()).unwrap_err();
    assert!(matches!(error, VaultError::Io { .. }), "{error}");
}
