//! A migration is recorded, the account goes away, and the recording makes the same migration: same plan, same writes, same report.

use std::path::Path;

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

use crate::failures_site::{Site, copy_folder, dump};

/// A fresh project that knows which connector was recorded, and no secret.
fn fresh(site: &Site, name: &str) {
    let (base, to) = (site.desk.path().join("base"), site.desk.path().join(name));
    std::fs::create_dir(&to).unwrap();
    std::fs::copy(base.join("longshore.toml"), to.join("longshore.toml")).unwrap();
    copy_folder(&base.join("connectors"), &to.join("connectors"));
}

/// The report without what a clock or a folder says.
fn lasting(mut report: Value) -> Value {
    for key in ["seconds", "workbook", "local_crm"] {
        assert!(report.as_object_mut().unwrap().remove(key).is_some());
    }
    report
}

/// Every cell of every sheet.
fn cells(workbook: &Path) -> Vec<(String, Vec<Vec<Data>>)> {
    let mut book: Xlsx<_> = calamine::open_workbook(workbook).unwrap();
    let sheets = book.worksheets().into_iter();
    sheets
        .map(|(name, range)| (name, range.rows().map(<[Data]>::to_vec).collect()))
        .collect()
}

/// Entries of a tape, by what they are.
fn count(tape: &[u8], what: &str) -> usize {
    let what = format!("{{\"is\":\"{what}\"");
    tape.windows(what.len())
        .filter(|bytes| *bytes == what.as_bytes())
        .count()
}

#[test]
fn a_recorded_migration_is_replayed_without_account_and_credential() {
    let mut site = Site::connected();
    let token = site.simulation.token().to_owned();
    let tape = site.desk.path().join("run.tape");
    fresh(&site, "replayed");
    fresh(&site, "planned");
    site.copy("recorded");
    let recorded = site.desk.run_expecting(
        &[0, 1],
        &[
            "migrate", "--dir", "recorded", "--yes", "--json", "--record", "run.tape",
        ],
    );
    site.desk.set_environment("LONGSHORE_TOKEN", "");
    let Site { desk, simulation } = site;
    drop(simulation);

    let bytes = std::fs::read(&tape).unwrap();
    assert!(count(&bytes, "exchange") > 20, "every exchange is on it");
    assert_eq!((count(&bytes, "about"), count(&bytes, "end")), (1, 1));
    assert!(!String::from_utf8_lossy(&bytes).contains(&token));

    let replayed = desk.run_expecting(
        &[recorded.code.unwrap()],
        &[
            "migrate", "--dir", "replayed", "--yes", "--json", "--replay", "run.tape",
        ],
    );
    let [recorded, replayed] = [recorded, replayed].map(|ended| lasting(ended.json()));
    assert_eq!(recorded["plan"]["hash"], replayed["plan"]["hash"]);
    assert_eq!(recorded, replayed, "the same report");
    let crm = |name: &str| dump(&desk.path().join(name).join("local-crm.db"));
    assert_eq!(crm("recorded"), crm("replayed"), "the same records");
    let book = |name: &str| cells(&desk.path().join(name).join("audit.xlsx"));
    assert_eq!(book("recorded"), book("replayed"), "the same workbook");
    for secret in ["vault.json", "vault.key"] {
        let made = desk.path().join("replayed").join(secret);
        assert!(!made.exists(), "a replay asks for no credential");
    }

    // A longer tape serves a shorter command too.
    let planned = desk.run_expecting(
        &[0, 1],
        &["plan", "--dir", "planned", "--json", "--replay", "run.tape"],
    );
    assert_eq!(planned.json()["plan"]["hash"], recorded["plan"]["hash"]);
}

#[test]
fn a_tape_that_is_cut_foreign_or_in_the_way_is_told() {
    let site = Site::connected();
    for name in ["replayed", "again"] {
        fresh(&site, name);
    }
    let record = ["discover", "--dir", "base", "--json", "--record", "d.tape"];
    site.desk.run_expecting(&[0, 1], &record);
    let in_the_way = site.desk.run_expecting(&[2], &record);
    assert!(
        in_the_way.stderr.contains("exists already"),
        "{in_the_way:#?}"
    );

    let missing = ["plan", "--dir", "replayed", "--replay", "d.tape"];
    let ended = site.desk.run_expecting(&[2], &missing);
    assert!(
        ended.stderr.contains("tape d.tape does not hold GET \"/")
            && ended.stderr.contains("of endpoint \"api\"")
            && ended.stderr.contains("hint: "),
        "{ended:#?}"
    );

    let whole = std::fs::read(site.desk.path().join("d.tape")).unwrap();
    std::fs::write(site.desk.path().join("cut.tape"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(site.desk.path().join("text.tape"), "not a tape\n").unwrap();
    for (tape, told) in [
        ("cut.tape", "is cut after exchange"),
        ("text.tape", "is not a tape"),
        ("none.tape", "cannot be read"),
    ] {
        let ended = site
            .desk
            .run_expecting(&[2], &["discover", "--dir", "again", "--replay", tape]);
        assert!(ended.stderr.contains(told), "{told}: {ended:#?}");
    }
}
