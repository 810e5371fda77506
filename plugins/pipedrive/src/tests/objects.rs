//! Persons, organizations, deals, leads, products, line items, projects, owners, currencies.

use longshore_sdk::{Connector, Instant, PageRequest, StageMeaning, Stages};
use serde_json::{Value, json};

use super::{info, key, links, page_of, read_all, tape};
use crate::Pipedrive;

fn custom_values() -> Value {
    json!({
        key('0'): "a \"quoted\" ☂", key('1'): 31, key('2'): [31, 99],
        key('3'): {"value": 99.5, "currency": "EUR"}, key('4'): 1.25e-3, key('5'): 7, key('6'): "2026-03-31",
        key('7'): {"value": "2026-01-01", "until": "2026-01-31"},
        key('8'): {"value": "14:30:00", "timezone_id": 12, "timezone_name": "Europe/Brussels"},
        key('9'): {"value": "08:00:00", "until": "09:00:00", "timezone_id": 12, "timezone_name": "Europe/Brussels"},
        key('a'): {"value": "Main 1, Ghent", "locality": "Ghent", "country": "Belgium", "postal_code": "9000"},
        key('b'): 9, key('c'): 8, key('d'): 3, key('e'): "+32 9", key('f'): {"x": [1]},
    })
}

fn person() -> Value {
    json!({"id": 7, "name": "Ada Byron", "first_name": "Ada", "last_name": "Byron", "owner_id": 3, "org_id": 9,
        "add_time": "2026-01-05T09:30:00Z", "update_time": "2026-02-01T08:00:00Z",
        "emails": [{"value": "old@ex.test", "primary": false, "label": "home"}, {"value": "ada@ex.test", "primary": true, "label": "work"}],
        "phones": [{"value": "+3212", "primary": true, "label": "mobile"}, {"value": "+3213", "primary": false, "label": "work"}],
        "is_deleted": false, "visible_to": 3, "label_ids": [5], "picture_id": null, "rating": 4, "custom_fields": custom_values()})
}

#[test]
fn a_person_has_every_custom_type_in_its_kind() {
    let tape = tape().get("/v2/persons?limit=500", page_of(&[person()], None));
    let rows = read_all(&tape, PageRequest::new("person"));
    let fields = &rows[0]["fields"];
    assert_eq!(rows[0]["id"], "7");
    assert_eq!(rows[0]["updated_at"], "2026-02-01T08:00:00Z");
    let expected = json!({
        "first_name": "Ada", "owner_id": "3", "visible_to": "3", "label_ids": ["5"], "rating": 4,
        "email": "ada@ex.test", "other_emails": ["old@ex.test"], "email_labels": "home: old@ex.test; work: ada@ex.test",
        "phone": "+3213", "mobile": "+3212", "other_phones": null,
        key('0'): "a \"quoted\" ☂", key('1'): "31", key('2'): ["31", "99"], key('3'): "99.5", format!("{}_currency", key('3')): "EUR",
        key('4'): "0.00125", key('5'): 7, key('6'): "2026-03-31", key('7'): "2026-01-01", format!("{}_until", key('7')): "2026-01-31",
        key('8'): "14:30:00", format!("{}_timezone_id", key('8')): 12, format!("{}_timezone_name", key('8')): "Europe/Brussels",
        key('9'): "08:00:00", format!("{}_until", key('9')): "09:00:00",
        key('a'): "Main 1, Ghent", format!("{}_locality", key('a')): "Ghent", format!("{}_postal_code", key('a')): "9000",
        key('d'): "3", key('e'): "+32 9", key('f'): "{\"x\":[1]}",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(fields[name], *value, "{name}");
    }
    assert_eq!(
        links(&rows[0]),
        [("organization", "9"), (&*key('b'), "9"), (&*key('c'), "8")]
    );
}

#[test]
fn the_catalog_names_custom_fields_by_key_with_label_options_and_currency() {
    let person = info(&tape().context(), "person");
    let field = |name: &str| {
        person
            .fields
            .iter()
            .find(|field| field.name == name)
            .unwrap()
    };
    assert!(field(&key('1')).custom && field(&key('1')).label == "Roof type");
    assert_eq!(
        field(&key('1'))
            .options
            .iter()
            .map(|option| (&*option.value, &*option.label))
            .collect::<Vec<_>>(),
        [("31", "Slate"), ("32", "Tile")]
    );
    assert_eq!(
        field(&key('3')).attributes,
        [(
            "currency-field".to_owned(),
            format!("{}_currency", key('3'))
        )]
    );
    assert_eq!(field("email").standard.as_deref(), Some("email"));
    assert_eq!(field("label_ids").options[0].label, "Hot");
    let link = person
        .associations
        .iter()
        .find(|link| link.name == key('b'))
        .unwrap();
    assert_eq!(
        (link.to.as_str(), link.label.as_deref()),
        ("organization", Some("Partner"))
    );
    let mut names: Vec<_> = person.fields.iter().map(|field| &field.name).collect();
    names.sort();
    assert!(
        names.windows(2).all(|pair| pair[0] != pair[1]),
        "a field is declared twice"
    );
}

#[test]
fn pages_go_on_at_the_cursor_and_changes_are_asked_for() {
    let since = Instant::parse("2026-01-01T10:20:30.999Z").unwrap();
    let asked = "updated_since=2026-01-01T10%3A20%3A30Z";
    let tape = tape()
        .get(
            &format!("/v2/persons?limit=2&{asked}"),
            page_of(
                &[json!({"id": 1, "custom_fields": []}), json!({"id": 2})],
                Some("abc"),
            ),
        )
        .get(
            &format!("/v2/persons?limit=2&cursor=abc&{asked}"),
            page_of(&[json!({"id": 3, "is_deleted": true})], None),
        );
    let rows = read_all(&tape, PageRequest::new("person").with_limit(2).since(since));
    assert_eq!(
        rows.iter()
            .map(|row| row["id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["1", "2", "3"]
    );
    assert_eq!(rows[2]["deleted"], true);
    tape.assert_done();
}

#[test]
fn empty_and_null_are_told_apart_and_nothing_is_made_up() {
    let row = json!({"id": 1, "name": "", "first_name": null, "emails": [], "phones": [{"value": "", "primary": true, "label": "work"}],
        "custom_fields": {key('3'): null, key('2'): null, key('6'): ""}});
    let tape = tape().get("/v2/persons?limit=500", page_of(&[row], None));
    let fields = &read_all(&tape, PageRequest::new("person"))[0]["fields"];
    assert_eq!(
        (&fields["name"], &fields["first_name"]),
        (&json!(""), &Value::Null)
    );
    assert_eq!(
        (&fields["email"], &fields["other_emails"], &fields["phone"]),
        (&Value::Null, &json!([]), &Value::Null)
    );
    let names = fields.as_object().unwrap();
    assert!(!names.contains_key("last_name"), "an absent key is unknown");
    for name in [
        key('3'),
        format!("{}_currency", key('3')),
        key('2'),
        key('6'),
    ] {
        assert_eq!(names.get(&name), Some(&Value::Null), "{name}");
    }
}

#[test]
fn a_key_that_nobody_declared_is_named_in_the_log_and_left_out() {
    let tape = tape().get(
        "/v2/persons?limit=500",
        page_of(
            &[json!({"id": 1, "custom_fields": {key('7'): null, "new": 5}})],
            None,
        ),
    );
    read_all(&tape, PageRequest::new("person"));
    assert!(
        tape.logs()
            .iter()
            .any(|(_, line)| line.contains("left out: new")),
        "{:?}",
        tape.logs()
    );
}

#[test]
fn an_organization_has_its_address_in_parts() {
    let row = json!({"id": 9, "name": "Roofers", "owner_id": 3, "address": {"value": "Main 1, Ghent", "country": "Belgium", "locality": "Ghent",
        "admin_area_level_1": null, "postal_code": "9000"}, "website": "https://ex.test", "annual_revenue": {"value": 1200000, "currency": "EUR"}, "employee_count": 12});
    let tape = tape().get("/v2/organizations?limit=500", page_of(&[row], None));
    let fields = &read_all(&tape, PageRequest::new("organization"))[0]["fields"];
    assert_eq!(
        (&fields["address"], &fields["address_locality"]),
        (&json!("Main 1, Ghent"), &json!("Ghent"))
    );
    assert_eq!(
        (&fields["annual_revenue"], &fields["employee_count"]),
        (&json!("1200000"), &json!(12))
    );
}

const DEALS: &str = "include_fields=participants_count%2Cfirst_won_time%2Csource_lead_id";

fn deal(id: u32, status: &str, value: Value) -> Value {
    json!({"id": id, "title": "Roof", "owner_id": 3, "person_id": 7, "org_id": 9, "pipeline_id": 1, "stage_id": 4, "value": value,
        "currency": "EUR", "add_time": "2026-01-05T09:30:00Z", "update_time": "2026-02-01T08:00:00Z", "status": status,
        "won_time": if status == "won" { json!("2026-02-01T08:00:00Z") } else { Value::Null }, "close_time": null,
        "participants_count": 1, "is_deleted": status == "deleted", "is_archived": false, "custom_fields": {}})
}

#[test]
fn won_and_lost_deals_stand_in_the_pipelines_own_two_stages() {
    let mut archived = deal(5, "lost", json!(-3));
    archived["is_archived"] = json!(true);
    let tape = tape()
        .get(
            &format!("/v2/deals?limit=500&{DEALS}"),
            page_of(
                &[
                    deal(1, "open", json!(0)),
                    deal(2, "won", json!(1200.50)),
                    deal(3, "lost", Value::Null),
                ],
                None,
            ),
        )
        .get(
            &format!("/v2/deals/archived?limit=500&{DEALS}"),
            page_of(&[archived], None),
        );
    let rows = read_all(&tape, PageRequest::new("deal"));
    let stages: Vec<_> = rows
        .iter()
        .map(|row| row["fields"]["stage_id"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["4", "1:won", "1:lost", "1:lost"]);
    assert!(rows.iter().all(|row| row["fields"]["last_stage"] == "4"));
    let values: Vec<_> = rows
        .iter()
        .map(|row| row["fields"]["value"].clone())
        .collect();
    assert_eq!(
        values,
        [json!("0"), json!("1200.5"), Value::Null, json!("-3")]
    );
    assert_eq!(rows[1]["fields"]["close_time"], "2026-02-01T08:00:00Z");
    assert_eq!(rows[0]["fields"]["close_time"], Value::Null);
    assert_eq!(links(&rows[0]), [("person", "7"), ("organization", "9")]);
    assert_eq!(rows[3]["fields"]["is_archived"], true);
}

#[test]
fn stages_are_described_in_order_with_deleted_ones_and_won_and_lost() {
    let pipelines = Pipedrive::describe_stages(&tape().context()).unwrap();
    assert_eq!(
        pipelines
            .iter()
            .map(|pipeline| &*pipeline.label)
            .collect::<Vec<_>>(),
        ["First", "Second"]
    );
    let stages: Vec<_> = pipelines[0]
        .stages
        .iter()
        .map(|stage| (&*stage.id, &*stage.label, stage.probability, stage.meaning))
        .collect();
    assert_eq!(
        stages,
        [
            ("3", "Seen", Some(20), StageMeaning::Open),
            ("4", "Offer", Some(60), StageMeaning::Open),
            ("9", "Old (deleted)", Some(100), StageMeaning::Open),
            ("1:won", "Won", Some(100), StageMeaning::Won),
            ("1:lost", "Lost", Some(0), StageMeaning::Lost),
        ]
    );
    assert_eq!(pipelines[1].stages.len(), 2);
}

#[test]
fn participants_are_read_only_where_there_are_more_than_the_deals_own_person() {
    let mut two = deal(2, "open", json!(1));
    two["participants_count"] = json!(2);
    let persons = r#"{"success":true,"data":[{"id":1,"person_id":{"value":7,"name":"Ada"}},{"id":2,"person_id":{"value":8,"name":"Bob"}}],
        "additional_data":{"pagination":{"start":0,"limit":500,"more_items_in_collection":false}}}"#;
    let tape = tape()
        .get(
            &format!("/v2/deals?limit=500&{DEALS}"),
            page_of(&[deal(1, "open", json!(1)), two], None),
        )
        .get("/v1/deals/2/participants?start=0&limit=500", persons)
        .get(
            &format!("/v2/deals/archived?limit=500&{DEALS}"),
            page_of(&[], None),
        );
    let rows = read_all(&tape, PageRequest::new("deal"));
    assert_eq!(
        links(&rows[1]),
        [("person", "7"), ("organization", "9"), ("participant", "8")]
    );
    tape.assert_done();
}

#[test]
fn deleted_deals_come_with_changes() {
    let asked = "updated_since=2026-01-01T00%3A00%3A00Z&status=open%2Cwon%2Clost%2Cdeleted";
    let tape = tape()
        .get(
            &format!("/v2/deals?limit=500&{DEALS}&{asked}"),
            page_of(&[deal(1, "deleted", json!(1))], None),
        )
        .get(
            &format!("/v2/deals/archived?limit=500&{DEALS}&{asked}"),
            page_of(&[], None),
        );
    let rows = read_all(
        &tape,
        PageRequest::new("deal").since(Instant::parse("2026-01-01T00:00:00Z").unwrap()),
    );
    assert_eq!(
        (&rows[0]["deleted"], &rows[0]["fields"]["stage_id"]),
        (&json!(true), &json!("4"))
    );
}

#[test]
fn leads_are_flat_and_page_by_offset_in_both_envelopes() {
    let lead = json!({"id": "8ba4-uuid", "title": "Roof lead", "owner_id": 3, "label_ids": ["u-1"], "person_id": 7, "organization_id": null,
        "source_name": "API", "is_archived": false, "value": {"amount": 900.10, "currency": "EUR"}, "add_time": "2026-01-05T09:30:00.213Z",
        "update_time": "2026-01-05T09:30:00.213Z", "visible_to": "3", key('1'): "31", key('2'): "31,32", key('3'): 5,
        format!("{}_currency", key('3')): "USD", key('7'): "2026-01-01", format!("{}_until", key('7')): "2026-01-31", key('b'): {"value": 9}});
    let nested = json!({"success": true, "data": [lead], "additional_data": {"pagination": {"start": 0, "limit": 500, "more_items_in_collection": true, "next_start": 1}}});
    let flat = json!({"success": true, "data": [{"id": "b"}], "additional_data": {"start": 1, "limit": 500, "more_items_in_collection": false}});
    let tape = tape()
        .get("/v1/leads?start=0&limit=500", nested.to_string())
        .get("/v1/leads?start=1&limit=500", flat.to_string())
        .get(
            "/v1/leads/archived?start=0&limit=500",
            r#"{"success":false,"data":[]}"#,
        );
    let rows = read_all(&tape, PageRequest::new("lead"));
    let fields = &rows[0]["fields"];
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&fields["value"], &fields["currency"]),
        (&json!("900.1"), &json!("EUR"))
    );
    assert_eq!(
        (&fields[key('1')], &fields[key('2')]),
        (&json!("31"), &json!(["31", "32"]))
    );
    assert_eq!(
        (&fields[key('3')], &fields[format!("{}_currency", key('3'))]),
        (&json!("5"), &json!("USD"))
    );
    assert_eq!(fields[format!("{}_until", key('7'))], "2026-01-31");
    assert_eq!(fields["add_time"], "2026-01-05T09:30:00.213Z");
    assert_eq!(fields[key('0')], Value::Null);
    assert!(
        fields.as_object().unwrap().contains_key(&key('0')),
        "a lead's absent custom field is empty"
    );
    assert_eq!(links(&rows[0]), [("person", "7"), (&*key('b'), "9")]);
    tape.assert_done();
}

#[test]
fn archived_leads_without_a_filter_of_their_own_are_filtered_here() {
    let archived = json!({"success": true, "data": [{"id": "old", "update_time": "2025-01-01T00:00:00Z"}, {"id": "new", "update_time": "2026-05-01T00:00:00Z"}]});
    let tape = tape()
        .get(
            "/v1/leads?start=0&limit=500&updated_since=2026-01-01T00%3A00%3A00Z",
            super::NOTHING,
        )
        .get("/v1/leads/archived?start=0&limit=500", archived.to_string());
    let rows = read_all(
        &tape,
        PageRequest::new("lead").since(Instant::parse("2026-01-01T00:00:00Z").unwrap()),
    );
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["id"], "new");
}

#[test]
fn a_product_has_the_price_in_the_accounts_currency() {
    let row = json!({"id": 44, "name": "Tile", "code": "T-1", "tax": 20, "owner_id": 3, "billing_frequency": "monthly", "prices": [
        {"product_id": 44, "currency": "USD", "price": 12, "cost": 0, "direct_cost": 1, "notes": ""},
        {"product_id": 44, "currency": "EUR", "price": 10.5, "cost": 2, "direct_cost": null, "notes": "list"}], "custom_fields": {}});
    let tape = tape().get("/v2/products?limit=500", page_of(&[row], None));
    let fields = &read_all(&tape, PageRequest::new("product"))[0]["fields"];
    assert_eq!(
        (&fields["price"], &fields["currency"], &fields["cost"]),
        (&json!("10.5"), &json!("EUR"), &json!("2"))
    );
    assert_eq!(fields["other_prices"], "USD 12 (direct cost 1)");
}

#[test]
fn line_items_are_read_for_a_hundred_deals_at_a_time_with_their_own_cursor() {
    let deals: Vec<Value> = (1..=150)
        .map(|id| json!({"id": id, "products_count": u32::from(id != 2)}))
        .collect();
    let ids = |from: u32, to: u32| {
        (from..=to)
            .filter(|id| *id != 2)
            .map(|id| id.to_string())
            .collect::<Vec<_>>()
            .join("%2C")
    };
    let item = |id: u32, kind: &str| {
        json!({"id": id, "deal_id": 1, "product_id": 44, "name": "Tile", "item_price": 10, "quantity": 2.5,
        "discount": 5, "discount_type": kind, "tax": 20, "tax_method": "exclusive", "sum": 28.5, "currency": "EUR", "is_enabled": true})
    };
    let tape = tape()
        .get(
            "/v2/deals?limit=500&include_fields=products_count",
            page_of(&deals, None),
        )
        .get(
            &format!("/v2/deals/products?deal_ids={}&limit=500", ids(1, 101)),
            page_of(&[item(1, "percentage")], Some("x")),
        )
        .get(
            &format!(
                "/v2/deals/products?deal_ids={}&limit=500&cursor=x",
                ids(1, 101)
            ),
            page_of(&[item(2, "amount")], None),
        )
        .get(
            &format!("/v2/deals/products?deal_ids={}&limit=500", ids(102, 150)),
            page_of(&[], None),
        )
        .get(
            "/v2/deals/archived?limit=500&include_fields=products_count",
            page_of(&[], None),
        );
    let rows = read_all(&tape, PageRequest::new("deal_product"));
    assert_eq!(rows.len(), 2);
    assert_eq!(links(&rows[0]), [("deal", "1"), ("product", "44")]);
    assert_eq!(
        (
            &rows[0]["fields"]["discount_percentage"],
            &rows[0]["fields"]["discount_amount"]
        ),
        (&json!("5"), &Value::Null)
    );
    assert_eq!(
        (
            &rows[1]["fields"]["discount_percentage"],
            &rows[1]["fields"]["discount_amount"]
        ),
        (&Value::Null, &json!("5"))
    );
    assert_eq!(
        (
            &rows[0]["fields"]["quantity"],
            &rows[0]["fields"]["product_id"]
        ),
        (&json!("2.5"), &json!("44"))
    );
    tape.assert_done();
}

#[test]
fn a_project_is_tied_to_all_its_records_and_archived_ones_follow() {
    let row = json!({"id": 3, "title": "House", "status": "open", "board_id": 1, "phase_id": 2, "owner_id": 3, "start_date": "2026-04-15",
        "deal_ids": [1, 2], "person_ids": [7], "org_ids": [], "label_ids": null, "archive_time": null, "custom_fields": {}});
    let tape = tape()
        .get("/v2/projects?limit=500", page_of(&[row], None))
        .get(
            "/v2/projects/archived?limit=500",
            page_of(
                &[json!({"id": 4, "archive_time": "2026-04-14T10:45:20.852Z"})],
                None,
            ),
        );
    let rows = read_all(&tape, PageRequest::new("project"));
    assert_eq!(
        links(&rows[0]),
        [("deal", "1"), ("deal", "2"), ("person", "7")]
    );
    assert_eq!(rows[1]["id"], "4");
    let project = info(&tape.context(), "project");
    let phase = project
        .fields
        .iter()
        .find(|field| field.name == "phase_id")
        .unwrap();
    assert_eq!(phase.options[0].label, "Building: Roof");
}

#[test]
fn owners_and_currencies_come_whole() {
    let users = r#"{"success":true,"data":[{"id":3,"name":"Me","email":"me@ex.test","active_flag":true,"is_deleted":false,"role_id":1,
        "timezone_name":"Europe/Brussels","created":"2018-11-13 09:16:26","modified":"2019-11-21 08:45:56","access":[]},
        {"id":4,"name":"Gone","email":"","active_flag":true,"is_deleted":true,"modified":null}]}"#;
    let currencies = r#"{"success":true,"data":[{"id":2,"code":"EUR","name":"Euro","decimal_points":2,"symbol":"€","active_flag":1,"is_custom_flag":false}]}"#;
    let tape = tape()
        .get("/v1/users", users)
        .get("/v1/currencies", currencies);
    let rows = read_all(&tape, PageRequest::new("user"));
    assert_eq!(
        (&rows[0]["fields"]["active"], &rows[1]["fields"]["active"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(rows[0]["updated_at"], "2019-11-21T08:45:56Z");
    let rows = read_all(&tape, PageRequest::new("currency"));
    assert_eq!(
        (
            &rows[0]["fields"]["decimal_points"],
            &rows[0]["fields"]["active_flag"]
        ),
        (&json!(2), &json!(true))
    );
}

#[test]
fn the_account_is_the_company() {
    let account = Pipedrive::check(&tape().context()).unwrap();
    assert_eq!(
        (&*account.id, &*account.name, &*account.user),
        ("54", "Roofers", "Me <me@ex.test>")
    );
    assert_eq!(account.currency.as_deref(), Some("EUR"));
}
