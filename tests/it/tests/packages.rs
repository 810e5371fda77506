//! A connector's way from its author to an operator, as commands: packed, signed, published to a registry process, installed from it
//! elsewhere, upgraded, tampered with, revoked.
//!
//! The OCI registry is Debian's `docker-registry`, started on loopback with its data in a temporary folder. Where it is not installed,
//! the tests that need it say so and pass; `.ci/run` installs it and forbids that.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use it::{Desk, Ended};
use serde_json::Value;

use crate::failures_site::assert_refused;

/// A registry process; it ends with this value.
struct RegistryProcess {
    child: Child,
    address: String,
    data: tempfile::TempDir,
}

impl RegistryProcess {
    /// `None` where the program is absent.
    fn start() -> Option<Self> {
        let data = tempfile::tempdir().unwrap();
        let config = data.path().join("config.yml");
        let storage = data.path().join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: 127.0.0.1:0}}\n",
            storage.display()
        );
        std::fs::write(&config, text).unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                assert!(
                    std::env::var_os("LONGSHORE_NEEDS_REGISTRY").is_none(),
                    "docker-registry must be installed here: {error}"
                );
                eprintln!(
                    "SKIPPED: no docker-registry ({error}); `apt-get install docker-registry` brings it"
                );
                return None;
            }
        };
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let rest = line.split("listening on ").nth(1)?;
            Some(rest.split('"').next()?.to_owned())
        });
        // Somebody must read on, or the registry stops when its pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.expect("the registry says where it listens");
        Some(Self {
            child,
            address,
            data,
        })
    }

    /// What the registry answers to a GET, after the head.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let accept = "application/vnd.oci.image.manifest.v1+json";
        let host = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        body.to_owned()
    }

    /// The file in which the registry keeps a blob.
    fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let folder = self
            .data
            .path()
            .join("data/docker/registry/v2/blobs/sha256");
        folder.join(&hex[..2]).join(hex).join("data")
    }
}

impl Drop for RegistryProcess {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn manifest(version: &str, objects: &[&str]) -> String {
    let mut manifest = format!(
        "id = \"acme\"\nname = \"Acme CRM\"\nversion = \"{version}\"\npublisher = \"Acme\"\ncontract = \"0.1\"\ndescription = \"Reads Acme.\\nAll of it.\"\n\
         [[endpoints]]\nid = \"api\"\nurl = \"https://api.acme.com\"\nmethods = [\"GET\"]\n"
    );
    for object in objects {
        manifest += &format!("[[objects]]\nname = \"{object}\"\nsupports = [\"read\"]\n");
    }
    manifest
}

/// The author's desk: a module, keys, and packages by their version.
struct Author {
    desk: Desk,
}

impl Author {
    fn new() -> Self {
        let desk = Desk::new();
        let module = r#"(component (import "longshore:connector/http@0.1.0" (instance))
            (core module $code (func (export "f")))
            (core instance $made (instantiate $code))
            (func $f (canon lift (core func $made "f")))
            (instance $i (export "check" (func $f)) (export "list-objects" (func $f)) (export "fetch-records" (func $f)))
            (export "longshore:connector/source@0.1.0" (instance $i)))"#;
        std::fs::write(
            desk.path().join("acme-module.wasm"),
            wat::parse_str(module).unwrap(),
        )
        .unwrap();
        let author = Self { desk };
        author.keygen("acme.key");
        author
    }

    fn keygen(&self, name: &str) -> String {
        let made = self.json(&["keygen", "--out", name]);
        let key = made["key"].as_str().unwrap().to_owned();
        let public = std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        assert_eq!(public.trim(), key);
        key
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let all = [&["connectors"], arguments, &["--json"]].concat();
        self.desk.run_expecting(&[0], &all).json()
    }

    /// Packs and signs; the package's path.
    #[track_caller]
    fn make(&self, version: &str, objects: &[&str]) -> String {
        let name = format!("acme-{version}.wasm");
        std::fs::write(self.path("manifest.toml"), manifest(version, objects)).unwrap();
        let pack = [
            "pack",
            "acme-module.wasm",
            "--manifest",
            "manifest.toml",
            "--out",
            &name,
        ];
        assert_eq!(self.json(&pack)["version"], version);
        self.json(&["sign", &name, "--key", "acme.key"]);
        self.path(&name).to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn publish(&self, package: &str, registry: &str) -> Value {
        self.json(&["publish", package, "--registry", registry])
    }
}

/// An operator's project, in a folder of its own.
struct Operator {
    desk: Desk,
}

impl Operator {
    fn new() -> Self {
        let desk = Desk::new();
        desk.run_expecting(&[0], &["init", "--dir", "p"]);
        Self { desk }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let all = [&["connectors"], arguments, &["--dir", "p", "--json"]].concat();
        self.desk.run(&all)
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> Value {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:#?}");
        ended.json()
    }

    /// Refused with those words, and nothing at all is written: neither a file of the set nor an entry of the ledger.
    #[track_caller]
    fn refused(&self, arguments: &[&str], words: &[&str]) -> Ended {
        let before = (self.files(), self.ledger());
        let ended = self.run(arguments);
        assert_refused(&ended, words);
        assert!(ended.stderr.contains("hint: "), "{ended:#?}");
        assert_eq!((self.files(), self.ledger()), before, "{arguments:?}");
        ended
    }

    /// The files of the installed set.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.desk.path().join("p/connectors"), &mut found);
        found.retain(|(path, _)| !path.ends_with(".lock"));
        found.sort();
        found
    }

    /// Version, trust, agreement and lines of each consent in the ledger.
    fn ledger(&self) -> Vec<(String, String, String, String)> {
        let state = self.desk.path().join("p/state.db");
        if !state.exists() {
            return Vec::new();
        }
        let db = rusqlite::Connection::open(state).unwrap();
        let text = "SELECT version, trust, agreement, lines FROM consent ORDER BY id";
        let mut select = db.prepare(text).unwrap();
        let rows = select.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// The installed version.
    fn version(&self) -> Option<String> {
        let list = self
            .desk
            .run_expecting(&[0], &["connectors", "list", "--dir", "p", "--json"]);
        let rows = list.json()["connectors"].as_array().unwrap().clone();
        let row = rows.iter().find(|row| row["id"] == "acme")?;
        Some(row["version"].as_str().unwrap().to_owned())
    }
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
}

/// The whole way, with a registry that speaks OCI.
#[test]
fn from_its_author_through_an_oci_registry_to_an_operator() {
    let Some(process) = RegistryProcess::start() else {
        return;
    };
    let registry = format!("oci://{}/market", process.address);
    let repository = format!("{registry}/acme");
    let author = Author::new();
    let first = author.make("1.0.0", &["person"]);
    let published = author.publish(&first, &registry);
    assert_eq!(published["was_there"], false);
    assert_eq!(author.publish(&first, &registry)["was_there"], true);
    is_laid_out_as_components_are(&process, &published);

    let operator = Operator::new();
    let install = ["install", "acme", "--registry", &registry];
    let asked = operator.refused(
        &install,
        &[
            "was not agreed to",
            "read person records",
            "never seen here before",
        ],
    );
    assert!(
        asked.stderr.contains("hint: answer y, or give --yes"),
        "{asked:#?}"
    );
    let installed = operator.done(&[&install[..], &["--yes"]].concat());
    assert_eq!(
        (&installed["change"], &installed["agreement"]),
        (&"new".into(), &"answered".into())
    );
    assert_eq!(installed["origin"], repository.as_str());
    let key = std::fs::read_to_string(author.path("acme.key.pub")).unwrap();
    assert_eq!(installed["trust"], key.trim());
    operator.done(&["verify", "acme"]);
    upgraded(&author, &operator, &registry, key.trim());
    let address = format!("{repository}:1.0.0");
    operator.refused(
        &["install", &address, "--yes"],
        &["1.0.0 is older than 1.2.0"],
    );
    let versions = author.json(&["search", "--registry", &repository]);
    assert_eq!(
        versions["versions"],
        serde_json::json!(["1.2.0", "1.1.0", "1.0.0"])
    );
    damaged_in_the_registry(&author, &process, &registry, &operator);
    revoked_in_the_registry(&author, &repository, &operator, key.trim());
}

/// To a version that asks for more, and then to one that asks for less.
fn upgraded(author: &Author, operator: &Operator, registry: &str, key: &str) {
    // An upgrade that asks for more is asked about, with what is new in it and nothing else.
    author.publish(&author.make("1.1.0", &["person", "deal"]), registry);
    let asked = operator.refused(
        &["upgrade", "acme"],
        &[
            "asks for more than 1.0.0",
            "  - read deal records",
            "stays as it is",
        ],
    );
    assert!(!asked.stderr.contains("person records"), "{asked:#?}");
    assert_eq!(operator.version().as_deref(), Some("1.0.0"));
    assert_eq!(
        operator.done(&["upgrade", "acme", "--yes"])["change"],
        "wider"
    );
    // One that asks for less is not.
    author.publish(&author.make("1.2.0", &["deal"]), registry);
    let narrower = operator.done(&["upgrade", "acme"]);
    assert_eq!(
        (&narrower["version"], &narrower["agreement"]),
        (&"1.2.0".into(), &"not-wider".into())
    );
    let ledger = operator.ledger();
    let told: Vec<_> = ledger
        .iter()
        .map(|(version, _, agreement, _)| (version.as_str(), agreement.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("1.0.0", "answered"),
            ("1.1.0", "answered"),
            ("1.2.0", "not-wider")
        ]
    );
    assert_eq!(
        ledger[1].3, r#"["read deal records"]"#,
        "of a wider one, what is wider"
    );
    assert!(ledger.iter().all(|(_, trust, _, _)| trust == key));
}

/// The layout that `wkg` reads: one layer of the component's bytes, and a config of its own kind that names it.
fn is_laid_out_as_components_are(process: &RegistryProcess, published: &Value) {
    let manifest: Value =
        serde_json::from_str(&process.get("/v2/market/acme/manifests/1.0.0")).unwrap();
    assert_eq!(
        manifest["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.wasm.config.v0+json"
    );
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1, "wkg takes no second one");
    assert_eq!(layers[0]["mediaType"], "application/wasm");
    assert_eq!(layers[0]["digest"], published["component_digest"]);
    assert_eq!(
        manifest["annotations"]["org.opencontainers.image.version"],
        "1.0.0"
    );
    assert_eq!(
        manifest["annotations"]["org.opencontainers.image.description"],
        "Reads Acme. All of it."
    );
    let config = manifest["config"]["digest"].as_str().unwrap();
    let config: Value =
        serde_json::from_str(&process.get(&format!("/v2/market/acme/blobs/{config}"))).unwrap();
    assert_eq!(
        (&config["architecture"], &config["os"]),
        (&"wasm".into(), &"wasip2".into())
    );
    assert_eq!(config["layerDigests"][0], published["component_digest"]);
    assert_eq!(
        config["component"]["exports"][0],
        "longshore:connector/source@0.1.0"
    );
    assert_eq!(
        config["component"]["imports"][0],
        "longshore:connector/http@0.1.0"
    );
}

/// Whoever runs the registry can change what lies in it, and gets nothing in by it.
fn damaged_in_the_registry(
    author: &Author,
    process: &RegistryProcess,
    registry: &str,
    operator: &Operator,
) {
    let published = author.publish(&author.make("1.3.0", &["deal"]), registry);
    let blob = process.blob(published["component_digest"].as_str().unwrap());
    let right = std::fs::read(&blob).unwrap();
    let mut bytes = right.clone();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    operator.refused(&["upgrade", "acme"], &["cannot be used", "Invalid digest"]);
    std::fs::write(&blob, right).unwrap();
    assert_eq!(operator.done(&["upgrade", "acme"])["version"], "1.3.0");
}

fn revoked_in_the_registry(author: &Author, repository: &str, operator: &Operator, key: &str) {
    author.keygen("operator.key");
    let revoke = [
        "revoke",
        key,
        "--key",
        "operator.key",
        "--registry",
        repository,
        "--reason",
        "the key was stolen",
    ];
    assert_eq!(author.json(&revoke)["serial"], 1);
    // Without the registry nobody knows yet; asked, it says so, and from then on it is known without it.
    operator.done(&["verify", "acme", "--offline"]);
    assert_refused(
        &operator.run(&["verify", "acme"]),
        &["is revoked: the key was stolen", "hint: "],
    );
    operator.refused(
        &["verify", "acme", "--offline"],
        &["is revoked: the key was stolen"],
    );
    operator.refused(&["upgrade", "acme", "--yes"], &["is revoked"]);
}

/// The same over a folder; and everything that can be tampered with on the way from hand to hand.
#[test]
fn from_hand_to_hand_nothing_tampered_with_gets_in() {
    let author = Author::new();
    let operator = Operator::new();
    let good = author.make("1.1.0", &["person"]);
    let unsigned = author.path("bare.wasm").to_str().unwrap().to_owned();
    std::fs::copy(&good, &unsigned).unwrap();
    operator.refused(
        &["install", &unsigned, "--yes"],
        &["connector \"acme\" is not signed", "--allow-unsigned"],
    );
    let registry = author.path("registry").to_str().unwrap().to_owned();
    author.publish(&good, &registry);
    let found = author.json(&["search", "acme", "READS", "--registry", &registry]);
    assert_eq!(
        found["connectors"][0]["versions"],
        serde_json::json!(["1.1.0"])
    );
    let none = author.json(&["search", "acme", "nonesuch", "--registry", &registry]);
    assert_eq!(none["connectors"], serde_json::json!([]));
    operator.done(&["install", "acme", "--registry", &registry, "--yes"]);
    tampered(&author, &operator, &good, &unsigned);
    // Downgrade.
    let older = author.make("1.0.0", &["person"]);
    operator.refused(
        &["install", &older, "--yes"],
        &["1.0.0 is older than 1.1.0"],
    );
    // The same version with other content, at the author's and at the operator's.
    let again = author.make("1.1.0", &["person", "deal"]);
    operator.refused(&["install", &again, "--yes"], &["1.1.0 is another package"]);
    assert_refused(
        &author
            .desk
            .run(&["connectors", "publish", &again, "--registry", &registry]),
        &["has acme 1.1.0 already, with other content", "hint: "],
    );
    rotated(&author, &operator, &registry);
}

/// The bytes, the manifest and the signature of an upgrade, each bent; `good` is the installed package.
fn tampered(author: &Author, operator: &Operator, good: &str, unsigned: &str) {
    let next = author.make("1.2.0", &["person", "deal"]);
    let right = (
        std::fs::read(&next).unwrap(),
        std::fs::read_to_string(format!("{next}.sig")).unwrap(),
    );
    let refuses = |bytes: &[u8], signature: &str, words: &[&str]| {
        std::fs::write(&next, bytes).unwrap();
        std::fs::write(format!("{next}.sig"), signature).unwrap();
        operator.refused(&["install", &next, "--yes"], words);
    };
    // Bytes: one more section at the end, which no reader of WebAssembly would miss.
    let more = [&right.0[..], b"\x00\x02\x01x"].concat();
    refuses(
        &more,
        &right.1,
        &[
            "signature of connector \"acme\" is refused",
            "component is sha256:",
        ],
    );
    // Manifest: the same length, another object.
    let text = right.0.windows(4).position(|word| word == b"deal").unwrap();
    let mut bent = right.0.clone();
    bent[text..text + 4].copy_from_slice(b"lead");
    refuses(
        &bent,
        &right.1,
        &["signature of connector \"acme\" is refused"],
    );
    // Signature: of another text, of another key, of an older package, none.
    refuses(
        &right.0,
        &right.1.replace("1.2.0", "1.3.0"),
        &["signature does not fit"],
    );
    refuses(&right.0, "hello", &["signed statement is refused: line 1"]);
    let old = std::fs::read_to_string(format!("{good}.sig")).unwrap();
    refuses(
        &right.0,
        &old,
        &["signature of connector \"acme\" is refused"],
    );
    author.keygen("other.key");
    std::fs::write(&next, &right.0).unwrap();
    author.json(&["sign", &next, "--key", "other.key"]);
    operator.refused(
        &["install", &next, "--yes"],
        &[
            "was signed with",
            "before, this package is signed with",
            "--forget-key",
        ],
    );
    std::fs::copy(&next, unsigned).unwrap();
    operator.refused(
        &["install", unsigned, "--yes", "--allow-unsigned"],
        &["this package is not signed"],
    );
}

/// The author changes keys, and announces the new one with the old one.
fn rotated(author: &Author, operator: &Operator, registry: &str) {
    let next = author.make("1.4.0", &["person"]);
    let new = author.keygen("new.key");
    author.json(&["sign", &next, "--key", "new.key", "--old-key", "acme.key"]);
    author.publish(&next, registry);
    let ended = operator.run(&["upgrade", "acme"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended.stderr.contains("announced"),
        "the new key is shown: {ended:#?}"
    );
    assert_eq!(ended.json()["trust"], new.as_str());
    let back = author.make("1.5.0", &["person"]);
    operator.refused(
        &["install", &back, "--yes"],
        &["this package is signed with"],
    );
    let inspected = author.json(&["inspect", &next]);
    assert_eq!(inspected["signature"]["state"], "signed");
    operator.done(&["remove", "acme"]);
    assert_eq!(operator.version(), None);
    operator.refused(
        &["install", &back, "--yes"],
        &["this package is signed with"],
    );
    operator.done(&["install", &next, "--yes"]);
    let endings: Vec<_> = operator
        .files()
        .iter()
        .map(|(path, _)| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.split_once('.').unwrap().1.to_owned()
        })
        .collect();
    assert_eq!(
        endings,
        ["wasm", "wasm.sig", "toml"],
        "nothing is left half-written, and nothing of older versions"
    );
}

/// An official connector needs no signature, being part of the binary; nobody else gets its name by being first.
#[test]
fn official_connectors_are_trusted_as_the_binary_is() {
    let operator = Operator::new();
    let inspected = operator
        .desk
        .run_expecting(&[0], &["connectors", "inspect", "pipedrive", "--json"])
        .json();
    assert_eq!(inspected["signature"]["state"], "bundled");
    operator.refused(
        &["install", "pipedrive"],
        &["part of this longshore", "was not agreed to"],
    );
    let installed = operator.done(&["install", "pipedrive", "--yes"]);
    assert_eq!(
        (&installed["trust"], &installed["origin"]),
        (&"bundled".into(), &"bundled".into())
    );
    assert_eq!(operator.done(&["upgrade", "pipedrive"])["change"], "same");
    operator.done(&["verify", "pipedrive"]);
    assert_eq!(operator.ledger().len(), 1);
}
