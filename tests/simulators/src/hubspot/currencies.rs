//! Decides which currencies an account works in, and what each is worth in its own.
//!
//! Deals and invoices take no other currency; the amounts in the account's own are computed elsewhere.

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::clock::{instant, iso};
use super::context::{self, Ctx};
use serde::Deserialize;
use serde_json::{Value, json};

/// Codes that can be added, and their names.
const CODES: &[(&str, &str)] = &[
    ("AED", "United Arab Emirates Dirham"),
    ("AUD", "Australian Dollar"),
    ("BRL", "Brazilian Real"),
    ("CAD", "Canadian Dollar"),
    ("CHF", "Swiss Franc"),
    ("CNY", "Chinese Yuan"),
    ("CZK", "Czech Koruna"),
    ("DKK", "Danish Krone"),
    ("EUR", "Euro"),
    ("GBP", "British Pound Sterling"),
    ("HKD", "Hong Kong Dollar"),
    ("HUF", "Hungarian Forint"),
    ("ILS", "Israeli New Sheqel"),
    ("INR", "Indian Rupee"),
    ("JPY", "Japanese Yen"),
    ("KRW", "South Korean Won"),
    ("MXN", "Mexican Peso"),
    ("NOK", "Norwegian Krone"),
    ("NZD", "New Zealand Dollar"),
    ("PLN", "Polish Zloty"),
    ("RON", "Romanian Leu"),
    ("SEK", "Swedish Krona"),
    ("SGD", "Singapore Dollar"),
    ("THB", "Thai Baht"),
    ("TRY", "Turkish Lira"),
    ("UAH", "Ukrainian Hryvnia"),
    ("USD", "US Dollar"),
    ("ZAR", "South African Rand"),
];

/// What one unit of a currency is worth in the account's own, from a moment on.
#[derive(Debug, Clone, PartialEq)]
struct Rate {
    id: u64,
    from: String,
    rate: f64,
    effective: i64,
    visible: bool,
    created: i64,
    updated: i64,
}

/// The currencies of an account.
#[derive(Debug, Clone)]
pub struct Currencies {
    company: String,
    /// In the order they were made.
    rates: Vec<Rate>,
    next_id: u64,
}

impl Default for Currencies {
    fn default() -> Self {
        Self::new("USD", &[])
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewRate {
    from_currency_code: String,
    conversion_rate: f64,
    #[serde(default)]
    effective_at: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangedRate {
    id: Value,
    conversion_rate: f64,
    #[serde(default)]
    effective_at: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Code {
    currency_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Visibility {
    from_currency_code: String,
    #[serde(rename = "visibleInUI")]
    visible_in_ui: bool,
}

impl Currencies {
    /// The account's own currency, and further ones with what one unit of each is worth in it.
    pub(super) fn new(company: &str, further: &[(String, f64)]) -> Self {
        let mut all = Self {
            company: company.to_owned(),
            rates: Vec::new(),
            next_id: 1,
        };
        for (code, rate) in further {
            all.add(0, code, *rate, 0);
        }
        all
    }

    /// The account's own.
    pub fn company(&self) -> &str {
        &self.company
    }

    /// The others, each once, in the order they were added.
    pub fn further(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::new();
        for rate in &self.rates {
            if rate.from != self.company && !codes.contains(&rate.from.as_str()) {
                codes.push(&rate.from);
            }
        }
        codes
    }

    /// Whether records may have it.
    pub fn knows(&self, code: &str) -> bool {
        code == self.company || self.rates.iter().any(|rate| rate.from == code)
    }

    /// What one unit is worth in the account's own at a moment (milliseconds since 1970).
    pub fn rate(&self, code: &str, at: i64) -> Option<f64> {
        if code == self.company {
            return Some(1.0);
        }
        let of_code = self.rates.iter().filter(|rate| rate.from == code);
        of_code
            .filter(|rate| rate.effective <= at)
            .max_by_key(|rate| (rate.effective, rate.id))
            .map(|rate| rate.rate)
    }

    /// Answers below `/settings/v3/currencies`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 400, 404 or 405 in the vendor's envelope.
    pub(super) fn answer(
        &mut self,
        ctx: Ctx,
        call: &Call,
        rest: &[&str],
    ) -> Result<Answer, Failure> {
        match (call.method, rest) {
            (Method::Get, ["company-currency"]) => Ok(self.company_answer(ctx)),
            (Method::Put, ["company-currency"]) => {
                let code: Code = context::body(call)?;
                self.company = known(&code.currency_code)?.to_owned();
                Ok(self.company_answer(ctx))
            }
            (Method::Get, ["codes"]) => {
                let codes = CODES.iter();
                let results: Vec<_> = codes
                    .map(|(code, name)| json!({"currencyCode": code, "currencyName": name}))
                    .collect();
                Ok(Answer::json(200, &json!({ "results": results })))
            }
            (Method::Get, ["exchange-rates"]) => self.list(call),
            (Method::Post, ["exchange-rates"]) => {
                let made = self.create(ctx, context::body(call)?)?;
                Ok(Answer::json(201, &made))
            }
            (Method::Get, ["exchange-rates", "current"]) => Ok(self.current(ctx)),
            (Method::Post, ["exchange-rates", "batch", what]) => self.batch(ctx, call, what),
            (Method::Post, ["exchange-rates", "update-visibility"]) => {
                self.update_visibility(ctx, context::body(call)?)
            }
            (Method::Post, ["central-fx-rates", "add-currency"]) => {
                let code: Code = context::body(call)?;
                let code = known(&code.currency_code)?;
                let rate = self.add(ctx.now, code, 1.0, ctx.now);
                Ok(Answer::json(201, &rate))
            }
            (Method::Get, ["exchange-rates", id]) => {
                let rate = self.find(id)?;
                Ok(Answer::json(200, &self.json(rate)))
            }
            (Method::Patch, ["exchange-rates", id]) => {
                let mut change = call.json()?;
                change["id"] = json!(id);
                let changed = self.change(ctx, context::read(change)?)?;
                Ok(Answer::json(200, &changed))
            }
            (_, ["company-currency" | "codes"] | ["exchange-rates", ..]) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn company_answer(&self, ctx: Ctx) -> Answer {
        Answer::json(
            200,
            &json!({
                "id": ctx.portal.to_string(),
                "currencyCode": self.company,
                "createdAt": iso(0),
                "updatedAt": iso(ctx.now),
            }),
        )
    }

    fn json(&self, rate: &Rate) -> Value {
        json!({
            "id": rate.id.to_string(),
            "fromCurrencyCode": rate.from,
            "toCurrencyCode": self.company,
            "conversionRate": rate.rate,
            "effectiveAt": iso(rate.effective),
            "visibleInUI": rate.visible,
            "createdAt": iso(rate.created),
            "updatedAt": iso(rate.updated),
        })
    }

    fn add(&mut self, now: i64, code: &str, rate: f64, effective: i64) -> Value {
        self.rates.push(Rate {
            id: self.next_id,
            from: code.to_owned(),
            rate,
            effective,
            visible: true,
            created: now,
            updated: now,
        });
        self.next_id += 1;
        self.json(&self.rates[self.rates.len() - 1])
    }

    fn create(&mut self, ctx: Ctx, new: NewRate) -> Result<Value, Failure> {
        let code = known(&new.from_currency_code)?;
        if code == self.company {
            return Err(Failure::validation(format!(
                "{code} is the company currency: it has no exchange rate"
            )));
        }
        let effective = moment(new.effective_at.as_ref(), ctx.now)?;
        Ok(self.add(ctx.now, code, positive(new.conversion_rate)?, effective))
    }

    fn find(&self, id: &str) -> Result<&Rate, Failure> {
        let found = self.rates.iter().find(|rate| rate.id.to_string() == id);
        found.ok_or_else(Failure::not_found)
    }

    fn change(&mut self, ctx: Ctx, change: ChangedRate) -> Result<Value, Failure> {
        let id = text(&change.id);
        let old = self.find(&id)?.effective;
        let rate = positive(change.conversion_rate)?;
        let effective = moment(change.effective_at.as_ref(), old)?;
        let place = self.rates.iter().position(|rate| rate.id.to_string() == id);
        let changed = &mut self.rates[place.expect("it was just found")];
        (changed.rate, changed.effective, changed.updated) = (rate, effective, ctx.now);
        let changed = changed.clone();
        Ok(self.json(&changed))
    }

    fn list(&self, call: &Call) -> Result<Answer, Failure> {
        let limit = call.limit(100, 100)?;
        let after: u64 = call
            .get("after")
            .map_or(Ok(0), str::parse)
            .map_err(|_| Failure::validation("Invalid value for query parameter after"))?;
        let wanted = call.get("fromCurrencyCode");
        let mut found = self
            .rates
            .iter()
            .filter(|rate| rate.id > after && wanted.is_none_or(|code| rate.from == code));
        let page: Vec<&Rate> = found.by_ref().take(limit).collect();
        let results: Vec<_> = page.iter().map(|rate| self.json(rate)).collect();
        let mut out = json!({ "results": results });
        if let (Some(_), Some(last)) = (found.next(), page.last()) {
            out["paging"] = json!({"next": {"after": last.id.to_string()}});
        }
        Ok(Answer::json(200, &out))
    }

    /// The rate of each currency that counts now.
    fn current(&self, ctx: Ctx) -> Answer {
        let of = |code: &str| {
            let rates = self.rates.iter().filter(|rate| rate.from == code);
            rates
                .filter(|rate| rate.effective <= ctx.now)
                .max_by_key(|rate| (rate.effective, rate.id))
        };
        let results: Vec<_> = self
            .further()
            .into_iter()
            .filter_map(of)
            .map(|rate| self.json(rate))
            .collect();
        Answer::json(200, &json!({ "results": results }))
    }

    fn batch(&mut self, ctx: Ctx, call: &Call, what: &str) -> Result<Answer, Failure> {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for input in context::inputs(call, 100)? {
            let done = match what {
                "create" => self.create(ctx, context::read(input)?),
                "update" => self.change(ctx, context::read(input)?),
                "read" => {
                    let found = self.find(&text(&input["id"]));
                    found.map(|rate| self.json(rate))
                }
                _ => return Err(Failure::no_endpoint()),
            };
            match done {
                Ok(result) => results.push(result),
                Err(failure) => errors.push(failure.entry()),
            }
        }
        let good = if what == "create" { 201 } else { 200 };
        Ok(context::batch(ctx, good, results, errors))
    }

    fn update_visibility(&mut self, ctx: Ctx, wanted: Visibility) -> Result<Answer, Failure> {
        let code = known(&wanted.from_currency_code)?;
        let rates = self.rates.iter_mut().filter(|rate| rate.from == code);
        for rate in rates {
            (rate.visible, rate.updated) = (wanted.visible_in_ui, ctx.now);
        }
        let last = self.rates.iter().rev().find(|rate| rate.from == code);
        let last = last.ok_or_else(Failure::not_found)?;
        Ok(Answer::json(200, &self.json(last)))
    }
}

fn known(code: &str) -> Result<&'static str, Failure> {
    let found = CODES.iter().find(|(have, _)| *have == code);
    found
        .map(|(code, _)| *code)
        .ok_or_else(|| Failure::validation(format!("{code} is not a supported currency code")))
}

fn positive(rate: f64) -> Result<f64, Failure> {
    if rate > 0.0 && rate.is_finite() {
        return Ok(rate);
    }
    Err(Failure::validation("conversionRate must be greater than 0"))
}

/// A moment in a body: ISO 8601 or milliseconds since 1970.
fn moment(value: Option<&Value>, default: i64) -> Result<i64, Failure> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(default);
    };
    instant(&text(value)).ok_or_else(|| Failure::validation("effectiveAt is not a valid instant"))
}

/// An id or a moment that may be written as a number or as text.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
