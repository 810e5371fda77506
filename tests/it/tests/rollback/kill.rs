//! A roll back that is killed at its commit points, really, and given again: the destination is that of one that nothing disturbed.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::failures_site::{Guarded, copy_folder};
use crate::rollback::crm::{Dice, House, State};

const COMMAND: [&str; 7] = [
    "rollback", "latest", "--dir", "x", "--apply", "--yes", "--json",
];

/// Runs the command and kills it upon the `n`-th commit point that is meant; says which that was, or `None` when it ended before.
fn run_until(house: &House, command: &[&str], meant: &str, n: usize) -> Option<String> {
    let mut command = house.desk.command(command);
    command
        .arg("--trace-json")
        .env("RUST_LOG", "longshore::commit=trace")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = Guarded(command.spawn().unwrap());
    let lines = BufReader::new(child.0.stderr.take().unwrap()).lines();
    let point = |line: String| {
        let trace: Value = serde_json::from_str(&line).ok()?;
        let text = trace["fields"]["point"].as_str()?;
        (trace["target"] == "longshore::commit" && text.contains(meant)).then(|| text.to_owned())
    };
    let found = lines.map_while(Result::ok).filter_map(point).nth(n);
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    found
}

fn state(house: &House) -> State {
    State::of(&house.desk.path().join("x/local-crm.db"))
}

#[test]
fn rule_25_killed_at_any_commit_and_given_again_it_ends_the_same() {
    let mut house = House::new(1);
    house.migrate();
    house.add_own_records();
    house.read_from(2);
    house.migrate();
    let after = house.state();
    house.edit(&mut Dice(5), &after, 20);
    let (from, to) = (house.desk.path().join("p"), house.desk.path().join("x"));
    let fresh = || {
        let _ = std::fs::remove_dir_all(&to);
        copy_folder(&from, &to);
    };
    fresh();
    let right = house.desk.run_expecting(&[1], &COMMAND).json();
    let expected = state(&house);
    let (mut killed, mut kinds) = (0, std::collections::BTreeSet::new());
    // Every commit has two sides; more kills than one is what `LONGSHORE_KILLS=all` does.
    let step = if std::env::var("LONGSHORE_KILLS").is_ok_and(|wish| wish == "all") {
        1
    } else {
        7
    };
    for n in (0..).step_by(step) {
        fresh();
        let Some(point) = run_until(&house, &COMMAND, "", n) else {
            break;
        };
        killed += 1;
        let ended = house.desk.run(&COMMAND);
        // Killed after the last commit it is done, and says so.
        let is_over = ended.stderr.contains("was rolled back already");
        let what = format!("killed at {n}, {point}");
        assert!(ended.code == Some(1) || is_over, "{what}: {ended:#?}");
        state(&house).assert_is(&expected, &what);
        if !is_over {
            assert_eq!(ended.json()["objects"], right["objects"], "{what}");
        }
        kinds.insert(point);
    }
    assert!(killed >= 10, "{killed}");
    assert!(kinds.iter().any(|kind| kind.contains("Undo,")), "{kinds:?}");
}

/// A migration that died in the middle of a write is taken back as well: what became of the write is looked up.
#[test]
fn rule_25_a_run_that_was_killed_is_taken_back_whole() {
    let house = House::new(1);
    let (outcome, mut unsettled) = ("Outcome, moment: Before", 0);
    let places = [1, 3, 5, 7, 9].map(|n| (n, outcome));
    let places = places
        .into_iter()
        .chain([(8, "Outcome, moment: After"), (0, "Links")]);
    // It dies a moment after its line, so not each time with a write that is not noted: once more around where it never was.
    for (place, (n, meant)) in places.cycle().take(70).enumerate() {
        if place >= 7 && unsettled > 0 {
            break;
        }
        let migrate = ["migrate", "--dir", "p", "--yes", "--json"];
        let what = format!("killed at {n}, {meant}");
        let killed = run_until(&house, &migrate, meant, n);
        assert!(killed.is_some(), "{what}");
        assert!(
            !house.state().records.is_empty(),
            "{what}: there is something to take back"
        );
        let run = house.wrote().remove(0);
        let command = ["rollback", &run, "--dir", "p", "--json"];
        let plan = [&command[..], &["--plan"]].concat();
        let told = house.desk.run_expecting(&[0], &plan).json();
        unsettled += told["unsettled"].as_u64().unwrap();
        let apply = [&command[..], &["--apply", "--yes"]].concat();
        house.desk.run_expecting(&[0], &apply);
        let state = house.state();
        assert!(
            state.records.is_empty() && state.links.is_empty(),
            "{what}: {:?}",
            state.records.keys()
        );
    }
    assert!(
        unsettled > 0,
        "the destination had records that the ledger had not"
    );
}
