//! Gives a vault a new key: everything is sealed anew and put in place at once.
//!
//! The order is what makes a kill at any instant harmless. The new key is kept first, beside the old one; then the vault is replaced by
//! one rename; then the new key takes its place. Before the rename the old key opens the vault, after it the new one, and opening tries both.

use std::collections::BTreeMap;

use crate::error::VaultError;
use crate::file::{Contents, Sealed};
use crate::key::{self, Key, KeySource};
use crate::seal::Sealer;
use crate::vault::{Status, Vault};

/// A point between two steps of a rotation, for tests that stop there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing was changed.
    Begun,
    /// A rotation that was cut off before is at its end.
    Finished,
    /// The new key is kept, beside the old one.
    Kept,
    /// The vault has its new key.
    Sealed,
}

impl Vault {
    /// Seals everything with a new key that is kept in `to`. Where that is an environment variable, the key is taken from it: from
    /// `NAME_NEXT` while `NAME` holds the present key. The vault must exist. Returns what the vault then is.
    ///
    /// This value is used up: open the vault anew, from `to`. When `to` is not where the key was, the old key is still there:
    /// [`forget`](KeySource::forget) it once nothing says that it is needed.
    ///
    /// # Errors
    ///
    /// Nothing was changed when an entry cannot be read, the new key is missing or the present one, or an unfinished rotation has to be
    /// finished by the person. When the disk fails on the way, the vault opens with one of the two keys.
    pub fn rotate(self, to: KeySource) -> Result<Status, VaultError> {
        self.rotate_watched(to, &mut |_| Ok(()))
    }

    pub(crate) fn rotate_watched(
        self,
        to: KeySource,
        watch: &mut dyn FnMut(Step) -> Result<(), VaultError>,
    ) -> Result<Status, VaultError> {
        let path = self.path().to_owned();
        let _lock = self.place().lock()?;
        watch(Step::Begun)?;
        let contents = self.read()?.ok_or_else(|| VaultError::Corrupt {
            file: path.clone(),
            what: "there is none yet".to_owned(),
        })?;
        let opened = self.opened();
        let present = self.finish(&opened.source)?;
        watch(Step::Finished)?;
        let slot = if to == present {
            to.next().unwrap_or_else(|| to.clone())
        } else {
            to.clone()
        };
        let key = match &slot {
            KeySource::Environment(_) | KeySource::Bytes(_) => {
                slot.find()?.ok_or_else(|| slot.missing(&path))?
            }
            KeySource::File(_) | KeySource::Keyring(_) => key::random(),
        };
        let next = reseal(&self, &opened.sealer, &contents, &key)?;
        if next.sealer.key_id == opened.sealer.key_id {
            return Err(VaultError::SameKey {
                file: path,
                origin: slot.origin(),
            });
        }
        slot.put(&key)?;
        watch(Step::Kept)?;
        self.place().write(&next.contents)?;
        watch(Step::Sealed)?;
        if slot != to {
            to.promote()?;
        }
        let waits = matches!(slot, KeySource::Environment(_)) && slot != to;
        Ok(Status {
            key: if waits { slot } else { to },
            key_id: next.sealer.key_id,
            unfinished: waits,
            entries: self.list_of(&next.contents)?,
        })
    }

    /// Puts the key of a rotation that was cut off in its place. Returns where the present key is then.
    fn finish(&self, found: &KeySource) -> Result<KeySource, VaultError> {
        let Some(of) = self
            .sources()
            .iter()
            .find(|source| source.next().as_ref() == Some(found))
        else {
            return Ok(found.clone());
        };
        if let KeySource::Environment(_) = of {
            return Err(VaultError::Unfinished {
                file: self.path().to_owned(),
                next: found.origin(),
                origin: of.origin(),
            });
        }
        of.promote()?;
        Ok(of.clone())
    }
}

struct Resealed {
    sealer: Sealer,
    contents: Contents,
}

/// Every entry under the new key. One that cannot be read stops it: a rotation must not bury a damaged entry.
fn reseal(
    vault: &Vault,
    old: &Sealer,
    contents: &Contents,
    key: &Key,
) -> Result<Resealed, VaultError> {
    let sealer = Sealer::new(key);
    let mut entries: BTreeMap<String, Sealed> = BTreeMap::new();
    for (name, sealed) in &contents.entries {
        let text = old
            .unseal(name, sealed)
            .ok_or_else(|| VaultError::Tampered {
                file: vault.path().to_owned(),
                entry: name.clone(),
            })?;
        entries.insert(name.clone(), sealer.seal(name, &text));
    }
    let contents = Contents {
        entries,
        ..sealer.empty()
    };
    Ok(Resealed { sealer, contents })
}

#[cfg(test)]
mod tests;
