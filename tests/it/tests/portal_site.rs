//! A HubSpot portal in the test's process, a project that writes into it, and what a portal holds, told without the portal's own ids so
//! that two portals can be compared.
//!
//! It breaks nothing and kills nothing: that is for the tests that use it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::Stdio;

use it::{Desk, Ended};
use model::destination::SOURCE_KEY_PROPERTY;
use serde_json::Value;
use simulators::hubspot::{
    self, Call, Category, Limits, Method, ObjectType, Options, Portal, Running, Spec, manual,
};
use simulators::pipedrive;
use simulators::truth::Source;

use crate::failures_site::{Dump, Guarded, connect, copy_folder};
use crate::login::get;

/// A day of 2026 that every portal's clock stands at: what a portal dates by itself is then the same in all of them. Search, which lags,
/// never learns of anything.
const TODAY: i64 = 1_790_000_000_000;

/// Every kind of record that a portal may hold.
pub(crate) const KINDS: [(&str, ObjectType); 18] = [
    ("contact", ObjectType::CONTACT),
    ("company", ObjectType::COMPANY),
    ("deal", ObjectType::DEAL),
    ("lead", ObjectType::LEAD),
    ("product", ObjectType::PRODUCT),
    ("line_item", ObjectType::LINE_ITEM),
    ("invoice", ObjectType::INVOICE),
    ("project", ObjectType::PROJECT),
    ("note", ObjectType::NOTE),
    ("call", ObjectType::CALL),
    ("task", ObjectType::TASK),
    ("meeting", ObjectType::MEETING),
    ("email", ObjectType::EMAIL),
    ("ticket", ObjectType::TICKET),
    ("communication", ObjectType::COMMUNICATION),
    ("quote", ObjectType::QUOTE),
    ("order", ObjectType::ORDER),
    ("discount", ObjectType::DISCOUNT),
];

/// Properties that hold the portal's own id of a pipeline or a stage.
const STAGED: [&str; 4] = ["pipeline", "dealstage", "hs_pipeline", "hs_pipeline_stage"];

/// A source that never errs, and the folder of projects that read it. Portals come and go.
pub(crate) struct Office {
    runtime: tokio::runtime::Runtime,
    truth: Source,
    _source: pipedrive::Running,
    pub(crate) desk: Desk,
}

impl Office {
    /// A project in the folder `base` that reads the source and has no portal yet.
    pub(crate) fn new(records: u64) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let truth = Source::Generated { records, seed: 1 };
        let options = pipedrive::Options {
            truth: truth.clone(),
            limits: pipedrive::Limits::Off,
            ..pipedrive::Options::default()
        };
        let source = runtime.block_on(pipedrive::start(options)).unwrap();
        let mut desk = Desk::new();
        desk.set_environment("LONGSHORE_TOKEN", &source.token);
        desk.run_expecting(&[0], &["init", "--dir", "base"]);
        connect(&desk, "base", &source.base_url);
        Self {
            runtime,
            truth,
            _source: source,
            desk,
        }
    }

    /// How the source's company sets up a portal, without limits.
    pub(crate) fn options(&self) -> Options {
        Options {
            limits: Limits::Off,
            clock: manual(TODAY).0,
            ..Options::of_company(&self.truth).unwrap()
        }
    }

    pub(crate) fn start(&self, options: Options) -> Running {
        self.runtime.block_on(hubspot::start(options)).unwrap()
    }

    pub(crate) fn stop(&self, portal: Running) {
        self.runtime.block_on(portal.stop());
    }

    /// The end of `connect hubspot` with that token.
    pub(crate) fn try_token(&self, folder: &str, portal: &Running, token: &str) -> Ended {
        let output = self
            .desk
            .command(&connection(folder, portal))
            .env("LONGSHORE_TOKEN", token)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Connects a folder to the portal with the private app's token.
    #[track_caller]
    pub(crate) fn connect_by_token(&self, folder: &str, portal: &Running) {
        let ended = self.try_token(folder, portal, &portal.token);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }

    /// Connects a folder to the portal with OAuth, in the browser's place. Gives back the address that the browser was sent to.
    #[track_caller]
    pub(crate) fn connect_by_oauth(&self, folder: &str, portal: &Running) -> String {
        let app = format!(
            "client_id = \"{}\"\nclient_secret = \"{}\"\n",
            portal.client_id, portal.client_secret
        );
        std::fs::write(self.desk.path().join("app.toml"), app).unwrap();
        let way = ["--auth", "oauth", "--client-file", "app.toml"];
        let mut command = self
            .desk
            .command(&[&connection(folder, portal)[..], &way].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Guarded(command.spawn().unwrap());
        let mut lines = BufReader::new(child.0.stderr.take().unwrap());
        let address = lines
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find(|line| line.trim_start().starts_with("http") && line.contains("/authorize"));
        let address = address
            .expect("it prints where to log in")
            .trim()
            .to_owned();
        get(&get(&address).location);
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        child
            .0
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut rest)
            .unwrap();
        assert_eq!(child.0.wait().unwrap().code(), Some(0), "{rest}");
        address
    }

    /// A copy of a project that writes into another portal of the same company.
    pub(crate) fn copy(&self, from: &str, to: &str, before: &str, portal: &Running) -> PathBuf {
        let folder = self.desk.path().join(to);
        copy_folder(&self.desk.path().join(from), &folder);
        let file = folder.join("longshore.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches(before).count(), 1, "{text}");
        std::fs::write(file, text.replace(before, &portal.base_url)).unwrap();
        folder
    }
}

fn connection<'a>(folder: &'a str, portal: &'a Running) -> [&'a str; 9] {
    let to = portal.base_url.as_str();
    [
        "connect",
        "hubspot",
        "--dir",
        folder,
        "--base-url",
        to,
        "--allow-loopback",
        "--no-rate-limits",
        "--yes",
    ]
}

/// Does in a fresh portal what a login did in another one of the same seed. Tokens come from the seed and the order of steps, so those that
/// the project keeps are good here as well.
pub(crate) fn log_in_as_before(portal: &Running, address: &str) {
    let (_, query) = address.split_once('?').unwrap();
    let parameters: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.starts_with("code_challenge"))
        .collect();
    let target = format!("/oauth/authorize?{}", parameters.join("&"));
    let back = portal.portal.handle(&Call::new(Method::Get, &target));
    let location = back.headers.iter().find(|(name, _)| *name == "Location");
    let (_, location) = location.expect("the browser is sent back");
    let (_, code) = location.split_once("code=").unwrap();
    let code = code.split('&').next().unwrap();
    let redirect = parameters
        .iter()
        .find(|pair| pair.starts_with("redirect_uri="))
        .unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&{redirect}&client_id={}&client_secret={}",
        portal.client_id, portal.client_secret
    );
    let call = Call::new(Method::Post, "/oauth/v1/token")
        .with("content-type", "application/x-www-form-urlencoded")
        .bytes(form);
    let answer = portal.portal.handle(&call);
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

/// Asks a portal as an administrator. What goes wrong by rate goes wrong once.
#[track_caller]
pub(crate) fn ask(portal: &Portal, call: &Call) -> Value {
    let call = call.clone().bearer(portal.token());
    let answer = (0..3).map(|_| portal.handle(&call));
    let mut answers = answer.filter(|answer| answer.cut.is_none());
    let parsed = answers.find_map(|answer| {
        let is_good = (200..300).contains(&answer.status);
        let body = match &answer.body[..] {
            [] => b"null",
            body => body,
        };
        serde_json::from_slice(body).ok().filter(|_| is_good)
    });
    parsed.unwrap_or_else(|| panic!("no answer to {call:?}: {:?}", portal.handle(&call)))
}

/// Everything that a portal holds, as sorted lines by what they are. Whoever is twice in the portal is twice here.
pub(crate) fn dump(portal: &Portal) -> Dump {
    let names = Names::load(portal);
    let mut dump = Dump::new();
    for (kind, object) in KINDS {
        let records = portal.records(object);
        let lines = records.iter().map(|record| {
            let values = record.values.iter().map(|(name, value)| {
                let told = names.tell(object, name, value);
                format!("{name}={told:?}")
            });
            values.collect::<Vec<_>>().join(" ")
        });
        dump.insert(kind.to_owned(), lines.collect());
        let lines = records.iter().flat_map(|record| {
            let node = (object, record.id);
            let links = portal.associations(node).into_iter();
            let names = &names;
            links.map(move |(other, specs)| {
                let specs: Vec<_> = specs
                    .iter()
                    .map(|spec| names.link(object, other.0, *spec))
                    .collect();
                let (from, to) = (names.record(record.id), names.record(other.1));
                format!("{from} is with {to} as {specs:?}")
            })
        });
        dump.entry("associations".to_owned())
            .or_default()
            .extend(lines);
        assert!(
            portal.archived(object).is_empty(),
            "nobody deletes a {kind}"
        );
    }
    let labels = names.labels.iter();
    let labels = labels.map(|((from, to, _), label)| format!("{from} {to} {label}"));
    dump.insert("labels".to_owned(), labels.collect());
    dump.extend(settings(portal));
    dump.values_mut().for_each(|lines| lines.sort());
    dump
}

/// Properties, groups, pipelines.
fn settings(portal: &Portal) -> Dump {
    let (settings, mut dump) = (portal.settings(), Dump::new());
    for (kind, object) in KINDS {
        let properties = settings.properties.all(object).map(|property| {
            let options: Vec<_> = property
                .options
                .iter()
                .map(|option| (&option.value, &option.label))
                .collect();
            format!(
                "{kind} {} {:?} {:?} {} in {}, unique {}, archived {:?}: {options:?}",
                property.name,
                property.label,
                property.kind,
                property.field_type,
                property.group,
                property.unique,
                property.archived
            )
        });
        dump.entry("properties".to_owned())
            .or_default()
            .extend(properties);
        let target = format!("/crm/v3/properties/{object}/groups");
        let groups = ask(portal, &Call::new(Method::Get, &target));
        let groups = groups["results"].as_array().unwrap().iter();
        let groups = groups.map(|group| format!("{kind} {} {}", group["name"], group["label"]));
        dump.entry("groups".to_owned()).or_default().extend(groups);
        let pipelines = settings.pipelines.of(object).flat_map(|pipeline| {
            let stages = pipeline.stages.iter().map(|stage| {
                let (label, metadata) = (&stage.label, Value::from(stage.metadata.clone()));
                format!("{kind} {:?} / {label:?} {metadata}", pipeline.label)
            });
            std::iter::once(format!("{kind} {:?}", pipeline.label)).chain(stages)
        });
        dump.entry("pipelines".to_owned())
            .or_default()
            .extend(pipelines);
    }
    dump
}

/// What stands for each of a portal's own ids.
struct Names {
    records: HashMap<String, String>,
    stages: HashMap<(ObjectType, String), String>,
    /// By both kinds and the type's number.
    labels: BTreeMap<(ObjectType, ObjectType, u64), String>,
}

impl Names {
    fn load(portal: &Portal) -> Self {
        let mut records = HashMap::new();
        let mut stages = HashMap::new();
        let mut labels = BTreeMap::new();
        let settings = portal.settings();
        for (kind, object) in KINDS {
            for record in portal.records(object) {
                let source = record.values.get(SOURCE_KEY_PROPERTY);
                let source = source.map_or("without a source", String::as_str);
                records.insert(record.id.to_string(), format!("{kind} {source}"));
            }
            for pipeline in settings.pipelines.of(object) {
                stages.insert((object, pipeline.id.clone()), pipeline.label.clone());
                for stage in &pipeline.stages {
                    let name = format!("{} / {}", pipeline.label, stage.label);
                    stages.insert((object, stage.id.clone()), name);
                }
            }
            for (_, other) in KINDS {
                let target = format!("/crm/v4/associations/{object}/{other}/labels");
                let types = ask(portal, &Call::new(Method::Get, &target));
                for found in types["results"].as_array().unwrap() {
                    if found["category"] == "USER_DEFINED" {
                        let id = found["typeId"].as_u64().unwrap();
                        labels.insert((object, other, id), found["label"].to_string());
                    }
                }
            }
        }
        Self {
            records,
            stages,
            labels,
        }
    }

    fn record(&self, id: u64) -> &str {
        &self.records[&id.to_string()]
    }

    fn link(&self, from: ObjectType, to: ObjectType, spec: Spec) -> String {
        match spec.category {
            Category::UserDefined => self.labels[&(from, to, u64::from(spec.id))].clone(),
            other => format!("{} {}", other.name(), spec.id),
        }
    }

    /// A value with names in place of ids.
    fn tell(&self, object: ObjectType, property: &str, value: &str) -> String {
        if STAGED.contains(&property) {
            let named = self.stages.get(&(object, value.to_owned()));
            return named
                .unwrap_or_else(|| panic!("{property} {value}"))
                .clone();
        }
        let parts = value.split(';');
        let told = parts.map(|part| self.records.get(part).map_or(part, String::as_str));
        told.collect::<Vec<_>>().join(";")
    }
}

/// Nothing in a portal is there twice, and nothing without a source.
#[track_caller]
pub(crate) fn assert_once(what: &str, portal: &Portal) {
    for (kind, object) in KINDS {
        let mut seen = BTreeSet::new();
        for record in portal.records(object) {
            let source = record.values.get(SOURCE_KEY_PROPERTY).cloned();
            let source =
                source.unwrap_or_else(|| panic!("{what}: a {kind} without a source: {record:?}"));
            assert!(
                seen.insert(source.clone()),
                "{what}: {kind} {source} is there twice"
            );
        }
    }
    let told = dump(portal);
    for what_kind in ["properties", "groups", "pipelines", "labels"] {
        let lines = &told[what_kind];
        let twice = lines.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "{what}: {what_kind}");
    }
}
