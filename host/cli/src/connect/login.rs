//! Logs a person in at the vendor: OAuth 2 with PKCE, through a browser that comes back to this machine.
//!
//! It stores nothing; the tokens are tried first.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use egress::{Granted, OauthClient, OauthOptions};
use model::ConnectionId;
use model::grant::{CredentialGrant, Endpoint};

use super::callback::{Browser, Callback, Returned};
use super::prompt::App;
use crate::failure::WithHint;
use crate::progress::tell;
use crate::project::{ConnectionSection, USER_AGENT};

/// How the browser comes back.
pub(super) struct Way {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub(super) redirect_port: u16,
    pub(super) patience: Duration,
    pub(super) browser: Open,
}

/// Whether the person's browser is opened for him.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    OnATerminal,
    Never,
}

/// Asks the person for consent and exchanges what the browser brings back. The browser waits for its page.
pub(super) async fn login(
    section: &ConnectionSection,
    credential: &CredentialGrant,
    endpoints: &[Endpoint],
    app: App,
    way: &Way,
) -> Result<(Granted, Browser)> {
    let callback = Callback::listen(way.redirect_port).await?;
    let client = OauthClient::new(OauthOptions {
        connection: ConnectionId::from(section.name.as_str()),
        credential: credential.clone(),
        endpoints: endpoints.to_vec(),
        parameters: section.parameters.clone(),
        origin_override: section.origin_override()?,
        client_id: app.id,
        client_secret: app.secret,
        redirect: callback.redirect.clone(),
        user_agent: USER_AGENT.to_owned(),
    })?;
    let asked = client.begin();
    tell(&format!(
        "Open this address in a browser and agree there; the app's callback address at the vendor must be {}\n\n  {}\n",
        callback.redirect, asked.url
    ));
    if way.browser == Open::OnATerminal && std::io::stderr().is_terminal() {
        // The address is on the terminal, so a machine without a browser loses nothing.
        if let Err(error) = webbrowser::open(asked.url.as_str()) {
            tracing::debug!(%error, "no browser was opened");
        }
    }
    let (returned, browser) = callback.wait(asked.state, way.patience).await?;
    let code = match returned {
        Returned::Code(code) => code,
        Returned::Denied(word) => {
            let text = "Consent was not given, so nothing was connected. You can close this page.";
            browser.show("not connected", text).await;
            return Err(WithHint::error(
                format!("consent was not given: the vendor says {word:?}"),
                "give the same command again and agree, or use a key with --auth key",
            ));
        }
    };
    match client.exchange(code.expose(), &asked.verifier).await {
        Ok(granted) => Ok((granted, browser)),
        Err(error) => {
            let text = "The vendor did not take this login. The terminal says why; you can close this page.";
            browser.show("not connected", text).await;
            Err(error).context("the login could not be finished")
        }
    }
}
