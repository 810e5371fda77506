//! Seals and opens single texts: authenticated encryption that binds each to its name, and the form a secret has inside.
//!
//! It knows no file and finds no key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, AeadCore as _, KeyInit as _, OsRng, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use model::Instant;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::file::{Contents, FORMAT, Sealed};
use crate::key::{self, Key};
use crate::secret::{Secret, SecretText};

const CHECK_NAME: &str = "check";
const CHECK_TEXT: &[u8] = b"longshore vault";

/// A key at work.
#[derive(Clone)]
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
    /// Tells keys apart, and gives none away.
    pub(crate) key_id: String,
}

impl Sealer {
    pub(crate) fn new(key: &Key) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new((&**key).into()),
            key_id: key::id(key),
        }
    }

    /// A vault's contents without an entry.
    pub(crate) fn empty(&self) -> Contents {
        Contents {
            format: FORMAT,
            check: self.seal(CHECK_NAME, CHECK_TEXT),
            entries: Default::default(),
        }
    }

    /// Whether these contents were sealed with this key.
    pub(crate) fn fits(&self, contents: &Contents) -> bool {
        self.unseal(CHECK_NAME, &contents.check)
            .is_some_and(|text| *text == CHECK_TEXT)
    }

    pub(crate) fn seal(&self, name: &str, text: &[u8]) -> Sealed {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let aad = associated_data(name);
        let payload = Payload {
            msg: text,
            aad: aad.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&nonce, payload)
            .expect("XChaCha20-Poly1305 refuses only texts of 256 GiB and more");
        Sealed {
            nonce: STANDARD.encode(nonce),
            text: STANDARD.encode(sealed),
        }
    }

    /// `None` when it was sealed with another key or name, or changed since.
    pub(crate) fn unseal(&self, name: &str, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let nonce = STANDARD
            .decode(&sealed.nonce)
            .ok()
            .filter(|nonce| nonce.len() == 24)?;
        let text = STANDARD.decode(&sealed.text).ok()?;
        let aad = associated_data(name);
        let payload = Payload {
            msg: &text,
            aad: aad.as_bytes(),
        };
        self.cipher
            .decrypt(XNonce::from_slice(&nonce), payload)
            .ok()
            .map(Zeroizing::new)
    }
}

/// Name and format are authenticated with each entry, so that none can be passed off as another's.
fn associated_data(name: &str) -> String {
    format!("longshore vault {FORMAT}\n{name}")
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Stored<T> {
    Key {
        key: T,
    },
    Oauth {
        access: T,
        refresh: Option<T>,
        expires_at_us: Option<i64>,
        client_id: String,
        client_secret: Option<T>,
        account: Option<String>,
    },
}

pub(crate) fn encode(secret: &Secret) -> Zeroizing<Vec<u8>> {
    let stored = match secret {
        Secret::Key(key) => Stored::Key { key: key.expose() },
        Secret::Oauth {
            access,
            refresh,
            expires_at,
            client_id,
            client_secret,
            account,
        } => Stored::Oauth {
            access: access.expose(),
            refresh: refresh.as_ref().map(SecretText::expose),
            expires_at_us: expires_at.map(Instant::unix_us),
            client_id: client_id.clone(),
            client_secret: client_secret.as_ref().map(SecretText::expose),
            account: account.clone(),
        },
    };
    // Large enough for most, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *text, &stored)
        .expect("texts and numbers are JSON, and memory takes them");
    text
}

pub(crate) fn decode(text: &[u8]) -> Option<Secret> {
    Some(match serde_json::from_slice::<Stored<String>>(text).ok()? {
        Stored::Key { key } => Secret::Key(key.into()),
        Stored::Oauth {
            access,
            refresh,
            expires_at_us,
            client_id,
            client_secret,
            account,
        } => Secret::Oauth {
            access: access.into(),
            refresh: refresh.map(SecretText::from),
            expires_at: expires_at_us.and_then(Instant::from_unix_us),
            client_id,
            client_secret: client_secret.map(SecretText::from),
            account,
        },
    })
}
