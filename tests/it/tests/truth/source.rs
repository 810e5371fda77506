//! Holds the truth of the generated account, and which of its records a visitor of the vendor gets to see.
//!
//! It knows nothing of the destination.

use simulators::pipedrive::{Options, start};
use simulators::truth::{
    Activity, Crm as _, Custom, Deal, Generated, Kind, Lead, Live, Organization, Person, Product,
    Project, ProjectStatus, Source,
};

/// Which account it is.
pub(crate) const SEED: u64 = 7;

/// How many contacts the account has: enough for every kind of value, or what `LONGSHORE_TRUTH_RECORDS` says.
pub(crate) fn records() -> u64 {
    let told = std::env::var("LONGSHORE_TRUTH_RECORDS").ok();
    told.map_or(300, |text| {
        text.parse().expect("LONGSHORE_TRUTH_RECORDS is a number")
    })
}

/// The account.
pub(crate) fn truth() -> Source {
    Source::Generated {
        records: records(),
        seed: SEED,
    }
}

/// The account: its truth and its own names.
pub(crate) struct Account {
    pub(crate) crm: Live,
    field_keys: Vec<(Kind, Vec<String>)>,
    lead_ids: Vec<String>,
}

/// One record as custom values see it: kind, the source's object, the source's id, the values.
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) object: &'static str,
    pub(crate) id: String,
    pub(crate) custom: Custom,
}

/// The objects that have custom fields.
const WITH_FIELDS: [Kind; 6] = [
    Kind::Organization,
    Kind::Person,
    Kind::Deal,
    Kind::Lead,
    Kind::Product,
    Kind::Project,
];

impl Account {
    /// The account that `longshore demo` simulates with those options: its keys are asked of a simulator of the same options.
    pub(crate) fn new() -> Self {
        let truth = truth();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let running = start(Options {
                truth,
                ..Options::default()
            })
            .await
            .expect("the simulator starts");
            let crm = running.truth();
            let keys = |kind| {
                let count = crm.base().fields(kind).len();
                let keys = (0..count).map(|place| {
                    running
                        .field_key(kind, place)
                        .expect("each field has a key")
                });
                (kind, keys.collect())
            };
            let field_keys = WITH_FIELDS.map(keys).to_vec();
            let lead_ids = (1..=crm.base().count(Kind::Lead))
                .map(|number| running.lead_id(number))
                .collect();
            assert_eq!(
                crm.base().count(Kind::Person),
                Generated::new(records(), SEED).count(Kind::Person)
            );
            running.stop().await;
            Self {
                crm,
                field_keys,
                lead_ids,
            }
        })
    }

    /// The vendor's key of a field, by its place.
    pub(crate) fn key(&self, kind: Kind, place: usize) -> &str {
        let keys = self
            .field_keys
            .iter()
            .find(|(of, _)| *of == kind)
            .expect("a kind with fields");
        &keys.1[place]
    }

    /// The vendor's id of a record.
    pub(crate) fn id(&self, kind: Kind, number: u64) -> String {
        match kind {
            Kind::Lead => self.lead_ids[number as usize - 1].clone(),
            _ => number.to_string(),
        }
    }

    /// Whether the vendor shows that record.
    pub(crate) fn is_visible(&self, kind: Kind, number: u64) -> bool {
        let crm = self.crm.base();
        match kind {
            Kind::Organization => crm
                .organization(number)
                .is_some_and(|record| !record.deleted),
            Kind::Person => crm.person(number).is_some_and(|record| !record.deleted),
            Kind::Deal => crm.deal(number).is_some_and(|record| !record.deleted),
            Kind::Lead => crm.lead(number).is_some(),
            Kind::Product => crm.product(number).is_some_and(|record| !record.deleted),
            Kind::Project => crm
                .project(number)
                .is_some_and(|record| record.status != ProjectStatus::Deleted),
            Kind::Activity => crm.activity(number).is_some_and(|record| !record.deleted),
            Kind::Note => crm.note(number).is_some(),
            Kind::User => crm.users().iter().any(|user| user.id == number),
            Kind::CallLog => crm.call_log(number).is_some(),
        }
    }

    fn visible<T>(&self, kind: Kind, make: impl Fn(u64) -> Option<T>) -> Vec<T> {
        let numbers =
            (1..=self.crm.base().count(kind)).filter(|number| self.is_visible(kind, *number));
        numbers.filter_map(make).collect()
    }

    pub(crate) fn organizations(&self) -> Vec<Organization> {
        self.visible(Kind::Organization, |number| {
            self.crm.base().organization(number)
        })
    }

    pub(crate) fn persons(&self) -> Vec<Person> {
        self.visible(Kind::Person, |number| self.crm.base().person(number))
    }

    pub(crate) fn deals(&self) -> Vec<Deal> {
        self.visible(Kind::Deal, |number| self.crm.base().deal(number))
    }

    pub(crate) fn leads(&self) -> Vec<Lead> {
        self.visible(Kind::Lead, |number| self.crm.base().lead(number))
    }

    pub(crate) fn products(&self) -> Vec<Product> {
        self.visible(Kind::Product, |number| self.crm.base().product(number))
    }

    pub(crate) fn projects(&self) -> Vec<Project> {
        self.visible(Kind::Project, |number| self.crm.base().project(number))
    }

    pub(crate) fn activities(&self) -> Vec<Activity> {
        self.visible(Kind::Activity, |number| self.crm.base().activity(number))
    }

    /// What people see of a record's labels.
    pub(crate) fn labels(&self, kind: Kind, ids: &[u64]) -> Vec<String> {
        let labels = self.crm.base().labels(kind);
        let named = |id: &u64| labels.iter().find(|label| label.id == *id);
        ids.iter()
            .map(|id| named(id).expect("a label of the kind").name.to_owned())
            .collect()
    }

    /// Every visible record that may have custom values.
    pub(crate) fn with_custom(&self) -> Vec<Record> {
        let record = |kind, number, custom| Record {
            kind,
            object: object(kind),
            id: self.id(kind, number),
            custom,
        };
        let mut all = Vec::new();
        all.extend(
            self.organizations()
                .into_iter()
                .map(|found| record(Kind::Organization, found.id, found.custom)),
        );
        all.extend(
            self.persons()
                .into_iter()
                .map(|found| record(Kind::Person, found.id, found.custom)),
        );
        all.extend(
            self.deals()
                .into_iter()
                .map(|found| record(Kind::Deal, found.id, found.custom)),
        );
        all.extend(
            self.leads()
                .into_iter()
                .map(|found| record(Kind::Lead, found.id, found.custom)),
        );
        all.extend(
            self.products()
                .into_iter()
                .map(|found| record(Kind::Product, found.id, found.custom)),
        );
        all.extend(
            self.projects()
                .into_iter()
                .map(|found| record(Kind::Project, found.id, found.custom)),
        );
        all
    }
}

/// The source's object of a kind.
pub(crate) fn object(kind: Kind) -> &'static str {
    match kind {
        Kind::Organization => "organization",
        Kind::Person => "person",
        Kind::Deal => "deal",
        Kind::Lead => "lead",
        Kind::Product => "product",
        Kind::Project => "project",
        Kind::User => "user",
        Kind::Note => "note",
        Kind::Activity | Kind::CallLog => panic!("activities become several objects"),
    }
}
