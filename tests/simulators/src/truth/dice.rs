//! Decides every "random" choice of the generator from (seed, topic, number), and shuffles ranges reversibly.
//!
//! It is no cryptography and holds no state between records.

/// Scrambles one word (SplitMix64's finaliser).
pub(crate) fn mix(word: u64) -> u64 {
    let mut word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A reproducible stream of choices for one record.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, topic: u64, number: u64) -> Self {
        Self(mix(
            mix(seed ^ topic.wrapping_mul(0xa076_1d64_78bd_642f)) ^ number
        ))
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`; `bound` is at least one.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.roll()) * u128::from(bound.max(1))) >> 64) as u64
    }

    /// True in `per_mille` of a thousand rolls.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

/// A reversible shuffle of `0..len`: a Feistel network that walks until it lands in the range.
#[derive(Debug, Clone)]
pub(crate) struct Shuffle {
    len: u64,
    half: u32,
    keys: [u64; 4],
}

impl Shuffle {
    pub(crate) fn new(len: u64, seed: u64) -> Self {
        let bits = 64 - len.saturating_sub(1).leading_zeros();
        let half = bits.div_ceil(2).max(1);
        let keys = [1, 2, 3, 4].map(|round| mix(seed ^ mix(round)));
        Self { len, half, keys }
    }

    /// The place that `item` goes to; `item` is below the length.
    pub(crate) fn forward(&self, item: u64) -> u64 {
        self.walk(
            item,
            |left, right, key| (right, left ^ (mix(right ^ key) & self.mask())),
            [0, 1, 2, 3],
        )
    }

    /// The item that went to `place`; `place` is below the length.
    pub(crate) fn back(&self, place: u64) -> u64 {
        self.walk(
            place,
            |left, right, key| (right ^ (mix(left ^ key) & self.mask()), left),
            [3, 2, 1, 0],
        )
    }

    fn mask(&self) -> u64 {
        (1 << self.half) - 1
    }

    fn walk(
        &self,
        start: u64,
        round: impl Fn(u64, u64, u64) -> (u64, u64),
        order: [usize; 4],
    ) -> u64 {
        let mut at = start;
        loop {
            let (mut left, mut right) = (at >> self.half, at & self.mask());
            for key in order {
                (left, right) = round(left, right, self.keys[key]);
            }
            at = (left << self.half) | right;
            if at < self.len {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffle_is_a_bijection_with_its_inverse() {
        for len in [1, 2, 3, 7, 64, 1000, 4097] {
            let shuffle = Shuffle::new(len, 99);
            let mut seen = vec![false; len as usize];
            for item in 0..len {
                let place = shuffle.forward(item);
                assert!(!std::mem::replace(&mut seen[place as usize], true));
                assert_eq!(shuffle.back(place), item);
            }
        }
    }
}
