//! A simulated portal behind the guarded client, in simulated time, and what a test answers in its place.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use egress::simulated::{Incoming, Outgoing};
use hubspot::{ApiVersion, Portal, grant};
use model::destination::{
    Destination as _, Preparation, SOURCE_KEY_PROPERTY, Write, WriteBatch, WriteOutcome,
};
use model::{
    BatchBuilder, DestinationError, FieldInfo, FieldKind, FieldTable, ObjectInfo, ObjectName,
    ValueRef,
};
use simulators::hubspot as simulated;
use tokio::time::Instant;

/// Where contacts are made.
pub(crate) const UPSERT: &str = "/objects/contacts/batch/upsert";

/// A morning of January 2026.
const MORNING_MS: i64 = 1_767_600_000_000;

/// What a test answers in the portal's place.
#[derive(Clone)]
pub(crate) struct Trouble {
    pub(crate) path: &'static str,
    pub(crate) times: u32,
    /// The request is carried out nevertheless.
    pub(crate) after: bool,
    pub(crate) answer: Incoming,
}

/// A portal and the way to it.
pub(crate) struct Site {
    pub(crate) portal: Arc<simulated::Portal>,
    pub(crate) troubles: Arc<Mutex<Vec<Trouble>>>,
    pub(crate) destination: Portal,
    pub(crate) begun: Instant,
}

impl Site {
    /// A portal that is prepared for contacts.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut simulated::Options)) -> Self {
        let begun = Instant::now();
        let now_ms = move || MORNING_MS + i64::try_from(begun.elapsed().as_millis()).unwrap();
        let mut options = simulated::Options {
            clock: Arc::new(now_ms),
            limits: simulated::Limits::Off,
            ..simulated::Options::default()
        };
        change(&mut options);
        let portal = Arc::new(simulated::Portal::new(options));
        let troubles = Arc::new(Mutex::new(Vec::new()));
        let (asked, planned) = (portal.clone(), troubles.clone());
        let gateway = egress::simulated::gateway(
            way(portal.token()),
            move || model::Instant::from_unix_us(now_ms() * 1_000).unwrap(),
            move |outgoing| ready(answer(&asked, &planned, outgoing)),
        );
        let site = Self {
            portal,
            troubles,
            destination: Portal::new(gateway.unwrap(), ApiVersion::V3),
            begun,
        };
        let key = FieldInfo {
            unique: true,
            ..FieldInfo::new(SOURCE_KEY_PROPERTY, FieldKind::Text)
        };
        let preparation = Preparation {
            properties: vec![("contact".into(), key)],
            ..Preparation::default()
        };
        site.destination.prepare(&preparation).await.unwrap();
        site
    }

    pub(crate) fn answer(
        &self,
        path: &'static str,
        times: u32,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let trouble = Trouble {
            path,
            times,
            after: false,
            answer: (status, headers.collect(), body.as_bytes().to_vec()),
        };
        self.troubles.lock().unwrap().push(trouble);
    }

    pub(crate) fn calm(&self) {
        self.troubles.lock().unwrap().clear();
    }

    /// Makes contacts with these ids at the source.
    pub(crate) async fn write(&self, ids: &[&str]) -> Result<Vec<WriteOutcome>, DestinationError> {
        self.destination.write_records(&contacts(ids)).await
    }

    /// The source ids of all contacts, with those that are twice.
    pub(crate) fn there(&self) -> Vec<String> {
        let records = self.portal.records(simulated::ObjectType::CONTACT);
        let keys = records
            .iter()
            .map(|record| record.values[SOURCE_KEY_PROPERTY].clone());
        let mut keys: Vec<String> = keys.collect();
        keys.sort();
        keys
    }

    /// When everything is well again, the same write leaves each record there once.
    pub(crate) async fn assert_recovers(&self, what: &str, ids: &[&str]) {
        self.calm();
        let outcomes = self.write(ids).await;
        let outcomes = outcomes.unwrap_or_else(|error| panic!("{what}: {error}"));
        let is_written = |outcome: &WriteOutcome| matches!(outcome, WriteOutcome::Written { .. });
        assert!(outcomes.iter().all(is_written), "{what}: {outcomes:?}");
        let expected: Vec<_> = ids.iter().map(|id| format!("test/person/{id}")).collect();
        assert_eq!(self.there(), expected, "{what}");
    }
}

fn way(token: &str) -> egress::GatewayOptions {
    let vault = vault::Vault::in_memory();
    let entry = vault::EntryName::new("hubspot".into(), grant::TOKEN);
    let secret = vault::Secret::Key(vault::SecretText::new(token.to_owned()));
    vault.store(&entry, &secret).unwrap();
    egress::GatewayOptions {
        connection: "hubspot".into(),
        endpoints: grant::endpoints(None),
        parameters: BTreeMap::new(),
        credential: grant::credentials().swap_remove(0),
        origin_override: Some("http://127.0.0.1:1".parse().unwrap()),
        vault: Arc::new(vault),
        rate_limits: egress::RateLimits::Declared,
        user_agent: "test".to_owned(),
        caps: egress::Caps::default(),
        recorder: None,
    }
}

fn answer(
    portal: &simulated::Portal,
    troubles: &Mutex<Vec<Trouble>>,
    outgoing: Outgoing,
) -> Incoming {
    let trouble = {
        let mut troubles = troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let mut meant = troubles.iter_mut();
        meant
            .find(|trouble| trouble.times > 0 && outgoing.target.contains(trouble.path))
            .map(|trouble| {
                trouble.times -= 1;
                trouble.clone()
            })
    };
    if let Some(trouble) = trouble.as_ref().filter(|trouble| !trouble.after) {
        return trouble.answer.clone();
    }
    let mut call = simulated::Call::new(simulated::Method::of(&outgoing.method), &outgoing.target)
        .bytes(outgoing.body);
    call.headers = outgoing.headers;
    let answer = portal.handle(&call);
    let headers = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value));
    let answer = (answer.status, headers.collect(), answer.body);
    trouble.map_or(answer, |trouble| trouble.answer)
}

pub(crate) fn contacts(ids: &[&str]) -> WriteBatch {
    let fields = vec![
        FieldInfo::new("email", FieldKind::Email),
        FieldInfo::new("firstname", FieldKind::Text),
    ];
    let object = ObjectInfo {
        name: "contact".into(),
        fields: FieldTable::new(fields).unwrap(),
        ..ObjectInfo::default()
    };
    let mut records = BatchBuilder::new(Arc::new(object));
    for id in ids {
        records.begin(id, None);
        records.field(0, ValueRef::Text(&format!("ada.{id}@ex.example")));
        records.field(1, ValueRef::Text("Ada"));
    }
    WriteBatch {
        connection: "test".into(),
        source_object: ObjectName::from("person"),
        records: records.finish(),
        writes: vec![Write::Create; ids.len()],
        ties: Vec::new(),
    }
}
