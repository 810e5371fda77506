//! Decides what each kind of record needs beyond valid values, and what the vendor computes from them.
//!
//! It changes nothing.

use super::answer::Failure;
use super::associations::Node;
use super::draft::{Link, Set};
use super::objects::ObjectType;
use super::record::{EMAIL, MORE_EMAILS, Values, addresses};
use super::state::State;
use super::validate::{PropertyError, refusal};
use rust_decimal::Decimal;
use serde_json::Value;

/// Values as they will be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'a> {
    pub(super) set: &'a Set,
    /// Those of the record before the change; none at a creation.
    pub(super) before: Option<&'a Values>,
}

impl<'a> Now<'a> {
    /// The value of a property after the write.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        match self.set.iter().rev().find(|(key, _)| key == name) {
            Some((_, value)) => value.as_deref(),
            None => self.before?.get(name).map(String::as_str),
        }
    }

    /// Whether the write touches one of them.
    fn touches(&self, names: &[&str]) -> bool {
        self.set
            .iter()
            .any(|(key, _)| names.contains(&key.as_str()))
    }
}

/// Names of the properties that hold pipeline and stage; none for kinds without them.
pub(super) const fn stage_properties(object: ObjectType) -> Option<(&'static str, &'static str)> {
    match object {
        ObjectType::DEAL => Some(("pipeline", "dealstage")),
        ObjectType::LEAD | ObjectType::PROJECT | ObjectType::TICKET => {
            Some(("hs_pipeline", "hs_pipeline_stage"))
        }
        _ => None,
    }
}

/// Fills what the vendor fills at a creation.
pub(super) fn fill(state: &State, object: ObjectType, set: &mut Set) {
    let missing = |set: &Set, name: &str| {
        !set.iter()
            .any(|(key, value)| key == name && value.is_some())
    };
    if object == ObjectType::CONTACT && missing(set, "lifecyclestage") {
        set.push(("lifecyclestage".to_owned(), Some("lead".to_owned())));
    }
    if object == ObjectType::INVOICE && missing(set, "hs_invoice_status") {
        set.push(("hs_invoice_status".to_owned(), Some("draft".to_owned())));
    }
    if object == ObjectType::DEAL && missing(set, "deal_currency_code") {
        let code = state.settings.currencies.company().to_owned();
        set.push(("deal_currency_code".to_owned(), Some(code)));
    }
    if let Some((pipeline, stage)) = stage_properties(object)
        && object != ObjectType::PROJECT
        && missing(set, pipeline)
        && let Some(default) = state.settings.pipelines.default_of(object)
    {
        set.push((pipeline.to_owned(), Some(default.id.clone())));
        if object == ObjectType::LEAD
            && missing(set, stage)
            && let Some(first) = default.stages.first()
        {
            set.push((stage.to_owned(), Some(first.id.clone())));
        }
    }
    if object == ObjectType::LINE_ITEM {
        copy_product(state, set);
    }
}

/// A line item takes what it lacks from its product.
fn copy_product(state: &State, set: &mut Set) {
    let product = set
        .iter()
        .find(|(name, _)| name == "hs_product_id")
        .and_then(|(_, value)| value.as_deref()?.parse().ok())
        .and_then(|id| state.store.live(ObjectType::PRODUCT, id));
    let Some(product) = product else {
        return;
    };
    for name in [
        "name",
        "price",
        "description",
        "hs_sku",
        "hs_cost_of_goods_sold",
        "recurringbillingfrequency",
    ] {
        let given = set.iter().any(|(key, _)| key == name);
        if let Some(value) = product.values.get(name).filter(|_| !given) {
            set.push((name.to_owned(), Some(value.clone())));
        }
    }
}

/// Refuses a creation that lacks what the kind needs (fact sheet, section 6).
pub(super) fn required(state: &State, object: ObjectType, now: &Now<'_>) -> Result<(), Failure> {
    let kind = state.objects.get(object);
    let mut lacking: Vec<&str> = kind
        .required
        .iter()
        .map(String::as_str)
        .filter(|name| now.get(name).is_none())
        .collect();
    if object == ObjectType::COMPANY && now.get("name").is_none() && now.get("domain").is_none() {
        lacking.push("name");
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Error creating {}. Some required properties were not set.",
        kind.constant()
    );
    Err(Failure::validation(message).context("properties", lacking))
}

/// Refuses what the kind forbids. `id` is none at a creation.
pub(super) fn check(
    state: &State,
    object: ObjectType,
    id: Option<u64>,
    now: &Now<'_>,
    links: &[Link],
) -> Result<(), Failure> {
    blocked(state, object, now)?;
    stage(state, object, now)?;
    match object {
        ObjectType::LEAD if id.is_none() => lead(state, links)?,
        ObjectType::INVOICE => invoice(state, id, now, links)?,
        ObjectType::LINE_ITEM if now.touches(&["hs_product_id"]) => product(state, now)?,
        _ => (),
    }
    for link in links {
        may_link(state, object, id, link.to)?;
    }
    let parents = links.iter().filter(|link| is_parent(link.to.0)).count();
    if object == ObjectType::LINE_ITEM && parents > 1 {
        return Err(shared_line_item());
    }
    Ok(())
}

/// An address that was deleted for privacy does not come back.
fn blocked(state: &State, object: ObjectType, now: &Now<'_>) -> Result<(), Failure> {
    if object != ObjectType::CONTACT || state.blocked.is_empty() {
        return Ok(());
    }
    for name in [EMAIL, MORE_EMAILS] {
        let Some(value) = now.get(name).filter(|_| now.touches(&[name])) else {
            continue;
        };
        if addresses(value).any(|address| state.blocked.contains(&address)) {
            let message = "email has been GDPR blacklisted".to_owned();
            return Err(refusal(&[PropertyError::new(
                name,
                "INVALID_EMAIL",
                message,
            )]));
        }
    }
    Ok(())
}

/// Pipeline and stage must be of the portal, and the stage of the pipeline.
fn stage(state: &State, object: ObjectType, now: &Now<'_>) -> Result<(), Failure> {
    let Some((pipeline_name, stage_name)) = stage_properties(object) else {
        return Ok(());
    };
    if !now.touches(&[pipeline_name, stage_name]) {
        return Ok(());
    }
    let option = |name: &str, value: &str, allowed: Vec<&str>| {
        let message = format!(
            "{value} was not one of the allowed options: [{}]",
            allowed.join(", ")
        );
        Err(refusal(&[PropertyError::new(
            name,
            "INVALID_OPTION",
            message,
        )]))
    };
    let pipeline_id = now.get(pipeline_name).unwrap_or_default();
    let Some(pipeline) = state.settings.pipelines.get(object, pipeline_id) else {
        let allowed = state
            .settings
            .pipelines
            .of(object)
            .map(|pipeline| pipeline.id.as_str());
        return option(pipeline_name, pipeline_id, allowed.collect());
    };
    match now.get(stage_name) {
        Some(stage) if pipeline.stage(stage).is_none() => {
            let allowed = pipeline.stages.iter().map(|stage| stage.id.as_str());
            option(stage_name, stage, allowed.collect())
        }
        _ => Ok(()),
    }
}

/// A lead needs its main contact from the start.
fn lead(state: &State, links: &[Link]) -> Result<(), Failure> {
    let main = state
        .types
        .primary(ObjectType::LEAD, ObjectType::CONTACT)
        .expect("578 is standard")
        .spec;
    let given = links
        .iter()
        .any(|link| link.to.0 == ObjectType::CONTACT && link.specs.contains(&main));
    if given {
        return Ok(());
    }
    Err(Failure::validation(
        "Leads must be created with an association to a primary contact (type 578)",
    ))
}

/// An open invoice has a contact and a line item.
fn invoice(state: &State, id: Option<u64>, now: &Now<'_>, links: &[Link]) -> Result<(), Failure> {
    let name = "hs_invoice_status";
    if !now.touches(&[name]) || matches!(now.get(name), None | Some("draft" | "voided")) {
        return Ok(());
    }
    for (to, word) in [
        (ObjectType::CONTACT, "contact"),
        (ObjectType::LINE_ITEM, "line item"),
    ] {
        let has = links.iter().any(|link| link.to.0 == to)
            || id.is_some_and(|id| state.links.count((ObjectType::INVOICE, id), to) > 0);
        if !has {
            return Err(Failure::validation(format!(
                "An invoice needs an associated {word} before its status can be {}",
                now.get(name).unwrap_or_default()
            )));
        }
    }
    Ok(())
}

fn product(state: &State, now: &Now<'_>) -> Result<(), Failure> {
    let Some(text) = now.get("hs_product_id") else {
        return Ok(());
    };
    let id = text.parse().ok();
    if id.is_some_and(|id| state.store.live(ObjectType::PRODUCT, id).is_some()) {
        return Ok(());
    }
    let message = format!("Product {text} does not exist");
    Err(refusal(&[PropertyError::new(
        "hs_product_id",
        "INVALID_OPTION",
        message,
    )]))
}

const fn is_parent(object: ObjectType) -> bool {
    matches!(
        object,
        ObjectType::DEAL | ObjectType::INVOICE | ObjectType::QUOTE | ObjectType::ORDER
    )
}

fn shared_line_item() -> Failure {
    Failure::validation(
        "A line item can be associated with one parent only; create a copy for the other one",
    )
}

/// Refuses a second parent of a line item. `id` is none where the record is about to be created.
pub(super) fn may_link(
    state: &State,
    object: ObjectType,
    id: Option<u64>,
    to: Node,
) -> Result<(), Failure> {
    let (item, parent) = match (object, to) {
        (ObjectType::LINE_ITEM, to) if is_parent(to.0) => (id, Some(to)),
        (object, (ObjectType::LINE_ITEM, item)) if is_parent(object) => {
            (Some(item), id.map(|id| (object, id)))
        }
        _ => return Ok(()),
    };
    let Some(item) = item else {
        return Ok(());
    };
    let other = state
        .links
        .all((ObjectType::LINE_ITEM, item))
        .any(|(node, _)| is_parent(node.0) && Some(node) != parent);
    if other {
        return Err(shared_line_item());
    }
    Ok(())
}

/// Stages of the lifecycle in their order.
const LIFECYCLE: &[&str] = &[
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
];

/// Passes over a step back in the lifecycle: it only goes forward, unless it was cleared before.
pub(super) fn hold_back(set: &mut Set, before: &Values) {
    let place = |stage: &str| LIFECYCLE.iter().position(|known| *known == stage);
    let Some(present) = before.get("lifecyclestage").and_then(|stage| place(stage)) else {
        return;
    };
    set.retain(|(name, value)| {
        let wanted = value.as_deref().and_then(place);
        name != "lifecyclestage" || wanted.is_none_or(|wanted| wanted >= present)
    });
}

/// Values that follow from others.
pub(super) fn derive(state: &State, object: ObjectType, now: &Now<'_>) -> Set {
    match object {
        ObjectType::DEAL => deal(state, now),
        ObjectType::EMAIL if now.touches(&["hs_email_headers"]) => email(now),
        ObjectType::LINE_ITEM => line_item(now),
        ObjectType::TASK if now.touches(&["hs_task_status"]) => {
            let done = u8::from(now.get("hs_task_status") == Some("COMPLETED"));
            vec![("hs_task_is_completed".to_owned(), Some(done.to_string()))]
        }
        ObjectType::PROJECT => {
            let closed = now
                .get("hs_pipeline_stage")
                .and_then(|stage| state.settings.pipelines.stage(object, stage))
                .is_some_and(|(_, stage)| stage.is_closed());
            vec![("hs_is_closed".to_owned(), Some(closed.to_string()))]
        }
        _ => Set::new(),
    }
}

fn number(text: Option<&str>) -> Option<Decimal> {
    text?.parse().ok()
}

fn deal(state: &State, now: &Now<'_>) -> Set {
    let mut out = Set::new();
    if now.touches(&["dealstage", "pipeline"]) {
        let stage = now
            .get("dealstage")
            .and_then(|stage| state.settings.pipelines.stage(ObjectType::DEAL, stage))
            .map(|(_, stage)| stage);
        let closed = stage.is_some_and(super::pipelines::Stage::is_closed);
        let probability = stage
            .and_then(|stage| stage.metadata.get("probability"))
            .and_then(Value::as_str);
        let chance = number(probability);
        let won = closed && chance == Some(Decimal::ONE);
        let lost = closed && chance == Some(Decimal::ZERO);
        for (name, flag) in [
            ("hs_is_closed", closed),
            ("hs_is_closed_won", won),
            ("hs_is_closed_lost", lost),
        ] {
            out.push((name.to_owned(), Some(flag.to_string())));
        }
        out.push((
            "hs_deal_stage_probability".to_owned(),
            probability.map(str::to_owned),
        ));
    }
    if now.touches(&["amount", "deal_currency_code"]) {
        let code = now
            .get("deal_currency_code")
            .unwrap_or(state.settings.currencies.company());
        let rate = state
            .settings
            .currencies
            .rate(code, state.now)
            .and_then(|rate| number(Some(&rate.to_string())));
        let home = number(now.get("amount"))
            .zip(rate)
            .and_then(|(amount, rate)| amount.checked_mul(rate))
            .map(|home| home.round_dp(6).normalize().to_string());
        out.push(("amount_in_home_currency".to_owned(), home));
    }
    out
}

/// Net price: quantity times price, less the discount in per cent or else that of a unit.
fn line_item(now: &Now<'_>) -> Set {
    let relevant = ["price", "quantity", "discount", "hs_discount_percentage"];
    if !now.touches(&relevant) {
        return Set::new();
    }
    let quantity = number(now.get("quantity")).unwrap_or(Decimal::ONE);
    let amount = number(now.get("price")).and_then(|price| {
        let off = match number(now.get("hs_discount_percentage")) {
            Some(percentage) => price.checked_mul(percentage)? / Decimal::ONE_HUNDRED,
            None => number(now.get("discount")).unwrap_or_default(),
        };
        price.checked_sub(off)?.checked_mul(quantity)
    });
    let amount = amount.map(|amount| amount.round_dp(6).normalize().to_string());
    vec![("amount".to_owned(), amount)]
}

/// Senders and recipients, from the headers: `{from:{email,firstName,lastName}, to:[…], cc:[…], bcc:[…]}` as a JSON string.
fn email(now: &Now<'_>) -> Set {
    let headers: Value = now
        .get("hs_email_headers")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let mut out = Set::new();
    for side in ["from", "to", "cc", "bcc"] {
        let people = match &headers[side] {
            Value::Array(people) => people.iter().collect(),
            one @ Value::Object(_) => vec![one],
            _ => Vec::new(),
        };
        for (key, end) in [
            ("email", "email"),
            ("firstName", "firstname"),
            ("lastName", "lastname"),
        ] {
            let words: Vec<&str> = people
                .iter()
                .filter_map(|person| person[key].as_str())
                .collect();
            let value = Some(words.join(";")).filter(|words| !words.is_empty());
            out.push((format!("hs_email_{side}_{end}"), value));
        }
    }
    out
}
