//! The signature file of a package: who signed which bytes, and by which keys that key was announced.
//!
//! It lies beside the package, or in its registry, and needs no network. Whether the key is the one to trust is `trust`'s to say.

use crate::digest::Digest;
use crate::inspect::Inspection;
use crate::key::{PublicKey, SecretKey};
use crate::statement::{Block, StatementError, Writer, split};

const PACKAGE: &str = "package";
const ROTATION: &str = "rotation";
/// More changes of key than a publisher makes.
const ROTATIONS_MAX: usize = 32;

/// What a publisher signs of a package: the digest of the whole component, and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The connector's id.
    pub id: String,
    /// Its version.
    pub version: semver::Version,
    /// The digest of the whole component.
    pub component: Digest,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The key that signed.
    pub key: PublicKey,
}

/// A publisher's word, signed with the old key, that a new one takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signed.
    pub from: PublicKey,
    /// The key that takes its place.
    pub to: PublicKey,
}

/// A signature file whose signatures fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureFile {
    /// What was signed.
    pub envelope: Envelope,
    /// How its key came to be, oldest first.
    pub rotations: Vec<Rotation>,
    text: String,
}

/// Why a signature file does not stand for a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is none, or its signature does not fit.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It is for another package.
    #[error("signature is for another package: {what} is {found}, signed was {signed}")]
    Other {
        /// What differs.
        what: &'static str,
        /// What was signed.
        signed: String,
        /// What the package has.
        found: String,
    },
}

impl SignatureFile {
    /// Signs a package that was looked into. `earlier` are the changes of key to carry along, oldest first.
    ///
    /// # Errors
    /// When an earlier file's own text does not hold, which is a fault of the caller.
    pub fn sign(
        inspection: &Inspection,
        key: &SecretKey,
        earlier: &[String],
    ) -> Result<Self, StatementError> {
        let mut text = Writer::new(PACKAGE)
            .line("id", &inspection.manifest.id)
            .line("version", &inspection.manifest.version)
            .line("component", inspection.component_digest)
            .line("manifest", inspection.manifest_digest)
            .line("key", key.public())
            .sign(key);
        for rotation in earlier {
            text.push('\n');
            text.push_str(rotation);
        }
        Self::parse(&text)
    }

    /// Reads a signature file and checks every signature in it.
    ///
    /// # Errors
    /// When it is none, or one of its signatures does not fit.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let blocks = split(text)?;
        let (first, rest) = blocks.split_first().expect("a text has a first part");
        let envelope = read_envelope(*first)?;
        if rest.len() > ROTATIONS_MAX {
            return Err(StatementError::TooLong);
        }
        let rotations = rest
            .iter()
            .map(|block| read_rotation(*block))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            envelope,
            rotations,
            text: text.to_owned(),
        })
    }

    /// Its text, as it is kept and sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The texts of its changes of key, to be carried along with the next version.
    pub fn rotation_texts(&self) -> Vec<String> {
        let texts = self.text.split("\n\n").skip(1);
        texts
            .map(|text| format!("{}\n", text.trim_end_matches('\n')))
            .collect()
    }

    /// Checks that this is the signature of exactly that package.
    ///
    /// # Errors
    /// [`SignatureError::Other`] with the first thing that differs.
    pub fn check(&self, inspection: &Inspection) -> Result<(), SignatureError> {
        let Envelope {
            id,
            version,
            component,
            manifest,
            key: _,
        } = &self.envelope;
        let pairs = [
            (
                "component",
                component.to_string(),
                inspection.component_digest.to_string(),
            ),
            (
                "manifest",
                manifest.to_string(),
                inspection.manifest_digest.to_string(),
            ),
            ("id", id.clone(), inspection.manifest.id.clone()),
            (
                "version",
                version.to_string(),
                inspection.manifest.version.to_string(),
            ),
        ];
        match pairs.into_iter().find(|(_, signed, found)| signed != found) {
            None => Ok(()),
            Some((what, signed, found)) => Err(SignatureError::Other {
                what,
                signed,
                found,
            }),
        }
    }

    /// The keys from `from` to the one that signed, both included, where its changes of key lead there.
    pub(crate) fn find_chain(&self, from: PublicKey) -> Option<Vec<PublicKey>> {
        let mut chain = vec![from];
        for rotation in &self.rotations {
            let last = *chain.last().expect("it begins with one");
            if last == self.envelope.key {
                break;
            }
            if rotation.from == last {
                chain.push(rotation.to);
            }
        }
        (chain.last() == Some(&self.envelope.key)).then_some(chain)
    }
}

impl Rotation {
    /// The text by which the old key announces the new one.
    pub fn announce(old: &SecretKey, new: PublicKey) -> String {
        Writer::new(ROTATION)
            .line("from", old.public())
            .line("to", new)
            .sign(old)
    }
}

fn read_envelope(block: Block<'_>) -> Result<Envelope, StatementError> {
    let mut reader = block.read(PACKAGE)?;
    let envelope = Envelope {
        id: reader.take("id")?,
        version: reader.take("version")?,
        component: reader.take("component")?,
        manifest: reader.take("manifest")?,
        key: reader.take("key")?,
    };
    reader.finish(&envelope.key)?;
    Ok(envelope)
}

fn read_rotation(block: Block<'_>) -> Result<Rotation, StatementError> {
    let mut reader = block.read(ROTATION)?;
    let rotation = Rotation {
        from: reader.take("from")?,
        to: reader.take("to")?,
    };
    reader.finish(&rotation.from)?;
    Ok(rotation)
}
