//! Laws of the matcher: what may make no difference, and what must never be linked.

use proptest::prelude::*;

use super::*;

const COLUMNS: [(&str, Kind); 6] = [
    ("first_name", Kind::GivenName),
    ("last_name", Kind::Surname),
    ("email", Kind::Email),
    ("phone", Kind::Phone),
    ("date_of_birth", Kind::Date(DateOrder::DayFirst)),
    ("city", Kind::City),
];

type Row = (String, [String; 6]);

fn linked(rows: &[Row]) -> Linkage {
    let columns = COLUMNS.map(|(name, kind)| Column {
        name: name.to_owned(),
        kind,
    });
    let mut records = Records::new(columns.to_vec()).unwrap();
    for (id, values) in rows {
        records.push(id, values.iter().map(String::as_str));
    }
    link(records, Options::default()).unwrap()
}

fn clusters(linkage: &Linkage) -> Vec<Vec<&str>> {
    let ids = |cluster: &Cluster| {
        let members = cluster.members.iter();
        members.map(|member| linkage.id(*member)).collect()
    };
    linkage.clusters().iter().map(ids).collect()
}

/// Everything that was decided, to the last bit.
fn decided(linkage: &Linkage) -> Vec<(String, String, u64, Band)> {
    let pairs = linkage.pairs().iter();
    pairs
        .map(|pair| {
            let id = |record| linkage.id(record).to_owned();
            (
                id(pair.left),
                id(pair.right),
                pair.probability.to_bits(),
                pair.band,
            )
        })
        .collect()
}

fn row(id: &str, values: [&str; 6]) -> Row {
    (id.to_owned(), values.map(str::to_owned))
}

/// A person of that number; people of near numbers share a surname, a city or a telephone.
fn person(number: u32) -> [String; 6] {
    const GIVEN: [&str; 12] = [
        "ann", "bela", "carl", "dora", "emil", "frida", "gerd", "hanna", "ivan", "jutta", "karl",
        "lena",
    ];
    const SURNAMES: [&str; 9] = [
        "abel", "braun", "czerny", "dorn", "engel", "fuchs", "graf", "huber", "ilg",
    ];
    let given = GIVEN[number as usize * 7 % 12];
    let surname = SURNAMES[number as usize / 2 % 9];
    [
        given.to_owned(),
        surname.to_owned(),
        format!("{given}.{surname}{number}@host{number}.example"),
        format!("030 {}", 1_000_000 + number / 2 * 104_729),
        format!(
            "19{:02}-{:02}-{:02}",
            30 + number * 13 % 60,
            1 + number * 5 % 12,
            1 + number * 11 % 28
        ),
        format!("town{}", number % 5),
    ]
}

fn arbitrary_rows() -> impl Strategy<Value = Vec<Row>> {
    let cell = (0_u32..30, 0_u8..8, 0_usize..6, "[a-c]");
    prop::collection::vec(cell, 2..60).prop_map(|cells| {
        let rows = cells.into_iter().enumerate();
        rows.map(|(at, (number, fault, field, letter))| {
            let mut values = person(number);
            match fault {
                0 => values[field].clear(),
                1 => values[field].push_str(&letter),
                2 => values.swap(0, 1),
                _ => {}
            }
            (format!("r{at:03}"), values)
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_records_makes_no_difference(
        (rows, shuffled) in arbitrary_rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let (one, other) = (linked(&rows), linked(&shuffled));
        prop_assert_eq!(decided(&one), decided(&other));
        prop_assert_eq!(clusters(&one), clusters(&other));
    }

    #[test]
    fn the_same_records_give_the_same_answer(rows in arbitrary_rows()) {
        prop_assert_eq!(decided(&linked(&rows)), decided(&linked(&rows)));
    }

    #[test]
    fn what_is_linked_is_one_cluster_and_evidence_adds_up(rows in arbitrary_rows()) {
        let linkage = linked(&rows);
        let cluster_of = linkage.cluster_of();
        for pair in linkage.pairs() {
            let sum: f64 = linkage.evidence(pair).iter().map(|evidence| evidence.bits).sum();
            prop_assert!((sum - pair.weight).abs() < 1e-9);
            let (one, other) = (cluster_of[pair.left.index()], cluster_of[pair.right.index()]);
            prop_assert!(pair.band != Band::Link || (one.is_some() && one == other));
        }
    }

    #[test]
    fn who_has_nothing_is_linked_to_nobody(rows in arbitrary_rows(), blanks in 2_usize..9) {
        let empty = (0..blanks).map(|at| row(&format!("blank{at}"), ["", " ", "n/a", "", "", "-"]));
        let rows: Vec<Row> = rows.into_iter().chain(empty).collect();
        let linkage = linked(&rows);
        let is_blank = |id: &&str| id.starts_with("blank");
        prop_assert!(!clusters(&linkage).concat().iter().any(is_blank));
    }
}

#[test]
fn a_desk_s_address_joins_nobody() {
    let mut rows: Vec<Row> = (0..40)
        .map(|number| (format!("p{number:02}"), person(number * 3)))
        .collect();
    for values in rows.iter_mut().take(6) {
        values.1[2] = "info@acme.example".to_owned();
    }
    assert_eq!(clusters(&linked(&rows)), Vec::<Vec<&str>>::new());
}

#[test]
fn a_telephone_that_many_share_joins_nobody() {
    let mut rows: Vec<Row> = (0..60)
        .map(|number| (format!("p{number:02}"), person(number * 2)))
        .collect();
    for values in rows.iter_mut().take(20) {
        values.1[3] = "030 555 0 555".to_owned();
        values.1[5] = "town1".to_owned();
    }
    assert_eq!(clusters(&linked(&rows)), Vec::<Vec<&str>>::new());
}

#[test]
fn two_people_of_one_household_stay_two() {
    let mut rows: Vec<Row> = (0..60)
        .map(|number| (format!("p{number:02}"), person(number)))
        .collect();
    rows.push(row(
        "q00",
        ["anne", "abel", "", "030 1000000", "1930-01-01", "town0"],
    ));
    let linkage = linked(&rows);
    assert_eq!(clusters(&linkage), [["p00", "q00"]]);
}

#[test]
fn one_id_twice_is_refused() {
    let rows = [row("a", [""; 6]), row("a", [""; 6])];
    let mut records = Records::new(vec![]).unwrap();
    rows.iter().for_each(|(id, _)| records.push(id, []));
    let error = link(records, Options::default()).unwrap_err();
    assert_eq!(error, LinkageError::DuplicateId("a".to_owned()));
}

#[test]
fn nothing_at_all_is_no_trouble() {
    for count in 0..3 {
        let rows: Vec<Row> = (0..count).map(|at| row(&at.to_string(), [""; 6])).collect();
        assert!(linked(&rows).clusters().is_empty());
    }
}
