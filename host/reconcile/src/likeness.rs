//! Likeness of two names: the same words, nearly the same letters, or the same sound, each with a score and a reason.
//!
//! It compares two names; which of several wins is its caller's.

use crate::normal;

/// The least score of a likeness. Below it two names have nothing to do with each other.
pub const SCORE_MIN: u8 = 75;

/// How alike two names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// From [`SCORE_MIN`] to 100, which is the same name.
    pub score: u8,
    /// Why, for a person.
    pub reason: &'static str,
}

/// How alike the names are, `None` where they are not. The order of the two makes no difference.
pub fn compare(left: &str, right: &str) -> Option<Likeness> {
    let (left, right) = (normal::label(left), normal::label(right));
    let alike = |score, reason| Some(Likeness { score, reason });
    if left.is_empty() || right.is_empty() {
        return None;
    }
    if left == right {
        return alike(100, "same label");
    }
    let (few, many) = if left.split(' ').count() <= right.split(' ').count() {
        (&left, &right)
    } else {
        (&right, &left)
    };
    if few
        .split(' ')
        .all(|word| many.split(' ').any(|other| other == word))
    {
        return alike(95, "same words, and more");
    }
    // "Stage 1" is never "Stage 2".
    let digits = |name: &str| -> String { name.chars().filter(char::is_ascii_digit).collect() };
    if digits(&left) != digits(&right) {
        return None;
    }
    let longest = left.chars().count().max(right.chars().count());
    let changes = distance(&left, &right);
    // One letter in five may differ, and a short word differs by too much with the first.
    if changes * 5 <= longest {
        let percent = 100 - changes * 100 / longest;
        return alike(
            u8::try_from(percent).unwrap_or(SCORE_MIN),
            "spelt nearly the same",
        );
    }
    if sounds(&left) == sounds(&right) {
        return alike(SCORE_MIN, "sounds the same");
    }
    None
}

/// The name that one which is not there may have meant: it is more generous than [`compare`], because a person reads the answer.
pub fn find_meant<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.filter_map(|other| {
        let longest = name.chars().count().max(other.chars().count());
        let changes = distance(&name.to_lowercase(), &other.to_lowercase());
        let is_near = changes * 3 <= longest || compare(name, other).is_some();
        is_near.then_some((changes, other))
    });
    near.min_by_key(|(changes, _)| *changes)
        .map(|(_, other)| other)
}

/// Letters to add, take away, replace or swap with their neighbour (Damerau's distance, optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<_>, Vec<_>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<_>>()];
    for (at, letter) in left.iter().enumerate() {
        let mut row = vec![at + 1];
        for (place, other) in right.iter().enumerate() {
            let replaced = rows[at][place] + usize::from(letter != other);
            let mut least = replaced.min(rows[at][place + 1] + 1).min(row[place] + 1);
            let is_swapped =
                at > 0 && place > 0 && *letter == right[place - 1] && left[at - 1] == *other;
            if is_swapped {
                least = least.min(rows[at - 1][place - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

/// How each word sounds, after Soundex (US patent 1,261,167) with the whole word kept instead of four signs, and with letters that sound
/// alike at the beginning as one.
fn sounds(name: &str) -> Vec<String> {
    name.split(' ').map(sound).collect()
}

/// How one word sounds, as a code: equal codes sound alike.
pub(crate) fn sound(word: &str) -> String {
    let spelt = word
        .replace("ph", "f")
        .replace("ck", "k")
        .replace("qu", "kw");
    let code = |letter: char| match letter {
        'b' | 'f' | 'p' | 'v' | 'w' => '1',
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => '2',
        'd' | 't' => '3',
        'l' => '4',
        'm' | 'n' => '5',
        'r' => '6',
        'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h' => '0',
        // Other scripts and digits are no letters that sound alike.
        other => other,
    };
    let mut sound = String::with_capacity(spelt.len());
    let mut last = None;
    for (at, letter) in spelt.chars().enumerate() {
        let code = code(letter);
        // A vowel says something at the beginning only; between two consonants it parts them.
        if Some(code) != last && (code != '0' || at == 0) {
            sound.push(code);
        }
        if letter != 'h' {
            last = Some(code);
        }
    }
    sound
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: Option<&str>) {
        assert_eq!(
            compare(left, right).map(|found| found.reason),
            expected,
            "{left} {right}"
        );
    }

    #[test]
    fn names_are_alike_by_words_spelling_and_sound() {
        check("Closed  WON", "closed won", Some("same label"));
        check("Won", "Closed won", Some("same words, and more"));
        check("Negotiation", "Negotation", Some("spelt nearly the same"));
        check("Qualified", "Qualifeid", Some("spelt nearly the same"));
        check("Kwalified", "Qualified", Some("sounds the same"));
        check("Fone", "Phone", Some("sounds the same"));
    }

    #[test]
    fn other_names_are_not_alike() {
        check("Won", "Lost", None);
        check("Demo", "Proposal", None);
        check("Stage 1", "Stage 2", None);
        check("", "Won", None);
        check("Offen", "Gewonnen", None);
    }

    proptest! {
        #[test]
        fn likeness_has_no_direction(left in "[a-z ]{0,12}", right in "[a-z ]{0,12}") {
            prop_assert_eq!(compare(&left, &right), compare(&right, &left));
            prop_assert!(compare(&left, &right).is_none_or(|found| found.score >= SCORE_MIN));
        }
    }
}
