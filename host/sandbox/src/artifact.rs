//! Compiled code on its way to disk and back: sealed with a key, opened only when every byte is as it was written, loaded only then.
//!
//! It holds the one `unsafe` line of the house. Where keys and files lie is `cache`'s business.

use wasmtime::component::Component;

const MAGIC: &[u8; 16] = b"longshore aot 1\n";
const MAC_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + MAC_BYTES;

/// The key of an installation: whoever does not have it cannot make code that is loaded.
pub(crate) type Key = [u8; 32];

/// What a piece of compiled code belongs to: the component it was made from, and the engine it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) component: [u8; 32],
    pub(crate) engine: [u8; 32],
}

impl Origin {
    /// Of that component compiled for that engine.
    pub(crate) fn of(component: &[u8], engine: &wasmtime::Engine) -> Self {
        let mut settings = SettingsHasher::default();
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut settings);
        Self {
            component: blake3::hash(component).into(),
            engine: settings.0.finalize().into(),
        }
    }
}

/// The engine describes itself to a [`std::hash::Hasher`]; all that it says goes into a hash that does not collide.
#[derive(Default)]
struct SettingsHasher(blake3::Hasher);

impl std::hash::Hasher for SettingsHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        let (first, _) = hash.as_bytes().split_first_chunk().expect("32 bytes");
        u64::from_le_bytes(*first)
    }
}

/// Compiled code that this installation's own compiler made. There are two ways to have one: from that compiler, and from a seal that holds.
pub(crate) struct Artifact<'a>(&'a [u8]);

impl<'a> Artifact<'a> {
    /// What the compiler just made. The caller vouches that it did.
    pub(crate) fn from_compiler(code: &'a [u8]) -> Self {
        Self(code)
    }

    /// What was sealed, if it was sealed with this key for this origin and no bit has changed since.
    pub(crate) fn open(sealed: &'a [u8], key: &Key, origin: Origin) -> Option<Self> {
        let (head, code) = sealed.split_at_checked(HEAD_BYTES)?;
        let mac: [u8; MAC_BYTES] = head.strip_prefix(MAGIC)?.try_into().ok()?;
        // `blake3::Hash` compares in constant time.
        (mac_of(code, key, origin) == mac).then_some(Self(code))
    }

    /// The head that makes the code a sealed one when it stands before it.
    pub(crate) fn seal(&self, key: &Key, origin: Origin) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        head.extend(mac_of(self.0, key, origin).as_bytes());
        head
    }

    /// The code, ready to be instantiated.
    ///
    /// # Errors
    /// When it was made for another engine.
    #[expect(
        unsafe_code,
        reason = "the engine runs what it loads, so it must be what the engine's own compiler wrote; an `Artifact` can be nothing else"
    )]
    pub(crate) fn load(&self, engine: &wasmtime::Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes come from `precompile_component` of our own child process, or were authenticated in this memory as such.
        // They are copied before they are run: nobody who writes the file afterwards (as with a mapped one) changes what runs.
        unsafe { Component::deserialize(engine, self.0) }
    }
}

fn mac_of(code: &[u8], key: &Key, origin: Origin) -> blake3::Hash {
    let mut mac = blake3::Hasher::new_keyed(key);
    // All but the last part have a fixed length, so that no two inputs read the same.
    mac.update(MAGIC);
    mac.update(&origin.component);
    mac.update(&origin.engine);
    mac.update(code);
    mac.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [7; 32];
    const ORIGIN: Origin = Origin {
        component: [1; 32],
        engine: [2; 32],
    };

    fn sealed() -> Vec<u8> {
        let code = b"not really code";
        let mut sealed = Artifact::from_compiler(code).seal(&KEY, ORIGIN);
        sealed.extend_from_slice(code);
        sealed
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let sealed = sealed();
        let opened = Artifact::open(&sealed, &KEY, ORIGIN).expect("the seal holds");
        assert_eq!(opened.0, b"not really code");
    }

    #[test]
    fn any_flipped_bit_or_cut_breaks_the_seal() {
        let good = sealed();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(Artifact::open(&bad, &KEY, ORIGIN).is_none(), "bit at {at}");
            assert!(
                Artifact::open(&good[..at], &KEY, ORIGIN).is_none(),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn another_key_component_or_engine_breaks_the_seal() {
        let good = sealed();
        let other_component = Origin {
            component: [3; 32],
            ..ORIGIN
        };
        let other_engine = Origin {
            engine: [3; 32],
            ..ORIGIN
        };
        assert!(Artifact::open(&good, &[8; 32], ORIGIN).is_none());
        assert!(Artifact::open(&good, &KEY, other_component).is_none());
        assert!(Artifact::open(&good, &KEY, other_engine).is_none());
    }
}
