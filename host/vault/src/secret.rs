//! Holds a secret in memory: it is wiped when dropped and prints as `[redacted]`.
//!
//! It does not implement `Serialize`, so that no secret gets into a file or an answer by being part of something else.

use std::fmt;

use model::Instant;
use zeroize::Zeroizing;

/// A secret text. Wiped when dropped, also in the middle of a panic.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself. Every caller is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// What opens an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A key that a person copied from the CRM.
    Key(SecretText),
    /// Tokens of an OAuth 2 grant, with the client that asked for them: a refresh needs both.
    Oauth {
        /// Sent with each request.
        access: SecretText,
        /// Exchanged for the next pair. Absent where the vendor gives none.
        refresh: Option<SecretText>,
        /// When `access` stops working. Absent where the vendor does not say.
        expires_at: Option<Instant>,
        /// The app's id at the vendor.
        client_id: String,
        /// The app's secret at the vendor. Absent for a public client.
        client_secret: Option<SecretText>,
        /// The vendor's own address or id of the account, where the token answer names one.
        account: Option<String>,
    },
}

impl Secret {
    /// Every text in it that nobody else may see.
    pub fn texts(&self) -> Vec<&SecretText> {
        match self {
            Self::Key(key) => vec![key],
            Self::Oauth {
                access,
                refresh,
                client_secret,
                ..
            } => [Some(access), refresh.as_ref(), client_secret.as_ref()]
                .into_iter()
                .flatten()
                .collect(),
        }
    }

    /// What is put into a request: the key or the access token.
    pub fn bearer(&self) -> &SecretText {
        match self {
            Self::Key(key) => key,
            Self::Oauth { access, .. } => access,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_a_secret() {
        let secret = Secret::Oauth {
            access: "canary-access".into(),
            refresh: Some("canary-refresh".into()),
            expires_at: None,
            client_id: "app".to_owned(),
            client_secret: Some("canary-client".into()),
            account: None,
        };
        let shown = format!(
            "{secret:?} {:#?} {:?}",
            secret,
            Secret::Key("canary-key".into())
        );
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(shown.matches("[redacted]").count(), 7);
        assert_eq!(secret.texts().len(), 3);
    }
}
