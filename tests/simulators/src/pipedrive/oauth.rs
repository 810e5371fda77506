//! Decides who a request comes from: API token, OAuth access tokens with their lifetimes, rotating refresh tokens.
//!
//! It keeps no user base: everybody who asks for consent is the account's administrator and agrees.

use super::keys::Keys;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The administrator's API token: may do everything.
    Key,
    /// An app with the account's scopes.
    App,
}

#[derive(Debug, Default)]
struct State {
    issued: u64,
    codes: HashMap<String, String>,
    access: HashMap<String, i64>,
    refresh: String,
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
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// How a request for tokens proves itself.
pub(super) enum Grant<'a> {
    Code { code: &'a str, redirect: &'a str },
    Refresh(&'a str),
}

impl OAuth {
    pub(super) fn new(keys: Keys) -> Self {
        let state = State {
            refresh: format!("1:7:{}", keys.secret(4)),
            ..State::default()
        };
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
        self.state().refresh.clone()
    }

    /// A code to be exchanged once, by the same callback address.
    pub(super) fn authorize(&self, redirect: &str) -> String {
        let mut state = self.state();
        state.issued += 1;
        let code = self.salt.secret(1000 + state.issued);
        state.codes.insert(code.clone(), redirect.to_owned());
        code
    }

    /// New tokens, or none where the grant is not valid. An old access token stays valid until its end.
    pub(super) fn exchange(&self, grant: &Grant<'_>, now: i64, expires_in: u64) -> Option<Pair> {
        let mut state = self.state();
        match grant {
            Grant::Code { code, redirect } => {
                state
                    .codes
                    .remove(*code)
                    .filter(|asked| asked == redirect)?;
            }
            Grant::Refresh(token) if *token == state.refresh => (),
            Grant::Refresh(_) => return None,
        }
        state.issued += 1;
        let access = format!("v1u:{}", self.salt.secret(1_000_000 + state.issued));
        state.refresh = format!("1:7:{}", self.salt.secret(2_000_000 + state.issued));
        state.access.retain(|_, until| *until > now);
        state
            .access
            .insert(access.clone(), now + expires_in as i64 * 1000);
        Some(Pair {
            access,
            refresh: state.refresh.clone(),
        })
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
                let until = self.state().access.get(token).copied();
                until.filter(|until| now < *until).map(|_| Caller::App)
            }
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Generated;

    #[test]
    fn tokens_expire_and_refresh_tokens_rotate() {
        let oauth = OAuth::new(Keys::new("a", &Generated::new(10, 1)));
        let first = oauth.refresh_token();
        let pair = oauth.exchange(&Grant::Refresh(&first), 0, 10).unwrap();
        assert_eq!(
            oauth.caller(None, Some(&pair.access), 9_999),
            Some(Caller::App)
        );
        assert_eq!(oauth.caller(None, Some(&pair.access), 10_000), None);
        assert!(
            oauth.exchange(&Grant::Refresh(&first), 1, 10).is_none(),
            "a used refresh token is dead"
        );
        assert!(
            oauth
                .exchange(&Grant::Refresh(&pair.refresh), 1, 10)
                .is_some()
        );
        let code = oauth.authorize("http://127.0.0.1/cb");
        let wrong = Grant::Code {
            code: &code,
            redirect: "http://127.0.0.1/other",
        };
        assert!(oauth.exchange(&wrong, 1, 10).is_none());
        let code = oauth.authorize("http://127.0.0.1/cb");
        let right = Grant::Code {
            code: &code,
            redirect: "http://127.0.0.1/cb",
        };
        assert!(oauth.exchange(&right, 1, 10).is_some());
        assert!(
            oauth.exchange(&right, 1, 10).is_none(),
            "a code is good once"
        );
    }
}
