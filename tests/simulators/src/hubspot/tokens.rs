//! Decides who a call comes from: private tokens, OAuth access tokens with their lifetimes, refresh tokens that stay.
//!
//! It keeps no user base: one user installs the app. What the endpoints of OAuth answer is decided beside it.

use super::answer::Failure;
use super::clock::iso;
use super::scopes;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// How long a code is good, in milliseconds (not in the vendor's documents).
const CODE_MS: i64 = 600_000;

/// What the person does who is asked for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// Agrees at once: the browser goes back with a code.
    #[default]
    Given,
    /// Sees a page with two links, and decides by following one.
    Asked,
    /// Refuses: the browser goes back with `error=access_denied`.
    Denied,
}

/// The OAuth app and the private token of a portal.
#[derive(Debug, Clone)]
pub struct Access {
    /// Scopes of the private token; none means all.
    pub private_scopes: Option<Vec<String>>,
    /// Scopes that the OAuth app is configured with; none means any that is asked for.
    pub app_scopes: Option<Vec<String>>,
    /// Where browsers may be sent back to; none allows any address.
    pub redirects: Option<Vec<String>>,
    /// What the person does.
    pub consent: Consent,
    /// Lifetime of an access token, in seconds.
    pub expires_in: i64,
    /// An access token is dead after so many calls, as if its time were over; none: only time ends it.
    pub access_uses: Option<u64>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            private_scopes: None,
            app_scopes: None,
            redirects: None,
            consent: Consent::default(),
            expires_in: 1800,
            access_uses: None,
        }
    }
}

/// Who a call comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The app; each has its own limits.
    pub(super) app: &'static str,
    /// Whether it is an OAuth app.
    pub(super) oauth: bool,
    /// What it may do; none means all.
    scopes: Option<Arc<[String]>>,
}

impl Caller {
    /// Whether it has the scope.
    pub(super) fn has(&self, scope: &str) -> bool {
        let scopes = self.scopes.as_ref();
        scopes.is_none_or(|scopes| scopes.iter().any(|have| have == scope))
    }

    /// Refuses a caller who lacks any of the scopes.
    ///
    /// # Errors
    ///
    /// 403 `MISSING_SCOPES`.
    pub(super) fn need(&self, needed: &[&'static str]) -> Result<(), Failure> {
        if needed.iter().all(|scope| self.has(scope)) {
            return Ok(());
        }
        Err(scopes::missing(needed))
    }
}

/// What a browser asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) redirect: String,
    pub(super) scopes: Vec<String>,
    /// The PKCE challenge (S256), if one was sent.
    pub(super) challenge: Option<String>,
}

/// What an app shows for its tokens.
#[derive(Debug)]
pub(super) enum Grant<'a> {
    Code {
        code: &'a str,
        redirect: &'a str,
        verifier: &'a str,
    },
    Refresh(&'a str),
}

/// Why an app gets no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    Code,
    CodeExpired,
    Redirect,
    Verifier,
    Refresh,
}

/// Tokens for an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) scopes: Arc<[String]>,
}

/// What a live token is good for.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) until: i64,
    pub(super) scopes: Arc<[String]>,
    uses: u64,
}

/// The tokens of a portal.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) setup: Access,
    pub(super) private: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    private_scopes: Option<Arc<[String]>>,
    salt: u64,
    made: u64,
    codes: HashMap<String, (Ask, i64)>,
    access: HashMap<String, Reach>,
    /// The scopes that go with each.
    refresh: HashMap<String, Arc<[String]>>,
}

impl Tokens {
    /// Those of a portal; two portals of unlike salts have unlike secrets.
    pub(super) fn new(setup: Access, salt: u64) -> Self {
        let mut tokens = Self {
            private_scopes: setup.private_scopes.clone().map(Into::into),
            setup,
            private: String::new(),
            client_id: String::new(),
            client_secret: String::new(),
            salt,
            made: 0,
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
        };
        tokens.private = format!("pat-na1-{}", tokens.uuid());
        tokens.client_id = tokens.uuid();
        tokens.client_secret = tokens.uuid();
        tokens
    }

    /// The private token, the app's id, the app's secret.
    pub(super) fn secrets(&self) -> (String, String, String) {
        (
            self.private.clone(),
            self.client_id.clone(),
            self.client_secret.clone(),
        )
    }

    /// 32 bytes that no other call gets.
    fn fresh(&mut self) -> [u8; 32] {
        self.made += 1;
        let mut digest = Sha256::new();
        digest.update(self.salt.to_le_bytes());
        digest.update(self.made.to_le_bytes());
        digest.finalize().into()
    }

    fn uuid(&mut self) -> String {
        let bytes = self.fresh();
        let mut hex = String::with_capacity(32);
        for byte in &bytes[..16] {
            write!(hex, "{byte:02x}").expect("text grows");
        }
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        parts.join("-")
    }

    /// Who has this bearer token.
    ///
    /// # Errors
    ///
    /// 401, `EXPIRED_AUTHENTICATION` where the token was good once.
    pub(super) fn caller(&mut self, token: Option<&str>, now: i64) -> Result<Caller, Failure> {
        let Some(token) = token else {
            return Err(Failure::new(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            ));
        };
        if token == self.private {
            return Ok(Caller {
                app: "private",
                oauth: false,
                scopes: self.private_scopes.clone(),
            });
        }
        let Some(reach) = self.access.get_mut(token) else {
            return Err(Failure::new(
                401,
                "INVALID_AUTHENTICATION",
                "The OAuth token used to make this call is invalid",
            ));
        };
        if now >= reach.until || reach.uses == 0 {
            let ago = (now - reach.until).max(0) / 1000;
            return Err(Failure::new(
                401,
                "EXPIRED_AUTHENTICATION",
                format!("The OAuth token used to make this call expired {ago} second(s) ago."),
            )
            .context("expireTime", [iso(reach.until)]));
        }
        reach.uses -= 1;
        Ok(Caller {
            app: "oauth",
            oauth: true,
            scopes: Some(Arc::clone(&reach.scopes)),
        })
    }

    /// A code for a browser to take back.
    pub(super) fn code(&mut self, ask: Ask, now: i64) -> String {
        let code = self.uuid();
        self.codes.insert(code.clone(), (ask, now + CODE_MS));
        code
    }

    /// Tokens for what an app shows; a code is good once, a refresh token stays and is handed out again.
    ///
    /// # Errors
    ///
    /// A [`Denial`] where it shows something that is not good.
    pub(super) fn exchange(&mut self, grant: &Grant<'_>, now: i64) -> Result<Pair, Denial> {
        let (refresh, scopes) = match grant {
            Grant::Code {
                code,
                redirect,
                verifier,
            } => {
                let (ask, until) = self.codes.remove(*code).ok_or(Denial::Code)?;
                if now >= until {
                    return Err(Denial::CodeExpired);
                }
                if ask.redirect != *redirect {
                    return Err(Denial::Redirect);
                }
                let proof = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
                if ask.challenge.is_some_and(|challenge| challenge != proof) {
                    return Err(Denial::Verifier);
                }
                let refresh = format!("na1-{}", self.uuid());
                (refresh, Arc::from(ask.scopes))
            }
            Grant::Refresh(token) => {
                let scopes = self.refresh.get(*token).ok_or(Denial::Refresh)?;
                ((*token).to_owned(), Arc::clone(scopes))
            }
        };
        // Access tokens are long: some 90 characters and more.
        let access = format!(
            "C{}{}",
            BASE64_URL_SAFE_NO_PAD.encode(self.fresh()),
            BASE64_URL_SAFE_NO_PAD.encode(self.fresh())
        );
        let reach = Reach {
            until: now + self.setup.expires_in * 1000,
            scopes: Arc::clone(&scopes),
            uses: self.setup.access_uses.unwrap_or(u64::MAX),
        };
        self.access.insert(access.clone(), reach);
        self.refresh.insert(refresh.clone(), Arc::clone(&scopes));
        Ok(Pair {
            access,
            refresh,
            scopes,
        })
    }

    /// What a live access token is good for.
    pub(super) fn reach(&self, access: &str, now: i64) -> Option<&Reach> {
        self.access
            .get(access)
            .filter(|reach| now < reach.until && reach.uses > 0)
    }

    /// The scopes of a refresh token.
    pub(super) fn refresh_scopes(&self, refresh: &str) -> Option<&Arc<[String]>> {
        self.refresh.get(refresh)
    }

    /// Ends a token of either kind; false where there is none. Access tokens outlive their refresh token.
    pub(super) fn revoke(&mut self, token: &str) -> bool {
        self.refresh.remove(token).is_some() || self.access.remove(token).is_some()
    }
}
