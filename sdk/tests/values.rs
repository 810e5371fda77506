//! Holds decimals, dates, times, instants and cursors against the forms that vendors write.

use longshore_sdk::{Cursor, Date, Decimal, FailureKind, Instant, RawValue, Time, clock_seconds};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[track_caller]
fn check_decimal(text: &str, expected: Option<&str>) {
    let parsed = Decimal::parse(text);
    assert_eq!(
        parsed.as_ref().ok().map(Decimal::as_str),
        expected,
        "{text}"
    );
    if let Err(failure) = parsed {
        assert_eq!(failure.kind, FailureKind::BadData);
    }
}

#[test]
fn decimals_are_written_without_exponent_and_without_float() {
    check_decimal("1200.50", Some("1200.50"));
    check_decimal("-0.1", Some("-0.1"));
    check_decimal("0", Some("0"));
    check_decimal("1e3", Some("1000"));
    check_decimal("1.5E-2", Some("0.015"));
    check_decimal("-1.25e+1", Some("-12.5"));
    check_decimal("12e0", Some("12"));
    check_decimal("0.30000000000000004", Some("0.30000000000000004"));
    check_decimal("9007199254740993", Some("9007199254740993"));
    check_decimal("007.50", Some("7.50"));
    check_decimal("-0.00", Some("0"));
    check_decimal("0e999999999999", Some("0"));
    check_decimal(".5", Some("0.5"));
    check_decimal("5.", Some("5"));
    check_decimal("+5", Some("5"));
    check_decimal(" 5.10 ", Some("5.10"));
    check_decimal(
        "10000000000000000000000000000e-1",
        Some("1000000000000000000000000000"),
    );
    check_decimal("1.00000000000000000000000000000000", Some("1"));
}

#[test]
fn decimals_that_no_row_can_hold_are_refused() {
    check_decimal("12345678901234567890123456789", None);
    check_decimal("1e28", None);
    check_decimal("1e-29", None);
    check_decimal("1e999999999999", None);
    for text in [
        "", "-", ".", "e5", "1e", "1e+", "NaN", "Infinity", "1,200.50", "0x10", "1_000", "--1",
        "1.2.3", "١",
    ] {
        check_decimal(text, None);
    }
    check_decimal("1e27", Some("1000000000000000000000000000"));
    check_decimal("1e-28", Some("0.0000000000000000000000000001"));
}

#[test]
fn decimals_are_read_from_json_numbers_and_strings_and_an_odd_one_does_not_cost_the_page() {
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        price: Option<Decimal<'a>>,
    }
    let items: Vec<Item<'_>> = serde_json::from_str(
        r#"[{"price":10.10},{"price":"1e2"},{"price":null},{"price":"n/a"},{}]"#,
    )
    .unwrap();
    let texts: Vec<_> = items
        .iter()
        .map(|item| item.price.as_ref().map(Decimal::as_str))
        .collect();
    assert_eq!(texts, [Some("10.10"), Some("100"), None, Some("n/a"), None]);
    let valid: Vec<_> = items
        .iter()
        .filter_map(|item| item.price.as_ref())
        .map(Decimal::is_valid)
        .collect();
    assert_eq!(valid, [true, true, false]);
    assert!(serde_json::from_str::<Decimal<'_>>("null").is_err());
    assert_eq!(
        serde_json::to_string(&items[0].price).unwrap(),
        r#""10.10""#
    );
}

#[test]
fn decimals_answer_small_questions() {
    let decimal = |text| Decimal::parse(text).unwrap();
    assert!(decimal("0.00").is_zero() && !decimal("0.01").is_zero());
    assert!(decimal("-1").is_negative() && !decimal("1").is_negative());
    assert_eq!(decimal("12.00").to_integer(), Some(12));
    assert_eq!(decimal("12.01").to_integer(), None);
    assert_eq!(Decimal::from(-5).as_str(), "-5");
}

#[track_caller]
fn check_instant(text: &str, expected: Option<&str>) {
    assert_eq!(
        Instant::parse(text)
            .ok()
            .map(|instant| instant.to_string())
            .as_deref(),
        expected,
        "{text}"
    );
}

#[test]
fn instants_are_read_with_and_without_zone_and_written_in_utc() {
    check_instant("2026-01-05 09:30:00", Some("2026-01-05T09:30:00Z"));
    check_instant("2026-01-05T09:30:00Z", Some("2026-01-05T09:30:00Z"));
    check_instant("2026-01-05T09:30:00.213Z", Some("2026-01-05T09:30:00.213Z"));
    check_instant(
        "2026-01-05T09:30:00.1234567Z",
        Some("2026-01-05T09:30:00.123456Z"),
    );
    check_instant("2026-01-05T00:30:00+02:00", Some("2026-01-04T22:30:00Z"));
    check_instant("2025-12-31T23:30:00-01:15", Some("2026-01-01T00:45:00Z"));
    check_instant("2016-12-31T23:59:60Z", Some("2017-01-01T00:00:00Z"));
    check_instant("2024-02-29 00:00:00", Some("2024-02-29T00:00:00Z"));
    check_instant("1969-12-31T23:59:59.5Z", Some("1969-12-31T23:59:59.5Z"));
    check_instant("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z"));
    check_instant("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z"));
}

#[test]
fn instants_that_are_none_are_refused() {
    for text in [
        "",
        "0000-00-00 00:00:00",
        "2026-02-29T00:00:00Z",
        "2026-01-05",
        "2026-01-05T9:30:00Z",
        "2026-01-05T24:00:00Z",
        "2026-01-05T09:30:00.Z",
        "2026-01-05T09:30:00+2:00",
        "2026-01-05T09:30:00 UTC",
        "2026-1-5 09:30:00",
        "0001-01-01T00:00:00+01:00",
        "2026-01-05T09:30:0éZ",
        "tomorrow",
    ] {
        check_instant(text, None);
    }
}

#[test]
fn a_meeting_ends_after_its_duration() {
    let start = Date::parse("2026-12-31")
        .unwrap()
        .at(Time::parse("23:45").unwrap());
    assert_eq!(
        start.plus_clock("00:30:00").unwrap().to_string(),
        "2027-01-01T00:15:00Z"
    );
    assert_eq!(
        start.plus_clock("01:00").unwrap().to_string(),
        "2027-01-01T00:45:00Z"
    );
    assert_eq!(clock_seconds("100:00:01").unwrap(), 360_001);
    for text in ["", "30", "1:2:3:4", "00:60", "-1:00", "aa:bb"] {
        assert_eq!(
            clock_seconds(text).unwrap_err().kind,
            FailureKind::BadData,
            "{text}"
        );
    }
    assert_eq!(
        Date::parse("2024-02-28")
            .unwrap()
            .plus_days(2)
            .unwrap()
            .to_string(),
        "2024-03-01"
    );
    assert_eq!(Date::parse("9999-12-31").unwrap().plus_days(1), None);
    assert!(Date::parse("0000-01-01").is_err() && Date::parse("2026-01-05T00").is_err());
    assert!(Time::parse("24:00:00").is_err() && Time::parse("12:5").is_err());
}

#[test]
fn a_cursor_comes_back_and_a_foreign_one_is_stale() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Position<'a> {
        list: &'a str,
        start: u64,
    }
    let position = Position {
        list: "archived",
        start: 500,
    };
    let cursor = Cursor::encode(&position).unwrap();
    assert_eq!(cursor.decode::<Position<'_>>().unwrap(), position);
    for bytes in [&b"\xff\x00"[..], b"", b"[1,2]", b"{\"list\":\"x\"}"] {
        let failure = Cursor::from_bytes(bytes.to_vec())
            .decode::<Position<'_>>()
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::StaleCursor);
    }
    assert_eq!(
        Cursor::encode(&"x".repeat(70_000)).unwrap_err().kind,
        FailureKind::Permanent
    );
}

proptest! {
    #[test]
    fn decimals_agree_with_exact_arithmetic(mantissa in -9_999_999_999_i64..9_999_999_999, exponent in -12_i32..6) {
        let text = format!("{mantissa}e{exponent}");
        let ours = Decimal::parse(&text).unwrap();
        let shifted = i128::from(mantissa) * 10_i128.pow(u32::try_from(exponent + 12).unwrap());
        let theirs = rust_decimal::Decimal::from_i128_with_scale(shifted, 12);
        prop_assert_eq!(rust_decimal::Decimal::from_str_exact(ours.as_str()).unwrap(), theirs);
    }

    #[test]
    fn any_text_is_a_plain_decimal_or_refused(text in "[-+]?[0-9]{0,30}[.]?[0-9]{0,30}([eE][-+]?[0-9]{1,3})?") {
        if let Ok(decimal) = Decimal::parse(&text) {
            let digits = decimal.as_str().strip_prefix('-').unwrap_or(decimal.as_str());
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            prop_assert!(!whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()), "{decimal}");
            prop_assert!(!fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()), "{decimal}");
            prop_assert!(rust_decimal::Decimal::from_str_exact(decimal.as_str()).is_ok(), "{decimal}");
        }
    }

    #[test]
    fn instants_agree_with_another_calendar(seconds in -62_135_596_800_i64..253_402_300_799, micros in 0_i64..1_000_000) {
        let theirs = jiff::Timestamp::from_microsecond(seconds * 1_000_000 + micros).unwrap();
        let ours = Instant::parse(&theirs.to_string()).unwrap();
        prop_assert_eq!(ours.unix_seconds(), seconds);
        prop_assert_eq!(ours.to_string().parse::<jiff::Timestamp>().unwrap(), theirs);
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in ".{0,40}") {
        let _ = (Date::parse(&text), Time::parse(&text), Instant::parse(&text), Decimal::parse(&text), clock_seconds(&text));
        if let Ok(raw) = RawValue::from_string(serde_json::to_string(&text).unwrap()) {
            let _ = Decimal::from_raw(&raw);
        }
    }
}
