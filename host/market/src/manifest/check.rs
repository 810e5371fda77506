//! Finds everything in a manifest that makes no sense, with its line and what would put it right.
//!
//! What the types say already (unknown keys, missing keys, wrong types) is not looked at again.

use std::collections::HashSet;

use model::catalog::StandardObject;
use model::grant::{CredentialGrant, Endpoint, Injection};

use super::places::Places;
use super::places::Step::{self, At, Key};
use super::{Manifest, ObjectGrant, Problem, Setting, SettingKind, SettingValue};

/// The contract line that connectors are built for.
const CONTRACT: &str = "0.1";
/// Header names that carry meaning of their own; a credential may stand in `authorization`.
const FORBIDDEN_HEADERS: [&str; 9] = [
    "host",
    "cookie",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "te",
    "upgrade",
    "proxy-authorization",
];

pub(super) fn find_problems(manifest: &Manifest, text: &str) -> Vec<Problem> {
    let mut check = Check {
        places: Places::new(text),
        problems: Vec::new(),
    };
    check.head(manifest);
    for (position, endpoint) in manifest.endpoints.iter().enumerate() {
        check.endpoint(endpoint, position);
    }
    check.unique(
        "endpoints",
        "id",
        manifest
            .endpoints
            .iter()
            .map(|endpoint| endpoint.id.as_str()),
    );
    for (position, credential) in manifest.credentials.iter().enumerate() {
        check.credential(credential, position, &manifest.endpoints);
    }
    check.unique(
        "credentials",
        "id",
        manifest.credentials.iter().map(CredentialGrant::id),
    );
    check.objects(manifest);
    for (name, setting) in &manifest.settings {
        check.setting(name, setting);
    }
    check.limits(manifest);
    check.problems.sort();
    check.problems
}

pub(super) struct Check<'a> {
    places: Places<'a>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn tell(
        &mut self,
        path: &[Step<'_>],
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let line = self.places.line_of(path);
        self.problems.push(Problem {
            line,
            message: message.into(),
            remedy: remedy.into(),
        });
    }

    pub(super) fn id(&mut self, path: &[Step<'_>], id: &str) {
        let fits = is_id(id);
        if !fits {
            self.tell(
                path,
                format!("{id:?} is no id"),
                "1 to 64 of a-z, 0-9, - and _, starting with a letter",
            );
        }
    }

    pub(super) fn shown(&mut self, path: &[Step<'_>], text: &str, max_chars: usize) {
        if !is_shown(text, max_chars) {
            self.tell(
                path,
                "text cannot be shown to a person",
                format!("1 to {max_chars} characters on one line"),
            );
        }
    }

    fn head(&mut self, manifest: &Manifest) {
        self.id(&[Key("id")], &manifest.id);
        self.shown(&[Key("name")], &manifest.name, 80);
        self.shown(&[Key("publisher")], &manifest.publisher, 80);
        let is_description = |line: &str| line.trim().is_empty() || is_shown(line, 2_000);
        if manifest.description.chars().count() > 2_000
            || !manifest.description.split('\n').all(is_description)
        {
            self.tell(
                &[Key("description")],
                "description cannot be shown to a person",
                "at most 2000 characters, none of them invisible",
            );
        }
        if manifest.contract != CONTRACT {
            let message = format!(
                "contract line {:?} is not spoken by this host",
                manifest.contract
            );
            self.tell(
                &[Key("contract")],
                message,
                format!(
                    "this host speaks {CONTRACT:?}: build the connector with the SDK of that line"
                ),
            );
        }
        if let Some(homepage) = &manifest.homepage {
            self.https(&[Key("homepage")], homepage);
        }
        if manifest.objects.is_empty() && manifest.engagements.is_empty() {
            self.tell(
                &[Key("objects")],
                "no object is declared",
                "add an [[objects]] table for each object that the connector reads",
            );
        }
    }

    pub(super) fn https(&mut self, path: &[Step<'_>], address: &str) -> Option<url::Url> {
        let remedy = "a whole https address in ASCII without user, query and fragment";
        // What a person is shown is this text, so the parser may not leave out or rewrite any of it.
        if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("{address:?} is no plain https address");
            self.tell(path, message, remedy);
            return None;
        }
        match url::Url::parse(address) {
            // As it is written, too: the parser mends `Https:` and `https:///x`, and whoever fills the places in does not.
            Ok(parsed) if is_plain_https(&parsed) && is_written_plainly(address) => Some(parsed),
            Ok(_) => {
                self.tell(
                    path,
                    format!("{address:?} is no plain https address"),
                    remedy,
                );
                None
            }
            Err(error) => {
                self.tell(path, format!("{address:?} is no address: {error}"), remedy);
                None
            }
        }
    }

    fn credential(&mut self, credential: &CredentialGrant, at: usize, endpoints: &[Endpoint]) {
        let here = [Key("credentials"), At(at)];
        self.id(&[here[0], here[1], Key("id")], credential.id());
        match credential {
            CredentialGrant::Key { label, .. } => {
                self.shown(&[here[0], here[1], Key("label")], label, 80)
            }
            CredentialGrant::Oauth2 {
                authorize_url,
                token_url,
                scopes,
                ..
            } => {
                self.https(&[here[0], here[1], Key("authorize_url")], authorize_url);
                self.https(&[here[0], here[1], Key("token_url")], token_url);
                if scopes.iter().any(|scope| {
                    scope.is_empty() || scope.contains(|c: char| c.is_whitespace() || is_hidden(c))
                }) {
                    self.tell(
                        &[here[0], here[1], Key("scopes")],
                        "a scope is blank or has spaces",
                        "one entry for each scope",
                    );
                }
            }
        }
        self.injection(credential.injection(), at, endpoints);
    }

    fn injection(&mut self, inject: &Injection, at: usize, endpoints: &[Endpoint]) {
        let path = [Key("credentials"), At(at), Key("inject")];
        let header = inject.header.as_str();
        let is_token = !header.is_empty()
            && header
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_token || FORBIDDEN_HEADERS.contains(&header) {
            self.tell(
                &path,
                format!("{header:?} is no header for a credential"),
                "a header name in lower case, for example \"authorization\"",
            );
        }
        if inject.prefix.len() > 64
            || inject
                .prefix
                .bytes()
                .any(|byte| !(b' '..=b'~').contains(&byte))
        {
            self.tell(
                &path,
                "prefix cannot stand in a header",
                "at most 64 printable ASCII characters, for example \"Bearer \"",
            );
        }
        if inject.endpoints.is_empty() {
            self.tell(
                &path,
                "the credential goes to no endpoint",
                "list the ids of the endpoints that get it",
            );
        }
        for id in &inject.endpoints {
            if !endpoints.iter().any(|endpoint| endpoint.id == *id) {
                self.tell(
                    &path,
                    format!("endpoint {id:?} does not exist"),
                    "list ids of [[endpoints]]",
                );
            }
        }
    }

    fn objects(&mut self, manifest: &Manifest) {
        let lists = [
            ("objects", &manifest.objects, false),
            ("engagements", &manifest.engagements, true),
        ];
        for (list, objects, are_engagements) in lists {
            for (position, object) in objects.iter().enumerate() {
                self.object(object, &[Key(list), At(position)], are_engagements);
            }
        }
        let mut seen = HashSet::new();
        for (list, objects, _) in lists {
            for (position, object) in objects.iter().enumerate() {
                if !seen.insert(object.name.as_str()) {
                    let path = [Key(list), At(position), Key("name")];
                    self.tell(
                        &path,
                        format!("{:?} is declared twice", object.name),
                        "one table for each object or engagement",
                    );
                }
            }
        }
    }

    fn object(&mut self, object: &ObjectGrant, here: &[Step<'_>; 2], is_engagement: bool) {
        self.shown(&[here[0], here[1], Key("name")], &object.name, 100);
        if let Some(name) = &object.standard {
            let known = StandardObject::find(name)
                .filter(|standard| standard.is_engagement() == is_engagement);
            if known.is_none() {
                let names: Vec<_> = StandardObject::ALL
                    .into_iter()
                    .filter(|s| s.is_engagement() == is_engagement)
                    .map(StandardObject::name)
                    .collect();
                let path = [here[0], here[1], Key("standard")];
                self.tell(
                    &path,
                    format!("{name:?} is no standard object of this list"),
                    format!("one of {}", names.join(", ")),
                );
            }
        }
        if object.supports.is_empty() {
            self.tell(
                &[here[0], here[1], Key("supports")],
                "nothing is supported",
                "at least \"read\"",
            );
        }
    }

    fn setting(&mut self, name: &str, setting: &Setting) {
        let path = [Key("settings"), Key(name)];
        self.id(&path, name);
        self.shown(&path, &setting.description, 500);
        if !setting.choices.is_empty() && setting.kind != SettingKind::String {
            self.tell(
                &[path[0], path[1], Key("enum")],
                "enum is for strings only",
                "leave enum out, or make the type \"string\"",
            );
        }
        let fits = match (&setting.default, setting.kind) {
            (None, _) => true,
            (Some(SettingValue::Boolean(_)), kind) => kind == SettingKind::Boolean,
            (Some(SettingValue::Integer(_)), kind) => kind == SettingKind::Integer,
            (Some(SettingValue::String(text)), kind) => {
                kind == SettingKind::String
                    && (setting.choices.is_empty() || setting.choices.contains(text))
            }
        };
        if !fits {
            self.tell(
                &[path[0], path[1], Key("default")],
                "default is not of the setting's type or choices",
                "make it one of them",
            );
        }
    }

    fn limits(&mut self, manifest: &Manifest) {
        if !(1..=1_024).contains(&manifest.limits.memory_mib) {
            self.tell(
                &[Key("limits"), Key("memory_mib")],
                "memory_mib is out of range",
                "1 to 1024",
            );
        }
        if !(1_000..=600_000).contains(&manifest.limits.call_timeout_ms) {
            self.tell(
                &[Key("limits"), Key("call_timeout_ms")],
                "call_timeout_ms is out of range",
                "1000 to 600000",
            );
        }
    }

    fn unique<'t>(&mut self, list: &str, key: &str, ids: impl Iterator<Item = &'t str>) {
        let mut seen = HashSet::new();
        for (position, id) in ids.enumerate() {
            if !seen.insert(id) {
                self.tell(
                    &[Key(list), At(position), Key(key)],
                    format!("{id:?} is declared twice"),
                    "give each an id of its own",
                );
            }
        }
    }
}

/// Whether a text can be shown on one line: something of it is seen, and nothing changes how the rest is seen.
pub(crate) fn is_shown(text: &str, max_chars: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max_chars && !text.contains(is_hidden)
}

/// Control characters, and those that are not seen but turn the direction of what is, or stand between letters unseen.
pub(super) fn is_hidden(c: char) -> bool {
    let unseen = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || unseen
}

/// Whether a text can be an id, which also names files and tags.
pub(crate) fn is_id(id: &str) -> bool {
    let rest = id.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    });
    rest && id.len() <= 64 && id.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_written_plainly(address: &str) -> bool {
    address
        .strip_prefix("https://")
        .is_some_and(|rest| !rest.starts_with(['/', '\\']))
}

fn is_plain_https(url: &url::Url) -> bool {
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    url.scheme() == "https" && plain && matches!(url.host(), Some(url::Host::Domain(_)))
}
