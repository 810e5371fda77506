//! What did not come through: told by cause, corrected by hand, tried again.

mod breaker;
mod broken;
mod case;

use it::Ended;
use serde_json::json;
use simulators::hubspot::{Call, Method, ObjectType};

use crate::failures_site::{assert_refused, assert_same};
use crate::portal_site::{Office, ask};
use case::{Case, open};

/// What was refused comes through when its cause is gone, with everything that hangs on it, as if nothing had been refused.
#[test]
fn what_failed_is_told_by_cause_and_comes_through_when_it_is_tried_again() {
    let case = Case::planned();
    case.site.copy("undisturbed");
    case.site.migrate("undisturbed");
    let refused: Vec<_> = case.addresses().into_iter().take(15).collect();
    let list: Vec<_> = refused
        .iter()
        .map(|(_, email)| format!("'{email}'"))
        .collect();
    case.refuse(&format!("NEW.email IN ({})", list.join(", ")));
    case.site.migrate("p");
    let handle = told_with_rows(&case, &refused);
    let handle = handle.as_str();

    // Tried again while nothing has changed, it fails again and says why.
    let replay = ["quarantine", "replay", "--cause", handle, "--yes"];
    let again = case.json(&[1], &replay);
    assert_eq!(
        (&again["tried"], &again["failed"], &again["came_through"]),
        (&15.into(), &15.into(), &0.into()),
        "{again:#}"
    );
    assert_eq!(again["causes"][0]["handle"], handle);
    assert_eq!(case.audit()["failed"], 15);

    case.refuse_nobody();
    // One by its id; the others stay as they are, with their cause.
    let (id, email) = &refused[3];
    let one = case.json(&[0], &["quarantine", "replay", "contact", id, "--yes"]);
    assert_eq!(
        (&one["tried"], &one["came_through"]),
        (&1.into(), &1.into())
    );
    assert_eq!(case.email_of(id).as_deref(), Some(email.as_str()));
    let left = case.cause();
    assert_eq!(
        (&left["records"], left["handle"].as_str()),
        (&14.into(), Some(handle))
    );
    assert_eq!(case.audit()["failed"], 14);
    let all = case.json(&[0], &["quarantine", "replay", "all", "--yes"]);
    assert_eq!(all["came_through"], 14, "{all:#}");
    case.nothing_is_held();
    assert_same(
        "tried again",
        &case.site.dump("undisturbed"),
        &case.site.dump("p"),
    );
    let contact = case.audit();
    assert_eq!(
        (&contact["created"], &contact["failed"]),
        (&14.into(), &0.into())
    );
    // And the next migration has nothing to do.
    let next = case.site.migrate("p").json();
    assert_eq!(next["objects"]["contact"]["created"], 0);
    assert_refused(
        &case.run(&["quarantine", "replay", "--yes"]),
        &["nothing is held that could be tried again", "hint: "],
    );
}

/// The list names the one cause, and the records are shown with their rows. Gives the cause's handle.
#[track_caller]
fn told_with_rows(case: &Case, refused: &[(String, String)]) -> String {
    let cause = case.cause();
    assert_eq!(
        (&cause["records"], &cause["object"], &cause["example"]),
        (&15.into(), &"person".into(), &refused[0].0.as_str().into())
    );
    assert_eq!(
        cause["cause"],
        "destination refused contact #: another record has one of its unique values"
    );
    let handle = cause["handle"].as_str().unwrap();
    let show = ["quarantine", "show", "--cause", handle];
    let shown = case.json(&[1], &show);
    assert_eq!(shown["found"], 15);
    assert_eq!(
        shown["records"][0]["row"]["fields"]["email"],
        refused[0].1.as_str()
    );
    let text = case.run(&show).stdout;
    assert!(
        text.contains(&format!("field  email = \"{}\"", refused[0].1)),
        "{text}"
    );
    handle.to_owned()
}

/// A project in which two persons failed: the first three persons with an address, of whom the third came through.
fn two_failed() -> (Case, [(String, String); 3]) {
    let case = Case::planned();
    let addresses = case.addresses();
    let three = [0, 1, 2].map(|at: usize| addresses[at].clone());
    let [(_, email), (_, other), _] = &three;
    case.refuse(&format!("NEW.email IN ('{email}', '{other}')"));
    case.site.migrate("p");
    (case, three)
}

fn fix(case: &Case, id: &str, more: &[&str]) -> Ended {
    let base = ["quarantine", "fix", "person", id];
    case.run(&[&base[..], more].concat())
}

#[test]
fn a_correction_that_does_not_fit_is_refused_with_the_form_that_would() {
    let (case, [(first, _), ..]) = two_failed();
    for (more, words) in [
        (
            &["--set", "nonesuch=1"][..],
            "there is no field \"nonesuch\"",
        ),
        (&["--set", "visible_to"], "write it as FIELD=VALUE"),
        (
            &["--set", "add_time=yesterday"],
            "\"add_time\" is instant, and \"yesterday\" is none: write a time with its zone",
        ),
        (&["--undo"], "nothing of it was corrected"),
        (&["--row", "none.json"], "cannot read none.json"),
        (&[], "required"),
    ] {
        let ended = fix(&case, &first, more);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        assert!(ended.stderr.contains(words), "{words:?} in {ended:#?}");
    }
    assert_refused(
        &fix(&case, "no-such", &["--set", "email=a@b.test"]),
        &["nothing was read of person no-such", "hint: "],
    );
    assert_eq!(case.cause()["waiting"], 0);
}

#[test]
fn a_correction_holds_over_readings_is_told_and_can_be_taken_back() {
    let (case, [(first, email), (second, other), (third, _)]) = two_failed();
    let (first, second, third) = (&first, &second, &third);
    // By the field's label, and a second field later: both hold.
    for set in ["E-mail=fixed@lee.test", "first_name=Fixed"] {
        let ended = fix(&case, first, &["--set", set]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(
            ended.stdout.contains("the source was not written"),
            "{ended:#?}"
        );
    }
    assert_eq!(fix(&case, second, &["--drop"]).code, Some(0));
    let cause = case.cause();
    assert_eq!(
        (&cause["records"], &cause["waiting"]),
        (&2.into(), &2.into())
    );
    let done = case.json(&[0], &["quarantine", "replay", "--yes"]);
    assert_eq!(
        (&done["came_through"], &done["excluded"], &done["failed"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert_eq!(case.email_of(first).as_deref(), Some("fixed@lee.test"));
    case.nothing_is_held();
    let contact = case.audit();
    assert_eq!(
        (&contact["excluded"], &contact["failed"]),
        (&1.into(), &0.into())
    );

    told_after_another_reading(&case, first, second);
    // What was read stays as the source said it.
    let addresses = case.addresses();
    assert!(addresses.contains(&(first.clone(), email.clone())));

    // Taken back, the source's own word holds again; a sound record can be corrected as well.
    case.refuse_nobody();
    for id in [first, second] {
        assert_eq!(fix(&case, id, &["--undo"]).code, Some(0));
    }
    assert_eq!(
        fix(&case, third, &["--set", "first_name=Third"]).code,
        Some(0)
    );
    case.site.migrate("p");
    assert_eq!(case.email_of(first).as_deref(), Some(email.as_str()));
    assert_eq!(case.email_of(second).as_deref(), Some(other.as_str()));
    let name: String = case
        .file("local-crm.db")
        .query_row(
            "SELECT firstname FROM contacts WHERE longshore_source_id LIKE '%/person/' || ?1",
            [third],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(name, "Third");
    assert_eq!(case.audit()["excluded"], 0);
}

/// The source is read again, and says what it said before: the corrections hold.
#[track_caller]
fn told_after_another_reading(case: &Case, first: &str, second: &str) {
    case.site.migrate("p");
    assert_eq!(case.email_of(first).as_deref(), Some("fixed@lee.test"));
    let planned = ["plan", "show", "--object", "contact", "--action", "exclude"];
    let excluded = case.json(&[0], &planned);
    assert_eq!(excluded["found"], 1);
    assert_eq!(
        (
            &excluded["actions"][0]["record"],
            &excluded["actions"][0]["because"]
        ),
        (&second.into(), &"left-out-by-hand".into())
    );
    let told = case.run(&["explain", "contact", first]).stdout;
    for words in [
        "corrected   ",
        ": email = \"fixed@lee.test\"; first_name = \"Fixed\"",
        "finding     corrected-by-hand",
    ] {
        assert!(told.contains(words), "{words:?} in {told}");
    }
}

/// A contact that somebody made since the plan: the cause tells how to go on, and going on so merges the two.
#[test]
fn what_a_portal_refused_is_matched_when_it_is_tried_again() {
    let office = Office::new(30);
    let portal = office.start(office.options());
    office.connect_by_token("base", &portal);
    office
        .desk
        .run_expecting(&[0, 1], &["plan", "--dir", "base"]);
    let state = open(&office.desk.path().join("base").join("state.db"));
    let select = "SELECT row ->> '$.fields.email' AS email FROM action WHERE kind = 'create' AND email LIKE '%@%' LIMIT 1";
    let email: String = state.query_row(select, [], |row| row.get(0)).unwrap();
    drop(state);
    let made = Call::new(Method::Post, "/crm/v3/objects/contacts")
        .body(&json!({"properties": {"email": email, "firstname": "Made by hand"}}));
    ask(&portal.portal, &made);
    office
        .desk
        .run_expecting(&[1], &["apply", "--dir", "base", "--yes"]);
    let held = office
        .desk
        .run_expecting(&[1], &["quarantine", "list", "--dir", "base", "--json"])
        .json();
    let causes = held["causes"].as_array().unwrap();
    let cause = causes
        .iter()
        .find(|cause| cause["object"] == "person")
        .unwrap();
    let text = cause["cause"].as_str().unwrap();
    assert!(
        !text.contains(|letter: char| letter.is_ascii_digit()),
        "{text}"
    );
    let before = portal.portal.count(ObjectType::CONTACT);
    let done = office
        .desk
        .run_expecting(
            &[0],
            &[
                "quarantine",
                "replay",
                "all",
                "--dir",
                "base",
                "--yes",
                "--json",
            ],
        )
        .json();
    assert_eq!(done["failed"], 0, "{done:#}");
    assert_eq!(
        portal.portal.count(ObjectType::CONTACT),
        before,
        "the one by hand is the source's"
    );
    let report = office
        .desk
        .run_expecting(&[0, 1], &["audit", "--dir", "base", "--json"])
        .json();
    assert_eq!(report["objects"]["contact"]["failed"], 0);
    office.stop(portal);
}
