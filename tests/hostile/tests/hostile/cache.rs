//! Compiled connectors on disk: loaded when every bit is as it was written by this installation, compiled again when not.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Source as _;
use sandbox::{Compiler, Connector, ConnectorCache, SandboxError};

use crate::beside::{Silence, engine, limits, source};
use crate::bombs::compiler;
use crate::guest::{Guest, answer};

/// A compiler that is not there: what loads with it was not compiled.
fn none() -> Compiler {
    Compiler {
        program: "/nowhere/compiler".into(),
        ..compiler()
    }
}

fn guest(name: &str) -> Vec<u8> {
    let mut guest = Guest::new();
    guest.check = answer(guest.image.account(name.as_bytes()));
    guest.build()
}

fn load(folder: &Path, compiler: Compiler, component: &[u8]) -> Result<Connector, SandboxError> {
    ConnectorCache::open(folder, compiler)?.load(engine(), component)
}

/// The one entry of a cache.
fn entry(folder: &Path) -> PathBuf {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "aot"))
        .collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.pop().unwrap()
}

async fn check_works(connector: Connector, name: &str) {
    let (source, _) = source(connector, "cached", Arc::new(Silence), limits());
    assert_eq!(source.check().await.unwrap().name, name);
}

/// Spoils the entry of a filled cache, and checks that it is not loaded, is compiled again, and is good from then on.
async fn check_recompiled(what: &str, spoil: impl FnOnce(&Path, Vec<u8>)) {
    let folder = tempfile::tempdir().unwrap();
    let component = guest("acme");
    load(folder.path(), compiler(), &component).unwrap();
    let path = entry(folder.path());
    let good = fs::read(&path).unwrap();
    spoil(&path, good);
    let refused = load(folder.path(), none(), &component);
    assert!(
        matches!(refused, Err(SandboxError::Compile(_))),
        "{what} was loaded: {refused:?}"
    );
    check_works(load(folder.path(), compiler(), &component).unwrap(), "acme").await;
    check_works(load(folder.path(), none(), &component).unwrap(), "acme").await;
}

#[tokio::test]
async fn what_was_compiled_once_is_loaded_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (guest("first"), guest("second"));
    check_works(load(folder.path(), compiler(), &first).unwrap(), "first").await;
    assert!(
        load(folder.path(), none(), &second).is_err(),
        "another component has no entry"
    );
    check_works(load(folder.path(), none(), &first).unwrap(), "first").await;
    check_works(load(folder.path(), compiler(), &second).unwrap(), "second").await;
    check_works(load(folder.path(), none(), &first).unwrap(), "first").await;
}

#[tokio::test]
async fn an_entry_with_one_bit_changed_is_compiled_again() {
    for place in [0.0, 0.001, 0.2, 0.5, 0.999_999] {
        check_recompiled("a changed bit", |path, mut bytes| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a share of a file's length"
            )]
            let at = (bytes.len() as f64 * place) as usize;
            bytes[at] ^= 4;
            fs::write(path, bytes).unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn an_entry_that_is_cut_longer_or_empty_is_compiled_again() {
    check_recompiled("a cut entry", |path, bytes| {
        fs::write(path, &bytes[..bytes.len() - 1]).unwrap()
    })
    .await;
    check_recompiled("a head", |path, bytes| {
        fs::write(path, &bytes[..48]).unwrap()
    })
    .await;
    check_recompiled("an empty entry", |path, _| fs::write(path, b"").unwrap()).await;
    check_recompiled("a longer entry", |path, mut bytes| {
        bytes.push(0);
        fs::write(path, bytes).unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_bare_code_without_its_seal_is_not_loaded() {
    check_recompiled("bare code", |path, bytes| {
        fs::write(path, &bytes[48..]).unwrap()
    })
    .await;
}

#[tokio::test]
async fn an_entry_of_another_installation_is_compiled_again() {
    let other = tempfile::tempdir().unwrap();
    load(other.path(), compiler(), &guest("acme")).unwrap();
    let foreign = fs::read(entry(other.path())).unwrap();
    check_recompiled("a foreign entry", |path, _| {
        fs::write(path, foreign).unwrap()
    })
    .await;
}

#[tokio::test]
async fn an_entry_of_another_component_in_its_place_is_compiled_again() {
    // Sealed with the right key, for something else.
    check_recompiled("another's entry", |path, _| {
        let folder = path.parent().unwrap();
        let kept = path.with_extension("kept");
        fs::rename(path, &kept).unwrap();
        load(folder, compiler(), &guest("evil")).unwrap();
        fs::rename(entry(folder), path).unwrap();
        fs::remove_file(kept).unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_entry_of_another_engine_is_compiled_again_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), compiler(), &guest("acme")).unwrap();
    let path = entry(folder.path());
    // As an older version names it: the same component, another engine.
    let name = path.file_name().unwrap().to_str().unwrap();
    let (component, _) = name.split_once('-').unwrap();
    let old = folder
        .path()
        .join(format!("{component}-{}.aot", "0".repeat(64)));
    fs::rename(&path, &old).unwrap();
    check_works(
        load(folder.path(), compiler(), &guest("acme")).unwrap(),
        "acme",
    )
    .await;
    assert_eq!(entry(folder.path()), path, "the old one is gone");
}

#[tokio::test]
async fn an_entry_that_is_a_folder_or_a_link_to_nowhere_is_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), compiler(), &guest("acme")).unwrap();
    let path = entry(folder.path());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    // It cannot be kept there, and works all the same.
    check_works(
        load(folder.path(), compiler(), &guest("acme")).unwrap(),
        "acme",
    )
    .await;
    check_recompiled("a link", |path, _| {
        fs::remove_file(path).unwrap();
        std::os::unix::fs::symlink("/nowhere/entry", path).unwrap();
    })
    .await;
}

#[test]
fn the_key_is_random_and_readable_by_its_owner_only() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&first, &second] {
        ConnectorCache::open(folder.path(), none()).unwrap();
        let facts = fs::metadata(folder.path().join("key")).unwrap();
        assert_eq!((facts.len(), facts.mode() & 0o777), (32, 0o600));
    }
    let [first, second] =
        [first, second].map(|folder| fs::read(folder.path().join("key")).unwrap());
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_key_that_others_can_read_or_that_is_none_is_replaced_with_all_its_entries() {
    check_recompiled("an entry of a key that is known", |path, _| {
        let key = path.with_file_name("key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    })
    .await;
    check_recompiled("an entry of a key that is none", |path, _| {
        fs::write(path.with_file_name("key"), b"short").unwrap();
    })
    .await;
    check_recompiled("an entry without a key", |path, _| {
        fs::remove_file(path.with_file_name("key")).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_fill_one_cache_at_once_both_get_their_connector() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let tasks = (0..4).map(|_| {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || load(folder.path(), compiler(), &guest("acme")))
    });
    for task in tasks.collect::<Vec<_>>() {
        check_works(task.await.unwrap().unwrap(), "acme").await;
    }
    entry(folder.path());
}

#[test]
fn what_is_no_connector_of_this_host_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let foreign =
        wat::parse_str(r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)))"#).unwrap();
    let error = load(folder.path(), compiler(), &foreign).unwrap_err();
    assert!(
        matches!(error, SandboxError::ForeignImport { .. }),
        "{error:?}"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "the key alone"
    );
}
