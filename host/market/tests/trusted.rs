//! Who is trusted: installing, upgrading, keys that are pinned, rotated and revoked, and what was tampered with.
#![expect(clippy::unwrap_used, reason = "what prepares a test may fail with it")]

use market::{
    Agreement, Backing, Change, Digest, InstallError, Installed, Line, Offer, Origin, Removal,
    Revocations, RevocationsError, Revoked, Rotation, SecretKey, SignatureError, SignatureFile,
    StatementError, Trust, TrustError, UnsignedPackages, Verdict, inspect, pack,
};

/// A package of that version that reads those objects.
fn package(version: &str, objects: &[&str]) -> Vec<u8> {
    let mut manifest = format!(
        "id = \"acme\"\nname = \"Acme CRM\"\nversion = \"{version}\"\npublisher = \"Acme\"\ncontract = \"0.1\"\n"
    );
    for object in objects {
        manifest += &format!("[[objects]]\nname = \"{object}\"\nsupports = [\"read\"]\n");
    }
    let component =
        r#"(component (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    pack(&wat::parse_str(component).unwrap(), &manifest).unwrap()
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn signature(package: &[u8], key: &SecretKey, rotations: &[String]) -> SignatureFile {
    SignatureFile::sign(&inspect(package).unwrap(), key, rotations).unwrap()
}

fn offer(package: &[u8], backing: Backing) -> Offer {
    Offer {
        package: package.to_vec(),
        backing,
        origin: Origin::File("acme.wasm".to_owned()),
    }
}

fn signed(package: &[u8], key: &SecretKey) -> Offer {
    let file = signature(package, key, &[]);
    offer(package, Backing::Signed(Box::new(file)))
}

/// A project's connectors, in a folder of its own.
struct Desk {
    folder: tempfile::TempDir,
    installed: Installed,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = Installed::new(folder.path().join("connectors"));
        Self { folder, installed }
    }

    /// Installs whatever may be trusted, as if somebody always said yes.
    fn install(&self, offer: Offer) -> Result<(Change, Verdict), InstallError> {
        self.install_as(offer, UnsignedPackages::Refused)
    }

    fn install_as(
        &self,
        offer: Offer,
        unsigned: UnsignedPackages,
    ) -> Result<(Change, Verdict), InstallError> {
        let examined = self.installed.examine(offer, unsigned)?;
        let told = (examined.change().clone(), examined.verdict());
        self.installed.install(&examined.agreed())?;
        Ok(told)
    }

    /// Every file of the set with its bytes; but for the lock, which is empty.
    fn files(&self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with(".lock") {
                    found.push((path.clone(), std::fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    #[track_caller]
    fn refuses(&self, offer: Offer, expected: fn(&TrustError) -> bool) {
        let before = self.files();
        match self.install_as(offer, UnsignedPackages::Allowed) {
            Err(InstallError::Trust(error)) => assert!(expected(&error), "{error:?}"),
            other => panic!("not refused as untrusted: {other:?}"),
        }
        assert_eq!(self.files(), before, "what is refused changes nothing");
    }
}

#[test]
fn the_first_key_is_pinned_and_no_other_gets_in() {
    let desk = Desk::new();
    let first = package("1.0.0", &["person"]);
    let told = desk.install(signed(&first, &key(1))).unwrap();
    let public = key(1).public();
    assert_eq!(told, (Change::New, Verdict::FirstKey { key: public }));
    assert_eq!(desk.installed.load("acme").unwrap().0, first);
    let second = package("1.1.0", &["person"]);
    desk.refuses(signed(&second, &key(2)), |error| {
        matches!(error, TrustError::Changed { pinned: Trust::Key(key), .. } if *key == SecretKey::from_seed([1; 32]).public())
    });
    // Leaving the signature away does not help, nor does coming as an official one.
    for backing in [Backing::Unsigned, Backing::Bundled] {
        desk.refuses(offer(&second, backing), |error| {
            matches!(error, TrustError::Changed { .. })
        });
    }
    let told = desk.install(signed(&second, &key(1))).unwrap();
    assert_eq!(told, (Change::NotWider, Verdict::PinnedKey { key: public }));
    assert_eq!(desk.installed.load("acme").unwrap().0, second);
    let names = desk.files().len();
    assert_eq!(
        names, 3,
        "index, package and signature; the older ones are gone"
    );
    // Removing keeps the pin.
    desk.installed.remove("acme", Removal::KeepPin).unwrap();
    assert!(matches!(
        desk.installed.load("acme"),
        Err(InstallError::NotInstalled(_))
    ));
    let third = package("1.2.0", &["person"]);
    desk.refuses(signed(&third, &key(2)), |error| {
        matches!(error, TrustError::Changed { .. })
    });
    desk.installed.remove("acme", Removal::ForgetPin).unwrap();
    desk.install(signed(&third, &key(2))).unwrap();
    desk.installed.remove("acme", Removal::ForgetPin).unwrap();
    assert!(matches!(
        desk.installed.remove("acme", Removal::ForgetPin),
        Err(InstallError::NotInstalled(_))
    ));
}

#[test]
fn unsigned_comes_in_only_by_the_flag_and_leaves_for_good_when_signed() {
    let desk = Desk::new();
    let first = package("1.0.0", &["person"]);
    let refused = desk.install(offer(&first, Backing::Unsigned));
    assert!(
        matches!(
            refused,
            Err(InstallError::Trust(TrustError::Unsigned { .. }))
        ),
        "{refused:?}"
    );
    assert_eq!(desk.files(), []);
    let unsigned = |package: &[u8]| offer(package, Backing::Unsigned);
    let allowed = UnsignedPackages::Allowed;
    let told = desk.install_as(unsigned(&first), allowed).unwrap();
    assert_eq!(told.1, Verdict::Unsigned);
    // A developer builds one version many times.
    let again = package("1.0.0", &["person", "deal"]);
    desk.install_as(unsigned(&again), allowed).unwrap();
    let told = desk.install(signed(&again, &key(1))).unwrap();
    assert_eq!(
        told.1,
        Verdict::FirstKey {
            key: key(1).public()
        }
    );
    desk.refuses(unsigned(&package("1.1.0", &["person"])), |error| {
        matches!(error, TrustError::Changed { .. })
    });
}

#[test]
fn a_key_that_speaks_for_an_unsigned_connector_is_asked_about() {
    let desk = Desk::new();
    let unsigned = offer(&package("1.0.0", &["person"]), Backing::Unsigned);
    desk.install_as(unsigned, UnsignedPackages::Allowed)
        .unwrap();
    let next = package("1.1.0", &["person"]);
    let (change, _) = desk.install(signed(&next, &key(1))).unwrap();
    let asked = Line::Key {
        key: key(1).public().to_string(),
    };
    assert_eq!(change, Change::Wider(vec![asked]));
}

#[test]
fn only_what_is_wider_is_asked_and_narrowing_is_not() {
    let desk = Desk::new();
    let examine = |package: &[u8]| {
        desk.installed
            .examine(signed(package, &key(1)), UnsignedPackages::Refused)
            .unwrap()
    };
    let first = package("1.0.0", &["person", "deal"]);
    assert!(examine(&first).without_asking().is_err(), "new is asked");
    desk.install(signed(&first, &key(1))).unwrap();
    assert!(examine(&first).without_asking().is_ok(), "the same is not");
    let narrower = package("1.1.0", &["person"]);
    let agreed = examine(&narrower).without_asking().unwrap();
    assert_eq!(agreed.agreement(), Agreement::NotWider);
    desk.installed.install(&agreed).unwrap();
    // What was given up is asked for again when it comes back.
    let wider = package("1.2.0", &["person", "deal"]);
    let examined = examine(&wider);
    let line = Line::Object {
        name: "deal".to_owned(),
        support: "read".to_owned(),
    };
    assert_eq!(*examined.change(), Change::Wider(vec![line]));
    assert_eq!(examined.replaces(), Some("1.1.0"));
    assert!(examined.without_asking().is_err());
    assert_eq!(desk.installed.load("acme").unwrap().0, narrower);
}

#[test]
fn a_new_key_is_believed_when_the_old_one_announced_it() {
    let desk = Desk::new();
    desk.install(signed(&package("1.0.0", &["person"]), &key(1)))
        .unwrap();
    let next = package("1.1.0", &["person"]);
    let one_to_two = Rotation::announce(&key(1), key(2).public());
    let two_to_three = Rotation::announce(&key(2), key(3).public());
    let with = |rotations: &[String]| {
        let file = signature(&next, &key(3), rotations);
        offer(&next, Backing::Signed(Box::new(file)))
    };
    for gap in [
        vec![],
        vec![one_to_two.clone()],
        vec![two_to_three.clone()],
        vec![two_to_three.clone(), one_to_two.clone()],
        vec![Rotation::announce(&key(4), key(3).public())],
    ] {
        desk.refuses(with(&gap), |error| {
            matches!(error, TrustError::Changed { .. })
        });
    }
    let told = desk
        .install(with(&[one_to_two.clone(), two_to_three]))
        .unwrap();
    let (key_3, before) = (key(3).public(), key(1).public());
    let announced = Verdict::AnnouncedKey { key: key_3, before };
    assert_eq!(told, (Change::NotWider, announced));
    // The old key speaks no more.
    let later = package("1.2.0", &["person"]);
    desk.refuses(signed(&later, &key(1)), |error| {
        matches!(error, TrustError::Changed { .. })
    });
    // The announcements go along with later versions, for those who come from far behind.
    let carried = signature(&next, &key(2), &[one_to_two]).rotation_texts();
    assert_eq!(signature(&later, &key(2), &carried).rotations.len(), 1);
}

#[test]
fn older_versions_and_a_version_given_twice_are_refused() {
    let desk = Desk::new();
    desk.install(signed(&package("1.2.0", &["person"]), &key(1)))
        .unwrap();
    for older in ["1.1.9", "1.2.0-rc.1", "0.9.0"] {
        desk.refuses(signed(&package(older, &["person"]), &key(1)), |error| {
            matches!(error, TrustError::Downgrade { .. })
        });
    }
    for same in ["1.2.0", "1.2.0+build.9"] {
        desk.refuses(signed(&package(same, &["deal"]), &key(1)), |error| {
            matches!(error, TrustError::SameVersion { .. })
        });
    }
    desk.installed.remove("acme", Removal::KeepPin).unwrap();
    desk.refuses(signed(&package("1.1.9", &["person"]), &key(1)), |error| {
        matches!(error, TrustError::Downgrade { .. })
    });
}

#[test]
fn what_was_tampered_with_is_refused_by_its_signature() {
    let good = package("1.0.0", &["person"]);
    let file = signature(&good, &key(1), &[]);
    // Other bytes, another manifest, another version: the digest of the whole component tells all of them.
    for other in [
        package("1.0.0", &["deal"]),
        package("1.0.1", &["person"]),
        [&good[..], b"\x00\x02\x01x"].concat(),
    ] {
        let desk = Desk::new();
        desk.refuses(
            offer(&other, Backing::Signed(Box::new(file.clone()))),
            |error| {
                matches!(
                    error,
                    TrustError::Signature {
                        source: SignatureError::Other {
                            what: "component",
                            ..
                        },
                        ..
                    }
                )
            },
        );
        assert_eq!(desk.files(), []);
    }
    // A signature that was changed in any line, or signed by another key under the first one's name.
    let text = file.text();
    let public = |seed| key(seed).public().to_string();
    for (from, to) in [
        ("version: 1.0.0", "version: 2.0.0"),
        ("id: acme", "id: evil"),
        (&public(1), &public(2)),
        ("package 1", "rotation 1"),
        ("signature: ", "signature: 00"),
        ("id: acme\n", "id: acme\nid: acme\n"),
        ("sha256:", "SHA256:"),
    ] {
        assert!(text.contains(from), "{from}");
        let refused = SignatureFile::parse(&text.replacen(from, to, 1));
        assert!(refused.is_err(), "{from} to {to}");
    }
    assert!(matches!(
        SignatureFile::parse(&text.replace("1.0.0", "2.0.0")),
        Err(StatementError::Signature { .. })
    ));
    for broken in [
        "",
        "\n",
        &text[..40],
        &format!("{text}\n"),
        &format!("{text}x"),
    ] {
        assert!(SignatureFile::parse(broken).is_err(), "{broken:?}");
    }
}

#[test]
fn what_was_changed_on_the_disk_is_not_loaded() {
    let desk = Desk::new();
    let good = package("1.0.0", &["person"]);
    desk.install(signed(&good, &key(1))).unwrap();
    let digest = Digest::of(&good).hex();
    let folder = desk.folder.path().join("connectors/acme");
    let (wasm, sig) = (
        folder.join(format!("{digest}.wasm")),
        folder.join(format!("{digest}.wasm.sig")),
    );
    let right = std::fs::read(&sig).unwrap();
    let other = signature(&good, &key(2), &[]);
    for wrong in [&b""[..], b"x", other.text().as_bytes()] {
        std::fs::write(&sig, wrong).unwrap();
        let refused = desk.installed.load("acme");
        assert!(
            matches!(refused, Err(InstallError::Trust(_))),
            "{refused:?}"
        );
    }
    std::fs::remove_file(&sig).unwrap();
    assert!(desk.installed.load("acme").is_err());
    std::fs::write(&sig, right).unwrap();
    std::fs::write(&wasm, package("1.0.0", &["deal"])).unwrap();
    assert!(matches!(
        desk.installed.load("acme"),
        Err(InstallError::Digest { .. })
    ));
    // Installing anew mends it, and asks, since there is nothing to compare with.
    let (change, _) = desk
        .install(signed(&package("1.0.1", &["person"]), &key(1)))
        .unwrap();
    assert_eq!(change, Change::New);
    desk.installed.load("acme").unwrap();
    std::fs::write(
        desk.folder.path().join("connectors/installed.toml"),
        "not toml [",
    )
    .unwrap();
    let refused = desk.installed.list().unwrap_err().to_string();
    assert!(refused.contains("installed.toml"), "{refused}");
}

#[test]
fn what_is_revoked_runs_no_more_and_is_not_let_in() {
    let desk = Desk::new();
    let good = package("1.0.0", &["person"]);
    desk.install(signed(&good, &key(1))).unwrap();
    let registry = Origin::Folder("/registry".to_owned());
    let operator = key(9);
    let note = |text: Option<&str>| desk.installed.note_revocations(&registry, text);
    note(None).unwrap();
    let list = |key: &SecretKey, serial, entries: &[Revoked]| {
        let entries: Vec<_> = entries
            .iter()
            .map(|entry| (*entry, "key was stolen".to_owned()))
            .collect();
        Revocations::sign(key, serial, &entries).unwrap()
    };
    let other = Revoked::Package(Digest::of(b"other"));
    note(Some(list(&operator, 1, &[other]).text())).unwrap();
    desk.installed.load("acme").unwrap();
    let stolen = list(&operator, 2, &[other, Revoked::Key(key(1).public())]);
    note(Some(stolen.text())).unwrap();
    note(Some(stolen.text())).unwrap();
    let revoked = |error: &TrustError| matches!(error, TrustError::Revoked { reason, .. } if reason == "key was stolen");
    match desk.installed.load("acme") {
        Err(InstallError::Trust(error)) => assert!(revoked(&error), "{error:?}"),
        other => panic!("{other:?}"),
    }
    desk.refuses(signed(&package("1.1.0", &["person"]), &key(1)), revoked);
    // A thief of the key cannot announce another one either.
    let next = package("1.1.0", &["person"]);
    let rotation = Rotation::announce(&key(1), key(2).public());
    let file = signature(&next, &key(2), &[rotation]);
    desk.refuses(offer(&next, Backing::Signed(Box::new(file))), revoked);
    // Nor can the list be taken back by somebody else, by an older one, or by leaving it away.
    let reason = |text: Option<&str>| match note(text) {
        Err(InstallError::Revocations { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    assert!(matches!(reason(None), RevocationsError::Gone));
    let older = list(&operator, 1, &[]);
    assert!(matches!(
        reason(Some(older.text())),
        RevocationsError::Older { found: 1, seen: 2 }
    ));
    let same = list(&operator, 2, &[]);
    assert!(matches!(
        reason(Some(same.text())),
        RevocationsError::Older { .. }
    ));
    let foreign = list(&key(8), 3, &[]);
    assert!(matches!(
        reason(Some(foreign.text())),
        RevocationsError::OtherKey { .. }
    ));
    let broken = stolen.text().replace("stolen", "found");
    assert!(matches!(
        reason(Some(&broken)),
        RevocationsError::Statement(_)
    ));
    assert!(desk.installed.load("acme").is_err(), "it still counts");
}
