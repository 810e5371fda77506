//! Decides who a request comes from: API token, OAuth access tokens with their lifetimes, rotating refresh tokens.
//!
//! It keeps no user base: there is one person, the account's administrator; whether he agrees is decided elsewhere.

use super::keys::Keys;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long a code is good: five minutes
/// (pipedrive.readme.io/docs/marketplace-oauth-and-api-proxy-status-codes, read 2026-11).
const CODE_LIFETIME_MS: i64 = 5 * 60 * 1000;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The administrator's API token: may do everything.
    Key,
    /// An app with the account's scopes.
    App,
}

/// Every secret that was given out, dead ones included, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Codes.
    pub codes: Vec<String>,
    /// Access tokens.
    pub access: Vec<String>,
    /// Refresh tokens, the account's first included.
    pub refresh: Vec<String>,
    /// How often a code or refresh token was refused.
    pub refused: u64,
}

/// What a code was asked for with.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) redirect: String,
    /// PKCE's S256 challenge, where it is held to.
    pub(super) challenge: Option<String>,
}

/// How far an access token reaches.
#[derive(Debug)]
struct Reach {
    until: i64,
    uses: u64,
}

#[derive(Debug, Default)]
struct State {
    issued: u64,
    codes: HashMap<String, (Ask, i64)>,
    access: HashMap<String, Reach>,
    given: Given,
}

/// The account's identity provider.
#[derive(Debug)]
pub(super) struct OAuth {
    pub(super) api_token: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    salt: Keys,
    state: Mutex<State>,
}

/// A pair of tokens.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// How a request for tokens proves itself.
pub(super) enum Grant<'a> {
    Code {
        code: &'a str,
        redirect: &'a str,
        verifier: &'a str,
    },
    Refresh(&'a str),
}

/// Why there are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    /// Unknown, used, or not of this callback or verifier.
    Code,
    /// Too old.
    Expired,
    /// Unknown or used.
    Refresh,
}

impl OAuth {
    pub(super) fn new(keys: Keys) -> Self {
        let mut state = State::default();
        state.given.refresh.push(format!("1:7:{}", keys.secret(4)));
        Self {
            api_token: keys.secret(1),
            client_id: keys.secret(2)[..16].to_owned(),
            client_secret: keys.secret(3),
            salt: keys,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The refresh token that is valid now; each use replaces it.
    pub(super) fn refresh_token(&self) -> String {
        self.state()
            .given
            .refresh
            .last()
            .cloned()
            .unwrap_or_default()
    }

    /// Every secret that was given out.
    pub(super) fn given(&self) -> Given {
        self.state().given.clone()
    }

    /// A code to be exchanged once, soon, by who asked for it.
    pub(super) fn authorize(&self, ask: Ask, now: i64) -> String {
        let mut state = self.state();
        state.issued += 1;
        let code = self.salt.secret(1000 + state.issued);
        state.given.codes.push(code.clone());
        state
            .codes
            .insert(code.clone(), (ask, now + CODE_LIFETIME_MS));
        code
    }

    /// New tokens. An old access token stays valid until its end, an old refresh token is dead.
    pub(super) fn exchange(
        &self,
        grant: &Grant<'_>,
        now: i64,
        expires_in: u64,
        uses: Option<u64>,
    ) -> Result<Pair, Denial> {
        let mut state = self.state();
        if let Err(denial) = state.prove(grant, now) {
            state.given.refused += 1;
            return Err(denial);
        }
        state.issued += 1;
        let access = format!("v1u:{}", self.salt.secret(1_000_000 + state.issued));
        let refresh = format!("1:7:{}", self.salt.secret(2_000_000 + state.issued));
        state.access.retain(|_, reach| reach.until > now);
        let reach = Reach {
            until: now + expires_in as i64 * 1000,
            uses: uses.unwrap_or(u64::MAX),
        };
        state.access.insert(access.clone(), reach);
        state.given.access.push(access.clone());
        state.given.refresh.push(refresh.clone());
        Ok(Pair { access, refresh })
    }

    /// Who has this token, if it is valid now.
    pub(super) fn caller(
        &self,
        key: Option<&str>,
        bearer: Option<&str>,
        now: i64,
    ) -> Option<Caller> {
        match (key, bearer) {
            (Some(key), _) => (key == self.api_token).then_some(Caller::Key),
            (None, Some(token)) => {
                let mut state = self.state();
                let reach = state.access.get_mut(token)?;
                if now >= reach.until || reach.uses == 0 {
                    return None;
                }
                reach.uses -= 1;
                Some(Caller::App)
            }
            (None, None) => None,
        }
    }
}

impl State {
    fn prove(&mut self, grant: &Grant<'_>, now: i64) -> Result<(), Denial> {
        match grant {
            Grant::Code {
                code,
                redirect,
                verifier,
            } => {
                let (ask, until) = self.codes.remove(*code).ok_or(Denial::Code)?;
                if now >= until {
                    return Err(Denial::Expired);
                }
                let proof = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
                let proven = ask.challenge.is_none_or(|challenge| challenge == proof);
                (ask.redirect == *redirect && proven)
                    .then_some(())
                    .ok_or(Denial::Code)
            }
            Grant::Refresh(token) => (self.given.refresh.last().is_some_and(|last| last == token))
                .then_some(())
                .ok_or(Denial::Refresh),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Generated;

    fn provider() -> OAuth {
        OAuth::new(Keys::new("a", &Generated::new(10, 1)))
    }

    fn ask(challenge: Option<&str>) -> Ask {
        Ask {
            redirect: "http://127.0.0.1/cb".to_owned(),
            challenge: challenge.map(str::to_owned),
        }
    }

    fn code<'a>(code: &'a str, redirect: &'a str, verifier: &'a str) -> Grant<'a> {
        Grant::Code {
            code,
            redirect,
            verifier,
        }
    }

    #[test]
    fn tokens_expire_and_refresh_tokens_rotate() {
        let oauth = provider();
        let first = oauth.refresh_token();
        let pair = oauth
            .exchange(&Grant::Refresh(&first), 0, 10, None)
            .unwrap();
        let access = Some(pair.access.as_str());
        assert_eq!(oauth.caller(None, access, 9_999), Some(Caller::App));
        assert_eq!(oauth.caller(None, access, 10_000), None);
        let again = oauth.exchange(&Grant::Refresh(&first), 1, 10, None);
        assert_eq!(
            again.unwrap_err(),
            Denial::Refresh,
            "a used refresh token is dead"
        );
        let next = oauth.exchange(&Grant::Refresh(&pair.refresh), 1, 10, Some(2));
        let next = next.unwrap().access;
        let use_it = || oauth.caller(None, Some(&next), 2);
        assert_eq!(
            [use_it(), use_it(), use_it()],
            [Some(Caller::App), Some(Caller::App), None],
            "two uses were ordered"
        );
        let given = oauth.given();
        assert_eq!(
            (given.access.len(), given.refresh.len(), given.refused),
            (2, 3, 1)
        );
    }

    #[test]
    fn a_code_is_good_once_soon_and_for_its_callback() {
        let oauth = provider();
        let redirect = "http://127.0.0.1/cb";
        let exchange = |grant: &Grant<'_>, now| oauth.exchange(grant, now, 10, None);
        let one = oauth.authorize(ask(None), 0);
        let elsewhere = exchange(&code(&one, "http://127.0.0.1/other", ""), 1);
        assert_eq!(elsewhere.unwrap_err(), Denial::Code);
        let two = oauth.authorize(ask(None), 0);
        assert!(exchange(&code(&two, redirect, ""), 299_999).is_ok());
        let again = exchange(&code(&two, redirect, ""), 299_999);
        assert_eq!(again.unwrap_err(), Denial::Code, "a code is good once");
        let three = oauth.authorize(ask(None), 0);
        let late = exchange(&code(&three, redirect, ""), 300_000);
        assert_eq!(late.unwrap_err(), Denial::Expired);
    }

    /// The pair of RFC 7636, appendix B.
    #[test]
    fn a_code_asked_for_with_a_challenge_needs_its_verifier() {
        let oauth = provider();
        let challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        for (given, passes) in [(verifier, true), ("", false), ("other", false)] {
            let one = oauth.authorize(ask(challenge), 0);
            let found = oauth.exchange(&code(&one, "http://127.0.0.1/cb", given), 1, 10, None);
            assert_eq!(found.is_ok(), passes, "{given:?}");
        }
    }
}
