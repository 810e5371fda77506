//! Holds what an account tells of itself: whose it is, and how much of its limits is used.
//!
//! It counts nothing; it is told the counts.

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::clock::iso;
use super::context::Ctx;
use super::currencies::Currencies;
use super::objects::{Object, ObjectType, Objects};
use super::pipelines::Pipelines;
use super::properties::Properties;
use serde_json::{Value, json};

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// Its offset to UTC, in milliseconds.
    pub(super) utc_offset_ms: i64,
    /// Calls allowed a day; none where limits are off.
    pub(super) daily_limit: Option<u64>,
    /// Calls made today.
    pub(super) calls_today: u64,
}

/// What use is counted of.
#[derive(Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) objects: &'a Objects,
    pub(super) properties: &'a Properties,
    pub(super) pipelines: &'a Pipelines,
    /// How many records of a kind there are.
    pub(super) records: &'a dyn Fn(ObjectType) -> usize,
}

/// Most records of a kind (the vendor's catalogue of products, 2026-11: 15 million of each).
const MOST_RECORDS: usize = 15_000_000;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

impl Account {
    /// Answers below `/account-info/v3`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 404 or 405 in the vendor's envelope.
    pub(super) fn info(
        self,
        ctx: Ctx,
        currencies: &Currencies,
        call: &Call,
        rest: &[&str],
    ) -> Result<Answer, Failure> {
        match rest {
            _ if call.method != Method::Get => Err(Failure::method()),
            ["details"] => Ok(Answer::json(200, &self.details(ctx, currencies))),
            ["api-usage", "daily"] | ["api-usage", "daily", "private-apps"] => {
                Ok(Answer::json(200, &self.usage(ctx)))
            }
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn details(self, ctx: Ctx, currencies: &Currencies) -> Value {
        let offset = self.utc_offset_ms;
        let (hours, minutes) = (offset.abs() / HOUR_MS, offset.abs() % HOUR_MS / 60_000);
        let sign = if offset < 0 { '-' } else { '+' };
        json!({
            "portalId": ctx.portal,
            "accountType": "STANDARD",
            "timeZone": time_zone(offset),
            "companyCurrency": currencies.company(),
            "additionalCurrencies": currencies.further(),
            "utcOffset": format!("{sign}{hours:02}:{minutes:02}"),
            "utcOffsetMilliseconds": offset,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        })
    }

    /// The day ends at midnight of the account's time zone.
    fn usage(self, ctx: Ctx) -> Value {
        let local = ctx.now + self.utc_offset_ms;
        let resets = (local.div_euclid(DAY_MS) + 1) * DAY_MS - self.utc_offset_ms;
        json!({
            "results": [{
                "name": "private-apps-api-calls-daily",
                "usageLimit": self.daily_limit,
                "currentUsage": self.calls_today,
                "collectedAt": iso(ctx.now),
                "resetsAt": iso(resets),
                "fetchStatus": "SUCCESS",
            }],
        })
    }
}

/// Answers below `/crm/v3/limits`; `rest` is what follows.
///
/// # Errors
///
/// 404 or 405 in the vendor's envelope.
pub(super) fn limits(counted: Counted<'_>, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
    if call.method != Method::Get {
        return Err(Failure::method());
    }
    let (properties, pipelines) = (counted.properties, counted.pipelines);
    let most = properties.limits();
    let body = match rest {
        ["records"] => by_kind(counted, MOST_RECORDS, &|object| (counted.records)(object)),
        ["pipelines"] => by_kind(counted, pipelines.most(), &|object| {
            pipelines.of(object).count()
        }),
        ["custom-properties"] => {
            let of = |object: &Object| {
                let used = properties.custom(object.object_type);
                entry(object, used, most.custom)
            };
            let all = counted.objects.all().iter();
            let used: usize = all
                .clone()
                .map(|object| properties.custom(object.object_type))
                .sum();
            json!({
                "overallLimit": most.custom_in_all,
                "overallUsage": used,
                "overallPercentage": percentage(used, most.custom_in_all),
                "byObjectType": all.map(of).collect::<Vec<_>>(),
            })
        }
        ["associations", "labels"] => json!({ "results": [] }),
        _ => return Err(Failure::no_endpoint()),
    };
    Ok(Answer::json(200, &body))
}

/// Use of a limit that every kind of record has for itself.
fn by_kind(counted: Counted<'_>, most: usize, used: &dyn Fn(ObjectType) -> usize) -> Value {
    let of = |custom: bool| {
        let kinds = counted.objects.all().iter();
        kinds
            .filter(|object| object.object_type.is_custom() == custom)
            .map(|object| entry(object, used(object.object_type), most))
            .collect::<Vec<_>>()
    };
    json!({
        "hubspotDefinedObjectTypes": of(false),
        "customObjectTypes": { "byObjectType": of(true) },
    })
}

fn entry(object: &Object, used: usize, most: usize) -> Value {
    json!({
        "objectTypeId": object.object_type.to_string(),
        "singularLabel": object.title(),
        "pluralLabel": object.plural,
        "usage": used,
        "limit": most,
        "percentage": percentage(used, most),
    })
}

fn percentage(used: usize, most: usize) -> f64 {
    let tenths = (used * 1000).checked_div(most).unwrap_or(0);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// A zone of that offset; the vendor tells names such as `US/Eastern`.
fn time_zone(offset: i64) -> String {
    match offset / HOUR_MS {
        -4 | -5 => "US/Eastern".to_owned(),
        0 => "UTC".to_owned(),
        1 | 2 => "Europe/Berlin".to_owned(),
        hours => format!("Etc/GMT{:+}", -hours),
    }
}
