//! `longshore connect` with OAuth, with the test in the browser's place; and a migration whose access token dies on the way.
//!
//! What a secret must not get into is looked at in `canary`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use it::{Desk, Ended};
use simulators::pipedrive::{self, Clock, Consent, Options, Pkce, Running};
use simulators::truth::Source;

use crate::failures_site::{Guarded, assert_refused, connection, migration};

/// The account that is read, with a login that holds to PKCE.
pub(crate) fn account() -> Options {
    Options {
        truth: Source::Generated {
            records: 60,
            seed: 1,
        },
        oauth_pkce: Pkce::Required,
        ..Options::default()
    }
}

/// A simulator in this process, and a project that has not been connected yet.
pub(crate) struct Office {
    _runtime: tokio::runtime::Runtime,
    pub(crate) vendor: Running,
    pub(crate) desk: Desk,
}

impl Office {
    pub(crate) fn new(options: Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let vendor = runtime.block_on(pipedrive::start(options)).unwrap();
        let desk = Desk::new();
        desk.run_expecting(&[0], &["init", "--dir", "p"]);
        let client = format!(
            "client_id = \"{}\"\nclient_secret = \"{}\"\n",
            vendor.client_id, vendor.client_secret
        );
        std::fs::write(desk.path().join("client.toml"), client).unwrap();
        Self {
            _runtime: runtime,
            vendor,
            desk,
        }
    }

    /// Starts `connect --auth oauth`, and waits until it prints where to log in.
    pub(crate) fn begin(&self, more: &[&str]) -> Login {
        let way = ["--auth", "oauth", "--client-file", "client.toml"];
        let base = connection("p", &self.vendor.base_url);
        begin(&self.desk, &[&base[..], &way, more].concat())
    }

    /// The whole login with a person who agrees.
    pub(crate) fn login(&self, more: &[&str]) -> (Ended, Page) {
        let login = self.begin(more);
        let back = get(&login.address);
        let page = get(&back.location);
        (login.end(), page)
    }
}

/// Starts that login, and waits until it prints where to log in.
pub(crate) fn begin(desk: &Desk, arguments: &[&str]) -> Login {
    let mut command = desk.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Guarded(command.spawn().unwrap());
    let mut stderr = BufReader::new(child.0.stderr.take().unwrap());
    let mut told = String::new();
    loop {
        let mut line = String::new();
        assert_ne!(
            stderr.read_line(&mut line).unwrap(),
            0,
            "it prints an address: {told}"
        );
        told.push_str(&line);
        if line.trim_start().starts_with("http") && line.contains("/oauth/authorize") {
            return Login {
                address: line.trim().to_owned(),
                child,
                stderr,
                told,
            };
        }
    }
}

/// A `connect` that waits for its browser.
pub(crate) struct Login {
    pub(crate) address: String,
    child: Guarded,
    stderr: BufReader<std::process::ChildStderr>,
    told: String,
}

impl Login {
    pub(crate) fn process(&self) -> u32 {
        self.child.0.id()
    }

    pub(crate) fn end(mut self) -> Ended {
        self.stderr.read_to_string(&mut self.told).unwrap();
        let mut stdout = String::new();
        let mut pipe = self.child.0.stdout.take().unwrap();
        pipe.read_to_string(&mut stdout).unwrap();
        Ended {
            code: self.child.0.wait().unwrap().code(),
            stdout,
            stderr: self.told,
        }
    }
}

/// What a browser sees.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) whole: String,
}

/// One GET, as a browser would.
pub(crate) fn get(address: &str) -> Page {
    ask("GET", address)
}

fn ask(method: &str, address: &str) -> Page {
    let rest = address.strip_prefix("http://").expect("an http address");
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut whole = String::new();
    stream.read_to_string(&mut whole).unwrap();
    let location = whole
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    Page {
        status: whole.split(' ').nth(1).unwrap().parse().unwrap(),
        location: location.unwrap_or_default().to_owned(),
        whole,
    }
}

#[test]
fn a_person_logs_in_with_a_browser() {
    let office = Office::new(account());
    let (ended, page) = office.login(&["--json"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.json()["connection"], "pipedrive");
    assert_eq!(page.status, 200);
    for part in [
        "<h1>connected</h1>",
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
    ] {
        assert!(page.whole.contains(part), "{part}: {page:#?}");
    }
    assert!(!page.whole.contains("<script") && !page.whole.contains("http://"));
    let project = std::fs::read_to_string(office.desk.path().join("p/longshore.toml")).unwrap();
    assert!(project.contains("credential = \"oauth\""), "{project}");
    // The stored pair works in another process.
    office
        .desk
        .run_expecting(&[0, 1], &["discover", "--dir", "p"]);
}

#[test]
fn only_the_answer_to_this_login_is_taken() {
    let office = Office::new(account());
    let login = office.begin(&[]);
    let back = get(&login.address).location;
    let (callback, query) = back.split_once('?').unwrap();
    let origin = callback.strip_suffix("/callback").unwrap();
    assert!(origin.starts_with("http://127.0.0.1:"), "{origin}");
    assert_eq!(get(&format!("{origin}/")).status, 404);
    assert_eq!(get(&format!("{origin}/callback/x?{query}")).status, 404);
    assert_eq!(ask("POST", &back).status, 405);
    let code = query
        .split('&')
        .find(|pair| pair.starts_with("code="))
        .unwrap();
    for forged in [
        String::new(),
        code.to_owned(),
        format!("{code}&state=forged"),
        "error=user_denied&state=forged".to_owned(),
    ] {
        let page = get(&format!("{callback}?{forged}"));
        assert_eq!(page.status, 400, "{forged}");
        assert!(page.whole.contains("does not belong to the login"));
    }
    let page = get(&back);
    assert!(page.whole.contains("<h1>connected</h1>"), "{page:#?}");
    let ended = login.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        TcpStream::connect(origin.strip_prefix("http://").unwrap()).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn a_person_who_does_not_agree_keeps_what_was() {
    let office = Office::new(Options {
        oauth_consent: Consent::Denied,
        ..account()
    });
    let (ended, page) = office.login(&[]);
    assert_refused(&ended, &["consent was not given", "user_denied", "hint: "]);
    assert!(page.whole.contains("Consent was not given"), "{page:#?}");
    let project = std::fs::read_to_string(office.desk.path().join("p/longshore.toml")).unwrap();
    assert!(!project.contains("connection"), "{project}");
}

#[test]
fn a_code_that_came_too_late_is_told() {
    let now = Arc::new(AtomicI64::new(0));
    let office = Office::new(Options {
        clock: Clock::Manual(now.clone()),
        ..account()
    });
    let login = office.begin(&[]);
    let back = get(&login.address);
    now.fetch_add(5 * 60 * 1000, Ordering::SeqCst);
    let page = get(&back.location);
    assert!(page.whole.contains("did not take this login"), "{page:#?}");
    let words = [
        "the login could not be finished",
        "invalid_grant",
        "expired",
    ];
    assert_refused(&login.end(), &words);
}

#[test]
fn a_login_without_a_browser_ends_by_itself() {
    let office = Office::new(account());
    let login = office.begin(&["--login-timeout-s", "0"]);
    assert_refused(
        &login.end(),
        &["no browser came back within 0 seconds", "hint: "],
    );
}

#[test]
fn a_port_that_is_taken_is_told_before_anybody_logs_in() {
    let office = Office::new(account());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let base = connection("p", &office.vendor.base_url);
    let way = ["--auth", "oauth", "--client-file", "client.toml"];
    let ended = office
        .desk
        .run(&[&base[..], &way, &["--redirect-port", &port]].concat());
    let told = format!("cannot listen on 127.0.0.1 port {port}");
    assert_refused(&ended, &[&told, "hint: ", "--redirect-port"]);
    assert!(!ended.stderr.contains("code_challenge="), "{ended:#?}");
}

#[test]
fn what_a_login_needs_is_told() {
    let office = Office::new(account());
    let base = connection("p", &office.vendor.base_url);
    let oauth = |more: &[&str]| {
        let way = ["--auth", "oauth"];
        office.desk.run(&[&base[..], &way, more].concat())
    };
    assert_refused(
        &oauth(&[]),
        &["no client id was given", "LONGSHORE_CLIENT_ID"],
    );
    let file = office.desk.path().join("bad.toml");
    std::fs::write(
        &file,
        "client_id = \"a\"\nclient_secret = canary-unquoted\n",
    )
    .unwrap();
    let ended = oauth(&["--client-file", "bad.toml"]);
    assert_refused(
        &ended,
        &["bad.toml is not a client file (line 2)", "hint: "],
    );
    assert!(!ended.stderr.contains("canary"), "{ended:#?}");
}

/// The vendor lets each access token live for 8 requests: none of the refresh tokens, good for once each, is used twice or lost.
#[test]
fn a_token_that_dies_on_the_way_is_refreshed_once_and_kept() {
    let office = Office::new(Options {
        oauth_access_uses: Some(8),
        ..account()
    });
    let (ended, _) = office.login(&[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(office.vendor.given().access.len(), 1);
    let ended = office.desk.run_expecting(&[0, 1], &migration("p"));
    assert!(ended.json()["objects"]["contact"]["created"].as_u64() > Some(50));
    let given = office.vendor.given();
    assert!(given.access.len() > 3, "it died on the way: {given:?}");
    assert_eq!(given.refused, 0, "no dead refresh token was used");
    let served: u64 = office.vendor.counts().requests.values().sum();
    let refused = office.vendor.counts().statuses[&401];
    let pairs = given.access.len() as u64;
    assert!(
        (served - refused).div_ceil(8) == pairs,
        "each pair was used up before the next was asked for: {pairs} pairs, {served} requests, {refused} of them refused"
    );
    office
        .desk
        .run_expecting(&[0, 1], &["discover", "--dir", "p"]);
    assert_eq!(office.vendor.given().refused, 0, "the last pair was kept");
}

/// A kill while the new credential is tried leaves the good one: it is not in the vault before it worked.
#[test]
fn a_credential_is_tried_before_it_takes_the_place_of_a_good_one() {
    let mut office = Office::new(account());
    let token = office.vendor.token.clone();
    office.desk.set_environment("LONGSHORE_TOKEN", &token);
    let base = connection("p", &office.vendor.base_url);
    office.desk.run_expecting(&[0], &base);
    let kept = |desk: &Desk| {
        ["vault.json", "longshore.toml"]
            .map(|file| std::fs::read(desk.path().join("p").join(file)).unwrap())
    };
    let before = kept(&office.desk);
    // An account that takes the question and never answers: the trial is under way as long as we like.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", silent.local_addr().unwrap());
    let mut child = office
        .desk
        .command(&connection("p", &origin))
        .env("LONGSHORE_TOKEN", "0123456789abcdef-not-the-token")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut asked, _) = silent.accept().unwrap();
    asked.read_exact(&mut [0; 1]).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(kept(&office.desk) == before, "nothing was put in place");
    office
        .desk
        .run_expecting(&[0, 1], &["discover", "--dir", "p"]);
}
