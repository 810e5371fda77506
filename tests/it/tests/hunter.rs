//! A connector that hunts for its credential (`tests/hunter`), run as a person runs one, beside a server that tells it; what is left is looked at
//! as in `canary`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use it::Desk;

use crate::canary::{Canaries, EVERYTHING, base64, percent};
use crate::conformance::subjects::guest;
use crate::failures_site::migration;

/// Its length is one that base64 writes without padding.
const TOKEN: &str = "canary/token+of=the.hunted:0123456789abcdefgh";

/// A server that tells whoever asks with which credential he did, in every form that is looked for.
struct Accomplice {
    base_url: String,
    /// Whether `/second` is refused, with the credential in the refusal.
    refuses: Arc<AtomicBool>,
}

impl Accomplice {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let refuses = Arc::new(AtomicBool::new(true));
        let refusing = Arc::clone(&refuses);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Who hangs up early hears nothing.
                let _ = answer(stream, refusing.load(Ordering::Relaxed));
            }
        });
        Self { base_url, refuses }
    }
}

fn answer(stream: TcpStream, refuses: bool) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut token = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(bearer) = line.strip_prefix("authorization: Bearer ") {
            token = Some(bearer.to_owned());
        }
    }
    let token = token.expect("the host adds it");
    assert_eq!(token, TOKEN);
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bearer = base64(format!("Bearer {token}  ").as_bytes());
    let body = [
        token.clone(),
        percent(&token),
        percent(&percent(&token)),
        base64(token.as_bytes()),
        bearer,
        hex,
    ];
    let body = body.join(" ");
    let status = if refuses && first.contains("/second") {
        "403 Forbidden"
    } else {
        "200 OK"
    };
    write!(
        &stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\nx-echo: {token}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_connector_that_hunts_for_its_credential_leaves_it_nowhere() {
    let accomplice = Accomplice::start();
    let mut desk = Desk::new();
    desk.set_environment("RUST_LOG", EVERYTHING);
    desk.set_environment("LONGSHORE_TOKEN", TOKEN);
    let package = guest("connector-hunter", "tests/hunter");
    std::fs::write(desk.path().join("hunter.wasm"), package).unwrap();
    let mut canaries = Canaries::default();
    canaries.plant("token", TOKEN);
    let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
    canaries.plant("token in hexadecimal", &hex);
    canaries.plant("token escaped twice", &percent(&percent(TOKEN)));

    let run = |codes: &[i32], command: &[&str]| {
        let ended = desk.run_expecting(codes, &[command, &["--trace-json"]].concat());
        canaries.assert_none_printed(&command.join(" "), &ended);
        ended
    };
    run(&[0], &["init", "--dir", "p"]);
    let install = ["connectors", "install", "hunter.wasm", "--dir", "p"];
    run(
        &[0],
        &[&install[..], &["--yes", "--allow-unsigned"]].concat(),
    );
    let connect = ["connect", "hunter", "--dir", "p", "--yes", "--json"];
    let loopback = ["--base-url", &accomplice.base_url, "--allow-loopback"];
    let connected = run(&[0], &[&connect[..], &loopback].concat());
    assert!(
        connected.stdout.contains("[redacted]"),
        "it got something: {connected:#?}"
    );
    run(&[0, 1], &["discover", "--dir", "p", "--json"]);
    let record = [&migration("p")[..], &["--record", "p/run.tape"]].concat();
    let refused = run(&[2], &record);
    assert!(
        refused.stderr.contains("hunter.loot") || refused.stderr.contains("[redacted]"),
        "its failure is told: {refused:#?}"
    );
    accomplice.refuses.store(false, Ordering::Relaxed);
    run(&[0, 1], &migration("p"));
    run(&[0, 1], &["audit", "--dir", "p", "--json"]);
    run(&[0], &["status", "--dir", "p", "--json"]);
    canaries.assert_none_below(&desk.path().join("p"), &[]);

    // It was no use, and it was not for want of trying.
    let crm = rusqlite::Connection::open(desk.path().join("p/local-crm.db")).unwrap();
    let names: Vec<String> = crm
        .prepare("SELECT firstname FROM contacts WHERE firstname IS NOT NULL")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(
        names.len() >= 2 && names.iter().all(|name| name.contains("[redacted]")),
        "{names:?}"
    );
    let tape = std::fs::read(desk.path().join("p/run.tape")).unwrap();
    assert!(String::from_utf8_lossy(&tape).contains("[redacted]"));
}
