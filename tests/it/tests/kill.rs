//! The process is killed at its commit points, really, and started again: the end state is that of a run that nothing disturbed.
//!
//! The store traces a line right before and right after each commit; the child dies upon the line that was chosen, so within or after
//! the commit that the line tells of.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use it::{Desk, Ended};
use serde_json::Value;

use crate::failures_site::{Dump, Guarded, Site, assert_same, migration};

/// What a run that nothing disturbed came to.
struct Undisturbed {
    /// Each commit point by name, for example `Outcome Before`, in order.
    points: Vec<String>,
    report: Value,
    dump: Dump,
}

/// The name of the commit point that a line of traces tells of.
fn point(line: &str) -> Option<String> {
    let trace: Value = serde_json::from_str(line).ok()?;
    let text = trace["fields"]["point"]
        .as_str()
        .filter(|_| trace["target"] == "longshore::commit")?;
    let after = |key: &str| {
        text.split(key)
            .nth(1)?
            .split([',', ' '])
            .next()
            .map(str::to_owned)
    };
    Some(format!("{} {}", after("commit: ")?, after("moment: ")?))
}

fn traced(desk: &Desk, folder: &str) -> std::process::Command {
    let mut command = desk.command(&migration(folder));
    command
        .arg("--trace-json")
        .env("RUST_LOG", "longshore::commit=trace")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs the migration and kills it upon its `n`-th commit point, counted from 0; says which point that was, or `None` when the run
/// ended by itself before.
fn run_until(desk: &Desk, folder: &str, n: usize) -> Option<String> {
    let mut child = Guarded(traced(desk, folder).spawn().unwrap());
    let lines = BufReader::new(child.0.stderr.take().unwrap()).lines();
    let found = lines
        .map_while(Result::ok)
        .filter_map(|line| point(&line))
        .nth(n);
    child.0.kill().unwrap();
    let status = child.0.wait().unwrap();
    assert!(
        found.is_none() || status.code().is_none(),
        "it died of the kill, not by itself: {status}"
    );
    found
}

fn undisturbed(site: &Site) -> Undisturbed {
    site.copy("undisturbed");
    let child = traced(&site.desk, "undisturbed")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ended = Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    assert_eq!(ended.code, Some(1), "the account has findings: {ended:#?}");
    let points = ended.stderr.lines().filter_map(point).collect();
    let undisturbed = Undisturbed {
        points,
        report: ended.json(),
        dump: site.dump("undisturbed"),
    };
    assert!(
        undisturbed.dump["contacts"].len() > 50,
        "there is something to lose"
    );
    assert!(
        undisturbed.dump["associations"].len() > 100,
        "there is something to lose"
    );
    undisturbed
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} is a number in {value}"))
}

/// What the run after a kill turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// The remainder of the killed one.
    Remainder,
    /// A migration of its own that found everything done: the kill came after the last commit that mattered.
    Anew,
}

/// The end state after kills: the local CRM row for row, and an account that adds up to the same.
#[track_caller]
fn assert_recovered(
    what: &str,
    site: &Site,
    folder: &str,
    ended: &Ended,
    right: &Undisturbed,
) -> Rest {
    assert_same(what, &right.dump, &site.dump(folder));
    let report = ended.json();
    let objects = report["objects"].as_object().unwrap();
    assert_eq!(
        objects.len(),
        right.report["objects"].as_object().unwrap().len(),
        "{what}: objects"
    );
    let rest = if number(&objects["contact"], "created") == 0 {
        Rest::Anew
    } else {
        Rest::Remainder
    };
    for (name, object) in objects {
        let expected = &right.report["objects"][name];
        let count = |key| number(object, key);
        let parts = ["created", "updated", "unchanged", "excluded", "failed"];
        assert_eq!(
            count("selected"),
            parts.iter().map(|part| count(part)).sum::<u64>(),
            "{what}: {name} adds up: {object}"
        );
        for key in [
            "selected",
            "excluded",
            "failed",
            "linked",
            "updated",
            "read_back",
            "differing",
        ] {
            assert_eq!(
                count(key),
                number(expected, key),
                "{what}: {key} of {name}: {object}"
            );
        }
        let (done, other) = if rest == Rest::Anew {
            ("unchanged", "created")
        } else {
            ("created", "unchanged")
        };
        assert_eq!(
            (count(done), count(other)),
            (number(expected, "created"), 0),
            "{what}: {name}: {object}"
        );
    }
    let (links, expected) = (&report["associations"], &right.report["associations"]);
    // A link that was made and not noted was announced, so it is this run's.
    let (made, existing) = (number(links, "made"), number(links, "existing"));
    let ours = match rest {
        Rest::Remainder => made,
        Rest::Anew => made + existing,
    };
    assert_eq!(ours, number(expected, "made"), "{what}: {links}");
    assert_eq!(
        (&links["failed"], &links["missing_end"]),
        (&expected["failed"], &expected["missing_end"]),
        "{what}: {links}"
    );
    assert_eq!(report["money"], right.report["money"], "{what}: money");
    let (findings, expected) = (&report["findings"], &right.report["findings"]);
    match rest {
        Rest::Remainder => assert_eq!(findings, expected, "{what}: findings"),
        // Options that the first migration had to make are there by now.
        Rest::Anew => assert!(
            number(findings, "total") <= number(expected, "total"),
            "{what}: {findings}"
        ),
    }
    rest
}

/// The places to kill at: for each commit its first or last occurrence on one side and one in its midst on the other, and both ends of
/// the run. With `LONGSHORE_KILLS=all` every one.
fn chosen(points: &[String]) -> Vec<usize> {
    if std::env::var("LONGSHORE_KILLS").is_ok_and(|wish| wish == "all") {
        return (0..points.len()).collect();
    }
    let mut chosen = BTreeSet::from([0, points.len() - 1]);
    for (turn, commit) in [
        "StagePage",
        "PlanBatch",
        "PlanSeal",
        "Intent",
        "Outcome",
        "Links",
        "Findings",
    ]
    .into_iter()
    .enumerate()
    {
        let places = |moment: &str| -> Vec<usize> {
            let name = format!("{commit} {moment}");
            (0..points.len()).filter(|at| points[*at] == name).collect()
        };
        let (before, after) = (places("Before"), places("After"));
        assert!(
            !before.is_empty() && before.len() == after.len(),
            "{commit} is committed: {points:?}"
        );
        let midst = |places: &[usize]| places[places.len() / 2];
        chosen.insert(if turn % 2 == 0 {
            midst(&after)
        } else {
            midst(&before)
        });
        // What the destination has and the ledger does not know is the hardest to recover from.
        if ["Outcome", "Links", "PlanSeal"].contains(&commit) {
            chosen.insert(if turn % 2 == 0 {
                midst(&before)
            } else {
                midst(&after)
            });
        }
    }
    chosen.into_iter().collect()
}

#[test]
fn killed_at_any_commit_and_run_again_it_ends_the_same() {
    let site = Site::connected();
    let right = undisturbed(&site);
    let chosen = chosen(&right.points);
    assert!(chosen.len() >= 10, "{chosen:?}");
    let workers = 2;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (site, right, chosen) = (&site, &right, &chosen);
            scope.spawn(move || {
                for n in chosen.iter().skip(worker).step_by(workers) {
                    let folder = format!("killed-{n}");
                    site.copy(&folder);
                    let point = run_until(&site.desk, &folder, *n);
                    let what = format!(
                        "killed at {n} of {}, {}",
                        right.points.len(),
                        right.points[*n]
                    );
                    assert_eq!(
                        point.as_deref(),
                        Some(right.points[*n].as_str()),
                        "{what}: the run is the undisturbed one up to there"
                    );
                    let ended = site.migrate(&folder);
                    let rest = assert_recovered(&what, site, &folder, &ended, right);
                    // The audit is noted, then the end of its phase: two commits, each with a side before and one after.
                    assert!(
                        rest == Rest::Remainder || n + 4 >= right.points.len(),
                        "{what}: nothing is begun anew"
                    );
                    std::fs::remove_dir_all(site.desk.path().join(&folder)).unwrap();
                }
            });
        }
    });
}

#[test]
fn killed_over_and_over_it_still_comes_to_the_same_end() {
    let site = Site::connected();
    let right = undisturbed(&site);
    site.copy("often");
    let mut seen = Vec::new();
    // Each run gets a few commits further than it takes to start; a run that ends by itself ends the test.
    for n in [40, 55, 90, 21, 34, 13] {
        match run_until(&site.desk, "often", n) {
            Some(point) => seen.push(point),
            None => break,
        }
    }
    assert!(seen.len() >= 4, "it was killed several times: {seen:?}");
    let ended = site.migrate("often");
    let rest = assert_recovered(
        &format!("killed at {seen:?}"),
        &site,
        "often",
        &ended,
        &right,
    );
    assert_eq!(rest, Rest::Remainder);
}
