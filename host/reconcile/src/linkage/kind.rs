//! What a column holds, and so how two of its values are compared: told by its name, else by its contents.
//!
//! It knows ordinary words for columns and nothing of any particular file. What is an id, and what is to be left out, its caller knows.

use super::form;
use crate::normal;

/// How many values of a column are looked at.
pub const SAMPLE: usize = 1_000;

/// In which order a date without letters is written, where the year does not come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// 24.06.1971
    DayFirst,
    /// 06/24/1971
    MonthFirst,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// First, given or middle name.
    GivenName,
    /// Last name.
    Surname,
    /// A whole name in one field.
    FullName,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// Number of a house.
    StreetNumber,
    /// Line of an address, with or without the number.
    AddressLine,
    /// Suburb, town or city.
    City,
    /// Postal code.
    Postcode,
    /// Few different values: state, country, gender, type.
    Category,
    /// Civil date.
    Date(DateOrder),
    /// Web site or domain.
    Domain,
    /// Name of a company.
    Company,
    /// Number that somebody gave, such as one of a customer, an article or a passport; also a quantity.
    Number,
    /// Any other text.
    Text,
}

impl Kind {
    /// The kind as it is written for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenName => "given name",
            Self::Surname => "surname",
            Self::FullName => "full name",
            Self::Email => "e-mail",
            Self::Phone => "phone",
            Self::StreetNumber => "street number",
            Self::AddressLine => "address",
            Self::City => "city",
            Self::Postcode => "postcode",
            Self::Category => "category",
            Self::Date(_) => "date",
            Self::Domain => "domain",
            Self::Company => "company",
            Self::Number => "number",
            Self::Text => "text",
        }
    }

    /// Whether it is a part of a person's name.
    pub(super) fn is_personal(self) -> bool {
        matches!(self, Self::GivenName | Self::Surname | Self::FullName)
    }

    /// Whether its values are a person's own, where the others are shared by a household or by the colleagues of a company.
    pub(super) fn is_own(self) -> bool {
        matches!(
            self,
            Self::GivenName | Self::FullName | Self::Date(_) | Self::Number | Self::Email
        )
    }

    /// How often two unrelated records have the same value, where the file is too small to tell.
    pub(super) fn usual_coincidence(self) -> f64 {
        match self {
            Self::Email | Self::Phone => 1e-6,
            Self::Domain | Self::Number | Self::FullName | Self::Company => 1e-4,
            Self::AddressLine | Self::Date(_) | Self::Text => 2e-4,
            Self::Surname | Self::Postcode => 1e-3,
            Self::GivenName | Self::City => 5e-3,
            Self::StreetNumber => 1e-2,
            Self::Category => 0.2,
        }
    }
}

/// Words that stand alone as a column's name, or in it as neighbours. The first that fits decides, so the narrower come first.
const NAMES: &[(&str, Kind)] = &[
    ("email", Kind::Email),
    ("e mail", Kind::Email),
    ("mail address", Kind::Email),
    ("domain", Kind::Domain),
    ("website", Kind::Domain),
    ("web site", Kind::Domain),
    ("homepage", Kind::Domain),
    ("url", Kind::Domain),
    ("phone", Kind::Phone),
    ("telephone", Kind::Phone),
    ("mobile", Kind::Phone),
    ("cell", Kind::Phone),
    ("tel", Kind::Phone),
    ("fax", Kind::Phone),
    ("dob", Kind::Date(DateOrder::DayFirst)),
    ("birth date", Kind::Date(DateOrder::DayFirst)),
    ("date of birth", Kind::Date(DateOrder::DayFirst)),
    ("birthday", Kind::Date(DateOrder::DayFirst)),
    ("birthdate", Kind::Date(DateOrder::DayFirst)),
    ("date", Kind::Date(DateOrder::DayFirst)),
    ("first and surname", Kind::FullName),
    ("first and last name", Kind::FullName),
    ("full name", Kind::FullName),
    ("fullname", Kind::FullName),
    ("contact name", Kind::FullName),
    ("person name", Kind::FullName),
    ("display name", Kind::FullName),
    ("given name", Kind::GivenName),
    ("givenname", Kind::GivenName),
    ("first name", Kind::GivenName),
    ("firstname", Kind::GivenName),
    ("fname", Kind::GivenName),
    ("forename", Kind::GivenName),
    ("forenames", Kind::GivenName),
    ("middle name", Kind::GivenName),
    ("surname", Kind::Surname),
    ("last name", Kind::Surname),
    ("lastname", Kind::Surname),
    ("lname", Kind::Surname),
    ("family name", Kind::Surname),
    ("company", Kind::Company),
    ("organisation", Kind::Company),
    ("organization", Kind::Company),
    ("account name", Kind::Company),
    ("employer", Kind::Company),
    ("business name", Kind::Company),
    ("postcode", Kind::Postcode),
    ("post code", Kind::Postcode),
    ("postal code", Kind::Postcode),
    ("postalcode", Kind::Postcode),
    ("zip", Kind::Postcode),
    ("zipcode", Kind::Postcode),
    ("street number", Kind::StreetNumber),
    ("house number", Kind::StreetNumber),
    ("street no", Kind::StreetNumber),
    ("streetnumber", Kind::StreetNumber),
    ("suburb", Kind::City),
    ("city", Kind::City),
    ("town", Kind::City),
    ("locality", Kind::City),
    ("municipality", Kind::City),
    ("birth place", Kind::City),
    ("place", Kind::City),
    ("state", Kind::Category),
    ("region", Kind::Category),
    ("province", Kind::Category),
    ("county", Kind::Category),
    ("country", Kind::Category),
    ("gender", Kind::Category),
    ("sex", Kind::Category),
    ("salutation", Kind::Category),
    ("address", Kind::AddressLine),
    ("addr", Kind::AddressLine),
    ("street", Kind::AddressLine),
    ("title", Kind::Text),
    ("description", Kind::Text),
];

/// Columns that say which records are one: they are the answer, never a reason.
const ANSWERS: [&str; 10] = [
    "cluster",
    "cluster id",
    "clusterid",
    "true cluster",
    "cluster label",
    "entity id",
    "entityid",
    "duplicate of",
    "true match",
    "label",
];

/// The words of a column's name: `dateOfBirth`, `date_of_birth` and `Date of birth` are the same.
fn words(header: &str) -> String {
    let mut apart = String::with_capacity(header.len() + 4);
    let mut was_lower = false;
    for letter in header.chars() {
        if letter.is_uppercase() && was_lower {
            apart.push(' ');
        }
        was_lower = letter.is_lowercase();
        apart.push(letter);
    }
    normal::label(&apart)
}

/// Whether a column of that name says which records are one.
pub fn is_answer(header: &str) -> bool {
    ANSWERS.contains(&words(header).as_str())
}

/// What a column holds, by its name and by its first values (up to [`SAMPLE`] are looked at). `None` for one that says nothing: it is
/// empty, has one value everywhere, or is an answer.
pub fn infer<'v>(header: &str, values: impl Iterator<Item = &'v str>) -> Option<Kind> {
    let known = values.map(str::trim).filter(|value| !value.is_empty());
    let sample: Vec<&str> = known.take(SAMPLE).collect();
    let is_constant = sample.len() > 9 && sample.iter().all(|value| *value == sample[0]);
    if sample.is_empty() || is_constant || is_answer(header) {
        return None;
    }
    let most = |is: fn(&str) -> bool| {
        sample.iter().filter(|value| is(value)).count() * 10 >= sample.len() * 7
    };
    let by_name = find_named(&words(header));
    Some(match by_name {
        Some(Kind::Date(_)) if most(has_digits) => Kind::Date(date_order(&sample)),
        // A column may be called as it likes: what is full of addresses holds addresses.
        _ if most(|value| normal::email(value).is_some()) => Kind::Email,
        Some(kind) if !matches!(kind, Kind::Date(_)) => kind,
        _ if most(is_dated) => Kind::Date(date_order(&sample)),
        _ if most(is_site) => Kind::Domain,
        _ if most(is_phone) => Kind::Phone,
        _ if words(header) == "name" || words(header) == "names" => name_kind(&sample),
        _ if most(has_digits) && !sample.iter().any(|value| value.contains(' ')) => Kind::Number,
        _ if is_category(&sample) => Kind::Category,
        _ => Kind::Text,
    })
}

fn find_named(words: &str) -> Option<Kind> {
    let around = format!(" {words} ");
    let fits = |name: &str| {
        let spaced = format!(" {name} ");
        // "address_1" and "phone2" are an address and a phone.
        around.contains(&spaced)
            || words
                .trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == ' ')
                .ends_with(&spaced[..spaced.len() - 1])
            || words.trim_end_matches(|letter: char| letter.is_ascii_digit()) == name
    };
    let found = NAMES.iter().find(|(name, _)| fits(name));
    found.map(|(_, kind)| *kind)
}

/// A column that is only called "name" holds companies where legal forms are common, else names of people.
fn name_kind(sample: &[&str]) -> Kind {
    let has_form = |value: &&&str| {
        normal::company_name(value).is_some_and(|bare| normal::name(value) != Some(bare))
    };
    let is_personal =
        |value: &&&str| (2..=3).contains(&value.split_whitespace().count()) && !has_digits(value);
    if sample.iter().filter(has_form).count() * 20 >= sample.len() {
        Kind::Company
    } else if sample.iter().filter(is_personal).count() * 10 >= sample.len() * 8 {
        Kind::FullName
    } else {
        Kind::Text
    }
}

fn has_digits(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_dated(value: &str) -> bool {
    value.contains(['-', '/', '.']) && form::date(value, DateOrder::DayFirst).is_some()
}

fn is_site(value: &str) -> bool {
    (value.contains("://") || value.starts_with("www.")) && value.contains('.')
}

fn is_phone(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_written = value.bytes().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b'+' | b' ' | b'(' | b')' | b'-' | b'.' | b'/')
    });
    is_written && (7..=15).contains(&digits) && value.contains(['+', ' ', '(', '-', '/'])
}

fn is_category(sample: &[&str]) -> bool {
    let mut different = sample.to_vec();
    different.sort_unstable();
    different.dedup();
    different.len() <= 60 && different.len() * 8 <= sample.len()
}

/// A first number above twelve can be no month.
fn date_order(sample: &[&str]) -> DateOrder {
    let parts = sample.iter().filter_map(|value| {
        let mut parts = value.split(['-', '/', '.', ' ']);
        let first = parts.next().filter(|part| part.len() <= 2)?;
        Some((first.parse::<u8>().ok()?, parts.next()?.parse::<u8>().ok()?))
    });
    let (mut day_first, mut month_first) = (0_u32, 0_u32);
    for (first, second) in parts {
        day_first += u32::from(first > 12 && second <= 12);
        month_first += u32::from(second > 12 && first <= 12);
    }
    if month_first > day_first {
        DateOrder::MonthFirst
    } else {
        DateOrder::DayFirst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, values: &[&str], expected: Option<Kind>) {
        assert_eq!(
            infer(header, values.iter().copied()),
            expected,
            "{header:?}"
        );
    }

    #[test]
    fn the_name_of_a_column_says_what_it_holds() {
        check("given_name", &["ann"], Some(Kind::GivenName));
        check("First Name", &["ann"], Some(Kind::GivenName));
        check("lastName", &["lee"], Some(Kind::Surname));
        check("address_1", &["main street"], Some(Kind::AddressLine));
        check("street_number", &["6"], Some(Kind::StreetNumber));
        check("Phone2", &["555 12 34"], Some(Kind::Phone));
        check("Company Name", &["Acme Ltd"], Some(Kind::Company));
        check("state", &["wa", "nsw"], Some(Kind::Category));
        check(
            "date_of_birth",
            &["19081209"],
            Some(Kind::Date(DateOrder::DayFirst)),
        );
    }

    #[test]
    fn else_its_contents_do() {
        check("contact", &["a@x.de", "b@x.de"], Some(Kind::Email));
        check(
            "since",
            &["06/24/1971"],
            Some(Kind::Date(DateOrder::MonthFirst)),
        );
        check("reach", &["+49 30 1234567"], Some(Kind::Phone));
        check("page", &["https://acme.com/x"], Some(Kind::Domain));
        check("name", &["Acme GmbH", "Bolt Ltd"], Some(Kind::Company));
        check("name", &["Ann Lee", "Bob Ray"], Some(Kind::FullName));
        check("soc_sec_id", &["6988048"], Some(Kind::Number));
        check("note", &["likes tea very much"], Some(Kind::Text));
    }

    #[test]
    fn answers_and_columns_that_say_nothing_are_left_out() {
        check("cluster", &["1", "2"], None);
        check("city", &["", " "], None);
        check("country", &["de"; 20], None);
    }
}
