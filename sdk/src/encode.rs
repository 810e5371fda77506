//! Writes JSON strings and numbers into a buffer, without formatting machinery.
//!
//! It does not write objects or arrays: that is the rows' own business.

/// Writes a JSON string. Whole stretches without escapes are copied at once.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_escaped(out, text.as_bytes());
    out.push(b'"');
}

/// Writes the inside of a JSON string.
pub(crate) fn write_escaped(out: &mut Vec<u8>, mut bytes: &[u8]) {
    loop {
        let clean = clean_prefix(bytes);
        out.extend_from_slice(&bytes[..clean]);
        let Some(byte) = bytes.get(clean) else { return };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (
                    HEX[usize::from(control >> 4)],
                    HEX[usize::from(control & 15)],
                );
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
        bytes = &bytes[clean + 1..];
    }
}

/// How many bytes at the start need no escape. Eight at a time; the trick is "determine if a word has a byte less than n" of
/// Sean Eron Anderson's Bit Twiddling Hacks, which may only err behind the first hit.
pub(crate) fn clean_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let mut at = 0;
    let (words, _) = bytes.as_chunks::<8>();
    for chunk in words {
        let word = u64::from_le_bytes(*chunk);
        let hits = below(word, 0x20)
            | below(word ^ (ONES * u64::from(b'"')), 1)
            | below(word ^ (ONES * u64::from(b'\\')), 1);
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes[at..]
        .iter()
        .position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
    rest.map_or(bytes.len(), |offset| at + offset)
}

/// Writes the digits of a number.
pub(crate) fn write_unsigned(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a number with its sign.
pub(crate) fn write_signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    write_unsigned(out, number.unsigned_abs());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let mut out = Vec::new();
        write_string(&mut out, text);
        assert_eq!(
            serde_json::from_slice::<String>(&out).expect("a JSON string"),
            text
        );
    }

    #[test]
    fn every_byte_at_every_offset_reads_back() {
        for byte in 0..0x80_u8 {
            for before in 0..18 {
                let text = format!(
                    "{}{}{}",
                    "é".repeat(before / 2) + &"a".repeat(before),
                    byte as char,
                    "z".repeat(9)
                );
                check(&text);
            }
        }
        check("");
        check("Ünï 漢字 🚀 \u{2028} \u{7f} end");
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in ".*") {
            check(&text);
        }

        #[test]
        fn any_number_reads_back(number: i64) {
            let mut out = Vec::new();
            write_signed(&mut out, number);
            proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
