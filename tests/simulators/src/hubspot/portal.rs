//! Answers whole requests: who asks, within which limits, with which mishap, from which endpoint.
//!
//! It does no input or output, and asks its options for the time; latency and broken connections belong to the server.

use super::answer::{Answer, Cut, Failure};
use super::association_types::Spec;
use super::associations::Node;
use super::call::Call;
use super::limits::{Asked, Meter, Policy};
use super::oauth::{self, Whose};
use super::objects::ObjectType;
use super::options::Options;
use super::record::Record;
use super::routes::{Route, dispatch, find};
use super::scopes::required_scopes;
use super::settings::Settings;
use super::state::State;
use super::tokens::Tokens;
use super::trouble::{self, Mishap, Planned, Trouble};
use super::validations::Rule;
use super::webhooks::{App, Post};
use crate::truth::mix;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Longest path and query that is taken.
const LONGEST_TARGET: usize = 16_384;

/// What was asked so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests by method and path, with `{id}` for the id of a record.
    pub requests: BTreeMap<String, u64>,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// 429s by the limit that was hit; not those that were ordered as faults.
    pub rate_limited: BTreeMap<Policy, u64>,
    /// Faults given, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Most requests of one app that were admitted within any ten seconds.
    pub peak: u64,
    /// Most searches that were admitted within any second.
    pub search_peak: u64,
    /// Requests admitted since the account's midnight.
    pub today: u64,
}

#[derive(Debug)]
struct Inner {
    state: State,
    meter: Meter,
    trouble: Trouble,
    counters: Counters,
    answered: u64,
    tokens: Tokens,
}

/// A simulated portal.
#[derive(Debug)]
pub struct Portal {
    options: Arc<Options>,
    inner: Mutex<Inner>,
    token: String,
    client_id: String,
    client_secret: String,
}

impl Portal {
    /// An empty portal with the vendor's own properties and pipelines.
    pub fn new(options: Options) -> Self {
        let options = Arc::new(options);
        let inner = Inner {
            state: State::new(Arc::clone(&options)),
            meter: Meter::default(),
            trouble: Trouble::new(options.faults.clone()),
            counters: Counters::default(),
            answered: 0,
            tokens: Tokens::new(options.access.clone(), mix(options.seed)),
        };
        let (token, client_id, client_secret) = inner.tokens.secrets();
        Self {
            inner: Mutex::new(inner),
            options,
            token,
            client_id,
            client_secret,
        }
    }

    /// The private app's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The id of the OAuth app.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The secret of the OAuth app; webhooks are signed with it.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// The options it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Answers a request, at the time that the clock tells.
    pub fn handle(&self, call: &Call) -> Answer {
        let now = (self.options.clock)();
        let mut inner = self.lock();
        inner.state.now = now;
        inner.answered += 1;
        let correlation_id = correlation_id(self.options.seed, inner.answered);
        let answer = self.serve(&mut inner, call, now, &correlation_id);
        *inner.counters.statuses.entry(answer.status).or_default() += 1;
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, inner: &mut Inner, call: &Call, now: i64, correlation_id: &str) -> Answer {
        let kind = format!("{} {}", call.method.name(), family(call));
        *inner.counters.requests.entry(kind).or_default() += 1;
        if call.target.len() > LONGEST_TARGET {
            return Answer::html(414, "414 Request-URI Too Large");
        }
        let refused = |failure: Failure| failure.answer(correlation_id);
        if let Some(answer) = self.apart(inner, call, correlation_id) {
            return answer;
        }
        let Some(route) = find(call) else {
            return refused(Failure::no_endpoint());
        };
        let caller = match inner.tokens.caller(call.token(), now) {
            Ok(caller) => caller,
            Err(failure) => return refused(failure),
        };
        let asked = Asked {
            app: caller.app,
            oauth: caller.oauth,
            search: route.is_search(),
        };
        let plan = self.options.plan();
        let admitted = inner
            .meter
            .admit(plan, now, self.options.utc_offset_ms, asked);
        let headers = match admitted {
            Ok(headers) => headers,
            Err((policy, headers)) => {
                *inner.counters.rate_limited.entry(policy).or_default() += 1;
                let mut answer = refused(policy.failure());
                answer.headers.extend(headers);
                return answer;
            }
        };
        inner.state.today = inner.meter.spent();
        let objects = &inner.state.objects;
        let kind = |word: &str| objects.resolve(word).ok();
        let needed = required_scopes(call.method, &route.path(), &kind);
        if let Err(failure) = caller.need(&needed) {
            let mut answer = refused(failure);
            answer.headers.extend(headers);
            return answer;
        }
        let mishap = inner.trouble.befalls(call);
        let answer = match &mishap {
            Some(mishap) if !mishap.carries_out() => {
                return befallen(mishap, call, None, correlation_id);
            }
            _ => carry_out(&mut inner.state, call, &route, correlation_id),
        };
        let mut answer = match &mishap {
            Some(mishap) => befallen(mishap, call, Some(answer), correlation_id),
            None => answer,
        };
        answer.headers.extend(headers);
        answer
    }

    /// Answers what has neither the API's tokens nor its limits: OAuth, and the settings of webhooks.
    fn apart(&self, inner: &mut Inner, call: &Call, correlation: &str) -> Option<Answer> {
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let ctx = inner.state.ctx();
        match segments.as_slice() {
            ["oauth", rest @ ..] => {
                let path: Vec<&str> = rest
                    .iter()
                    .copied()
                    .filter(|part| !is_version(part))
                    .collect();
                let whose = Whose {
                    ctx,
                    app: self.options.app,
                    correlation,
                };
                let answer = oauth::answer(&mut inner.tokens, whose, call, &path);
                Some(answer.unwrap_or_else(|| Failure::no_endpoint().answer(correlation)))
            }
            ["webhooks", version, rest @ ..] if is_version(version) => {
                let state = &mut inner.state;
                let app = self.app();
                let answer = state.webhooks.answer(ctx, app, &state.objects, call, rest);
                Some(answer.unwrap_or_else(|failure| failure.answer(correlation)))
            }
            _ => None,
        }
    }

    fn app(&self) -> App<'_> {
        App {
            id: self.options.app,
            client_secret: &self.client_secret,
            developer_key: &self.options.developer_key,
            legacy: self.options.legacy_signature,
        }
    }

    /// Takes the webhooks that are due; each is to be told back.
    pub fn due_webhooks(&self) -> Vec<Post> {
        let now = (self.options.clock)();
        self.lock().state.webhooks.due(now, self.app())
    }

    /// Tells whether a webhook was taken; one that was not is due again later.
    pub fn webhook_outcome(&self, id: u64, taken: bool) {
        let now = (self.options.clock)();
        self.lock().state.webhooks.outcome(id, taken, now);
    }

    /// Orders a mishap for requests to come.
    pub fn plan(&self, planned: Planned) {
        self.lock().trouble.plan(planned);
    }

    /// What was asked so far.
    pub fn counters(&self) -> Counters {
        let inner = self.lock();
        Counters {
            faults: inner.trouble.given.clone(),
            peak: inner.meter.peak,
            search_peak: inner.meter.search_peak,
            today: inner.meter.spent(),
            ..inner.counters.clone()
        }
    }

    /// The kind of record of that name or id.
    pub fn object(&self, word: &str) -> Option<ObjectType> {
        self.lock().state.objects.resolve(word).ok()
    }

    /// All live records of a kind, by id.
    pub fn records(&self, object: ObjectType) -> Vec<Record> {
        let inner = self.lock();
        let table = inner.state.store.table(object);
        table.map_or_else(Vec::new, |table| table.live().values().cloned().collect())
    }

    /// All records of a kind in the recycle bin, by id.
    pub fn archived(&self, object: ObjectType) -> Vec<Record> {
        let inner = self.lock();
        let table = inner.state.store.table(object);
        table.map_or_else(Vec::new, |table| {
            table.archived().values().cloned().collect()
        })
    }

    /// A live record.
    pub fn record(&self, object: ObjectType, id: u64) -> Option<Record> {
        self.lock().state.store.live(object, id).cloned()
    }

    /// How many live records of a kind there are.
    pub fn count(&self, object: ObjectType) -> usize {
        let inner = self.lock();
        let table = inner.state.store.table(object);
        table.map_or(0, |table| table.live().len())
    }

    /// With whom a record is associated, under which types, by kind and id.
    pub fn associations(&self, node: Node) -> Vec<(Node, Vec<Spec>)> {
        let inner = self.lock();
        let all = inner.state.links.all(node);
        all.map(|(other, specs)| (other, specs.to_vec())).collect()
    }

    /// How the portal is set up now: properties, pipelines, owners, currencies.
    pub fn settings(&self) -> Settings {
        self.lock().state.settings.clone()
    }

    /// Lays rules on the values of a property, as an administrator does.
    pub fn rule(&self, object: ObjectType, property: &str, rules: Vec<Rule>) {
        let mut inner = self.lock();
        inner
            .state
            .settings
            .validations
            .set(object, property, rules);
    }
}

/// `v3`, `2026-03`.
fn is_version(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.starts_with(|first: char| first.is_ascii_digit())
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
        && word.len() <= 7
}

fn correlation_id(seed: u64, number: u64) -> String {
    let (high, low) = (mix(seed ^ mix(number)), mix(number ^ mix(seed)));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// The path with `{id}` for what is a number, or stands where a record's id does.
fn family(call: &Call) -> String {
    let mut out = String::new();
    for part in &call.segments {
        out.push('/');
        if part.bytes().all(|byte| byte.is_ascii_digit()) || part.contains('@') {
            out.push_str("{id}");
        } else {
            out.push_str(part);
        }
    }
    out
}

fn carry_out(state: &mut State, call: &Call, route: &Route<'_>, correlation_id: &str) -> Answer {
    match dispatch(state, call, route) {
        Ok(answer) => answer,
        Err(failure) => failure.answer(correlation_id),
    }
}

/// What the caller gets of it; `answer` is that of a request that was carried out.
fn befallen(mishap: &Mishap, call: &Call, answer: Option<Answer>, correlation_id: &str) -> Answer {
    let mut answer = answer.unwrap_or_else(Answer::no_content);
    match mishap {
        Mishap::Status {
            status,
            retry_after,
            ..
        } => trouble::answer(*status, *retry_after, correlation_id),
        Mishap::RateLimited(policy) => policy.failure().answer(correlation_id),
        Mishap::Reset { .. } => {
            answer.cut = Some(Cut::Before);
            answer
        }
        Mishap::ResetWithin => {
            answer.cut = Some(Cut::Within);
            answer
        }
        Mishap::Truncate => {
            answer.body.truncate(answer.body.len() / 2);
            answer
        }
        Mishap::Echo => {
            let credential = call.header("authorization").unwrap_or_default();
            Failure::validation(format!("The request was refused: {credential}"))
                .answer(correlation_id)
        }
    }
}
