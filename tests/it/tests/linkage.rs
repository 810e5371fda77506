//! `longshore match` as a person or a script gives it: what it prints and writes, exit codes, and how it refuses a file that is none.
//!
//! How right it is on sets of others is tested in `reconcile`.

use std::fmt::Write as _;

use it::{Desk, Ended};
use serde_json::Value;

const HEADER: &str = "id, given_name, surname, email, phone, dob, city, cluster\n";

/// People who have nothing to do with each other, and three records that are two of them.
fn people() -> String {
    let names = [
        "ann", "bela", "carl", "dora", "emil", "frida", "gerd", "hanna", "ivan", "jutta",
    ];
    let mut table = HEADER.to_owned();
    for number in 0..60 {
        let (given, surname) = (
            names[number % 10],
            format!("{}son", names[number * 7 / 10 % 10]),
        );
        let unlike = number * 7_919 % 10_000;
        writeln!(
            table,
            "p{number:02}, {given}, {surname}{}, {given}.{unlike}@host{number}.example, 030 {}, 19{:02}-{:02}-{:02}, town{}, c{number}",
            number % 6,
            1_000_000 + number * 104_729,
            30 + number * 13 % 60,
            1 + number * 5 % 12,
            1 + number * 11 % 28,
            number % 9,
        )
        .unwrap();
    }
    // A slip in the surname, names in each other's place, a number without its area.
    table += "q03, dora, carlsn3, dora.3757@host3.example, 030 1314187, 1969-04-06, town3, c3\n";
    table += "q14, juttason2, emil, , 030 2466206, 1932-11-15, , c14\n";
    table += "q33, dora, , dora.1327@host33.example, 4456057, 1939-10-28, town6, c33\n";
    table
}

fn refused(desk: &Desk, arguments: &[&str], parts: &[&str]) {
    let ended: Ended = desk.run_expecting(&[2], &[&["match"], arguments].concat());
    assert!(ended.stdout.is_empty(), "{ended:#?}");
    for part in parts.iter().chain(&["error: ", "\nhint: "]) {
        assert!(
            ended.stderr.contains(part),
            "{part:?} is missing in {ended:#?}"
        );
    }
}

#[test]
fn match_names_the_records_that_are_one_and_why() {
    let desk = Desk::new();
    std::fs::write(desk.path().join("people.csv"), people()).unwrap();
    let command = ["match", "people.csv", "--id", "id", "--labels", "cluster"];
    let ended = desk.run_expecting(
        &[1],
        &[&command[..], &["--out", "out.jsonl", "--json"]].concat(),
    );
    let found = ended.json();
    let clusters = serde_json::json!([["p03", "q03"], ["p14", "q14"], ["p33", "q33"]]);
    assert_eq!(found["clusters"], clusters, "{found:#}");
    assert_eq!(found["records"], 63);
    assert_eq!(found["not_compared"], serde_json::json!(["cluster"]));
    assert_eq!(found["quality"]["f1"], 1.0);

    let out = std::fs::read_to_string(desk.path().join("out.jsonl")).unwrap();
    let pairs: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let swapped = pairs
        .iter()
        .find(|pair| pair["right"] == "q14" && pair["band"] == "link");
    let swapped = swapped.expect("the pair with its evidence");
    assert_eq!(swapped["evidence"][0]["level"], "swapped");
    for pair in &pairs {
        let bits = pair["evidence"].as_array().unwrap().iter();
        let sum: f64 = bits
            .map(|evidence| evidence["bits"].as_f64().unwrap())
            .sum();
        let weight = pair["weight_bits"].as_f64().unwrap();
        assert!((sum - weight).abs() < 0.01, "evidence adds up: {pair}");
    }

    let again = desk.run_expecting(&[1], &[&command[..], &["--out", "out.csv"]].concat());
    assert!(
        again.stdout.contains("clusters      3 of 6 records"),
        "{again:#?}"
    );
    assert!(
        again
            .stdout
            .contains("precision 1.0000, recall 1.0000, F1 1.0000")
    );
    let table = std::fs::read_to_string(desk.path().join("out.csv")).unwrap();
    assert!(table.starts_with("left,right,band,probability,weight_bits,cluster,given_name_level"));
}

#[test]
fn match_takes_labels_of_pairs_and_other_separators() {
    let desk = Desk::new();
    let table = people().replace(", ", ";").replace(",", ";");
    std::fs::write(desk.path().join("people.csv"), format!("\u{feff}{table}")).unwrap();
    std::fs::write(
        desk.path().join("pairs.csv"),
        "id_l,set_l,id_r,set_r,score\np03,a,q03,a,1.0\np14,a,q14,a,0.9\np01,a,p02,a,0.0\np05,a,p06,a,1.0\n",
    )
    .unwrap();
    let command = [
        "match",
        "people.csv",
        "--id",
        "id",
        "--labels",
        "pairs.csv",
        "--json",
    ];
    let quality = desk.run_expecting(&[1], &command).json()["quality"].clone();
    let counts = ["right", "wrong", "missed"].map(|count| quality[count].as_u64());
    assert_eq!(counts, [Some(2), Some(0), Some(1)]);
}

#[test]
fn match_ends_with_0_where_nothing_is_one() {
    let desk = Desk::new();
    let people = people();
    let distinct: Vec<&str> = people
        .lines()
        .filter(|line| !line.starts_with('q'))
        .collect();
    std::fs::write(desk.path().join("people.csv"), distinct.join("\n")).unwrap();
    std::fs::write(desk.path().join("none.csv"), HEADER).unwrap();
    for file in ["people.csv", "none.csv"] {
        let ended = desk.run_expecting(&[0], &["match", file, "--id", "id", "--json"]);
        assert_eq!(ended.json()["clusters"], serde_json::json!([]));
    }
}

#[test]
fn match_refuses_what_is_no_table_by_file_line_and_column() {
    let desk = Desk::new();
    let write = |name: &str, bytes: &[u8]| std::fs::write(desk.path().join(name), bytes).unwrap();
    write("empty.csv", b"  \n");
    refused(&desk, &["empty.csv", "--id", "id"], &["empty.csv is empty"]);
    write("plain.csv", b"id,name\n1,ann\n");
    refused(
        &desk,
        &["plain.csv", "--id", "key"],
        &[
            "plain.csv, line 1: no column \"key\"",
            "it has \"id\", \"name\"",
        ],
    );
    refused(
        &desk,
        &["plain.csv", "--id", "id", "--ignore", "x"],
        &["no column \"x\""],
    );
    refused(
        &desk,
        &["plain.csv", "--id", "id", "--labels", "x"],
        &["x is neither a file nor a column"],
    );
    write("labels.csv", b"id_a,id_b\n1,7\n");
    refused(
        &desk,
        &["plain.csv", "--id", "id", "--labels", "labels.csv"],
        &["labels.csv, line 2: there is no record \"7\""],
    );
    write("twice.csv", b"id,name\n1,ann\n2,bob\n1,cid\n");
    refused(
        &desk,
        &["twice.csv", "--id", "id"],
        &["twice.csv, line 4: column \"id\" has the id \"1\" of line 2 again"],
    );
    write("blank.csv", b"id,name\n1,ann\n ,bob\n");
    refused(
        &desk,
        &["blank.csv", "--id", "id"],
        &["blank.csv, line 3: column \"id\" is empty"],
    );
    write("ragged.csv", b"id,name\n1,ann\n2,bob,x\n");
    refused(
        &desk,
        &["ragged.csv", "--id", "id"],
        &["ragged.csv, line 3: 3 fields, where the header has 2"],
    );
    write("latin.csv", b"id,name\n1,ann\n2,b\xf6b\n");
    refused(
        &desk,
        &["latin.csv", "--id", "id"],
        &["latin.csv, line 3: column \"name\" is not UTF-8"],
    );
}

/// The records that a project has read are compared as those of a file are, by what says who somebody is.
#[test]
fn match_names_the_records_of_a_project_that_are_one() {
    let site = crate::failures_site::Site::connected();
    site.copy("p");
    let desk = &site.desk;
    let all = ["match", "--object", "contact", "--dir", "p", "--json"];
    let refused = desk.run_expecting(&[2], &all);
    assert!(refused.stderr.contains("plan"), "{}", refused.stderr);
    desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
    let db = rusqlite::Connection::open(desk.path().join("p/state.db")).unwrap();
    // Every second person is the one before, with a slip in the surname and no row of its own.
    let twins = "UPDATE staged_record AS s SET row = (
             SELECT json_set(t.row, '$.id', s.source_id, '$.fields.last_name', (t.row ->> '$.fields.last_name') || 'x')
             FROM staged_record t WHERE t.object = s.object AND CAST(t.source_id AS INTEGER) = CAST(s.source_id AS INTEGER) - 1
                 AND t.row ->> '$.fields.email' IS NOT NULL)
         WHERE s.object = (SELECT id FROM object WHERE name = 'person' AND connection <> '') AND CAST(s.source_id AS INTEGER) % 2 = 0
             AND EXISTS (SELECT 1 FROM staged_record t WHERE t.object = s.object
                         AND CAST(t.source_id AS INTEGER) = CAST(s.source_id AS INTEGER) - 1 AND t.row ->> '$.fields.email' IS NOT NULL)";
    let twins = db.execute(twins, []).unwrap();
    assert!(twins > 10, "{twins}");
    let found = desk.run_expecting(&[1], &all).json();
    assert_eq!(
        found["clusters"].as_array().unwrap().len(),
        twins,
        "{found:#}"
    );
    for cluster in found["clusters"].as_array().unwrap() {
        let ids: Vec<u64> = cluster
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().parse().unwrap())
            .collect();
        assert!(ids.len() == 2 && ids[0].abs_diff(ids[1]) == 1, "{ids:?}");
    }
    let compared = found["fields"].to_string();
    assert!(
        compared.contains("\"email\"") && compared.contains("\"lastname\""),
        "{compared}"
    );
    let left_out = found["not_compared"].to_string();
    assert!(left_out.contains("hubspot_owner_id"), "{left_out}");
    let without = desk.run_expecting(&[0, 1], &[&all[..], &["--ignore", "email"]].concat());
    assert!(
        without.json()["not_compared"]
            .to_string()
            .contains("\"email\"")
    );
    let wrong = desk.run_expecting(&[2], &["match", "--object", "nobody", "--dir", "p"]);
    assert!(
        wrong.stderr.contains("has no object \"nobody\""),
        "{}",
        wrong.stderr
    );
}
