//! What a gateway recorded is answered again without server and vault; no secret gets on a tape; what a tape lacks is told.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;
use crate::gateway::Gateway;
use crate::gateway::tests::{Bench, Server, TOKEN, bench, get, inject, post, reply, soon};
use crate::tape::{FailureKind, Recorder};

struct Recording {
    bench: Bench,
    folder: tempfile::TempDir,
}

impl Recording {
    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("test.tape")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }

    fn replay(&self) -> Replay {
        Replay::open(&self.path(), &self.bench.options.endpoints, &inject()).unwrap()
    }
}

/// Sends the requests while a tape runs, and gives back what came of them, and the time after each.
async fn record(
    server: &Server,
    requests: &[Request],
) -> (Recording, Vec<Result<Response, EgressError>>, Vec<Instant>) {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(&server.origin);
    bench.options.caps.retries_max = 1;
    let recording = Recording { bench, folder };
    let recorder = Arc::new(Recorder::create(&recording.path(), "test 1.0.0").unwrap());
    let mut options = recording.bench.options.clone();
    options.recorder = Some(recorder.clone());
    let gateway = Gateway::new(options).unwrap();
    let (mut found, mut times) = (Vec::new(), vec![gateway.now()]);
    for request in requests {
        found.push(gateway.send(request.clone(), soon()).await);
        times.push(gateway.now());
    }
    recorder.finish().unwrap();
    (recording, found, times)
}

#[tokio::test]
async fn a_replay_answers_byte_for_byte_and_at_the_same_times() {
    let server = Server::start(|number, seen| {
        let next = format!("http://{}/base/v1/next?cursor=1", seen.header("host"));
        match seen.path.as_str() {
            "/base/v1/bytes" => reply(
                200,
                &[("x-n", "1"), ("set-cookie", "a=b")],
                vec![0, 255, 10],
            ),
            "/base/v1/same" => reply(200, &[], format!("answer {number}")),
            "/base/v1/list" => reply(200, &[], next),
            "/base/v1/none" => reply(404, &[], "none"),
            "/base/v1/late" => reply(429, &[("retry-after", "3600")], ""),
            "/base/v1/down" => reply(500, &[], ""),
            _ => reply(200, &[], "there"),
        }
    })
    .await;
    let next = format!("{}base/v1/next?cursor=1", server.origin);
    let requests = [
        get("/v1/bytes"),
        get("/v1/same"),
        get("/v1/none"),
        get("/v1/same"),
        get("/v1/list"),
        get(&next),
        post("/v1/write", false),
        get("/../refused"),
        get("/v1/down"),
        get("/v1/late"),
    ];
    let (recording, found, times) = record(&server, &requests).await;
    // The replay's own project has another address, and the server is gone.
    drop(server);
    let replay = recording.replay();
    assert_eq!(replay.about().connection, "acme");
    assert_eq!(replay.now(), times[0]);
    for ((request, recorded), time) in requests.iter().zip(&found).zip(&times[1..]) {
        let replayed = replay.send(request.clone());
        match (recorded, &replayed) {
            (Ok(recorded), Ok(replayed)) => assert_eq!(recorded, replayed),
            (Err(recorded), Err(replayed)) => {
                assert_eq!(recorded.to_string(), replayed.to_string());
                assert_eq!(recorded.kind(), replayed.kind());
            }
            other => panic!("{}: {other:?}", request.path),
        }
        assert_eq!(replay.now(), *time, "{}", request.path);
    }
    assert_eq!(
        found[8].as_ref().unwrap_err().kind(),
        Some(FailureKind::Transient)
    );
    assert_eq!(
        found[9].as_ref().unwrap_err().kind(),
        Some(FailureKind::RateLimited)
    );
    assert!(replay.problem().is_none());
}

#[tokio::test]
async fn another_order_is_answered_too_and_repeated_requests_in_their_order() {
    let server = Server::start(|number, _| reply(200, &[], number.to_string())).await;
    let requests = [get("/a"), get("/same"), get("/b"), get("/same")];
    let (recording, ..) = record(&server, &requests).await;
    let replay = recording.replay();
    for (path, expected) in [("/same", "1"), ("/b", "2"), ("/same", "3"), ("/a", "0")] {
        let response = replay.send(get(path)).unwrap();
        assert_eq!(response.body, expected.as_bytes(), "{path}");
    }
}

#[tokio::test]
async fn what_the_tape_does_not_hold_is_told_with_endpoint_and_path_and_stays_told() {
    let server = Server::start(|_, _| reply(200, &[], "")).await;
    let (recording, ..) = record(&server, &[get("/a"), get("/b")]).await;
    for missing in [
        get("/c"),
        post("/a", true),
        Request {
            query: vec![("x".into(), "1".into())],
            ..get("/a")
        },
        Request {
            headers: vec![("accept".into(), "x".into())],
            ..get("/a")
        },
    ] {
        let replay = recording.replay();
        replay.send(get("/a")).unwrap();
        let error = replay.send(missing).unwrap_err();
        assert!(
            matches!(&error, EgressError::Tape { source, .. } if matches!(**source, TapeError::Missing { .. })),
            "{error}"
        );
        let text = error.to_string();
        assert!(
            text.contains("endpoint \"api\"") && text.contains("path \"/"),
            "{text}"
        );
        // A connector that swallows the error does not get further.
        assert!(replay.send(get("/b")).is_err());
        assert!(replay.problem().is_some());
    }
    let replay = recording.replay();
    replay.send(get("/a")).unwrap();
    assert!(replay.send(get("/a")).is_err(), "it was asked once only");
}

#[tokio::test]
async fn a_cut_or_damaged_tape_answers_what_it_holds_and_is_told() {
    let server = Server::start(|_, _| reply(200, &[], "a body that can be cut")).await;
    let (recording, ..) = record(&server, &[get("/a"), get("/b")]).await;
    let whole = recording.bytes();
    std::fs::write(recording.path(), &whole[..whole.len() - 70]).unwrap();
    let replay = recording.replay();
    replay.send(get("/a")).unwrap();
    let error = replay.send(get("/b")).unwrap_err();
    assert!(
        matches!(&error, EgressError::Tape { source, .. } if matches!(**source, TapeError::Cut { after: 1, .. })),
        "{error}"
    );
    let mut damaged = whole.clone();
    let at = whole
        .windows(6)
        .rposition(|bytes| bytes == b"a body")
        .unwrap();
    damaged[at] = b'A';
    std::fs::write(recording.path(), &damaged).unwrap();
    let replay = recording.replay();
    replay.send(get("/a")).unwrap();
    let error = replay.send(get("/b")).unwrap_err();
    assert!(
        matches!(&error, EgressError::Tape { source, .. } if matches!(**source, TapeError::Broken { number: 2, .. })),
        "{error}"
    );
}

#[tokio::test]
async fn a_replay_keeps_to_the_grant() {
    let server = Server::start(|_, _| reply(200, &[], "")).await;
    let (recording, ..) = record(&server, &[get("/a")]).await;
    let replay = recording.replay();
    for request in [
        get("/../a"),
        get("https://evil.test/base/a"),
        Request {
            endpoint: "other".into(),
            ..get("/a")
        },
        Request {
            headers: vec![("x-api-token".into(), "mine".into())],
            ..get("/a")
        },
    ] {
        let error = replay.send(request).unwrap_err();
        assert!(matches!(error, EgressError::NotGranted { .. }), "{error}");
    }
    assert!(
        replay.problem().is_none(),
        "that is the connector's fault, not the tape's"
    );
}

/// Every form of the secret that the redaction knows.
fn forms() -> Vec<String> {
    let full: String = TOKEN.bytes().map(|byte| format!("%{byte:02X}")).collect();
    vec![
        TOKEN.to_owned(),
        BASE64_STANDARD.encode(TOKEN),
        BASE64_STANDARD.encode(format!("user:{TOKEN}")),
        BASE64_STANDARD.encode(format!("Bearer {TOKEN}!")),
        utf8_percent_encode(TOKEN, NON_ALPHANUMERIC).to_string(),
        full.to_lowercase(),
        full,
        TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ]
}

#[tokio::test]
async fn no_form_of_the_secret_gets_on_a_tape() {
    let server = Server::start(|_, seen| {
        let told = forms().join(" ");
        let status = match seen.path.as_str() {
            path if path.contains("/401") => 401,
            path if path.contains("/500") => 500,
            _ => 200,
        };
        let mut headers = vec![
            ("x-echo", told.as_str()),
            ("x-api-token", TOKEN),
            ("set-cookie", TOKEN),
        ];
        if seen.path.contains("/gzip") {
            headers.push(("content-encoding", "gzip"));
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(told.as_bytes()).unwrap();
            return reply(status, &headers, packed.finish().unwrap());
        }
        reply(
            status,
            &headers,
            format!("{{\"echo\":\"{told}\",\"path\":\"{}\"}}", seen.path),
        )
    })
    .await;
    // A connector that was told the secret by another way puts it wherever it can.
    let mut requests = vec![get("/401"), get("/500"), get("/gzip")];
    for form in forms() {
        let path = format!("/v1/{}", utf8_percent_encode(&form, NON_ALPHANUMERIC));
        requests.push(Request {
            query: vec![
                ("q".to_owned(), form.clone()),
                (form.clone(), "x".to_owned()),
            ],
            headers: vec![("x-mine".to_owned(), form.clone())],
            body: Some(format!("body {form}").into_bytes()),
            ..post(&path, true)
        });
    }
    let (recording, found, _) = record(&server, &requests).await;
    assert_eq!(
        found.iter().filter(|found| found.is_ok()).count(),
        1 + forms().len()
    );
    let tape = String::from_utf8_lossy(&recording.bytes()).to_lowercase();
    assert!(tape.contains("[redacted]"));
    for form in forms() {
        // Without its last character, and without the first: at its edges base64 depends on what stands beside it.
        let core = &form.to_lowercase()[2..form.len() - 4];
        assert!(!tape.contains(core), "{form} is on the tape");
    }
    assert!(!tape.contains("canary"));
}

#[tokio::test]
async fn a_tape_takes_nobodys_place_and_an_unused_one_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tape");
    std::fs::write(&path, "data").unwrap();
    let error = Recorder::create(&path, "").err().unwrap();
    assert!(matches!(error, TapeError::Exists { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"data");
    let unused = folder.path().join("y.tape");
    drop(Recorder::create(&unused, "").unwrap());
    assert!(!unused.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let kept = Recorder::create(&unused, "").unwrap();
        let mode = std::fs::metadata(&unused).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "it holds customer data");
        drop(kept);
    }
}

#[test]
fn memory_does_not_grow_with_what_is_passed_over() {
    let mut passed = Passed::default();
    for key in 0..10_u64 {
        passed.put(u128::from(key % 3), key);
    }
    assert_eq!(passed.count, 10);
    let order: Vec<_> = std::iter::from_fn(|| passed.take(1)).collect();
    assert_eq!((order, passed.count), (vec![1, 4, 7], 7));
    assert_eq!(passed.places.len(), 2);
}
