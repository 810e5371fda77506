//! Moves the account into a simulated HubSpot portal with the built binary, and reads what is there afterwards.
//!
//! It compares nothing. HubSpot says some things differently from the local CRM; each of them is named here and told in the local CRM's
//! words, so that one comparison serves both: the properties that HubSpot has no own ones for, options that people see by their labels,
//! instants, lists, the parties of an e-mail.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use it::Desk;
use serde_json::Value;
use simulators::hubspot::{
    self, Call, Definition, Limits, Method, Node, ObjectType, PropertyType, Settings, Spec,
};
use simulators::pipedrive;
use simulators::truth::{Source, User};

use super::house::{Association, At, Contents, House, Property, Row, keep};

/// Objects and their types.
pub(crate) const OBJECTS: [(&str, ObjectType); 13] = [
    ("company", ObjectType::COMPANY),
    ("contact", ObjectType::CONTACT),
    ("lead", ObjectType::LEAD),
    ("product", ObjectType::PRODUCT),
    ("deal", ObjectType::DEAL),
    ("line_item", ObjectType::LINE_ITEM),
    ("invoice", ObjectType::INVOICE),
    ("project", ObjectType::PROJECT),
    ("note", ObjectType::NOTE),
    ("call", ObjectType::CALL),
    ("task", ObjectType::TASK),
    ("meeting", ObjectType::MEETING),
    ("email", ObjectType::EMAIL),
];

/// Standard columns of the local CRM for which HubSpot has no property, or one that nobody may write, with the label of the source's
/// field: there the value is in a property of the field's own.
const OWN: [(&str, &str, &str); 14] = [
    // HubSpot's has options that are not to be made up.
    ("company", "industry", "Industry"),
    // HubSpot's is an amount.
    ("product", "tax", "Tax (percent)"),
    ("line_item", "tax", "Tax (percent)"),
    ("lead", "createdate", "Created"),
    ("lead", "amount", "Value"),
    ("lead", "currency", "Currency"),
    ("lead", "expected_close_date", "Expected close date"),
    ("lead", "source", "Source"),
    ("product", "unit", "Unit"),
    ("product", "currency", "Currency"),
    ("deal", "expected_close_date", "Expected close date"),
    ("deal", "hs_deal_probability", "Probability (percent)"),
    ("line_item", "amount", "Sum"),
    ("line_item", "currency", "Currency"),
];

/// Standard properties that are texts in the local CRM and options here: what people see is compared.
const SEEN_BY_LABEL: [(&str, &str); 2] =
    [("project", "hs_status"), ("call", "hs_call_disposition")];

/// The property with the parties of an e-mail as JSON, and the columns of the local CRM that hold one of them each as text.
const HEADERS: &str = "hs_email_headers";
const PARTIES: [(&str, &str); 3] = [
    ("hs_email_from", "from"),
    ("hs_email_to", "to"),
    ("hs_email_cc", "cc"),
];

/// What a label between two records of one object ends with at the end that it does not start from.
const INVERSE: &str = " (inverse)";

/// The records of an object of the portal that have associations, both directions, with the types.
pub(crate) type Typed = BTreeMap<(&'static str, u64), Vec<(&'static str, u64, Vec<Spec>)>>;

/// A portal after a migration, and after the same migration once more.
pub(crate) struct Moved {
    pub(crate) house: House,
    pub(crate) typed: Typed,
    /// What the second migration said.
    pub(crate) again: Value,
    /// The requests that wrote something, by kind and path, of the second migration.
    pub(crate) again_writes: BTreeMap<String, u64>,
}

/// Migrates that account twice.
pub(crate) fn migrate_twice(truth: &Source) -> Moved {
    let site = Site::connected(truth);
    let summary = site.migrate();
    let house = House::new(summary, site.contents(), &site.workbook());
    let (typed, before) = (site.typed(), site.writes());
    let again = site.migrate();
    let mut again_writes = site.writes();
    again_writes.retain(|kind, count| {
        *count -= before.get(kind).copied().unwrap_or_default();
        *count > 0
    });
    Moved {
        house,
        typed,
        again,
        again_writes,
    }
}

/// A Pipedrive account, a HubSpot portal of the same company, and a project that is connected to both.
pub(crate) struct Site {
    _runtime: tokio::runtime::Runtime,
    _account: pipedrive::Running,
    pub(crate) portal: hubspot::Running,
    desk: Desk,
    /// The people of the source.
    users: Vec<User>,
}

impl Site {
    pub(crate) fn connected(truth: &Source) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let account = runtime.block_on(pipedrive::start(pipedrive::Options {
            truth: truth.clone(),
            ..pipedrive::Options::default()
        }));
        let portal = runtime.block_on(hubspot::start(hubspot::Options {
            limits: Limits::Off,
            ..hubspot::Options::of_company(truth).expect("the truth is readable")
        }));
        let (account, portal) = (account.expect("it starts"), portal.expect("it starts"));
        let users = account.truth().base().users().to_vec();
        let mut desk = Desk::new();
        desk.run_expecting(&[0], &["init", "--dir", "p"]);
        for (name, base_url, token, more) in [
            (
                "pipedrive",
                &account.base_url,
                &account.token,
                &["--param", "company=demo", "--yes"][..],
            ),
            ("hubspot", &portal.base_url, &portal.token, &[][..]),
        ] {
            desk.set_environment("LONGSHORE_TOKEN", token);
            let way = [
                "connect",
                name,
                "--dir",
                "p",
                "--base-url",
                base_url,
                "--allow-loopback",
                "--no-rate-limits",
            ];
            desk.run_expecting(&[0], &[&way[..], more].concat());
        }
        Self {
            _runtime: runtime,
            _account: account,
            portal,
            desk,
            users,
        }
    }

    /// Migrates, and gives what the command said.
    pub(crate) fn migrate(&self) -> Value {
        let migration = ["migrate", "--dir", "p", "--yes", "--json"];
        self.desk.run_expecting(&[0, 1], &migration).json()
    }

    pub(crate) fn workbook(&self) -> PathBuf {
        self.desk.path().join("p/audit.xlsx")
    }

    /// How many requests wrote something, by kind and path.
    pub(crate) fn writes(&self) -> BTreeMap<String, u64> {
        let mut requests = self.portal.portal.counters().requests;
        requests.retain(|kind, _| {
            !kind.starts_with("GET ")
                && !kind.ends_with("/batch/read")
                && !kind.ends_with("/search")
        });
        requests
    }

    /// What the portal answers to that call.
    pub(crate) fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let mut call = Call::new(method, path).bearer(&self.portal.token);
        if let Some(body) = body {
            call = call.body(body);
        }
        let answer = self.portal.portal.handle(&call);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status < 300, "{path}: {} {body}", answer.status);
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }

    /// What the portal holds.
    pub(crate) fn contents(&self) -> Contents {
        let settings = self.portal.portal.settings();
        let properties = load_properties(&settings);
        let mut tables: HashMap<_, _> = OBJECTS
            .map(|(object, kind)| {
                (
                    object,
                    self.load_table(&settings, &properties, object, kind),
                )
            })
            .into();
        tables.insert("owner", load_owners(&settings, &self.users));
        Contents {
            at: At::Hubspot,
            tables,
            stages: load_stages(&settings),
            associations: self.load_associations(),
            properties,
        }
    }

    fn load_table(
        &self,
        settings: &Settings,
        properties: &HashMap<(String, String), Vec<Property>>,
        object: &'static str,
        kind: ObjectType,
    ) -> Vec<Row> {
        let definitions: HashMap<&str, &Definition> = settings
            .properties
            .all(kind)
            .map(|definition| (definition.name.as_str(), definition))
            .collect();
        let own: Vec<_> = OWN
            .iter()
            .filter(|(of, ..)| *of == object)
            .map(|(_, column, label)| {
                let found = properties.get(&(object.to_owned(), (*label).to_owned()));
                let Some([property]) = found.map(Vec::as_slice) else {
                    panic!("{object} has one property {label:?} for {column}: {found:?}")
                };
                (*column, property.name.as_str())
            })
            .collect();
        let mut columns: HashSet<String> =
            definitions.keys().map(|name| (*name).to_owned()).collect();
        columns.extend(own.iter().map(|(column, _)| (*column).to_owned()));
        if kind == ObjectType::EMAIL {
            columns.extend(PARTIES.map(|(column, _)| column.to_owned()));
        }
        let columns = Arc::new(columns);
        let records = self.portal.portal.records(kind);
        let row = |record: hubspot::Record| {
            let value = |name: &str| {
                let text = record.values.get(name)?;
                Some(told(object, definitions[name], text))
            };
            let names = record.values.keys();
            let mut cells: HashMap<String, String> = names
                .filter_map(|name| Some((name.to_string(), value(name)?)))
                .collect();
            for (column, name) in &own {
                match value(name) {
                    Some(text) => drop(cells.insert((*column).to_owned(), text)),
                    None => drop(cells.remove(*column)),
                }
            }
            if let Some(headers) = record.values.get(HEADERS) {
                cells.extend(parties(headers));
            }
            Row {
                id: i64::try_from(record.id).expect("ids are small"),
                columns: Arc::clone(&columns),
                cells,
            }
        };
        records.into_iter().map(row).collect()
    }

    /// Every association once, whatever its direction; one with a label beside the plain one that always comes along.
    fn load_associations(&self) -> HashSet<Association> {
        let mut labels: HashMap<(&str, &str), HashMap<u64, String>> = HashMap::new();
        let mut all = HashSet::new();
        for ((from, id), others) in self.typed() {
            for (to, other, specs) in others {
                let names = labels
                    .entry((from, to))
                    .or_insert_with(|| self.load_labels(from, to));
                for spec in specs {
                    let label = names.get(&u64::from(spec.id)).map_or("", String::as_str);
                    let is_user = spec.category == hubspot::Category::UserDefined;
                    assert_eq!(is_user, !label.is_empty(), "{from} to {to}: {spec:?}");
                    let (this, that) = ((from, row_id(id)), (to, row_id(other)));
                    all.insert(match label.strip_suffix(INVERSE) {
                        Some(label) => keep(that, this, label),
                        None => keep(this, that, label),
                    });
                }
            }
        }
        all
    }

    /// The labels of the customer's own association types, by the types' numbers.
    fn load_labels(&self, from: &str, to: &str) -> HashMap<u64, String> {
        let (from, to) = (path(from), path(to));
        let told = self.call(
            Method::Get,
            &format!("/crm/v4/associations/{from}/{to}/labels"),
            None,
        );
        let types = told["results"].as_array().expect("a list").iter();
        types
            .filter(|found| found["category"] == "USER_DEFINED")
            .map(|found| {
                let label = found["label"].as_str().expect("its own types have labels");
                (
                    found["typeId"].as_u64().expect("a number"),
                    label.to_owned(),
                )
            })
            .collect()
    }

    pub(crate) fn typed(&self) -> Typed {
        let portal = &self.portal.portal;
        let name = |kind: ObjectType| {
            let found = OBJECTS.iter().find(|(_, of)| *of == kind);
            found.expect("nothing else is linked").0
        };
        let mut typed = Typed::new();
        for (object, kind) in OBJECTS {
            for record in portal.records(kind) {
                let node: Node = (kind, record.id);
                let others = portal.associations(node).into_iter();
                let others: Vec<_> = others
                    .map(|((to, other), specs)| (name(to), other, specs))
                    .collect();
                if !others.is_empty() {
                    typed.insert((object, record.id), others);
                }
            }
        }
        typed
    }
}

fn row_id(id: u64) -> i64 {
    i64::try_from(id).expect("ids are small")
}

fn path(object: &str) -> String {
    match object.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{object}s"),
    }
}

/// A value in the local CRM's words.
fn told(object: &str, definition: &Definition, text: &str) -> String {
    let name = definition.name.as_str();
    match definition.kind {
        // Milliseconds always stand there.
        PropertyType::DateTime => {
            let digits = text.strip_suffix('Z').expect("instants are in UTC");
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            let whole = text.split('.').next().unwrap_or(text);
            if digits.contains('.') {
                format!("{digits}Z")
            } else {
                format!("{whole}Z")
            }
        }
        _ if definition.is_multi() => {
            let parts: Vec<_> = text.split(';').collect();
            serde_json::to_string(&parts).expect("a list of texts is JSON")
        }
        _ if SEEN_BY_LABEL.contains(&(object, name)) => {
            let mut options = definition.options.iter();
            let option = options.find(|option| option.value == text);
            option.map_or_else(|| format!("unlisted {text}"), |option| option.label.clone())
        }
        _ => text.to_owned(),
    }
}

/// The parties of an e-mail, as `Ada Byron <ada@ex.test>, bob@ex.test`.
fn parties(headers: &str) -> impl Iterator<Item = (String, String)> + use<> {
    let headers: Value = serde_json::from_str(headers).expect("the headers are JSON");
    let text = |party: &Value| {
        let part = |key: &str| party[key].as_str().unwrap_or_default().to_owned();
        let name = format!("{} {}", part("firstName"), part("lastName"));
        match name.trim() {
            "" => part("email"),
            name => format!("{name} <{}>", part("email")),
        }
    };
    PARTIES.into_iter().filter_map(move |(column, key)| {
        let all: Vec<_> = match &headers[key] {
            Value::Array(all) => all.iter().map(text).collect(),
            Value::Null => Vec::new(),
            one => vec![text(one)],
        };
        (!all.is_empty()).then(|| (column.to_owned(), all.join(", ")))
    })
}

fn load_properties(settings: &Settings) -> HashMap<(String, String), Vec<Property>> {
    let mut properties: HashMap<_, Vec<Property>> = HashMap::new();
    for (object, kind) in OBJECTS {
        let own = settings.properties.all(kind);
        for definition in own.filter(|definition| definition.is_custom()) {
            let options = definition.options.iter();
            let property = Property {
                name: definition.name.clone(),
                options: options
                    .map(|option| (option.value.clone(), option.label.clone()))
                    .collect(),
            };
            let key = (object.to_owned(), definition.label.clone());
            properties.entry(key).or_default().push(property);
        }
    }
    properties
}

/// Owners are the portal's own; whom of the source's users they are is told by the address.
fn load_owners(settings: &Settings, users: &[User]) -> Vec<Row> {
    let columns = ["email", "longshore_source_id"].map(str::to_owned);
    let columns: Arc<HashSet<String>> = Arc::new(columns.into());
    let owner = |owner: &hubspot::Owner| {
        let email = owner.email.clone().expect("each has an address");
        let user = users.iter().find(|user| user.email == email);
        let key = user.map(|user| format!("pipedrive/user/{}", user.id));
        let key = key.map(|key| ("longshore_source_id".to_owned(), key));
        Row {
            id: row_id(owner.id),
            columns: Arc::clone(&columns),
            cells: key
                .into_iter()
                .chain([("email".to_owned(), email)])
                .collect(),
        }
    };
    settings.owners.all().iter().map(owner).collect()
}

fn load_stages(settings: &Settings) -> HashMap<String, (String, String, String)> {
    let pipelines = settings.pipelines.of(ObjectType::DEAL);
    let stages = pipelines.flat_map(|pipeline| {
        pipeline.stages.iter().map(|stage| {
            let probability = stage.metadata["probability"].as_str().expect("a text");
            let probability: f64 = probability.parse().expect("a number");
            let meaning = match (stage.is_closed(), probability > 0.5) {
                (false, _) => "open",
                (true, true) => "won",
                (true, false) => "lost",
            };
            let labels = (pipeline.label.clone(), stage.label.clone());
            (stage.id.clone(), (labels.0, labels.1, meaning.to_owned()))
        })
    });
    stages.collect()
}
