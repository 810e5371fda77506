//! A registry in a folder, and the addresses of OCI ones. A registry process is talked to in the whole-house tests.
#![cfg(feature = "registry")]
#![expect(clippy::unwrap_used, reason = "what prepares a test may fail with it")]

use std::path::Path;

use market::registry::{Choice, FolderRegistry, Login, OciAddress, Registry, RegistryError};
use market::{Backing, Digest, SecretKey, SignatureFile, inspect, pack};

fn package(id: &str, version: &str, description: &str) -> Vec<u8> {
    let manifest = format!(
        "id = \"{id}\"\nname = \"{id} CRM\"\nversion = \"{version}\"\npublisher = \"Acme\"\ncontract = \"0.1\"\ndescription = \"{description}\"\n\
         [[objects]]\nname = \"person\"\nsupports = [\"read\"]\n"
    );
    let component =
        r#"(component (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    pack(&wat::parse_str(component).unwrap(), &manifest).unwrap()
}

fn registry(folder: &Path) -> Registry {
    Registry::of_connector(folder.to_str().unwrap(), "acme", Login::Anonymous).unwrap()
}

async fn publish(folder: &Path, package: &[u8]) -> Result<bool, RegistryError> {
    let inspection = inspect(package).unwrap();
    let key = SecretKey::from_seed([1; 32]);
    let signature = SignatureFile::sign(&inspection, &key, &[]).unwrap();
    let published = registry(folder)
        .publish(package, &inspection, &signature)
        .await?;
    Ok(published.was_there)
}

#[tokio::test]
async fn what_is_published_is_found_and_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = package("acme", "1.0.0", "Reads contacts");
    assert!(!publish(folder, &first).await.unwrap());
    assert!(publish(folder, &first).await.unwrap(), "the same again");
    let other = publish(folder, &package("acme", "1.0.0", "Other")).await;
    assert!(
        matches!(other, Err(RegistryError::Exists { .. })),
        "{other:?}"
    );
    for version in ["1.10.0", "1.9.0", "2.0.0-beta.1"] {
        let package = package("acme", version, "Reads contacts");
        publish(folder, &package).await.unwrap();
    }
    publish(folder, &package("zeta", "0.1.0", "Reads deals"))
        .await
        .unwrap();
    let index = FolderRegistry::new(folder.to_owned());
    let found = index.search("").unwrap();
    let ids: Vec<_> = found.iter().map(|listing| listing.id.as_str()).collect();
    assert_eq!(ids, ["acme", "zeta"]);
    let versions: Vec<_> = found[0].versions.iter().map(ToString::to_string).collect();
    assert_eq!(versions, ["2.0.0-beta.1", "1.10.0", "1.9.0", "1.0.0"]);
    assert_eq!(index.search("READS cont").unwrap().len(), 1);
    assert_eq!(index.search("reads").unwrap().len(), 2);
    assert_eq!(index.search("reads nothing").unwrap().len(), 0);
    let fetch = async |choice| registry(folder).fetch("acme", &choice).await;
    let newest = fetch(Choice::Newest).await.unwrap();
    let manifest = inspect(&newest.package).unwrap().manifest;
    assert_eq!(
        manifest.version.to_string(),
        "1.10.0",
        "a release before what is not one"
    );
    let offer = fetch(Choice::Version(semver::Version::new(1, 0, 0)))
        .await
        .unwrap();
    assert_eq!(offer.package, first);
    assert!(matches!(offer.backing, Backing::Signed(_)));
    for absent in [
        Choice::Version(semver::Version::new(3, 0, 0)),
        Choice::Artifact(Digest::of(b"x").to_string()),
    ] {
        let refused = fetch(absent).await;
        assert!(
            matches!(refused, Err(RegistryError::NotFound { .. })),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn what_was_changed_in_the_folder_is_not_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = package("acme", "1.0.0", "Reads contacts");
    publish(folder, &first).await.unwrap();
    let fetch = async || registry(folder).fetch("acme", &Choice::Newest).await;
    let (wasm, index) = (
        folder.join("packages/acme/1.0.0.wasm"),
        folder.join("index.toml"),
    );
    std::fs::write(&wasm, package("acme", "1.0.0", "Other")).unwrap();
    assert!(matches!(fetch().await, Err(RegistryError::Digest { .. })));
    std::fs::write(&wasm, &first).unwrap();
    let signature = folder.join("packages/acme/1.0.0.wasm.sig");
    std::fs::write(&signature, "hello").unwrap();
    assert!(matches!(
        fetch().await,
        Err(RegistryError::Signature { .. })
    ));
    std::fs::remove_file(&signature).unwrap();
    assert_eq!(fetch().await.unwrap().backing, Backing::Unsigned);
    // An index that leads out of the folder, hides, or is none.
    let right = std::fs::read_to_string(&index).unwrap();
    for (from, to) in [
        ("id = \"acme\"", "id = \"../../acme\""),
        ("acme CRM", "acme\\u001b[2JCRM"),
        ("Reads contacts", "Reads\\u202econtacts"),
    ] {
        std::fs::write(&index, right.replacen(from, to, 1)).unwrap();
        assert!(
            matches!(fetch().await, Err(RegistryError::Entry { .. })),
            "{to}"
        );
    }
    for (from, to) in [
        ("1.0.0", "../1.0.0"),
        ("[[packages]]", "[[pack"),
        ("publisher", "colour"),
    ] {
        std::fs::write(&index, right.replacen(from, to, 1)).unwrap();
        assert!(
            matches!(fetch().await, Err(RegistryError::Index { .. })),
            "{to}"
        );
    }
}

#[track_caller]
fn address(text: &str, repository: &str, choice: Choice) {
    let expected = OciAddress {
        repository: repository.to_owned(),
        choice,
    };
    assert_eq!(
        OciAddress::parse(text).unwrap().unwrap(),
        expected,
        "{text}"
    );
}

#[test]
fn addresses_of_oci_are_read() {
    let version = |text: &str| Choice::Version(text.parse().unwrap());
    address("oci://ghcr.io/acme/crm", "ghcr.io/acme/crm", Choice::Newest);
    address(
        "oci://127.0.0.1:5000/crm",
        "127.0.0.1:5000/crm",
        Choice::Newest,
    );
    address(
        "oci://127.0.0.1:5000/crm:1.2.3",
        "127.0.0.1:5000/crm",
        version("1.2.3"),
    );
    address(
        "oci://ghcr.io/crm:1.2.3-rc.1_7",
        "ghcr.io/crm",
        version("1.2.3-rc.1+7"),
    );
    let digest = Digest::of(b"x").to_string();
    let artifact = Choice::Artifact(digest.clone());
    address(
        &format!("oci://ghcr.io/crm@{digest}"),
        "ghcr.io/crm",
        artifact,
    );
    assert!(OciAddress::parse("acme").is_none());
    for wrong in [
        "oci://",
        "oci://acme",
        "oci://ghcr.io/crm:latest",
        "oci://ghcr.io/../crm",
        "oci://me@ghcr.io/crm",
    ] {
        assert!(OciAddress::parse(wrong).unwrap().is_err(), "{wrong}");
    }
}
