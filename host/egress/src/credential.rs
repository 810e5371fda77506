//! Holds a connection's live secret: read from the vault, put into requests, refreshed once for all who wait.
//!
//! It decides nothing about requests; when a refresh is due because of an answer, the gateway says so.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use model::grant::Injection;
use reqwest::header::{HeaderName, HeaderValue};
use vault::{EntryName, Secret, SecretText, Vault, VaultError};

use crate::error::EgressError;
use crate::limit::WallClock;
use crate::oauth::TokenClient;
use crate::redact::Scrubber;

/// A token that ends sooner is refreshed before it is used.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// The secret as it is now.
pub(crate) struct Live {
    generation: u64,
    secret: Secret,
    /// The whole header value, prefix and secret; marked sensitive.
    pub(crate) value: HeaderValue,
    /// Knows this generation and the one before: an answer may still hold the old token.
    pub(crate) scrubber: Scrubber,
}

impl Live {
    fn new(
        generation: u64,
        secret: Secret,
        before: Option<&Secret>,
        inject: &Injection,
    ) -> Option<Self> {
        let text = SecretText::from(format!("{}{}", inject.prefix, secret.bearer().expose()));
        let mut value = HeaderValue::from_str(text.expose()).ok()?;
        value.set_sensitive(true);
        let scrubber = Scrubber::new(
            secret
                .texts()
                .into_iter()
                .chain(before.map(Secret::texts).unwrap_or_default()),
        );
        Some(Self {
            generation,
            secret,
            value,
            scrubber,
        })
    }

    /// Microseconds until the token ends; `None` when nobody knows.
    fn left_us(&self, wall: &WallClock) -> Option<i64> {
        match &self.secret {
            Secret::Oauth { expires_at, .. } => {
                expires_at.map(|end| end.unix_us() - (wall)().unix_us())
            }
            Secret::Key(_) => None,
        }
    }
}

/// A connection's credential.
pub(crate) struct Credential {
    connection: String,
    name: EntryName,
    vault: Arc<Vault>,
    inject: Injection,
    pub(crate) header: HeaderName,
    tokens: Option<TokenClient>,
    wall: WallClock,
    live: RwLock<Arc<Live>>,
    gate: tokio::sync::Mutex<Gate>,
}

/// What whoever refreshes must know; only one does at a time.
#[derive(Default)]
struct Gate {
    /// A pair the vendor gave and the vault did not take: the only one that works, so it is not forgotten.
    unsaved: Option<Secret>,
    /// The generation that could not be refreshed, with the reason: the others who wait need not ask again.
    refused: Option<(u64, String)>,
}

impl Credential {
    /// Reads the secret from the vault.
    pub(crate) fn open(
        name: EntryName,
        vault: Arc<Vault>,
        inject: Injection,
        tokens: Option<TokenClient>,
        wall: WallClock,
    ) -> Result<Self, EgressError> {
        let connection = name.connection.to_string();
        let configuration = |what: &str| EgressError::Configuration {
            connection: connection.clone(),
            what: what.to_owned(),
        };
        let secret = vault
            .load(&name)
            .map_err(|error| vault_error(&connection, error))?;
        let header = HeaderName::from_bytes(inject.header.as_bytes())
            .map_err(|_| configuration("the credential's header is not a header name"))?;
        let live = Live::new(0, secret, None, &inject)
            .ok_or_else(|| configuration("the stored secret cannot stand in a header"))?;
        let (live, gate) = (RwLock::new(Arc::new(live)), tokio::sync::Mutex::default());
        Ok(Self {
            connection,
            name,
            vault,
            inject,
            header,
            tokens,
            wall,
            live,
            gate,
        })
    }

    /// Whether requests to this endpoint carry it.
    pub(crate) fn is_for(&self, endpoint: &str) -> bool {
        self.inject.endpoints.iter().any(|id| id == endpoint)
    }

    /// The secret without asking anyone.
    pub(crate) fn known(&self) -> Arc<Live> {
        self.live
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The secret for the next request, refreshed when its end is near.
    pub(crate) async fn current(self: &Arc<Self>) -> Result<Arc<Live>, EgressError> {
        let live = self.known();
        let left_us = live.left_us(&self.wall).unwrap_or(i64::MAX);
        if self.tokens.is_none()
            || left_us > i64::try_from(RENEW_BEFORE.as_micros()).unwrap_or(i64::MAX)
        {
            return Ok(live);
        }
        match self.renew(&live).await {
            Ok(Some(live)) => Ok(live),
            // It still works for a moment, and only the server knows for sure.
            Ok(None) => Ok(live),
            Err(_) if left_us > 0 => Ok(live),
            Err(error) => Err(error),
        }
    }

    /// The secret after the one that a server refused; `None` when this kind cannot be renewed.
    ///
    /// Runs to its end even when the caller gives up: a vendor's refresh token may work once only.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        refused: &Live,
    ) -> Result<Option<Arc<Live>>, EgressError> {
        if self.tokens.is_none() {
            return Ok(None);
        }
        let (this, seen) = (self.clone(), refused.generation);
        let work = tokio::spawn(async move { this.renew_alone(seen).await });
        let gone = |_| EgressError::Configuration {
            connection: self.connection.clone(),
            what: "the refresh was cut off by the end of the program".to_owned(),
        };
        work.await.map_err(gone)?.map(Some)
    }

    async fn renew_alone(self: Arc<Self>, seen: u64) -> Result<Arc<Live>, EgressError> {
        let mut gate = self.gate.lock().await;
        let live = self.known();
        if live.generation != seen {
            return Ok(live);
        }
        let tokens = self
            .tokens
            .as_ref()
            .expect("only called for a credential with tokens");
        if let Some((generation, cause)) = &gate.refused
            && *generation == seen
        {
            return Err(self.refused(tokens, cause));
        }
        let next = match gate.unsaved.take() {
            Some(unsaved) => self.keep(unsaved, &mut gate).await?,
            None => match self.stored().await? {
                // Another process, or a person who connected again, was faster.
                stored if stored.bearer() != live.secret.bearer() => stored,
                stored => match tokens.refresh(&stored, &live.scrubber).await {
                    Ok(next) => self.keep(next, &mut gate).await?,
                    Err(error) => {
                        if let EgressError::Auth { cause, .. } = &error {
                            gate.refused = Some((seen, cause.clone()));
                        }
                        return Err(error);
                    }
                },
            },
        };
        let next = Live::new(seen + 1, next, Some(&live.secret), &self.inject)
            .ok_or_else(|| self.refused(tokens, "the new token cannot stand in a header"))?;
        let next = Arc::new(next);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = next.clone();
        tracing::debug!(connection = %self.connection, "access token refreshed");
        Ok(next)
    }

    fn refused(&self, tokens: &TokenClient, cause: &str) -> EgressError {
        EgressError::Auth {
            connection: self.connection.clone(),
            place: tokens.place(),
            cause: cause.to_owned(),
        }
    }

    async fn stored(&self) -> Result<Secret, EgressError> {
        let (vault, name) = (self.vault.clone(), self.name.clone());
        self.on_disk(move || vault.load(&name)).await
    }

    /// Stored before use; what the vault does not take is kept for the next attempt.
    async fn keep(&self, secret: Secret, gate: &mut Gate) -> Result<Secret, EgressError> {
        let (vault, name, copy) = (self.vault.clone(), self.name.clone(), secret.clone());
        match self.on_disk(move || vault.store(&name, &copy)).await {
            Ok(()) => Ok(secret),
            Err(error) => {
                gate.unsaved = Some(secret);
                Err(error)
            }
        }
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, EgressError> {
        let done = tokio::task::spawn_blocking(work)
            .await
            .expect("the vault does not panic, and this task is not aborted");
        done.map_err(|error| vault_error(&self.connection, error))
    }
}

fn vault_error(connection: &str, error: VaultError) -> EgressError {
    EgressError::Vault {
        connection: connection.to_owned(),
        source: Arc::new(error),
    }
}
