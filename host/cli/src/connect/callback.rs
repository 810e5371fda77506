//! Waits on loopback for the browser that comes back from the vendor: one answer, to one question, on one path, for a while
//! (RFC 8252, section 7.3).
//!
//! It exchanges nothing: what the browser brought is handed on, and the page that it shows is decided by what came of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;
use vault::SecretText;

use super::page::page;
use crate::failure::WithHint;

const PATH: &str = "/callback";

/// How long the last page may take to be fetched.
const LAST_PAGE: Duration = Duration::from_secs(5);

/// What the browser brought.
#[derive(Debug)]
pub(super) enum Returned {
    /// To be exchanged for tokens.
    Code(SecretText),
    /// The vendor's word for why there is none.
    Denied(String),
}

/// The place the vendor sends the browser back to.
#[derive(Debug)]
pub(super) struct Callback {
    listener: TcpListener,
    /// The redirect address to name to the vendor.
    pub(super) redirect: Url,
}

/// A browser that waits for its page.
#[derive(Debug)]
pub(super) struct Browser {
    verdict: oneshot::Sender<String>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// What came back, and the way to give the browser that brought it its page.
type Answered = (Returned, oneshot::Sender<String>);

struct Door {
    state: SecretText,
    /// Taken by the first answer that carries the state.
    waiting: Mutex<Option<oneshot::Sender<Answered>>>,
}

impl Callback {
    /// Listens on 127.0.0.1; port 0 takes a free one.
    pub(super) async fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(|error| {
                WithHint::error(
                    format!("cannot listen on 127.0.0.1 port {port} for the browser: {error}"),
                    "end what uses that port, or give another with --redirect-port; the app's callback address at the vendor must have the same",
                )
            })?;
        let redirect = format!("http://{}{PATH}", listener.local_addr()?);
        Ok(Self {
            listener,
            redirect: redirect.parse()?,
        })
    }

    /// Waits for the answer that carries `state`. Whatever else comes is turned away and ends nothing.
    pub(super) async fn wait(
        self,
        state: SecretText,
        patience: Duration,
    ) -> Result<(Returned, Browser)> {
        let (waiting, answered) = oneshot::channel();
        let door = Arc::new(Door {
            state,
            waiting: Mutex::new(Some(waiting)),
        });
        let router = axum::Router::new().fallback(answer).with_state(door);
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = self.listener;
        let serving = tokio::spawn(async move {
            let serve = axum::serve(listener, router).with_graceful_shutdown(async {
                // Told to stop, or nobody is left to tell.
                let _ = stopped.await;
            });
            if let Err(error) = serve.await {
                tracing::debug!(%error, "the callback address ended");
            }
        });
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok((returned, verdict))) => Ok((
                returned,
                Browser {
                    verdict,
                    stop,
                    serving,
                },
            )),
            Ok(Err(_)) => anyhow::bail!("the address for the browser was closed"),
            Err(_) => Err(WithHint::error(
                format!("no browser came back within {} seconds", patience.as_secs()),
                "give the same command again, open the address and agree there; --login-timeout-s gives more time",
            )),
        }
    }
}

impl Browser {
    /// Shows what came of it, and closes the address.
    pub(super) async fn show(self, title: &str, text: &str) {
        // A browser that was closed meanwhile misses its page, and nothing else.
        let _ = self.verdict.send(page(title, text));
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(LAST_PAGE, self.serving).await;
    }
}

async fn answer(State(door): State<Arc<Door>>, method: Method, uri: Uri) -> Response {
    if uri.path() != PATH {
        return html(
            StatusCode::NOT_FOUND,
            page("not found", "There is nothing here."),
        );
    }
    if method != Method::GET {
        let text = "This address only takes a browser's answer.";
        return html(StatusCode::METHOD_NOT_ALLOWED, page("not allowed", text));
    }
    let Some(returned) = read(uri.query().unwrap_or_default(), &door.state) else {
        let text = "This answer does not belong to the login that is waiting. Use the address that Longshore printed last.";
        return html(StatusCode::BAD_REQUEST, page("not connected", text));
    };
    let waiting = door
        .waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(waiting) = waiting else {
        let text = "This login was answered already.";
        return html(StatusCode::GONE, page("answered already", text));
    };
    let (verdict, decided) = oneshot::channel();
    if waiting.send((returned, verdict)).is_err() {
        let text = "Longshore does not wait any more. Give the command again.";
        return html(StatusCode::GONE, page("too late", text));
    }
    let text = "Longshore ended before it was done. Its terminal says why.";
    html(
        StatusCode::OK,
        decided
            .await
            .unwrap_or_else(|_| page("not connected", text)),
    )
}

/// `None` for whatever is not the answer to this login: another state, or no or several values of a name.
fn read(query: &str, state: &SecretText) -> Option<Returned> {
    let find = |name: &str| {
        let mut values = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned());
        let value = values.next();
        if values.next().is_some() { None } else { value }
    };
    if find("state")? != state.expose() {
        return None;
    }
    if let Some(error) = find("error") {
        // A code of the standard or the vendor: printable ASCII (RFC 6749, section 4.1.2.1).
        let word: String = error
            .chars()
            .filter(|c| c.is_ascii_graphic())
            .take(60)
            .collect();
        return Some(Returned::Denied(word));
    }
    find("code")
        .filter(|code| !code.is_empty())
        .map(|code| Returned::Code(code.into()))
}

fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ];
    (status, headers, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Option<&str>) {
        let found = read(query, &"S+1".into()).map(|returned| match returned {
            Returned::Code(code) => format!("code {}", code.expose()),
            Returned::Denied(word) => format!("denied {word}"),
        });
        assert_eq!(found.as_deref(), expected, "{query}");
    }

    async fn get(redirect: Url, query: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let port = redirect.port().unwrap();
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        let request =
            format!("GET {PATH}?{query} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        page
    }

    #[tokio::test]
    async fn a_second_answer_is_turned_away_and_the_first_still_gets_its_page() {
        let callback = Callback::listen(0).await.unwrap();
        let redirect = callback.redirect.clone();
        let first = tokio::spawn(get(redirect.clone(), "code=C&state=S"));
        let (returned, browser) = callback
            .wait("S".into(), Duration::from_secs(60))
            .await
            .unwrap();
        assert!(matches!(returned, Returned::Code(code) if code.expose() == "C"));
        let second = get(redirect, "code=D&state=S").await;
        assert!(second.starts_with("HTTP/1.1 410 "), "{second}");
        assert!(
            second.contains("This login was answered already."),
            "{second}"
        );
        browser.show("connected", "Done.").await;
        let first = first.await.unwrap();
        assert!(first.contains("<h1>connected</h1>"), "{first}");
    }

    #[test]
    fn only_the_answer_to_this_login_counts() {
        check("code=C&state=S%2B1", Some("code C"));
        check("error=user_denied&state=S%2B1", Some("denied user_denied"));
        check("error=%1B%5B2J%3Cb%3E&state=S%2B1", Some("denied [2J<b>"));
        check("code=C&state=other", None);
        check("code=C", None);
        check("error=user_denied", None);
        check("code=C&state=S%2B1&state=other", None);
        check("code=C&code=D&state=S%2B1", None);
        check("code=&state=S%2B1", None);
        check("state=S%2B1", None);
        check("", None);
    }
}
