//! The type table: which kind of value may fill which kind of property, and how the value changes on its way.
//!
//! A conversion never invents: what cannot be said in the property's kind is left out and named as a [`Loss`]. Options are chosen
//! in [`crate::choice`]; ids of other records are put in place by `apply`.

use std::fmt::{self, Write as _};

use model::value::{Decimal, OptionsRef};
use model::{FieldKind, ValueRef};
use rust_decimal::prelude::ToPrimitive as _;

/// How values of one kind become values of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// They stay as they are.
    Same,
    /// Plain text is written as markup that shows the same text.
    Escape,
    /// They are written out as text.
    Display,
    /// The chosen option's label becomes the text.
    Label,
    /// The chosen options' labels become one text, joined by `; `.
    Labels,
    /// The property's own option is chosen.
    Choose,
    /// The property's own options are chosen.
    ChooseMany,
    /// One option becomes a list of one.
    ChooseOne,
    /// The text is one of the property's own values, or its label.
    Known,
    /// A whole number becomes a decimal.
    Widen,
    /// A decimal becomes a whole number where it is one.
    Whole,
    /// A day becomes its midnight in UTC.
    Midnight,
    /// A point in time becomes its day in UTC.
    Day,
}

impl Conversion {
    /// Whether every value arrives as it was.
    pub fn is_lossless(self) -> bool {
        !matches!(self, Self::Labels | Self::Whole | Self::Day | Self::Known)
    }

    /// Whether it needs to know the options of both sides.
    pub fn has_options(self) -> bool {
        matches!(
            self,
            Self::Label
                | Self::Labels
                | Self::Choose
                | Self::ChooseMany
                | Self::ChooseOne
                | Self::Known
        )
    }
}

/// How a field of kind `from` may fill a property of kind `to`, `None` where it may not (product.md section 3: alike into alike,
/// numbers into numbers, dates and instants into each other, and everything into text).
pub fn find_conversion(from: FieldKind, to: FieldKind) -> Option<Conversion> {
    use FieldKind as K;
    let is_plain = |kind| matches!(kind, K::Text | K::Email | K::Phone | K::Url);
    Some(match (from, to) {
        (K::Option, K::Option) => Conversion::Choose,
        (K::Options, K::Options) => Conversion::ChooseMany,
        (K::Option, K::Options) => Conversion::ChooseOne,
        (from, to) if from == to => Conversion::Same,
        (from, to) if is_plain(from) && is_plain(to) => Conversion::Same,
        (K::Decimal, K::Money) | (K::Money, K::Decimal) => Conversion::Same,
        (K::Integer, K::Decimal | K::Money) => Conversion::Widen,
        (K::Decimal | K::Money, K::Integer) => Conversion::Whole,
        (K::Date, K::Instant) => Conversion::Midnight,
        (K::Instant, K::Date) => Conversion::Day,
        (K::Html | K::Owner | K::Reference, K::Text) => Conversion::Same,
        (from, K::Html) if is_plain(from) => Conversion::Escape,
        (K::Option, K::Text) => Conversion::Label,
        (K::Options, K::Text) => Conversion::Labels,
        (
            K::Integer | K::Decimal | K::Money | K::Boolean | K::Date | K::Instant | K::Time,
            K::Text,
        ) => Conversion::Display,
        _ => return None,
    })
}

/// The standard properties whose text, by the contract (`wit/README.md`), is one of HubSpot's internal values: where the destination has a
/// list of values there, the text is looked up in it.
const CODED: [&str; 9] = [
    "hs_call_disposition",
    "hs_call_status",
    "hs_email_direction",
    "hs_email_status",
    "hs_invoice_status",
    "hs_meeting_outcome",
    "hs_status",
    "hs_task_priority",
    "hs_task_status",
];

/// As [`find_conversion`], for a field that says which standard property it corresponds to, and that property.
pub fn find_standard_conversion(
    standard: &str,
    from: FieldKind,
    to: FieldKind,
) -> Option<Conversion> {
    match (from, to) {
        (FieldKind::Text, FieldKind::Option) if CODED.contains(&standard) => {
            Some(Conversion::Known)
        }
        _ => find_conversion(from, to),
    }
}

/// What one value lost on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The time of day: the property holds a day.
    TimeOfDay,
    /// All of it: the property holds whole numbers.
    NotWhole,
    /// All of it: the property holds e-mail addresses.
    NotAnAddress,
    /// Its end: the property holds that many characters.
    Cut(u32),
    /// Where one option ends: an option has a `;` in it.
    Joined,
    /// All of it: the field holds more different options than a property takes.
    TooManyOptions,
    /// All of it: the property takes its own options only.
    NotAnOption,
    /// All of it: a transform wants a number.
    NotANumber,
    /// All of it: a transform wants a date in its format.
    NotADate,
    /// All of it: what a transform made of it is no value of the property's kind.
    NotOfItsKind(FieldKind),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeOfDay => f.write_str("the time of day is left out: the property holds a day"),
            Self::NotWhole => f.write_str("left blank: the property holds whole numbers"),
            Self::NotAnAddress => f.write_str("left blank: it is not an e-mail address"),
            Self::Cut(max) => write!(f, "cut: the property holds {max} characters"),
            Self::Joined => f.write_str("joined into one text: an option has a semicolon in it"),
            Self::TooManyOptions => {
                f.write_str("left blank: the field holds too many different options")
            }
            Self::NotAnOption => {
                f.write_str("left blank: the property takes no options but its own")
            }
            Self::NotANumber => f.write_str("left blank: the transform wants a number"),
            Self::NotADate => f.write_str("left blank: the transform wants a date in its format"),
            Self::NotOfItsKind(kind) => write!(f, "left blank: the property is {kind}"),
        }
    }
}

/// Converts one value that needs no options; a value that the conversion does not fit is given back as it is. `scratch` is
/// overwritten and may lend the text of the answer.
pub fn convert<'v>(
    conversion: Conversion,
    value: ValueRef<'v>,
    scratch: &'v mut String,
) -> (ValueRef<'v>, Option<Loss>) {
    match (conversion, value) {
        (Conversion::Widen, ValueRef::Integer(number)) => {
            (ValueRef::Decimal(Decimal::from(number)), None)
        }
        (Conversion::Whole, ValueRef::Decimal(number)) => {
            match number.to_i64().filter(|_| number.fract().is_zero()) {
                Some(whole) => (ValueRef::Integer(whole), None),
                None => (ValueRef::Null, Some(Loss::NotWhole)),
            }
        }
        (Conversion::Midnight, ValueRef::Date(date)) => (ValueRef::Instant(date.midnight()), None),
        (Conversion::Day, ValueRef::Instant(instant)) => {
            let date = instant.date();
            (
                ValueRef::Date(date),
                (date.midnight() != instant).then_some(Loss::TimeOfDay),
            )
        }
        (Conversion::Escape, ValueRef::Text(text)) => (ValueRef::Text(escape(text, scratch)), None),
        (Conversion::Display, ValueRef::Null) => (ValueRef::Null, None),
        (Conversion::Display, value) => {
            scratch.clear();
            write!(scratch, "{value}").expect("a String takes every write");
            (ValueRef::Text(scratch), None)
        }
        (_, value) => (value, None),
    }
}

/// The first `max` characters of a text that has more, `None` where it fits.
pub fn find_cut(text: &str, max: u32) -> Option<&str> {
    if text.len() <= max as usize {
        return None;
    }
    text.char_indices()
        .nth(max as usize)
        .map(|(end, _)| &text[..end])
}

/// Whether two values of a property say the same. Numbers compare by their value, options without their order, and e-mail addresses
/// without case: HubSpot keeps them in lower case, and a plan must come to an end.
pub fn is_equal(kind: FieldKind, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (left, right) if left.is_blank() || right.is_blank() => left.is_blank() && right.is_blank(),
        (ValueRef::Text(left), ValueRef::Text(right)) if kind == FieldKind::Email => {
            left == right || crate::normal::fold(left) == crate::normal::fold(right)
        }
        (ValueRef::Options(left), ValueRef::Options(right)) => {
            left == right || are_same_options(left, right)
        }
        (left, right) => left == right,
    }
}

fn are_same_options(left: OptionsRef<'_>, right: OptionsRef<'_>) -> bool {
    let has_all = |all: OptionsRef<'_>, of: OptionsRef<'_>| {
        of.iter()
            .all(|option| all.iter().any(|other| other == option))
    };
    has_all(left, right) && has_all(right, left)
}

fn escape<'v>(text: &'v str, scratch: &'v mut String) -> &'v str {
    if !text.contains(['&', '<', '>', '\n', '\r']) {
        return text;
    }
    scratch.clear();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => scratch.push_str("&amp;"),
            '<' => scratch.push_str("&lt;"),
            '>' => scratch.push_str("&gt;"),
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' => scratch.push_str("<br>"),
            letter => scratch.push(letter),
        }
    }
    scratch
}

#[cfg(test)]
mod tests {
    use model::Value;
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(from: FieldKind, to: FieldKind, value: Value, expected: (Value, Option<Loss>)) {
        let conversion = find_conversion(from, to).expect("compatible");
        let mut scratch = String::new();
        let (value, loss) = convert(conversion, value.as_ref(), &mut scratch);
        assert_eq!((value.to_owned(), loss), expected);
        assert!(
            loss.is_none() || !conversion.is_lossless(),
            "{conversion:?} loses though it says it does not"
        );
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn decimal(text: &str) -> Value {
        Value::Decimal(Decimal::from_str_exact(text).unwrap())
    }

    fn instant(text: &str) -> Value {
        Value::Instant(text.parse().unwrap())
    }

    fn date(text: &str) -> Value {
        Value::Date(text.parse().unwrap())
    }

    #[test]
    fn alike_goes_into_alike() {
        use FieldKind as K;
        check(
            K::Integer,
            K::Money,
            Value::Integer(-7),
            (decimal("-7"), None),
        );
        check(
            K::Decimal,
            K::Integer,
            decimal("12.00"),
            (Value::Integer(12), None),
        );
        check(
            K::Money,
            K::Integer,
            decimal("12.50"),
            (Value::Null, Some(Loss::NotWhole)),
        );
        check(
            K::Decimal,
            K::Integer,
            decimal("99999999999999999999"),
            (Value::Null, Some(Loss::NotWhole)),
        );
        check(
            K::Date,
            K::Instant,
            date("2026-01-05"),
            (instant("2026-01-05T00:00:00Z"), None),
        );
        check(
            K::Instant,
            K::Date,
            instant("2026-01-05T00:00:00Z"),
            (date("2026-01-05"), None),
        );
        check(
            K::Instant,
            K::Date,
            instant("2026-01-05T23:59:59Z"),
            (date("2026-01-05"), Some(Loss::TimeOfDay)),
        );
        check(K::Text, K::Email, text("a@b.de"), (text("a@b.de"), None));
        check(
            K::Text,
            K::Html,
            text("a < b\r\n& c"),
            (text("a &lt; b<br>&amp; c"), None),
        );
        check(K::Html, K::Text, text("<p>a</p>"), (text("<p>a</p>"), None));
    }

    #[test]
    fn everything_goes_into_text_and_text_into_nothing_else() {
        use FieldKind as K;
        for kind in FieldKind::ALL {
            assert!(find_conversion(kind, K::Text).is_some(), "{kind}");
            let textual = matches!(kind, K::Text | K::Html | K::Email | K::Phone | K::Url);
            assert_eq!(find_conversion(K::Text, kind).is_some(), textual, "{kind}");
        }
        check(
            K::Boolean,
            K::Text,
            Value::Boolean(true),
            (text("true"), None),
        );
        check(
            K::Money,
            K::Text,
            decimal("1200.50"),
            (text("1200.50"), None),
        );
        check(
            K::Time,
            K::Text,
            Value::Time("09:30:00".parse().unwrap()),
            (text("09:30:00"), None),
        );
        check(K::Integer, K::Text, Value::Null, (Value::Null, None));
    }

    #[test]
    fn unlike_kinds_do_not_meet() {
        use FieldKind as K;
        for (from, to) in [
            (K::Options, K::Option),
            (K::Boolean, K::Integer),
            (K::Owner, K::Reference),
            (K::Time, K::Instant),
            (K::Integer, K::Boolean),
        ] {
            assert_eq!(find_conversion(from, to), None, "{from} into {to}");
        }
    }

    #[test]
    fn equal_values_are_equal_in_any_spelling() {
        assert!(is_equal(
            FieldKind::Money,
            decimal("1.50").as_ref(),
            decimal("1.5").as_ref()
        ));
        assert!(is_equal(
            FieldKind::Email,
            text("A@b.de").as_ref(),
            text("a@B.de").as_ref()
        ));
        assert!(!is_equal(
            FieldKind::Text,
            text("A").as_ref(),
            text("a").as_ref()
        ));
        assert!(is_equal(
            FieldKind::Text,
            text("").as_ref(),
            Value::Null.as_ref()
        ));
        let options =
            |all: &[&str]| Value::Options(all.iter().map(|option| (*option).into()).collect());
        assert!(is_equal(
            FieldKind::Options,
            options(&["a", "b"]).as_ref(),
            options(&["b", "a"]).as_ref()
        ));
        assert!(!is_equal(
            FieldKind::Options,
            options(&["a", "b"]).as_ref(),
            options(&["a"]).as_ref()
        ));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(find_cut("äöü", 2), Some("äö"));
        assert_eq!(find_cut("äöü", 3), None);
    }

    proptest! {
        #[test]
        fn a_lossless_conversion_can_be_undone(number: i64, day in 0_i64..40_000) {
            let mut scratch = String::new();
            let wide = convert(Conversion::Widen, ValueRef::Integer(number), &mut scratch).0.to_owned();
            let mut scratch = String::new();
            prop_assert_eq!(convert(Conversion::Whole, wide.as_ref(), &mut scratch), (ValueRef::Integer(number), None));
            let date = model::Instant::from_unix_us(day * 86_400_000_000).unwrap().date();
            let mut scratch = String::new();
            let midnight = convert(Conversion::Midnight, ValueRef::Date(date), &mut scratch).0.to_owned();
            let mut scratch = String::new();
            prop_assert_eq!(convert(Conversion::Day, midnight.as_ref(), &mut scratch), (ValueRef::Date(date), None));
        }
    }
}
