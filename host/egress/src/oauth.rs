//! Gets tokens: the authorisation-code grant with PKCE (RFC 6749, RFC 7636) for a new connection, and the refresh of an old one.
//!
//! It stores nothing and opens no browser; refreshing in time and only once is the credential's business.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use model::grant::{ClientAuth, CredentialGrant, Endpoint};
use model::{ConnectionId, Instant};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;
use vault::{Secret, SecretText};

use crate::error::{EgressError, Place};
use crate::redact::Scrubber;
use crate::template::{Filling, TemplateError, fill};
use crate::wire::{Reach, Timeouts, Wire, WireError};

/// How long one exchange may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// A token answer is small.
const ANSWER_MAX_BYTES: usize = 256 * 1024;

/// Attempts to connect; once connected, a token request is never sent twice.
const CONNECT_ATTEMPTS: u32 = 3;

/// What a new connection is made from.
#[derive(Clone, Debug)]
pub struct OauthOptions {
    /// The connection, for messages.
    pub connection: ConnectionId,
    /// The grant; must be [`CredentialGrant::Oauth2`].
    pub credential: CredentialGrant,
    /// The manifest's endpoints: they declare the parameters that the OAuth addresses may use too.
    pub endpoints: Vec<Endpoint>,
    /// The connection's values for them.
    pub parameters: BTreeMap<String, String>,
    /// A developer's loopback origin in place of the vendor's.
    pub origin_override: Option<Url>,
    /// The app's id at the vendor.
    pub client_id: String,
    /// The app's secret at the vendor; absent for a public client.
    pub client_secret: Option<SecretText>,
    /// Where the vendor sends the browser back to.
    pub redirect: Url,
    /// Sent as `User-Agent`.
    pub user_agent: String,
}

/// One way to log in, ready to start.
pub struct OauthClient {
    client: TokenClient,
    app: App,
    redirect: Url,
}

/// A started login. Keep `state` and `verifier` until the browser comes back.
#[derive(Debug)]
pub struct Authorization {
    /// Where to send the person's browser.
    pub url: Url,
    /// Must come back unchanged, else the answer is not to this question.
    pub state: SecretText,
    /// Proves at the exchange that it is the same program.
    pub verifier: SecretText,
}

/// A finished login.
#[derive(Debug)]
pub struct Granted {
    /// To be stored in the vault. Its `account` is the vendor's API address, where the vendor names one.
    pub secret: Secret,
    /// What was granted, in the vendor's words; empty when the vendor does not say.
    pub scopes: Vec<String>,
}

impl OauthClient {
    /// Checks the addresses and prepares the guarded connection.
    ///
    /// # Errors
    ///
    /// [`EgressError::Configuration`] when the grant is not OAuth 2 or its addresses do not hold.
    pub fn new(options: OauthOptions) -> Result<Self, EgressError> {
        let configuration = |what: String| EgressError::Configuration {
            connection: options.connection.to_string(),
            what,
        };
        let reach = if options.origin_override.is_some() {
            Reach::Loopback
        } else {
            Reach::Public
        };
        let wire = Wire::new(reach, &options.user_agent, Timeouts::of_login())
            .map_err(|error| configuration(error.to_string()))?;
        let filling = Filling {
            parameters: &options.parameters,
            origin_override: options.origin_override.as_ref(),
        };
        let client = TokenClient::new(
            &options.connection,
            &options.credential,
            &options.endpoints,
            &filling,
            Arc::new(wire),
        )
        .map_err(|error| configuration(error.to_string()))?
        .ok_or_else(|| {
            configuration(format!(
                "credential {:?} is not OAuth 2",
                options.credential.id()
            ))
        })?;
        Ok(Self {
            client,
            app: App {
                id: options.client_id,
                secret: options.client_secret,
            },
            redirect: options.redirect,
        })
    }

    /// Starts a login: a fresh state, a fresh PKCE verifier and the address that asks the person.
    pub fn begin(&self) -> Authorization {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self
            .client
            .protocol(&self.app)
            .set_redirect_uri(RedirectUrl::from_url(self.redirect.clone()));
        let scopes = self.client.scopes.iter().cloned().map(Scope::new);
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Authorization {
            url,
            state: state.into_secret().into(),
            verifier: verifier.into_secret().into(),
        }
    }

    /// Exchanges the code that the browser brought back. A code works once.
    ///
    /// # Errors
    ///
    /// [`EgressError::Auth`] when the vendor refuses code or client; `Transient` and `Refused` as for any request.
    pub async fn exchange(
        &self,
        code: &str,
        verifier: &SecretText,
    ) -> Result<Granted, EgressError> {
        let code = SecretText::from(code);
        let scrubber = Scrubber::new([&code, verifier].into_iter().chain(&self.app.secret));
        let client = self
            .client
            .protocol(&self.app)
            .set_redirect_uri(RedirectUrl::from_url(self.redirect.clone()));
        let answer = self
            .client
            .ask(&scrubber, async |http| {
                client
                    .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
                    .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
                    .request_async(http)
                    .await
            })
            .await?;
        let scopes = answer
            .scopes()
            .map(|scopes| {
                // The standard puts spaces between them (RFC 6749, section 3.3), Pipedrive commas.
                let words = scopes.iter().flat_map(|scope| scope.split(','));
                words
                    .map(|scope| scrubber.text(scope).into_owned())
                    .collect()
            })
            .unwrap_or_default();
        Ok(Granted {
            secret: self.app.secret_of(&answer, None, None),
            scopes,
        })
    }
}

/// The vendor's token answer; Pipedrive and Zoho add the account's API address.
type Answer = StandardTokenResponse<Extra, BasicTokenType>;

type Protocol = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

#[derive(Debug, Serialize, Deserialize)]
struct Extra {
    #[serde(default)]
    api_domain: Option<String>,
}

impl ExtraTokenFields for Extra {}

/// Who we are at the vendor.
struct App {
    id: String,
    secret: Option<SecretText>,
}

impl App {
    /// A refresh may leave out the refresh token and the account: the old ones then stay.
    fn secret_of(
        &self,
        answer: &Answer,
        refresh: Option<SecretText>,
        account: Option<String>,
    ) -> Secret {
        // Mailchimp says 0 for "never".
        let lifetime = answer.expires_in().filter(|lifetime| !lifetime.is_zero());
        let expires_at = lifetime.and_then(|lifetime| {
            let us = i64::try_from(lifetime.as_micros()).ok()?;
            Instant::from_unix_us(Instant::now().unix_us().checked_add(us)?)
        });
        Secret::Oauth {
            access: answer.access_token().secret().as_str().into(),
            refresh: answer
                .refresh_token()
                .map(|token| token.secret().as_str().into())
                .or(refresh),
            expires_at,
            client_id: self.id.clone(),
            client_secret: self.secret.clone(),
            account: answer.extra_fields().api_domain.clone().or(account),
        }
    }
}

/// A vendor's two OAuth addresses over the guarded connection.
pub(crate) struct TokenClient {
    connection: String,
    wire: Arc<Wire>,
    authorize: AuthUrl,
    token: TokenUrl,
    scopes: Vec<String>,
    auth: AuthType,
}

impl TokenClient {
    /// `None` when the grant is not OAuth 2.
    pub(crate) fn new(
        connection: &ConnectionId,
        grant: &CredentialGrant,
        endpoints: &[Endpoint],
        filling: &Filling<'_>,
        wire: Arc<Wire>,
    ) -> Result<Option<Self>, TemplateError> {
        let CredentialGrant::Oauth2 {
            authorize_url,
            token_url,
            scopes,
            client_auth,
            ..
        } = grant
        else {
            return Ok(None);
        };
        let declared: BTreeMap<_, _> = endpoints
            .iter()
            .flat_map(|endpoint| endpoint.parameters.clone())
            .collect();
        let authorize = fill("authorize_url", authorize_url, &declared, filling)?;
        let token = fill("token_url", token_url, &declared, filling)?;
        Ok(Some(Self {
            connection: connection.to_string(),
            wire,
            authorize: AuthUrl::from_url(authorize),
            token: TokenUrl::from_url(token),
            scopes: scopes.clone(),
            auth: match client_auth {
                ClientAuth::Basic => AuthType::BasicAuth,
                ClientAuth::Form => AuthType::RequestBody,
            },
        }))
    }

    /// Exchanges a refresh token for the next pair. The old one may be dead afterwards: store the answer before using it.
    ///
    /// # Errors
    ///
    /// [`EgressError::Auth`] when there is nothing to refresh with, or the vendor refuses it.
    pub(crate) async fn refresh(
        &self,
        secret: &Secret,
        scrubber: &Scrubber,
    ) -> Result<Secret, EgressError> {
        let Secret::Oauth {
            refresh: Some(refresh),
            client_id,
            client_secret,
            account,
            ..
        } = secret
        else {
            return Err(self.auth_error("there is no refresh token".to_owned()));
        };
        let app = App {
            id: client_id.clone(),
            secret: client_secret.clone(),
        };
        let client = self.protocol(&app);
        let token = RefreshToken::new(refresh.expose().to_owned());
        let answer = self
            .ask(scrubber, async |http| {
                client
                    .exchange_refresh_token(&token)
                    .request_async(http)
                    .await
            })
            .await?;
        Ok(app.secret_of(&answer, Some(refresh.clone()), account.clone()))
    }

    fn protocol(&self, app: &App) -> Protocol {
        let client = Client::new(ClientId::new(app.id.clone()))
            .set_auth_uri(self.authorize.clone())
            .set_token_uri(self.token.clone())
            .set_auth_type(self.auth.clone());
        match &app.secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place::new("oauth", self.token.url().path())
    }

    fn auth_error(&self, cause: String) -> EgressError {
        EgressError::Auth {
            connection: self.connection.clone(),
            place: self.place(),
            cause,
        }
    }

    /// Runs one exchange of the protocol over the guarded connection.
    async fn ask<F>(&self, scrubber: &Scrubber, exchange: F) -> Result<Answer, EgressError>
    where
        F: AsyncFnOnce(&Http) -> Result<Answer, TokenError>,
    {
        let http = Http {
            wire: self.wire.clone(),
            status: Arc::default(),
        };
        let found = tokio::time::timeout(EXCHANGE_TIMEOUT, exchange(&http)).await;
        let clean = |text: &str| {
            scrubber
                .text(text)
                .chars()
                .filter(|c| !c.is_control())
                .take(300)
                .collect::<String>()
        };
        let transient = |cause: String| EgressError::Transient {
            place: self.place(),
            cause,
            attempts: 1,
        };
        let status = http.status.load(Ordering::Relaxed);
        match found {
            Err(_) => Err(EgressError::Timeout {
                place: self.place(),
            }),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(RequestTokenError::Request(WireError::Refused(refusal)))) => {
                Err(EgressError::Refused {
                    place: self.place(),
                    refusal,
                })
            }
            Ok(Err(RequestTokenError::Request(WireError::TooLarge(limit_bytes)))) => {
                Err(EgressError::TooLarge {
                    place: self.place(),
                    limit_bytes,
                })
            }
            Ok(Err(RequestTokenError::Request(error))) => Err(transient(clean(&error.to_string()))),
            Ok(Err(_)) if status == 429 || status >= 500 => {
                Err(transient(format!("token address answered {status}")))
            }
            Ok(Err(RequestTokenError::ServerResponse(answer))) => {
                let description = answer
                    .error_description()
                    .map(|text| format!(": {text}"))
                    .unwrap_or_default();
                Err(self.auth_error(clean(&format!(
                    "token address answered {status} {}{description}",
                    answer.error()
                ))))
            }
            Ok(Err(_)) => {
                Err(self.auth_error(format!("token address answered {status} without a token")))
            }
        }
    }
}

type TokenError = RequestTokenError<WireError, BasicErrorResponse>;

/// The guarded connection as the protocol crate wants it.
struct Http {
    wire: Arc<Wire>,
    status: Arc<AtomicU16>,
}

impl<'c> oauth2::AsyncHttpClient<'c> for Http {
    type Error = WireError;
    type Future = std::pin::Pin<
        Box<dyn Future<Output = Result<oauth2::HttpResponse, WireError>> + Send + 'c>,
    >;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = Url::parse(&parts.uri.to_string())
                .map_err(|error| WireError::NotSent(error.to_string()))?;
            let mut attempts = 0;
            let answer = loop {
                attempts += 1;
                let body = Some(reqwest::Body::from(body.clone()));
                match self
                    .wire
                    .exchange(
                        parts.method.clone(),
                        url.clone(),
                        parts.headers.clone(),
                        body,
                        ANSWER_MAX_BYTES,
                    )
                    .await
                {
                    Err(WireError::NotSent(_)) if attempts < CONNECT_ATTEMPTS => {
                        tokio::time::sleep(Duration::from_millis(300)).await
                    }
                    found => break found?,
                }
            };
            self.status.store(answer.status, Ordering::Relaxed);
            let mut response = oauth2::HttpResponse::new(answer.body);
            *response.status_mut() =
                reqwest::StatusCode::from_u16(answer.status).expect("it came as a status");
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests;
