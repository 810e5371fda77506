//! Decides which endpoint a path is, in the numbered generations and in the dated ones, and hands the call to it.
//!
//! Who may call, and how often, is decided before.

use super::account::Account;
use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::limits::Tier;
use super::objects::ObjectType;
use super::rules::stage_properties;
use super::settings_routes::{self, Around};
use super::state::State;
use super::{associate, associate_batch, batch, crud, labels, merge, search};

/// Dated generations that are served.
const DATES: &[&str] = &["2026-03", "2026-09"];

/// A family of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// Records.
    Objects,
    /// Associations between two kinds, in batches, and their labels.
    Associations,
    /// All that is set up: properties, pipelines, owners and so on.
    Settings,
}

/// Generation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Lists associations in the older way, too.
    V3,
    /// Only associations.
    V4,
    /// By date; everything of both.
    Dated,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route<'a> {
    pub(super) area: Area,
    pub(super) version: Version,
    /// What follows the area; of the settings, the whole path without its version.
    pub(super) rest: Vec<&'a str>,
}

/// Takes a path apart; none where no endpoint can be.
pub(super) fn find(call: &Call) -> Option<Route<'_>> {
    let parts: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let version = |word: &str| match word {
        "v3" => Some(Version::V3),
        "v4" => Some(Version::V4),
        _ => DATES.contains(&word).then_some(Version::Dated),
    };
    // The version stands before the area's name in the numbered generations, and behind it in the dated ones.
    let (first, area, version, rest) = match parts.as_slice() {
        [
            first @ ("crm" | "settings"),
            number @ ("v3" | "v4"),
            area,
            rest @ ..,
        ] => (*first, *area, version(number)?, rest),
        [first @ ("crm" | "settings"), area, second, rest @ ..] => {
            (*first, *area, version(second)?, rest)
        }
        ["crm-object-schemas", second, area, rest @ ..] => {
            ("crm-object-schemas", *area, version(second)?, rest)
        }
        ["account-info", second, area, rest @ ..] => {
            ("account-info", *area, version(second)?, rest)
        }
        _ => return None,
    };
    let area = match (first, area) {
        ("crm", "objects") => Area::Objects,
        ("crm", "associations") if version != Version::V3 => Area::Associations,
        _ if version == Version::V4 => return None,
        _ => {
            let mut whole = vec![first, area];
            whole.extend(rest);
            return Some(Route {
                area: Area::Settings,
                version,
                rest: whole,
            });
        }
    };
    Some(Route {
        area,
        version,
        rest: rest.to_vec(),
    })
}

impl<'a> Route<'a> {
    /// The whole path without its version, as scopes are told by it.
    pub(super) fn path(&self) -> Vec<&'a str> {
        let area: &[&str] = match self.area {
            Area::Objects => &["crm", "objects"],
            Area::Associations => &["crm", "associations"],
            _ => &[],
        };
        area.iter().chain(&self.rest).copied().collect()
    }

    /// Searches have limits of their own.
    pub(super) fn is_search(&self) -> bool {
        self.area == Area::Objects && matches!(self.rest.as_slice(), [_, "search"])
    }
}

/// Answers a call.
///
/// # Errors
///
/// Whatever the endpoint refuses, in the vendor's envelope.
pub(super) fn dispatch(
    state: &mut State,
    call: &Call,
    route: &Route<'_>,
) -> Result<Answer, Failure> {
    match (route.area, route.rest.as_slice()) {
        (Area::Objects, _) => objects(state, call, route),
        (Area::Associations, ["definitions", "configurations", from, to, rest @ ..]) => {
            let from = state.objects.resolve(from)?;
            let to = state.objects.resolve(to)?;
            labels::configurations(state, call, from, to, rest)
        }
        (Area::Associations, [from, to, rest @ ..]) => {
            let from = state.objects.resolve(from)?;
            let to = state.objects.resolve(to)?;
            associations(state, call, from, to, rest)
        }
        (Area::Associations, _) => Err(Failure::no_endpoint()),
        (Area::Settings, path) => settings(state, call, path),
    }
}

fn objects(state: &mut State, call: &Call, route: &Route<'_>) -> Result<Answer, Failure> {
    let [word, rest @ ..] = route.rest.as_slice() else {
        return Err(Failure::no_endpoint());
    };
    let object = state.objects.resolve(word)?;
    if let [id, "associations", rest @ ..] = rest {
        return match (route.version, rest) {
            (Version::V3, [to]) => associate::legacy(state, call, object, id, to),
            (Version::V3, _) => Err(Failure::no_endpoint()),
            _ => associate::answer(state, call, object, id, rest),
        };
    }
    if route.version == Version::V4 {
        return Err(Failure::no_endpoint());
    }
    match (call.method, rest) {
        (_, []) => crud::collection(state, call, object),
        (Method::Post, ["batch", what]) => batch::answer(state, call, object, what),
        (Method::Post, ["search"]) => search::answer(state, call, object),
        (Method::Post, ["merge"]) => merge::answer(state, call, object),
        (Method::Post, ["gdpr-delete"]) if object == ObjectType::CONTACT => {
            merge::gdpr_delete(state, call)
        }
        (_, ["batch", _] | ["search"] | ["merge"]) => Err(Failure::method()),
        (_, [id]) => crud::single(state, call, object, id),
        _ => Err(Failure::no_endpoint()),
    }
}

fn associations(
    state: &mut State,
    call: &Call,
    from: ObjectType,
    to: ObjectType,
    rest: &[&str],
) -> Result<Answer, Failure> {
    match (call.method, rest) {
        (Method::Post, ["batch", what @ ..]) => {
            associate_batch::answer(state, call, from, to, what)
        }
        (_, ["batch", ..]) => Err(Failure::method()),
        (_, ["labels", rest @ ..]) => labels::answer(state, call, from, to, rest),
        _ => Err(Failure::no_endpoint()),
    }
}

fn settings(state: &mut State, call: &Call, path: &[&str]) -> Result<Answer, Failure> {
    let ctx = state.ctx();
    let store = &state.store;
    let in_use = |object: ObjectType, pipeline: &str, stage: Option<&str>| {
        let (Some((pipeline_name, stage_name)), Some(table)) =
            (stage_properties(object), store.table(object))
        else {
            return false;
        };
        table.live().values().any(|record| {
            let has =
                |name: &str, value: &str| record.values.get(name).is_some_and(|have| have == value);
            has(pipeline_name, pipeline) && stage.is_none_or(|stage| has(stage_name, stage))
        })
    };
    let records = |object: ObjectType| store.table(object).map_or(0, |table| table.live().len());
    let around = Around {
        account: Account {
            utc_offset_ms: state.options.utc_offset_ms,
            daily_limit: state.options.plan().map(|plan| plan.daily),
            calls_today: state.today,
        },
        enterprise: state.options.tier == Tier::Enterprise,
        objects: &mut state.objects,
        types: &mut state.types,
        records: &records,
        in_use: &in_use,
    };
    settings_routes::answer(&mut state.settings, ctx, around, call, path)
        .unwrap_or_else(|| Err(Failure::no_endpoint()))
}
