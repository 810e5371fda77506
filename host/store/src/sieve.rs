//! Says of a key that nobody has it, most of the time, without asking the database: of a million records few have a key of another.
//!
//! It is of one size whatever it holds. What it lets through has to be looked for.

/// Bits of a number that count: half a mebibyte of them.
const BITS: u32 = 22;

/// Numbers that may be there; an empty one lets none through.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    words: Vec<u64>,
}

impl Sieve {
    /// Forgets all numbers.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
    }

    /// Lets that number through from now on.
    pub(crate) fn add(&mut self, number: i64) {
        self.words.resize(1 << (BITS - 6), 0);
        let (word, bit) = place(number);
        self.words[word] |= bit;
    }

    /// Whether it may be there.
    pub(crate) fn lets_through(&self, number: i64) -> bool {
        let (word, bit) = place(number);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn place(number: i64) -> (usize, u64) {
    let at = usize::try_from(number.cast_unsigned() >> (64 - BITS)).expect("few bits are left");
    (at >> 6, 1 << (at & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_let_through_and_an_empty_one_lets_none() {
        let mut sieve = Sieve::default();
        assert!(!sieve.lets_through(0));
        for number in [0, i64::MIN, i64::MAX, -1, 1 << 42] {
            sieve.add(number);
            assert!(sieve.lets_through(number));
        }
        assert!(!sieve.lets_through(1 << 50));
        sieve.clear();
        assert!(!sieve.lets_through(-1));
    }
}
