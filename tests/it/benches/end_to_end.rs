//! End to end: N contacts with everything that belongs to them, from the simulator in a process of its own into the store and the local CRM.
//!
//! Prints records per CPU second of our process and its peak memory, as the kernel counts them, and for each phase the CPU time inside
//! its objects; what lies between them (start, match keys, checks of the whole plan, saving the workbook) is a line of its own. It
//! asserts nothing but that the migration ended well: figures are for people.
//!
//! `cargo bench -p it --bench end_to_end -- 10000 100000` takes the sizes; 10,000 is the default.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures, and passes on what the command says"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use it::Desk;
use serde_json::Value;

/// Kernel ticks per second; fixed on Linux for what `/proc` shows.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() {
    let sizes: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![10_000]
    } else {
        sizes
    };
    println!(
        "{:>9} {:>9} {:>8} {:>8} {:>13} {:>13} {:>8}",
        "contacts", "records", "wall s", "CPU s", "records/CPU s", "persons/CPU s", "peak MiB"
    );
    for size in sizes {
        measure(size);
    }
}

/// CPU seconds of a process up to now, also of one that has ended and was not waited for.
fn cpu_seconds(process: u32) -> Option<(f64, bool)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?;
    Some((ticks as f64 / TICKS_PER_SECOND, fields[0] == "Z"))
}

fn peak_mib(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Reads the object traces of the child and takes its CPU time at each: (phase, object, CPU seconds, records).
fn follow(child: &mut Child) -> Vec<(String, String, f64, u64)> {
    let process = child.id();
    let (mut begun, mut measured) = (None, Vec::new());
    for line in BufReader::new(child.stderr.take().expect("piped"))
        .lines()
        .map_while(Result::ok)
    {
        let Ok(event) = serde_json::from_str::<Value>(&line) else {
            // Progress, and why it did not end well.
            eprintln!("{line}");
            continue;
        };
        let Some((now, _)) = cpu_seconds(process) else {
            continue;
        };
        let fields = &event["fields"];
        match fields["message"].as_str() {
            Some("begins") => {
                let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
                begun = Some((text("phase"), text("object"), now));
            }
            Some("ends") => {
                if let Some((phase, object, before)) = begun.take() {
                    measured.push((
                        phase,
                        object,
                        now - before,
                        fields["records"].as_u64().unwrap_or(0),
                    ));
                }
            }
            _ => {}
        }
    }
    measured
}

fn measure(contacts: u64) {
    let mut desk = Desk::new();
    let records = contacts.to_string();
    let simulation = desk.simulate("pipedrive", &["--records", &records, "--limits", "off"]);
    desk.set_environment("LONGSHORE_TOKEN", simulation.token());
    desk.run_expecting(&[0], &["init"]);
    let url = simulation.base_url().to_owned();
    let connect = [
        "connect",
        "pipedrive",
        "--param",
        "company=bench",
        "--base-url",
        &url,
        "--allow-loopback",
        "--no-rate-limits",
        "--yes",
    ];
    desk.run_expecting(&[0], &connect);
    let mut command = desk.command(&["migrate", "--yes", "--json", "--trace-json"]);
    command
        .env("RUST_LOG", "longshore::object=info")
        .stderr(Stdio::piped());
    let out =
        std::fs::File::create(desk.path().join("report.json")).expect("a file for the report");
    let begun = std::time::Instant::now();
    let mut child = command.stdout(out).spawn().expect("the binary starts");
    let process = child.id();
    let watcher = std::thread::spawn(move || {
        let (mut seconds, mut peak) = (0.0, 0.0_f64);
        while let Some((now, ended)) = cpu_seconds(process) {
            seconds = now;
            peak = peak.max(peak_mib(process).unwrap_or(0.0));
            if ended {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        (seconds, peak)
    });
    let measured = follow(&mut child);
    let (cpu, peak_mib) = watcher.join().expect("the watcher only reads");
    let wall = begun.elapsed().as_secs_f64();
    let status = child.wait().expect("it ended");
    let whole = Whole {
        cpu,
        wall,
        peak_mib,
    };
    report(
        contacts,
        &desk.path().join("report.json"),
        &measured,
        &whole,
    );
    tell_simulator(simulation.process());
    assert!(
        status.code().is_some_and(|code| code < 2),
        "the migration ended with {status}"
    );
}

/// What the whole migration took, in seconds and MiB.
struct Whole {
    cpu: f64,
    wall: f64,
    peak_mib: f64,
}

fn report(contacts: u64, file: &Path, measured: &[(String, String, f64, u64)], whole: &Whole) {
    let text = std::fs::read_to_string(file).expect("the report");
    let report: Value = serde_json::from_str(text.trim()).unwrap_or(Value::Null);
    let objects = report["objects"].as_object().cloned().unwrap_or_default();
    let selected: u64 = objects
        .values()
        .filter_map(|object| object["selected"].as_u64())
        .sum();
    let persons = measured
        .iter()
        .find(|(phase, object, ..)| phase == "extract" && object == "person");
    let extract = persons.map_or(0.0, |(_, _, cpu, records)| *records as f64 / cpu);
    let Whole {
        cpu,
        wall,
        peak_mib,
    } = whole;
    let rate = selected as f64 / cpu;
    println!(
        "{contacts:>9} {selected:>9} {wall:>8.1} {cpu:>8.2} {rate:>13.0} {extract:>13.0} {peak_mib:>8.0}"
    );
    let mut rest = *cpu;
    for phase in ["discover", "extract", "plan", "apply", "audit"] {
        let of_phase = || measured.iter().filter(|(name, ..)| name == phase);
        let (cpu, records): (f64, u64) = of_phase()
            .fold((0.0, 0), |(cpu, records), (_, _, more, count)| {
                (cpu + more, records + count)
            });
        rest -= cpu;
        println!(
            "          {phase:<9} {cpu:>8.2} CPU s {records:>9} records {:>8.1} us each",
            cpu * 1e6 / records.max(1) as f64
        );
    }
    println!("          {:<9} {rest:>8.2} CPU s", "between");
}

/// It must not be what the migration waits for.
fn tell_simulator(process: u32) {
    if let (Some((cpu, _)), Some(mib)) = (cpu_seconds(process), peak_mib(process)) {
        println!(
            "          {:<9} {cpu:>8.2} CPU s, peak {mib:.0} MiB",
            "simulator"
        );
    }
}
