//! Holds a connector under test, what is known about its vendor's account, and one opened connection between the two.
//!
//! It asks nothing; the cases do.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use egress::{Gateway, GatewayOptions, RateLimits};
use market::Manifest;
use model::source::PageRequest;
use model::{Catalog, ConnectionId, Cursor, Instant, RecordPage, Source as _, SourceError};
use sandbox::{CellLimits, Connector, ConnectorSource, Engine, EngineOptions};
use vault::{EntryName, KeySource, Secret, SecretText, Vault};

use super::wire::Wire;

/// Which of the vendor's accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// One with records of every object.
    Full,
    /// One that somebody just opened.
    Empty,
}

/// A vendor's API that runs on loopback, and what is known about the account.
pub(crate) struct Vendor {
    pub(crate) base_url: String,
    pub(crate) token: String,
    /// Values for the places in the endpoints' addresses.
    pub(crate) parameters: BTreeMap<String, String>,
    /// The account's id.
    pub(crate) account: String,
    /// Texts that must come as they are: in which object, and the text of a field of one of its records.
    pub(crate) texts: Vec<(&'static str, String)>,
    /// Objects that have records even in an empty account, as users do.
    pub(crate) never_empty: Vec<String>,
    /// Objects whose vendor narrows only a part of the list by time, and repeats some records with more in them.
    pub(crate) loose: Vec<String>,
    /// Whatever must live as long as the API.
    pub(crate) _running: Box<dyn Any + Send>,
}

type Starting = Pin<Box<dyn Future<Output = Vendor> + Send>>;

/// A connector under test.
pub(crate) struct Subject {
    /// The package; `None` where what builds it is not installed, which was told.
    pub(crate) package: fn() -> Option<Vec<u8>>,
    pub(crate) start: fn(Account) -> Starting,
    pub(crate) prepared: OnceLock<Option<Prepared>>,
}

/// What is made of a package once for all cases.
pub(crate) struct Prepared {
    pub(crate) connector: Connector,
    pub(crate) manifest: Manifest,
}

impl Subject {
    pub(crate) const fn new(
        package: fn() -> Option<Vec<u8>>,
        start: fn(Account) -> Starting,
    ) -> Self {
        let prepared = OnceLock::new();
        Self {
            package,
            start,
            prepared,
        }
    }

    /// The compiled connector; `None` where it could not be built here.
    pub(crate) fn prepare(&self) -> Option<&Prepared> {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        let prepared = self.prepared.get_or_init(|| {
            let package = (self.package)()?;
            let manifest = market::inspect(&package).unwrap().manifest;
            let engine = ENGINE.get_or_init(|| Engine::new(EngineOptions::default()).unwrap());
            let connector = engine.compile(&package).unwrap();
            Some(Prepared {
                connector,
                manifest,
            })
        });
        prepared.as_ref()
    }
}

/// One connection of a connector to its vendor.
pub(crate) struct Bench {
    pub(crate) source: ConnectorSource,
    pub(crate) wire: Arc<Wire>,
    pub(crate) vendor: Vendor,
    pub(crate) catalog: Catalog,
    _vault: tempfile::TempDir,
}

/// One record as its row, with what the cases ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) updated_at: Option<Instant>,
    pub(crate) is_deleted: bool,
    pub(crate) row: String,
}

impl Bench {
    /// Connects, with the limits that the manifest asks for, and fetches the catalog.
    pub(crate) async fn open(subject: &Subject, account: Account) -> Option<Self> {
        let mut bench = Self::connect(subject, account, |_| {}).await?;
        let (catalog, findings) = bench.source.fetch_catalog().await.unwrap();
        assert!(
            findings.is_empty(),
            "the host has doubts about the catalog: {findings:?}"
        );
        bench.catalog = catalog;
        Some(bench)
    }

    /// Connects, with other limits, and asks nothing.
    pub(crate) async fn connect(
        subject: &Subject,
        account: Account,
        change: impl FnOnce(&mut CellLimits),
    ) -> Option<Self> {
        let prepared = subject.prepare()?;
        let (connector, manifest) = (prepared.connector.clone(), &prepared.manifest);
        let vendor = (subject.start)(account).await;
        let folder = tempfile::tempdir().unwrap();
        let wire = Arc::new(Wire::new(gateway(&vendor, manifest, folder.path())));
        let mut limits = CellLimits {
            memory_max_bytes: usize::try_from(manifest.limits.memory_mib).unwrap() << 20,
            call_timeout: Duration::from_millis(manifest.limits.call_timeout_ms.into()),
            ..CellLimits::default()
        };
        change(&mut limits);
        let settings = manifest.settings(&BTreeMap::new()).unwrap();
        let connection = ConnectionId::new("conformance");
        let source = ConnectorSource::new(connector, &connection, wire.clone(), settings, limits);
        let catalog = Catalog::default();
        Some(Self {
            source,
            wire,
            vendor,
            catalog,
            _vault: folder,
        })
    }

    /// The names of all objects and kinds of engagement.
    pub(crate) fn objects(&self) -> Vec<String> {
        let names = self
            .catalog
            .objects
            .iter()
            .map(|object| object.name.as_str());
        names.map(str::to_owned).collect()
    }

    /// One page. Rows that the host refuses fail the case.
    pub(crate) async fn page(
        &self,
        object: &str,
        cursor: Option<&Cursor>,
        since: Option<Instant>,
        limit: u32,
    ) -> Result<(Vec<Told>, Option<Cursor>), SourceError> {
        let request = PageRequest {
            object: object.into(),
            cursor: cursor.cloned(),
            updated_since: since,
            limit,
        };
        let page = self.source.fetch_page(&request).await?;
        assert!(
            page.rejected.is_empty(),
            "rows of {object} break the grammar: {:?}",
            page.rejected
        );
        Ok((told(&page), page.next))
    }

    /// A whole list.
    pub(crate) async fn list(&self, object: &str, since: Option<Instant>, limit: u32) -> Vec<Told> {
        let (mut all, mut cursor) = (Vec::new(), None);
        for _ in 0..2_000 {
            let page = self.page(object, cursor.as_ref(), since, limit).await;
            let (records, next) = page.unwrap_or_else(|error| panic!("{object}: {error}"));
            all.extend(records);
            cursor = next;
            if cursor.is_none() {
                return all;
            }
        }
        panic!("the list of {object} does not end");
    }
}

fn told(page: &RecordPage) -> Vec<Told> {
    let mut all = Vec::new();
    for record in page.records.iter() {
        all.push(Told {
            id: record.id().to_owned(),
            updated_at: record.updated_at(),
            is_deleted: record.is_deleted(),
            row: record.row_text().expect("it was decoded").to_owned(),
        });
    }
    all
}

fn gateway(vendor: &Vendor, manifest: &Manifest, folder: &std::path::Path) -> Gateway {
    let connection = ConnectionId::new("conformance");
    let credential = manifest
        .credentials
        .iter()
        .find(|way| matches!(way, model::grant::CredentialGrant::Key { .. }));
    let credential = credential.expect("the connector takes a key").clone();
    let vault = Vault::open(
        folder.join("vault.json"),
        KeySource::File(folder.join("key")),
    );
    let vault = vault.unwrap();
    let entry = EntryName::new(connection.clone(), credential.id());
    let secret = Secret::Key(SecretText::new(vendor.token.as_str()));
    vault.store(&entry, &secret).unwrap();
    let options = GatewayOptions {
        connection,
        endpoints: manifest.endpoints.clone(),
        parameters: vendor.parameters.clone(),
        credential,
        origin_override: Some(vendor.base_url.parse().unwrap()),
        vault: Arc::new(vault),
        rate_limits: RateLimits::Off,
        user_agent: "longshore-conformance".to_owned(),
        caps: egress::Caps::default(),
        recorder: None,
    };
    Gateway::new(options).unwrap()
}
