//! Transforms, step by step, and their examples.

use model::catalog::{FieldOption, FieldTable};

use super::*;

fn object() -> ObjectInfo {
    let hot = FieldOption {
        value: "1".into(),
        label: "Hot".into(),
    };
    let fields = vec![
        FieldInfo::new("name", FieldKind::Text),
        FieldInfo::new("last", FieldKind::Text),
        FieldInfo {
            options: vec![hot],
            ..FieldInfo::new("tier", FieldKind::Option)
        },
    ];
    ObjectInfo {
        fields: FieldTable::new(fields).unwrap(),
        ..ObjectInfo::default()
    }
}

fn make(field: &str, steps: &[Step], texts: &[&str]) -> Result<String, Loss> {
    let object = object();
    let at = object.fields.find(field).unwrap();
    let info = object.fields.get(at).unwrap();
    let transform = Transform::new(steps, (at, info), &object).unwrap();
    let texts: Vec<_> = texts.iter().map(|text| Cow::Borrowed(*text)).collect();
    transform.make(&texts)
}

#[track_caller]
fn check(steps: &[Step], text: &str, expected: &str) {
    assert_eq!(
        make("name", steps, &[text]).as_deref(),
        Ok(expected),
        "{steps:?} {text:?}"
    );
}

#[test]
fn texts_are_trimmed_and_their_case_changed() {
    check(&[Step::Trim], "  Ann   Lee\t", "Ann Lee");
    check(&[Step::Upper], "straße", "STRASSE");
    check(&[Step::Lower], "ÄRA", "ära");
    check(&[Step::Title], "ann o'neil-LEE", "Ann O'neil-Lee");
    check(&[], "As it is ", "As it is ");
}

#[test]
fn a_name_is_split_so_that_its_parts_make_it_again() {
    check(&[Step::FirstName], "Ann Mary Lee", "Ann Mary");
    check(&[Step::LastName], "Ann Mary Lee", "Lee");
    check(&[Step::FirstName], "Madonna", "Madonna");
    check(&[Step::LastName], "Madonna", "");
}

#[test]
fn fields_are_joined_without_the_blank_ones() {
    let join = Step::Join {
        with: vec!["last".into(), "tier".into()],
        separator: ", ".into(),
    };
    let joined = |texts: &[&str]| make("name", std::slice::from_ref(&join), texts).unwrap();
    assert_eq!(joined(&["Ann", "Lee", "Hot"]), "Ann, Lee, Hot");
    assert_eq!(joined(&["", "Lee", " "]), "Lee");
    assert_eq!(joined(&["", "", ""]), "");
}

#[test]
fn options_become_others_by_label_or_value() {
    let map = |otherwise: Option<&str>| Step::Options {
        map: [("1".to_owned(), "High".to_owned())].into(),
        otherwise: otherwise.map(str::to_owned),
    };
    let made = |step: Step, text: &str| make("tier", &[step], &[text]).unwrap();
    // The field's value 1 goes in as its label.
    assert_eq!(made(map(None), "Hot"), "High");
    assert_eq!(made(map(None), "Odd"), "Odd");
    assert_eq!(made(map(Some("Low")), "Odd"), "Low");
    assert_eq!(made(map(Some("Low")), ""), "");
}

#[test]
fn numbers_and_dates_change_their_format() {
    let german = Step::Number {
        decimal: ',',
        group: Some('.'),
    };
    check(std::slice::from_ref(&german), "1.234,50", "1234.50");
    check(&[german.clone(), Step::Round(0)], "1.234,50", "1235");
    check(&[Step::Round(2)], "-0.005", "-0.01");
    check(&[Step::Round(2)], "7", "7.00");
    let day = |from: &str, to: &str| Step::Date {
        from: from.into(),
        to: to.into(),
    };
    check(&[day("%d.%m.%Y", "%Y-%m-%d")], "31.01.2026", "2026-01-31");
    check(&[day("%Y-%m-%d", "%m/%d/%Y")], "2026-01-31", "01/31/2026");
    check(&[Step::Constant("web".into())], "", "web");
    assert_eq!(make("name", &[german], &["many"]), Err(Loss::NotANumber));
    assert_eq!(
        make("name", &[day("%d.%m.%Y", "%Y")], &["2026-01-31"]),
        Err(Loss::NotADate)
    );
}

#[test]
fn a_failing_example_names_field_input_expected_and_found() {
    let object = object();
    let transform = Transform::new(
        &[Step::LastName],
        (0, object.fields.get(0).unwrap()),
        &object,
    );
    let transform = transform.unwrap();
    let example = |from: &[&str], to: &str| Example {
        from: from.iter().map(|text| (*text).to_owned()).collect(),
        to: to.to_owned(),
    };
    assert_eq!(
        transform.check("name", &example(&["Ann Lee"], "Lee")),
        Ok(())
    );
    let failed = transform
        .check("name", &example(&["Ann Lee"], "Ann"))
        .unwrap_err();
    assert_eq!(
        failed.to_string(),
        "transform of source field \"name\" fails its test: \"Ann Lee\" becomes \"Lee\", expected \"Ann\""
    );
    assert!(
        transform
            .check("name", &example(&["Ann", "Lee"], "Lee"))
            .is_err()
    );
}

#[test]
fn what_cannot_be_carried_out_is_refused() {
    let object = object();
    let name = (0, object.fields.get(0).unwrap());
    let refused = |step: Step| {
        Transform::new(&[step], name, &object)
            .unwrap_err()
            .to_string()
    };
    let join = Step::Join {
        with: vec!["nonesuch".into()],
        separator: String::new(),
    };
    assert!(refused(join).contains("\"nonesuch\" does not exist"));
    let bad = Step::Date {
        from: "%".into(),
        to: "%Y".into(),
    };
    assert!(refused(bad).contains("date format"));
    assert!(refused(Step::Round(99)).contains("decimals"));
}
