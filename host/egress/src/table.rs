//! The rules of where a connector's request may go, as one table: what is given, and what must become of it.
//!
//! Each row goes through the whole gateway, or through the resolver where the world beyond loopback would be needed. The rows are written
//! from the rules (`wit/README.md`, RFC 3986, RFC 6890, RFC 9110), not from what the code says.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use reqwest::dns::{Name, Resolve as _};

use crate::address::AddressClass::{self, *};
use crate::error::{Breach, EgressError, Refusal};
use crate::gateway::Gateway;
use crate::gateway::tests::{Server, TOKEN, bench, get, reply, soon};
use crate::request::Request;
use crate::wire::{ForbiddenAnswer, Lookup, Reach, VettingResolver};

/// What a hostile manifest, connector, server or name server gives.
enum Given {
    /// The host of an endpoint, in the manifest.
    Host(&'static str),
    /// A name server's answers to the same question, one after the other.
    Names(&'static [&'static [&'static str]]),
    /// A path, below the endpoint `http://127.0.0.1:PORT/base`. `{origin}` stands for its origin.
    Path(&'static str),
    /// A header of the connector.
    Header(&'static str, &'static str),
    /// A server's answer to a GET: status and `Location`. `{origin}` as above.
    Redirect(u16, &'static str),
}
use Given::*;

/// What must become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    /// It is sent, or the address is used.
    Pass,
    /// [`Breach::Path`], and nothing was sent.
    BadPath,
    /// [`Breach::Header`], and nothing was sent.
    BadHeader,
    /// The manifest's address is refused before anything is made of it, because of where it leads.
    NoEndpoint(AddressClass),
    /// The manifest's address is none.
    NoAddress,
    /// [`Refusal::Address`]: no connection was made.
    NoConnection(AddressClass),
    /// [`Refusal::Redirect`]: the second request was not sent.
    NoHop,
}
use Must::*;

const TABLE: &[(Given, Must)] = &[
    // Hosts. However an address is spelt, it is the address that counts.
    (Host("api.vendor.test"), Pass),
    (Host("api.vendor.test:8443"), Pass),
    (Host("8.8.8.8"), Pass),
    (Host("[2606:4700:4700::1111]"), Pass),
    (Host("127.0.0.1"), NoEndpoint(Loopback)),
    (Host("127.1"), NoEndpoint(Loopback)),
    (Host("2130706433"), NoEndpoint(Loopback)),
    (Host("0x7f000001"), NoEndpoint(Loopback)),
    (Host("0x7F.0.0.1"), NoEndpoint(Loopback)),
    (Host("0177.0.0.1"), NoEndpoint(Loopback)),
    (Host("017700000001"), NoEndpoint(Loopback)),
    (Host("127.0.0.1."), NoEndpoint(Loopback)),
    (Host("127。0。0。1"), NoEndpoint(Loopback)),
    (Host("１２７.０.０.１"), NoEndpoint(Loopback)),
    (Host("0"), NoEndpoint(Unspecified)),
    (Host("10.0.0.1"), NoEndpoint(Private)),
    (Host("0xa000001"), NoEndpoint(Private)),
    (Host("172.16.0.1"), NoEndpoint(Private)),
    (Host("192.168.1.1"), NoEndpoint(Private)),
    (Host("3232235777"), NoEndpoint(Private)),
    (Host("169.254.169.254"), NoEndpoint(Metadata)),
    (Host("2852039166"), NoEndpoint(Metadata)),
    (Host("[::1]"), NoEndpoint(Loopback)),
    (Host("[::ffff:127.0.0.1]"), NoEndpoint(Ipv4Mapped)),
    (Host("[::ffff:a00:1]"), NoEndpoint(Ipv4Mapped)),
    (Host("[64:ff9b::7f00:1]"), NoEndpoint(Nat64)),
    (Host("[2002:7f00:1::]"), NoEndpoint(SixToFour)),
    (Host("[fe80::1]"), NoEndpoint(LinkLocal)),
    (Host("[fd00:ec2::254]"), NoEndpoint(Metadata)),
    (Host("256.1.1.1"), NoAddress),
    (Host("1.2.3.4.5"), NoAddress),
    (Host("user@api.vendor.test"), NoAddress),
    (Host("api.vendor.test\\@evil.test"), NoAddress),
    (Host("api.vendor.test#"), NoAddress),
    (Host("api vendor.test"), NoAddress),
    (Host(""), NoAddress),
    // Names. One bad address among good ones spoils the answer, and every answer is looked at anew.
    (Names(&[&["8.8.8.8"]]), Pass),
    (Names(&[&["8.8.8.8", "2606:4700::1"]]), Pass),
    (Names(&[&["8.8.8.8"], &["1.1.1.1"]]), Pass),
    (Names(&[&["127.0.0.1"]]), NoConnection(Loopback)),
    (Names(&[&["8.8.8.8", "10.0.0.1"]]), NoConnection(Private)),
    (Names(&[&["10.0.0.1", "8.8.8.8"]]), NoConnection(Private)),
    (Names(&[&["2606:4700::1", "::1"]]), NoConnection(Loopback)),
    (
        Names(&[&["8.8.8.8"], &["127.0.0.1"]]),
        NoConnection(Loopback),
    ),
    (
        Names(&[&["8.8.8.8"], &["8.8.8.8", "169.254.169.254"]]),
        NoConnection(Metadata),
    ),
    (Names(&[&["169.254.1.1"]]), NoConnection(LinkLocal)),
    (Names(&[&["100.64.0.1"]]), NoConnection(CarrierNat)),
    (Names(&[&["0.0.0.0"]]), NoConnection(Unspecified)),
    (Names(&[&["::ffff:8.8.8.8"]]), NoConnection(Ipv4Mapped)),
    (Names(&[&["64:ff9b::a00:1"]]), NoConnection(Nat64)),
    (Names(&[&["2002:a00:1::1"]]), NoConnection(SixToFour)),
    (Names(&[&["2001:0:4136:e378::1"]]), NoConnection(Teredo)),
    (Names(&[&["fc00::1"]]), NoConnection(UniqueLocal)),
    (Names(&[&["224.0.0.1"]]), NoConnection(Multicast)),
    // Paths.
    (Path("/v1/deals"), Pass),
    (Path("/v1/a%20b;v=1,2:3@x"), Pass),
    (Path("{origin}/base/v1/deals?cursor=a%3D"), Pass),
    (Path("v1/deals"), BadPath),
    (Path("/../admin"), BadPath),
    (Path("/v1/../../admin"), BadPath),
    (Path("/%2e%2e/admin"), BadPath),
    (Path("/%252e%252e/admin"), BadPath),
    (Path("/..;/admin"), BadPath),
    (Path("/v1%2f..%2fadmin"), BadPath),
    (Path("/v1%5cadmin"), BadPath),
    (Path("/v1\\..\\admin"), BadPath),
    (Path("//evil.test/base/v1"), BadPath),
    (Path("/v1//deals"), BadPath),
    (Path("/v1\r\nhost: evil.test"), BadPath),
    (Path("/v1%0d%0ahost:evil.test"), BadPath),
    (Path("/v1?x=1"), BadPath),
    (Path("/v1#x"), BadPath),
    (Path("/%c0%ae%c0%ae/admin"), BadPath),
    (Path("@evil.test/"), BadPath),
    (Path(":80/"), BadPath),
    (Path("https://evil.test/base/v1"), BadPath),
    (Path("http://169.254.169.254/base/latest"), BadPath),
    (Path("{origin}@evil.test/base/v1"), BadPath),
    (Path("{origin}/other/v1"), BadPath),
    (Path("{origin}/base/../admin"), BadPath),
    (Path("{origin}/basement/v1"), BadPath),
    (Path("file:///etc/passwd"), BadPath),
    // Headers.
    (Header("accept", "application/json"), Pass),
    (Header("If-Modified-Since", "x"), Pass),
    (Header("host", "evil.test"), BadHeader),
    (Header("Authorization", "Bearer mine"), BadHeader),
    (Header("cookie", "sid=1"), BadHeader),
    (Header("X-Api-Token", "mine"), BadHeader),
    (Header("proxy-authorization", "mine"), BadHeader),
    (Header("proxy-connection", "keep-alive"), BadHeader),
    (Header("transfer-encoding", "chunked"), BadHeader),
    (Header("content-length", "0"), BadHeader),
    (Header("x-forwarded-host", "evil.test"), BadHeader),
    (Header("x-http-method-override", "DELETE"), BadHeader),
    (Header("accept", "x\r\nhost: evil.test"), BadHeader),
    (Header("accept", "x\nhost: evil.test"), BadHeader),
    (Header("accept\r\nhost", "evil.test"), BadHeader),
    (Header("accept:", "x"), BadHeader),
    // Redirects.
    (Redirect(301, "/base/there"), Pass),
    (Redirect(302, "there?x=1"), Pass),
    (Redirect(307, "{origin}/base/there"), Pass),
    (Redirect(308, "/base/there"), Pass),
    (Redirect(302, "https://evil.test/base/there"), NoHop),
    (Redirect(302, "//evil.test/base/there"), NoHop),
    (Redirect(302, "\\\\evil.test\\base"), NoHop),
    (
        Redirect(302, "http://169.254.169.254/latest/meta-data"),
        NoHop,
    ),
    (Redirect(302, "http://2852039166/base/there"), NoHop),
    (Redirect(302, "http://localhost/base/there"), NoHop),
    (Redirect(302, "/admin"), NoHop),
    (Redirect(302, "/base/../admin"), NoHop),
    (Redirect(302, "/base/%2e%2e/admin"), NoHop),
    (Redirect(302, "/base/a%2f..%2f..%2fadmin"), NoHop),
    (Redirect(302, "file:///etc/passwd"), NoHop),
    (Redirect(302, ""), Pass),
    (Redirect(305, "/base/there"), NoHop),
    (Redirect(300, "/base/there"), NoHop),
];

#[tokio::test]
async fn every_row_is_passed_or_refused_as_the_rules_say() {
    assert!(TABLE.len() >= 100, "{} rows", TABLE.len());
    let mut wrong = Vec::new();
    for (number, (given, must)) in TABLE.iter().enumerate() {
        let (shown, found) = match given {
            Host(host) => (format!("host {host:?}"), host_row(host)),
            Names(answers) => (format!("names {answers:?}"), names_row(answers).await),
            Path(path) => (format!("path {path:?}"), path_row(path).await),
            Header(name, value) => {
                let shown = format!("header {name:?}: {value:?}");
                (shown, header_row(name, value).await)
            }
            Redirect(status, location) => {
                let shown = format!("redirect {status} {location:?}");
                (shown, redirect_row(*status, location).await)
            }
        };
        if found.as_ref() != Ok(must) {
            wrong.push(format!(
                "row {number}, {shown}: must be {must:?}, is {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is found, or what nobody expects.
type Found = Result<Must, String>;

fn host_row(host: &str) -> Found {
    let bench = bench(&"http://127.0.0.1:1".parse().expect("an address"));
    let mut options = bench.options.clone();
    options.origin_override = None;
    options.endpoints[0].url = format!("https://{host}/base");
    match Gateway::new(options) {
        Ok(_) => Ok(Pass),
        Err(EgressError::Configuration { what, .. }) => {
            let classes = [
                Unspecified,
                Loopback,
                Private,
                LinkLocal,
                Metadata,
                Ipv4Mapped,
                Nat64,
                SixToFour,
            ];
            let class = classes
                .into_iter()
                .find(|class| what.ends_with(&format!("which is {class}")));
            match class {
                Some(class) => Ok(NoEndpoint(class)),
                None if what.contains("malformed address") => Ok(NoAddress),
                // A machine without trusted roots: the address was taken before that.
                None if what.contains("the network client cannot start") => Ok(Pass),
                None => Err(what),
            }
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn names_row(answers: &'static [&'static [&'static str]]) -> Found {
    let asked = Arc::new(Mutex::new(0));
    let counted = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let mut asked = counted.lock().expect("nobody panicked");
        let answer = answers[*asked]
            .iter()
            .map(|address| address.parse().expect("an address"));
        *asked += 1;
        let answer: Vec<IpAddr> = answer.collect();
        Box::pin(async move { Ok(answer) })
    });
    let reach = Reach::Public;
    let resolver = VettingResolver { reach, lookup };
    for expected in answers {
        let name: Name = "api.vendor.test".parse().expect("a name");
        match resolver.resolve(name).await {
            Ok(found) => {
                let found: Vec<_> = found.map(|address| address.ip().to_string()).collect();
                if found != *expected {
                    return Err(format!("other addresses than vetted: {found:?}"));
                }
            }
            Err(error) => {
                return match error.downcast_ref() {
                    Some(ForbiddenAnswer(Refusal::Address { class, .. })) => {
                        Ok(NoConnection(*class))
                    }
                    _ => Err(error.to_string()),
                };
            }
        }
    }
    Ok(Pass)
}

async fn path_row(path: &str) -> Found {
    let server = Server::start(|_, _| reply(200, &[], "")).await;
    let origin = server.origin.as_str().trim_end_matches('/');
    sent(&server, get(&path.replace("{origin}", origin))).await
}

async fn header_row(name: &str, value: &str) -> Found {
    let server = Server::start(|_, _| reply(200, &[], "")).await;
    let headers = vec![(name.to_owned(), value.to_owned())];
    sent(
        &server,
        Request {
            headers,
            ..get("/v1")
        },
    )
    .await
}

async fn redirect_row(status: u16, location: &'static str) -> Found {
    let server = Server::start(move |number, seen| {
        let origin = format!("http://{}", seen.header("host"));
        let location = location.replace("{origin}", &origin);
        match number {
            0 => reply(status, &[("location", &location)], ""),
            _ => reply(200, &[], ""),
        }
    })
    .await;
    let found = sent(&server, get("/v1")).await?;
    let seen = server.seen();
    match (found, seen.as_slice()) {
        (NoHop, [_]) => Ok(NoHop),
        (Pass, [first, second]) if first.header("x-api-token") == TOKEN => {
            let kept = second.header("x-api-token");
            if kept.is_empty() && second.path.starts_with("/base/") {
                Ok(Pass)
            } else {
                Err(format!("the hop carried {kept:?} to {}", second.path))
            }
        }
        (found, _) => Err(format!("{found:?} after {} requests", seen.len())),
    }
}

async fn sent(server: &Server, request: Request) -> Found {
    let gateway = Gateway::new(bench(&server.origin).options.clone()).map_err(|e| e.to_string())?;
    let found = gateway.send(request, soon()).await;
    let refused = match found {
        Ok(response) if response.status == 200 => return Ok(Pass),
        Err(EgressError::NotGranted {
            breach: Breach::Path(_),
            ..
        }) => BadPath,
        Err(EgressError::NotGranted {
            breach: Breach::Header { .. },
            ..
        }) => BadHeader,
        Err(EgressError::Refused {
            refusal: Refusal::Redirect { .. },
            ..
        }) => return Ok(NoHop),
        other => return Err(format!("{other:?}")),
    };
    match server.seen().len() {
        0 => Ok(refused),
        requests => Err(format!(
            "{refused:?}, and yet {requests} requests were sent"
        )),
    }
}
