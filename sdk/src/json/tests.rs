use super::*;

#[test]
fn strings_are_borrowed_unless_escaped() {
    assert!(matches!(string(r#""Ada""#), Some(Cow::Borrowed("Ada"))));
    assert_eq!(string(r#""a\"\u00e9\n😀""#).as_deref(), Some("a\"é\n😀"));
    assert_eq!(string("12"), None);
}

#[test]
fn half_a_surrogate_pair_does_not_lose_the_text() {
    assert_eq!(string(r#""cut \ud83d""#).as_deref(), Some("cut \u{fffd}"));
    assert_eq!(
        string(r#""\ud83dx \ud83d\ude00 \t""#).as_deref(),
        Some("\u{fffd}x 😀 \t")
    );
}

#[test]
fn members_and_elements_come_in_order() {
    let mut seen = Vec::new();
    for_each_member(r#"{"a":1,"b":[1,2],"a":null}"#, |key, raw| {
        seen.push((key.to_owned(), raw.to_owned()))
    });
    assert_eq!(
        seen,
        [
            ("a".into(), "1".into()),
            ("b".into(), "[1,2]".into()),
            ("a".into(), "null".into())
        ]
    );
    let mut seen = Vec::new();
    for_each_element("[1, \"x\" ,null]", |raw| seen.push(raw));
    assert_eq!(seen, ["1", "\"x\"", "null"]);
    for_each_element("null", |_| panic!("null has no elements"));
}

#[test]
fn an_array_that_is_cut_gives_what_is_whole() {
    let whole: Vec<_> = elements("[1,[2],{\"a\":3").collect();
    assert_eq!(whole, ["1", "[2]"]);
}

/// Whether the scanner takes the whole text as one value.
fn is_json(text: &str) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.value().is_ok() && scanner.end().is_ok()
}

#[test]
fn the_grammar_is_rfc_8259() {
    for good in [
        "0",
        "-0",
        "-12.50e+3",
        "1E9",
        "\"\"",
        "\"\\u00e9\\/\"",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "{\"\":{}}",
        "null",
        "\"\u{7f}\"",
    ] {
        assert!(is_json(good), "{good}");
    }
    for bad in [
        "",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "--1",
        "nul",
        "nulll",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"",
        "[",
        "{",
        "1 2",
        "[1 2]",
        "{\"a\" 1}",
        "\u{feff}1",
        "'a'",
    ] {
        assert!(!is_json(bad), "{bad}");
    }
}

#[test]
fn nesting_has_a_limit_and_no_stack_overflow() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(is_json(&deep(128)));
    assert!(!is_json(&deep(129)));
    assert!(!is_json(&"[{\"a\":".repeat(100_000)));
}

#[test]
fn a_fault_names_the_byte() {
    let mut scanner = Scanner::new("{\"a\": [1, tru]}");
    let fault = scanner.value().unwrap_err();
    assert_eq!(fault.to_string(), "no true at byte 10");
}

#[test]
fn keys_come_with_their_escapes_resolved() {
    let mut seen = Vec::new();
    for_each_member(r#"{"na\u006de":1,"b\"":2}"#, |key, raw| {
        seen.push((key.to_owned(), raw.to_owned()))
    });
    assert_eq!(
        seen,
        [("name".into(), "1".into()), ("b\"".into(), "2".into())]
    );
}

proptest::proptest! {
    /// serde_json is the judge, on texts that are JSON but for a change of one byte.
    #[test]
    fn it_takes_what_serde_json_takes(text in json_text(), at: proptest::sample::Index, byte in "[ -~\n]") {
        proptest::prop_assert!(is_json(&text));
        let mut changed: Vec<char> = text.chars().collect();
        let at = at.index(changed.len());
        changed[at] = byte.chars().next().expect("one letter");
        let changed: String = changed.into_iter().collect();
        let judged = serde_json::from_str::<serde::de::IgnoredAny>(&changed).is_ok();
        proptest::prop_assert_eq!(is_json(&changed), judged, "{}", changed);
    }

    #[test]
    fn a_string_says_what_serde_json_says(text in ".*") {
        let raw = serde_json::to_string(&text).unwrap();
        let read = string(&raw);
        proptest::prop_assert_eq!(read.as_deref(), Some(&*text));
    }

    #[test]
    fn what_is_walked_is_what_a_tree_has(text in json_text()) {
        let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
        if let Some(members) = tree.as_object() {
            let mut seen = serde_json::Map::new();
            for_each_member(&text, |key, raw| {
                seen.insert(key.to_owned(), serde_json::from_str(raw).unwrap());
            });
            proptest::prop_assert_eq!(&seen, members);
        }
        if let Some(list) = tree.as_array() {
            let seen: Vec<serde_json::Value> = elements(&text).map(|raw| serde_json::from_str(raw).unwrap()).collect();
            proptest::prop_assert_eq!(&seen, list);
        }
    }
}

fn json_text() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?",
        ".*".prop_map(|text| serde_json::to_string(&text).expect("a string")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let member = (".{0,9}", inner.clone()).prop_map(|(key, value)| {
            format!("{}:{value}", serde_json::to_string(&key).expect("a string"))
        });
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|all| format!("[{}]", all.join(", "))),
            prop::collection::vec(member, 0..6).prop_map(|all| format!("{{ {} }}", all.join(","))),
        ]
    })
}
