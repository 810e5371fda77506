//! The form in which a value is compared, by kind: equal forms are the same value, written differently.
//!
//! It adds to [`crate::normal`] what only the comparing of whole records needs: dates, phones and the words of addresses.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::kind::{DateOrder, Kind};
use crate::normal;

/// Mailboxes that stand for a desk, not for a person.
const ROLES: [&str; 24] = [
    "accounts",
    "admin",
    "anfrage",
    "billing",
    "bookings",
    "contact",
    "enquiries",
    "hello",
    "help",
    "hr",
    "info",
    "invoice",
    "kontakt",
    "mail",
    "marketing",
    "noreply",
    "no-reply",
    "office",
    "reception",
    "sales",
    "service",
    "support",
    "team",
    "webmaster",
];

/// How the words of addresses are spelt out. Source: USPS Publication 28, appendix C1, the common ones.
const STREETS: [(&str, &str); 24] = [
    ("st", "street"),
    ("str", "street"),
    ("rd", "road"),
    ("ave", "avenue"),
    ("av", "avenue"),
    ("blvd", "boulevard"),
    ("cct", "circuit"),
    ("cres", "crescent"),
    ("cr", "crescent"),
    ("crt", "court"),
    ("ct", "court"),
    ("dr", "drive"),
    ("hwy", "highway"),
    ("ln", "lane"),
    ("pl", "place"),
    ("pde", "parade"),
    ("pkwy", "parkway"),
    ("sq", "square"),
    ("tce", "terrace"),
    ("apt", "apartment"),
    ("ste", "suite"),
    ("n", "north"),
    ("s", "south"),
    ("w", "west"),
];

/// Whether an e-mail address in normal form is that of a desk, such as `info@`.
pub(super) fn is_role(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    ROLES.contains(&local)
}

/// The form of a value; `None` where it says nothing.
pub(super) fn of(kind: Kind, text: &str) -> Option<String> {
    match kind {
        // An address with a slip in its form is still compared letter by letter.
        Kind::Email => {
            normal::email(text).or_else(|| plain(text).map(|_| normal::fold(text).into_owned()))
        }
        Kind::Phone => phone(text),
        Kind::Date(order) => date(text, order).or_else(|| plain(text)),
        Kind::Domain => normal::registrable_domain(text),
        Kind::Company => normal::company_name(text).map(unmarked),
        Kind::AddressLine => plain(text).map(|line| spelt_out(&line)),
        Kind::Postcode | Kind::StreetNumber | Kind::Number => {
            plain(text).map(|words| words.replace(' ', ""))
        }
        Kind::FullName => full_name(text),
        Kind::GivenName | Kind::Surname | Kind::City | Kind::Category | Kind::Text => plain(text),
    }
}

/// The words of a text without the marks on its letters: Müller and Muller are spelt the same.
fn plain(text: &str) -> Option<String> {
    normal::name(text).map(unmarked)
}

fn unmarked(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    text.nfd()
        .filter(|letter| !is_combining_mark(*letter))
        .collect()
}

/// "Lee, Ann" is Ann Lee.
fn full_name(text: &str) -> Option<String> {
    let turned: Cow<'_, str> = match text.split_once(',') {
        Some((last, first)) if !first.contains(',') => Cow::Owned(format!("{first} {last}")),
        _ => Cow::Borrowed(text),
    };
    plain(&turned)
}

fn spelt_out(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let found = STREETS.iter().find(|(short, _)| *short == word);
        found.map_or(word, |(_, long)| long)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The last nine digits: what stays the same whether a number is written with its country, its trunk zero or neither (E.164 gives a
/// country and an area that much freedom). The tables of a library for numbers weigh megabytes and need the country, which a file
/// seldom tells; they would tell apart what these digits do not, and that is rarer than a wrong country.
fn phone(text: &str) -> Option<String> {
    let folded = normal::fold(text);
    let before = folded
        .split(['x', ';', '#'])
        .next()
        .and_then(|number| number.split("ext").next());
    let digits: String = before?.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let is_filler = digits
        .bytes()
        .all(|digit| Some(&digit) == digits.as_bytes().first());
    (digits.len() >= 5 && !is_filler).then(|| digits[digits.len().saturating_sub(9)..].to_owned())
}

/// The eight digits of a date, year first. A date that no calendar has stays as it is written: it may have a typing error.
pub(super) fn date(text: &str, order: DateOrder) -> Option<String> {
    let folded = normal::fold(text);
    let day = folded
        .split_once(['t'])
        .filter(|(day, _)| day.len() == 10)
        .map_or(&*folded, |(day, _)| day);
    let parts: Vec<&str> = day
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    if let [only] = parts[..] {
        return compact(only, order);
    }
    let [first, second, third] = *parts.get(..3)? else {
        return None;
    };
    let month_word = [first, second].into_iter().find_map(month);
    let (year, month, day) = match (first.len(), month_word) {
        (4, Some(month)) => (first, month, third),
        (4, None) => (first, second.parse().ok()?, third),
        (_, Some(month)) if second.parse::<u32>().is_err() => (third, month, first),
        (_, Some(month)) => (third, month, second),
        (_, None) if order == DateOrder::MonthFirst => (third, first.parse().ok()?, second),
        (_, None) => (third, second.parse().ok()?, first),
    };
    let day: u32 = day.trim_end_matches(char::is_alphabetic).parse().ok()?;
    let mut full: u32 = year.parse().ok()?;
    if year.len() == 2 {
        full += if full < 30 { 2000 } else { 1900 };
    }
    (full < 10_000 && month < 100 && day < 100).then(|| format!("{full:04}{month:02}{day:02}"))
}

fn compact(digits: &str, order: DateOrder) -> Option<String> {
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let is_year = |part: &str| ("1800".."2100").contains(&part);
    if is_year(&digits[..4]) || !is_year(&digits[4..]) {
        return Some(digits.to_owned());
    }
    let (day, month) = match order {
        DateOrder::DayFirst => (&digits[..2], &digits[2..4]),
        DateOrder::MonthFirst => (&digits[2..4], &digits[..2]),
    };
    Some(format!("{}{month}{day}", &digits[4..]))
}

/// The part of a postal code that stands for an area: its first three signs, or two of a short one.
pub(super) fn postal_area(code: &str) -> &str {
    let count = if code.len() <= 4 { 2 } else { 3 };
    let end = code
        .char_indices()
        .nth(count)
        .map_or(code.len(), |(at, _)| at);
    &code[..end]
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start = word.get(..3)?;
    let at = MONTHS.iter().position(|month| *month == start)?;
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, text: &str, expected: Option<&str>) {
        assert_eq!(of(kind, text).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn a_date_is_the_same_however_it_is_written() {
        let day_first = Kind::Date(DateOrder::DayFirst);
        for text in [
            "1971-06-24",
            "19710624",
            "24.06.1971",
            "24/6/1971",
            "24 June 1971",
            "Jun 24, 1971",
            "1971-06-24T00:00:00Z",
            "24-Jun-71",
            "24061971",
        ] {
            check(day_first, text, Some("19710624"));
        }
        check(
            Kind::Date(DateOrder::MonthFirst),
            "6/24/1971",
            Some("19710624"),
        );
        check(day_first, "19714524", Some("19714524"));
        check(day_first, "n/a", None);
    }

    #[test]
    fn a_phone_is_the_same_with_and_without_its_country() {
        for text in [
            "+49 30 1234567",
            "030 / 123 45 67",
            "0049 30 1234567 ext 12",
        ] {
            check(Kind::Phone, text, Some("301234567"));
        }
        check(Kind::Phone, "0000000", None);
        check(Kind::Phone, "12", None);
    }

    #[test]
    fn names_and_streets_are_spelt_one_way() {
        check(Kind::Surname, "  Müller ", Some("muller"));
        check(Kind::FullName, "Lee, Ann", Some("ann lee"));
        check(Kind::AddressLine, "12 Main St.", Some("12 main street"));
        check(Kind::Postcode, "SW1A 1AA", Some("sw1a1aa"));
        check(Kind::Company, "Acme GmbH", Some("acme"));
        check(Kind::Domain, "gmail.com", None);
    }
}
