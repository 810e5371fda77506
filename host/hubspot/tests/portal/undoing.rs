//! Undoing at HubSpot: records go to the recycle bin, associations by their types, and what is not ours stays as it is.

use model::destination::{Archived, Destination as _, Link, LinkRefused, WriteOutcome};
use model::{DestinationError, DestinationRecordId};
use simulators::hubspot::{Call, Method, ObjectType};

use crate::site::Site;

/// Where contacts are archived.
const ARCHIVE: &str = "/objects/contacts/batch/archive";

fn ids(outcomes: &[WriteOutcome]) -> Vec<DestinationRecordId> {
    let id = |outcome: &WriteOutcome| match outcome {
        WriteOutcome::Written { id, .. } => id.clone(),
        WriteOutcome::Refused(why) => panic!("{why}"),
    };
    outcomes.iter().map(id).collect()
}

/// Sends as a person's other tool does.
fn send(site: &Site, path: &str, body: serde_json::Value) -> serde_json::Value {
    let call = Call::new(Method::Post, path)
        .body(&body)
        .bearer(site.portal.token());
    let answer = site.portal.handle(&call);
    assert!(answer.status < 300, "{path}: {}", answer.status);
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

fn company(site: &Site, name: &str) -> DestinationRecordId {
    let body = serde_json::json!({"properties": {"name": name}});
    let made = send(site, "/crm/v3/objects/companies", body);
    made["id"].as_str().unwrap().into()
}

fn link(contact: &DestinationRecordId, company: &DestinationRecordId) -> Link {
    Link {
        from_object: "contact".into(),
        from: contact.clone(),
        to_object: "company".into(),
        to: company.clone(),
        label: None,
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_archived_a_hundred_a_call_and_no_others() {
    let site = Site::new().await;
    let sources: Vec<String> = (0..250).map(|n| n.to_string()).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let made = ids(&site.write(&sources).await.unwrap());
    let (asked, kept) = made.split_at(249);
    let before = site.portal.counters().today;
    let answers = site
        .destination
        .archive_records(&"contact".into(), asked)
        .await
        .unwrap();
    assert_eq!(answers, vec![Archived::Done; 249]);
    assert_eq!(site.portal.counters().today - before, 3, "calls");
    let left: Vec<String> = site
        .portal
        .records(ObjectType::CONTACT)
        .iter()
        .map(|record| record.id.to_string())
        .collect();
    assert_eq!(left, [kept[0].as_str()]);
    // Once more changes nothing, and the same source records come back as new ones.
    let again = site
        .destination
        .archive_records(&"contact".into(), asked)
        .await;
    assert!(again.is_ok());
    let anew = ids(&site.write(&sources[..1]).await.unwrap());
    assert_ne!(anew[0], made[0]);
}

#[tokio::test(start_paused = true)]
async fn what_hubspot_refuses_to_archive_is_told_and_the_rest_is_archived() {
    let site = Site::new().await;
    let made = ids(&site.write(&["1", "2", "3", "4"]).await.unwrap());
    let gone = r#"{"status":"error","category":"OBJECT_NOT_FOUND","message":"not here"}"#;
    let mixed = r#"{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"VALIDATION_ERROR","message":"Record is locked"}]}"#;
    // The batch has a fault, then its second half, then the last one alone.
    site.answer(ARCHIVE, 1, 207, &[], mixed);
    site.answer(ARCHIVE, 1, 404, &[], gone);
    site.answer(ARCHIVE, 1, 404, &[], gone);
    let answers = site
        .destination
        .archive_records(&"contact".into(), &made)
        .await
        .unwrap();
    assert_eq!(
        answers,
        [
            Archived::Done,
            Archived::Done,
            Archived::Done,
            Archived::Gone
        ]
    );
    let refusal =
        r#"{"status":"error","category":"VALIDATION_ERROR","message":"Record is locked"}"#;
    site.answer(ARCHIVE, 1, 400, &[], refusal);
    let answers = site
        .destination
        .archive_records(&"contact".into(), &made[3..])
        .await
        .unwrap();
    let told = format!(
        "destination refused to archive contact {}: record is locked",
        made[3]
    );
    assert_eq!(answers, [Archived::Refused(told)]);
    // A lost answer is asked for again, for archiving twice is archiving once.
    site.answer(ARCHIVE, 2, 502, &[], "");
    let answers = site
        .destination
        .archive_records(&"contact".into(), &made[3..])
        .await
        .unwrap();
    assert_eq!(answers, [Archived::Done]);
    site.answer(ARCHIVE, 1, 401, &[], "{}");
    let stopped = site
        .destination
        .archive_records(&"contact".into(), &made)
        .await;
    assert!(
        matches!(stopped, Err(DestinationError::Auth(_))),
        "{stopped:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_plain_association_goes_and_a_primary_one_stays_with_it() {
    let site = Site::new().await;
    let made = ids(&site.write(&["1", "2"]).await.unwrap());
    let (ours, theirs) = (company(&site, "Ours"), company(&site, "Theirs"));
    let links = [
        link(&made[0], &ours),
        link(&made[1], &ours),
        link(&made[1], &theirs),
    ];
    let answers = site.destination.write_links(&links).await.unwrap();
    assert_eq!(answers, [Ok(true), Ok(true), Ok(true)]);
    // Somebody makes a company primary that the run had only associated.
    let body = serde_json::json!({"inputs": [{
        "from": {"id": made[1].as_str()}, "to": {"id": ours.as_str()},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}],
    }]});
    send(
        &site,
        "/crm/v4/associations/contacts/companies/batch/create",
        body,
    );
    let answers = site.destination.remove_links(&links).await.unwrap();
    assert_eq!((&answers[0], &answers[2]), (&Ok(true), &Ok(true)));
    assert!(
        matches!(&answers[1], Err(LinkRefused(why)) if why.starts_with("edited since: contact")),
        "{answers:?}"
    );
    let left = site
        .destination
        .read_links(&"contact".into(), &made)
        .await
        .unwrap()
        .unwrap();
    let left: Vec<_> = left.iter().map(|link| (&link.from, &link.to)).collect();
    assert_eq!(left, [(&made[1], &ours)]);
    let again = site.destination.remove_links(&links[..1]).await.unwrap();
    assert_eq!(again, [Ok(false)], "it was gone already");
}

#[tokio::test(start_paused = true)]
async fn only_the_label_that_was_set_is_taken_away() {
    let site = Site::new().await;
    let made = ids(&site.write(&["1"]).await.unwrap());
    let ours = company(&site, "Ours");
    let labels =
        ["Partner", "Supplier"].map(|label| ("contact".into(), "company".into(), label.to_owned()));
    let preparation = model::destination::Preparation {
        labels: labels.to_vec(),
        ..Default::default()
    };
    site.destination.prepare(&preparation).await.unwrap();
    let labelled = |label: &str| Link {
        label: Some(label.to_owned()),
        ..link(&made[0], &ours)
    };
    let links = [
        labelled("Partner"),
        labelled("Supplier"),
        link(&made[0], &ours),
    ];
    site.destination.write_links(&links[..2]).await.unwrap();
    let answers = site.destination.remove_links(&links[..1]).await.unwrap();
    assert_eq!(answers, [Ok(true)]);
    // The plain one carries the other label, so it stays, whoever asks.
    let answers = site.destination.remove_links(&links[2..]).await.unwrap();
    assert!(
        matches!(&answers[0], Err(LinkRefused(why)) if why.contains("Supplier")),
        "{answers:?}"
    );
    // Together they go in the right order, whatever the order in which they are named.
    let both = [links[2].clone(), links[1].clone()];
    let answers = site.destination.remove_links(&both).await.unwrap();
    assert_eq!(answers, [Ok(true), Ok(true)]);
    let left = site.destination.read_links(&"contact".into(), &made).await;
    assert_eq!(left.unwrap().unwrap(), []);
}

/// An upsert may find a record: it was not made by this run, whatever it was.
#[tokio::test(start_paused = true)]
async fn a_record_that_was_there_is_not_told_as_a_new_one() {
    let site = Site::new().await;
    let first = site.write(&["1"]).await.unwrap();
    assert!(matches!(
        &first[0],
        WriteOutcome::Written { before: None, .. }
    ));
    let again = site.write(&["1", "2"]).await.unwrap();
    assert!(
        matches!(
            &again[0],
            WriteOutcome::Written {
                before: Some(_),
                ..
            }
        ),
        "{again:?}"
    );
    assert!(
        matches!(&again[1], WriteOutcome::Written { before: None, .. }),
        "{again:?}"
    );
}
