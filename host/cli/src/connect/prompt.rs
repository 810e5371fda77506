//! Reads secrets from where other users of the machine cannot see them: a file, the environment, standard input.
//!
//! Nothing secret comes as an argument: everybody on the machine can read those.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use vault::SecretText;

use crate::failure::WithHint;
use crate::progress::tell;

/// The API token: from the file, else from `LONGSHORE_TOKEN`, else from standard input.
pub(super) fn read_token(file: Option<&Path>) -> Result<SecretText> {
    let text = if let Some(path) = file {
        read_file(path, "token")?
    } else if let Ok(token) = std::env::var("LONGSHORE_TOKEN") {
        token.into()
    } else {
        read_secret("Paste the API token, then Enter (it is not shown):")?
    };
    let token = text.expose().trim();
    if token.is_empty() {
        return Err(WithHint::error(
            "no token was given",
            "pipe it in, set LONGSHORE_TOKEN, or name a file with --token-file",
        ));
    }
    Ok(SecretText::new(token))
}

/// A secret from standard input: typed without being shown where that is a terminal.
pub(crate) fn read_secret(prompt: &str) -> Result<SecretText> {
    if std::io::stdin().is_terminal() {
        tell(prompt);
        return type_secret();
    }
    let mut all = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut all)?;
    Ok(all.into())
}

/// Who we are at the vendor.
pub(super) struct App {
    pub(super) id: String,
    /// Absent for a public client.
    pub(super) secret: Option<SecretText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientFile {
    client_id: String,
    client_secret: Option<String>,
}

/// The app's id and secret: from the file, else from `LONGSHORE_CLIENT_ID` and `LONGSHORE_CLIENT_SECRET`, else typed.
pub(super) fn read_app(file: Option<&Path>) -> Result<App> {
    let app = if let Some(path) = file {
        let text = read_file(path, "client id and secret")?;
        // The parser's own message quotes the file, secret and all.
        let found: ClientFile = toml::from_str(text.expose()).map_err(|error| {
            let before = error.span().map_or(0, |span| span.start);
            let line = text.expose()[..before].lines().count().max(1);
            WithHint::error(
                format!("{} is not a client file (line {line})", path.display()),
                "it is TOML with client_id = \"…\" and, unless the app is public, client_secret = \"…\"",
            )
        })?;
        App {
            id: found.client_id,
            secret: found.client_secret.map(SecretText::from),
        }
    } else if let Ok(id) = std::env::var("LONGSHORE_CLIENT_ID") {
        let secret = std::env::var("LONGSHORE_CLIENT_SECRET").ok();
        App {
            id,
            secret: secret.map(SecretText::from),
        }
    } else if std::io::stdin().is_terminal() {
        tell("Client id of your app at the vendor, then Enter:");
        let mut id = String::new();
        std::io::stdin().lock().read_line(&mut id)?;
        tell("Its client secret, then Enter (it is not shown; empty for a public app):");
        App {
            id,
            secret: Some(type_secret()?),
        }
    } else {
        App {
            id: String::new(),
            secret: None,
        }
    };
    let id = app.id.trim().to_owned();
    if id.is_empty() {
        return Err(WithHint::error(
            "no client id was given",
            "set LONGSHORE_CLIENT_ID and LONGSHORE_CLIENT_SECRET, or name a file with --client-file",
        ));
    }
    let secret = app
        .secret
        .map(|secret| SecretText::new(secret.expose().trim()))
        .filter(|secret| !secret.expose().is_empty());
    Ok(App { id, secret })
}

fn read_file(path: &Path, what: &str) -> Result<SecretText> {
    std::fs::read_to_string(path)
        .map(SecretText::from)
        .with_context(|| format!("cannot read the {what} from {}", path.display()))
}

fn type_secret() -> Result<SecretText> {
    Ok(console::Term::stderr().read_secure_line()?.into())
}
