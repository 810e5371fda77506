//! The keys that publishers sign with: Ed25519, as text and as files.
//!
//! Whose key it is, nobody here knows; whether it is the one seen before is `trust`'s to say.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::aside::{DiskError, Readers, read_bounded, write_new};

const PUBLIC: &str = "ed25519:";
const SECRET: &str = "longshore-secret-key ed25519:";
/// A key file is one short line.
const FILE_MAX_BYTES: usize = 1_024;

/// A publisher's public key; written `ed25519:` and 64 hexadecimal digits.
///
/// It holds the 32 bytes, of which it was checked that they are a key; the point they stand for is six times as large.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// A publisher's secret key. It is wiped when dropped, and printed as `[redacted]`.
pub struct SecretKey(SigningKey);

/// Why a key was not read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no public key.
    #[error("not a public key: expected {PUBLIC} and 64 hexadecimal digits of an Ed25519 key")]
    Public,
    /// The file holds no secret key.
    #[error("{0} holds no secret key: make one with `longshore connectors keygen`")]
    Secret(String),
    /// The system gave no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl PublicKey {
    /// Whether the signature of those bytes is this key's. Signatures and keys that several messages would fit are refused.
    pub(crate) fn verifies(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(&self.0).expect("these bytes are a key");
        key.verify_strict(bytes, &Signature::from_bytes(signature))
            .is_ok()
    }
}

impl SecretKey {
    /// A fresh key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(KeyError::Random)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key of a fixed seed, for tests and for keys that are kept elsewhere.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(seed)))
    }

    /// The key that others check with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }

    /// Reads the key of a file that [`Self::save`] wrote.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let refused = || KeyError::Secret(path.display().to_string());
        let bytes = Zeroizing::new(read_bounded(path, FILE_MAX_BYTES)?.ok_or_else(refused)?);
        let text = str::from_utf8(&bytes).map_err(|_| refused())?;
        let hex = text
            .trim_ascii_end()
            .strip_prefix(SECRET)
            .ok_or_else(refused)?;
        let seed = Zeroizing::new(bytes_of_hex::<32>(hex).ok_or_else(refused)?);
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Writes the key to a new file that its owner alone may read. A file that is there already stays as it is.
    ///
    /// # Errors
    /// When there is such a file, or the disk says no.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let seed = Zeroizing::new(self.0.to_bytes());
        let text = Zeroizing::new(format!(
            "{SECRET}{}\n",
            Zeroizing::new(hex_of(&*seed)).as_str()
        ));
        Ok(write_new(path, text.as_bytes(), Readers::OwnerOnly)?)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex_of(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = text
            .strip_prefix(PUBLIC)
            .and_then(bytes_of_hex::<32>)
            .ok_or(KeyError::Public)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Public)?;
        // Of a key of small order anybody can make signatures. A key whose bytes are not the point's own form has a second name.
        if key.is_weak() || key.to_bytes() != bytes {
            return Err(KeyError::Public);
        }
        Ok(Self(bytes))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of exactly `2 * N` lower-case hexadecimal digits.
pub(crate) fn bytes_of_hex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digits = hex.as_bytes();
    if digits.len() != 2 * N || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).expect("two hexadecimal digits are one byte");
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2: the seed, the public key, and the signature of the one byte 0x72.
    #[test]
    fn keys_and_signatures_are_those_of_the_rfc() {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let secret = SecretKey::from_seed(bytes_of_hex(seed).unwrap());
        let public = "ed25519:3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(secret.public().to_string(), public);
        let signature = concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert_eq!(hex_of(&secret.sign(&[0x72])), signature);
        let key: PublicKey = public.parse().unwrap();
        let signature = bytes_of_hex(signature).unwrap();
        assert!(key.verifies(&[0x72], &signature) && !key.verifies(&[0x73], &signature));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = SecretKey::from_seed([7; 32]).public().to_string();
        // The neutral element: of small order, so that anybody can sign for it.
        let weak = format!("ed25519:01{}", "00".repeat(31));
        let upper = format!("ed25519:{}", good[8..].to_uppercase());
        for wrong in ["", "ed25519:", &good[8..], &good[..70], &weak, &upper] {
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong:?}");
        }
        assert!(good.parse::<PublicKey>().is_ok());
    }

    #[test]
    fn a_key_file_is_its_owners_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.key");
        let key = SecretKey::generate().unwrap();
        key.save(&path).unwrap();
        assert_eq!(SecretKey::load(&path).unwrap().public(), key.public());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(SecretKey::generate().unwrap().save(&path).is_err());
        assert_eq!(SecretKey::load(&path).unwrap().public(), key.public());
        assert_eq!(format!("{key:?}"), "SecretKey([redacted])");
        std::fs::write(&path, "ed25519:00").unwrap();
        assert!(matches!(SecretKey::load(&path), Err(KeyError::Secret(_))));
    }
}
