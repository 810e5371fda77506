//! Hashes that are the same on every machine and in every run: what is sampled and what is blocked depends on nothing else.

/// Mixes a number thoroughly. Source: SplitMix64's finaliser (Steele, Lea, Flood 2014).
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One number of two, in this order.
pub(super) fn pair(left: u64, right: u64) -> u64 {
    mix(left ^ mix(right))
}

/// The hash of a text, never 0.
pub(super) fn text(text: &str) -> u64 {
    let mut hash = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        hash = pair(hash, u64::from_le_bytes(bytes));
    }
    hash.max(1)
}
