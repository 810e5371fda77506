//! Holds the records of an Example CRM account, each made from its number.
//!
//! It pages nothing and answers nobody.

use serde_json::{Value, json};

/// First and last names that a connector must hand on unharmed: two, three and four bytes a character, joined emoji, combining accents,
/// quotes, a tab and a line feed, right to left. Contacts take them in turn.
pub const UNICODE_NAMES: [(&str, &str); 7] = [
    ("Zoë", "Müller-Lüdenscheid"),
    ("健", "渡辺"),
    ("Łukasz", "Nowak 🚀"),
    ("Ann \"Ace\"", "O'Neil\\Smith"),
    ("👩\u{200d}👩\u{200d}👧\u{200d}👦", "𠮷野家"),
    ("Jose\u{301}", "line\nfeed\tand tab"),
    ("محمد", "\u{5d0}\u{5d1}"),
];

/// The lists there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Companies,
    Contacts,
    Deals,
    Notes,
}

impl List {
    pub(super) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "companies" => Self::Companies,
            "contacts" => Self::Contacts,
            "deals" => Self::Deals,
            "notes" => Self::Notes,
            _ => return None,
        })
    }

    /// How many records it has in an account of so many contacts, deleted ones included.
    pub(super) fn count(self, contacts: u64) -> u64 {
        match self {
            Self::Contacts => contacts,
            Self::Companies => contacts.div_ceil(3),
            Self::Deals | Self::Notes => contacts.div_ceil(2),
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Companies => 'o',
            Self::Contacts => 'c',
            Self::Deals => 'd',
            Self::Notes => 'n',
        }
    }

    /// The id of a record, in the order of numbers.
    pub(super) fn id(self, number: u64) -> String {
        format!("{}{number:06}", self.letter())
    }

    /// The number that an id stands for.
    pub(super) fn number(self, id: &str) -> Option<u64> {
        id.strip_prefix(self.letter())?.parse().ok()
    }
}

/// Whether the record was deleted: one in eleven.
pub(super) fn is_deleted(number: u64) -> bool {
    number % 11 == 10
}

/// When the record changed last: not in the order of numbers.
pub(super) fn changed_at(number: u64) -> jiff::Timestamp {
    moment(number * 7_919 % 8_760)
}

/// So many hours after the start of 2025.
fn moment(hours: u64) -> jiff::Timestamp {
    let seconds = 1_735_689_600 + i64::try_from(hours).unwrap_or_default() * 3_600;
    jiff::Timestamp::from_second(seconds).unwrap_or_default()
}

/// The record as the API tells it.
pub(super) fn record(list: List, number: u64) -> Value {
    let (id, changed) = (list.id(number), changed_at(number).to_string());
    if is_deleted(number) {
        return json!({"id": id, "changed_at": changed, "deleted": true});
    }
    let mut record = match list {
        List::Companies => json!({
            "name": format!("Köhler & Söhne {number}"),
            "domain": format!("firm-{number}.example"),
        }),
        List::Contacts => contact(number),
        List::Deals => deal(number),
        List::Notes => json!({
            "body": format!("<p>Anruf {number}: „später“ &amp; 再见 🙂</p>"),
            "at": moment(number).to_string(),
            "contact": List::Contacts.id(number * 2),
            "deal": if number.is_multiple_of(3) { Value::Null } else { List::Deals.id(number).into() },
        }),
    };
    record["id"] = id.into();
    record["changed_at"] = changed.into();
    record["deleted"] = false.into();
    record["created_at"] = moment(number).to_string().into();
    record["custom"] = custom(list, number);
    record
}

fn contact(number: u64) -> Value {
    let (first, last) = UNICODE_NAMES[usize::try_from(number % 7).unwrap_or_default()];
    json!({
        "first_name": first,
        "last_name": last,
        "email": format!("person{number}@firm-{}.example", number / 3),
        "phone": if number.is_multiple_of(4) { Value::Null } else { format!("+49 30 {number:07}").into() },
        "company": if number % 5 == 4 { Value::Null } else { List::Companies.id(number / 3).into() },
    })
}

fn deal(number: u64) -> Value {
    let stage = ["s1", "s2", "s3"][usize::try_from(number % 3).unwrap_or_default()];
    let is_open = number.is_multiple_of(6);
    json!({
        "title": format!("Auftrag {number}"),
        "amount": if is_open { Value::Null } else { format!("{}.{:02}", number * 1_000 + 1, number % 100).into() },
        "currency": if is_open { Value::Null } else { "EUR".into() },
        "pipeline": "p1",
        "stage": stage,
        "close_date": format!("2025-{:02}-{:02}", number % 12 + 1, number % 28 + 1),
        "company": List::Companies.id(number / 2),
        "contacts": [List::Contacts.id(number * 2)],
    })
}

fn custom(list: List, number: u64) -> Value {
    match list {
        List::Contacts => json!({
            "tier": if number.is_multiple_of(2) { "gold" } else { "silber" },
            // More digits than a float holds.
            "score": format!("{number}.123456789012345678"),
            "birthday": format!("19{:02}-02-28", 50 + number % 40),
        }),
        List::Deals => {
            json!({"reason": if number.is_multiple_of(3) { "Preis ≤ Budget" } else { "" }})
        }
        List::Companies | List::Notes => json!({}),
    }
}

/// The custom fields of a list.
pub(super) fn fields(list: List) -> Value {
    match list {
        List::Contacts => json!([
            {"key": "tier", "label": "Stufe", "type": "choice",
             "choices": [{"value": "gold", "label": "Gold 🥇"}, {"value": "silber", "label": "Silber"}]},
            {"key": "score", "label": "Score", "type": "number"},
            {"key": "birthday", "label": "Geburtstag", "type": "date"},
        ]),
        List::Deals => json!([{"key": "reason", "label": "Begründung", "type": "text"}]),
        List::Companies | List::Notes => json!([]),
    }
}

/// The pipelines of every account.
pub(super) fn pipelines() -> Value {
    json!([{"id": "p1", "name": "Vertrieb", "stages": [
        {"id": "s1", "name": "Angebot", "chance": 30, "result": "open"},
        {"id": "s2", "name": "Gewonnen", "chance": 100, "result": "won"},
        {"id": "s3", "name": "Verloren", "chance": null, "result": "lost"},
    ]}])
}
