//! Pages, for matching and as a source.

use model::destination::Write;
use model::source::PageRequest;
use model::{
    BatchBuilder, Cursor, Destination, DestinationError, ObjectName, Source, SourceError, Value,
};

use crate::support::{House, link, now, refused, text, written};

fn many(house: &House, count: usize) {
    let mut builder = BatchBuilder::new(house.object("company"));
    (0..count).for_each(|n| {
        builder.begin(&format!("c{n}"), None);
    });
    house.write_batch(builder.finish(), vec![Write::Create; count]);
}

#[test]
fn pages_hold_each_record_once_and_the_last_has_no_next() {
    for (count, expected) in [
        (0, vec![0]),
        (1, vec![1]),
        (3, vec![3]),
        (4, vec![3, 1]),
        (6, vec![3, 3]),
        (7, vec![3, 3, 1]),
    ] {
        let house = House::new();
        many(&house, count);
        let (mut sizes, mut ids, mut cursor) = (Vec::new(), Vec::new(), None);
        loop {
            let (page, next) = now(Destination::fetch_page(
                &house.crm,
                &ObjectName::new("company"),
                cursor.as_ref(),
                3,
            ))
            .unwrap();
            sizes.push(page.len());
            ids.extend(
                page.iter()
                    .map(|record| record.id().parse::<usize>().unwrap()),
            );
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(sizes, expected);
        assert_eq!(ids, (1..=count).collect::<Vec<_>>());
    }
}

#[test]
fn a_foreign_cursor_and_an_unknown_object_are_refused() {
    let house = House::new();
    let cursor = Cursor::new(b"1 OR 1=1".to_vec());
    let page = now(Destination::fetch_page(
        &house.crm,
        &ObjectName::new("company"),
        Some(&cursor),
        3,
    ));
    assert!(matches!(page, Err(DestinationError::Unusable(_))));
    let page = now(Destination::fetch_page(
        &house.crm,
        &ObjectName::new("sqlite_schema"),
        None,
        3,
    ));
    assert!(
        matches!(page, Err(DestinationError::Unusable(why)) if why.contains("no object \"sqlite_schema\""))
    );
}

#[test]
fn as_a_source_it_tells_records_with_their_associations() {
    let house = House::new();
    let contact = house.create("contact", "1", &[("firstname", text("Ada"))]);
    let company = house.create("company", "1", &[]);
    now(house
        .crm
        .write_links(&[link(("contact", &contact), ("company", &company), None)]))
    .unwrap();
    let request = |object: &str, since| PageRequest {
        object: object.into(),
        cursor: None,
        updated_since: since,
        limit: 10,
    };
    for (object, to) in [("contact", "company"), ("company", "contact")] {
        let page = now(Source::fetch_page(&house.crm, &request(object, None))).unwrap();
        let info = page.records.object().clone();
        let links: Vec<_> = page.records.record(0).associations().collect();
        let name = |at: u16| info.associations[usize::from(at)].name.as_str();
        assert_eq!(
            links
                .iter()
                .map(|(at, id)| (name(*at), *id))
                .collect::<Vec<_>>(),
            [(to, "1")]
        );
    }
    let updated = now(Source::fetch_page(&house.crm, &request("contact", None)))
        .unwrap()
        .records
        .record(0)
        .updated_at();
    let since = |instant| {
        now(Source::fetch_page(&house.crm, &request("contact", instant)))
            .unwrap()
            .records
            .len()
    };
    assert_eq!(since(updated), 1);
    let later = model::Instant::from_unix_us(updated.unwrap().unix_us() + 5_000_000);
    assert_eq!(since(later), 0);
    let poem = now(Source::fetch_page(&house.crm, &request("poem", None)));
    assert!(matches!(poem, Err(SourceError::Unsupported(_))));
}

#[test]
fn a_value_that_a_person_put_there_in_another_form_is_told_by_name() {
    let house = House::new();
    let id = house.create("contact", "1", &[]);
    house
        .sql()
        .execute("UPDATE contacts SET date_of_birth = 'long ago'", [])
        .unwrap();
    let read =
        now(house
            .crm
            .read_records(&ObjectName::new("contact"), &[], std::slice::from_ref(&id)));
    let Err(DestinationError::Unusable(why)) = read else {
        panic!("{read:?}")
    };
    assert_eq!(
        why,
        "local CRM: contact 1: property \"date_of_birth\" holds something else than date"
    );
    // What cannot be told as it was is not overwritten; what is beside it may be.
    let update = || Write::Update(id.clone());
    let birth = [("date_of_birth", Value::Null)];
    let refusal = refused(house.write("contact", "1", update(), &birth));
    assert_eq!(refusal, format!("destination refused contact 1: {why}"));
    written(house.write("contact", "1", update(), &[("city", text("Paris"))]));
}
