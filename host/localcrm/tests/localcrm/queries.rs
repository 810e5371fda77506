//! What a person asks the file with any SQLite browser.

use model::destination::Preparation;
use model::{Destination, FieldInfo, FieldKind, ObjectName, Value};

use crate::support::{House, decimal, link, now, text};

#[track_caller]
fn ask(house: &House, sql: &str) -> Vec<String> {
    let conn = house.sql();
    let mut select = conn.prepare(sql).unwrap();
    let columns = select.column_count();
    let rows = select.query_map([], |row| {
        let cells =
            (0..columns).map(
                |at| match row.get::<_, rusqlite::types::Value>(at).unwrap() {
                    rusqlite::types::Value::Null => "-".to_owned(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Real(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(_) => panic!("no column is a blob"),
                },
            );
        Ok(cells.collect::<Vec<_>>().join(" | "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn money_per_stage_and_currency_adds_up() {
    let house = House::new();
    for n in 0..100 {
        house_deal(&house, n);
    }
    let expected = [
        "Sales | Qualified | open | EUR | 50 | 5.05",
        "Sales | Closed won | won | USD | 50 | 5.05",
    ];
    assert_eq!(
        ask(
            &house,
            "SELECT pipeline, stage, meaning, currency, deals, amount FROM deals_by_stage"
        ),
        expected
    );
    assert_eq!(
        ask(
            &house,
            "SELECT sum(amount) > 10.0999, sum(amount) < 10.1001, typeof(amount) FROM deals"
        ),
        ["1 | 1 | text"]
    );
    assert_eq!(
        ask(
            &house,
            "SELECT count(*) FROM deals_in_words WHERE stage = 'Closed won' AND amount >= 0.1"
        ),
        ["50"]
    );
}

fn house_deal(house: &House, n: usize) {
    let (stage, currency) = [(0, "EUR"), (1, "USD")][n % 2];
    // 0.1 and a last one of 0.15: sums that a naive float gets wrong.
    let amount = if n >= 98 { "0.15" } else { "0.1" };
    house.deal(&format!("d{n}"), stage, amount, currency);
}

/// One record of each of several objects, linked; gives the owner's id.
fn a_small_crm(house: &House) -> String {
    house.property("contact", FieldInfo::new("interests", FieldKind::Options));
    let option = |value: &str| model::catalog::FieldOption {
        value: value.into(),
        label: value.into(),
    };
    let options = vec![(
        ObjectName::new("contact"),
        "interests".into(),
        vec![option("art"), option("maths")],
    )];
    house.prepare(&Preparation {
        options,
        ..Preparation::default()
    });
    let interests = Value::Options(vec!["art".to_owned(), "maths".to_owned()]);
    let contact = house.create(
        "contact",
        "1",
        &[
            ("firstname", text("Ada")),
            ("email", text("a@x.org")),
            ("interests", interests),
        ],
    );
    let company = house.create("company", "1", &[("name", text("Engines"))]);
    let note = house.create("note", "1", &[("hs_note_body", text("<p>hello</p>"))]);
    let owner = house.create("owner", "1", &[("active", Value::Boolean(true))]);
    let deal = house.deal("big", 1, "12.00", "EUR");
    let item = house.create(
        "line_item",
        "1",
        &[("name", text("Widget")), ("quantity", decimal("2"))],
    );
    let links = [
        link(("contact", &contact), ("company", &company), None),
        link(("deal", &deal), ("company", &company), None),
        link(("contact", &contact), ("deal", &deal), None),
        link(("note", &note), ("contact", &contact), None),
        link(("deal", &deal), ("line_item", &item), None),
    ];
    assert!(
        now(house.crm.write_links(&links))
            .unwrap()
            .into_iter()
            .all(|made| made == Ok(true))
    );
    owner.to_string()
}

#[test]
fn tables_read_naturally() {
    let house = House::new();
    let owner = a_small_crm(&house);
    let expected: [(&str, &[&str]); 9] = [
        ("select firstname, email from contacts", &["Ada | a@x.org"]),
        (
            "select value from contacts, json_each(interests)",
            &["art", "maths"],
        ),
        (
            "select count(*) from owners where active",
            &[owner.as_str()],
        ),
        (
            "select firstname, company, label from contact_companies",
            &["Ada | Engines | "],
        ),
        (
            "select dealname, company from deal_companies",
            &["big | Engines"],
        ),
        (
            "select dealname, firstname from deal_contacts",
            &["big | Ada"],
        ),
        (
            "select dealname, line_item, quantity from deal_line_items",
            &["big | Widget | 2"],
        ),
        (
            "select kind, body from timeline where object = 'contact'",
            &["note | <p>hello</p>"],
        ),
        (
            "select name, kind from properties where custom",
            &["interests | options"],
        ),
    ];
    for (sql, answer) in expected {
        assert_eq!(ask(&house, sql), answer, "{sql}");
    }
}

#[test]
fn a_persons_constraint_breaking_edit_is_refused_by_the_file_itself() {
    let house = House::new();
    house.create("owner", "1", &[]);
    house.create("contact", "1", &[("email", text("a@x.org"))]);
    house.create("contact", "2", &[]);
    assert!(
        house
            .sql()
            .execute("UPDATE owners SET active = 'maybe'", [])
            .is_err()
    );
    assert!(
        house
            .sql()
            .execute("UPDATE contacts SET email = 'A@X.org' WHERE id = 2", [])
            .is_err()
    );
}
