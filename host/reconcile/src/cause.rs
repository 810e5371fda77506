//! Why records fail, told apart from which records fail: messages that differ only in ids, values and numbers have one cause.
//!
//! It knows no side's words: what is quoted or holds a digit is taken to be a value, unless the word before it says that it names
//! something, as in `property "amount"`.

use std::fmt;

/// Causes are told in full up to so many characters.
const TEXT_MAX: usize = 300;

/// Failures of one cause below which nobody is stopped: a small account would else be paused by a handful.
const FEWEST: u64 = 20;

/// Failures of one cause that pause a run, however large the account is.
const MOST: u64 = 5_000;

/// What stands for an id, a number, a date, an address.
const VALUE: &str = "#";

/// What stands between quotes.
const QUOTED: &str = "…";

/// Words that say of the quoted text behind them that it is a name, not a value.
const NAMERS: [&str; 12] = [
    "association",
    "column",
    "constraint",
    "field",
    "key",
    "object",
    "option",
    "pipeline",
    "property",
    "stage",
    "trigger",
    "variant",
];

/// Why records failed, without what only one of them has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    text: String,
}

impl Cause {
    /// The cause of a message. The text of a cause is a message of that cause.
    pub fn of(message: &str) -> Self {
        let mut scan = Scan {
            rest: message,
            text: String::with_capacity(message.len().min(TEXT_MAX)),
            word: String::new(),
        };
        scan.run();
        let mut text: String = scan.text.chars().take(TEXT_MAX).collect();
        text.truncate(text.trim_end().len());
        Self { text }
    }

    /// The message with `#` and `"…"` in place of what differs between records.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its handle on the command line: the first eight hexadecimal digits of a hash of its text (64-bit FNV-1a), the same in every run.
    pub fn handle(&self) -> String {
        let (basis, prime) = (0xcbf2_9ce4_8422_2325_u64, 0x0000_0100_0000_01b3_u64);
        let hash = self.text.bytes().fold(basis, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(prime)
        });
        format!("{:08x}", hash >> 32)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether so many failures of one cause, among so many selected records of an object, pause a run: 5,000, or 5 %, which counts from
/// the 20th on.
pub fn trips(failures: u64, selected: u64) -> bool {
    failures >= MOST || (failures >= FEWEST && failures.saturating_mul(20) >= selected)
}

/// Reads a message from left to right.
struct Scan<'m> {
    rest: &'m str,
    text: String,
    /// The last whole word that was copied, in lower case.
    word: String,
}

impl<'m> Scan<'m> {
    fn run(&mut self) {
        while let Some(first) = self.rest.chars().next() {
            if first.is_whitespace() || first.is_control() {
                self.rest = &self.rest[first.len_utf8()..];
                if !self.text.is_empty() && !self.text.ends_with(' ') {
                    self.text.push(' ');
                }
            } else if let Some((open, inner, close, rest)) = self.quoted(first) {
                self.rest = rest;
                let name = is_name(inner) && NAMERS.contains(&self.word.as_str());
                self.text.push_str(open);
                self.text.push_str(if name { inner } else { QUOTED });
                self.text.push_str(close);
                self.word.clear();
            } else if is_inner(first) {
                self.take_word();
            } else {
                self.rest = &self.rest[first.len_utf8()..];
                self.text.push(first);
                self.word.clear();
            }
        }
    }

    /// A quotation that starts here and ends: its opening, what is in it, its end, what follows.
    fn quoted(&self, first: char) -> Option<(&'static str, &'m str, &'static str, &'m str)> {
        let (open, close, end) = match first {
            '"' => ("\"", "\"", '"'),
            '`' => ("`", "`", '`'),
            // An apostrophe within a word is none: those are eaten with their word.
            '\'' => ("'", "'", '\''),
            '“' => ("“", "”", '”'),
            '«' => ("«", "»", '»'),
            _ => return None,
        };
        let inside: &'m str = &self.rest[first.len_utf8()..];
        let mut escaped = false;
        for (at, letter) in inside.char_indices() {
            if escaped {
                escaped = false;
            } else if letter == '\\' {
                escaped = true;
            } else if letter == end {
                return Some((open, &inside[..at], close, &inside[at + end.len_utf8()..]));
            }
        }
        None
    }

    /// Takes a run of letters, digits and what joins them; with a digit or an `@` in it, it is a value.
    fn take_word(&mut self) {
        let end = self.rest.find(|letter: char| !is_joined(letter));
        let (whole, _) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        // A full stop, a colon or a dash at the end belongs to the sentence.
        let word = whole.trim_end_matches(|letter: char| !is_inner(letter));
        self.rest = &self.rest[word.len()..];
        self.word.clear();
        if !word.contains(|letter: char| letter.is_numeric() || letter == '@') {
            self.text.push_str(word);
            self.word = word.to_lowercase();
            return;
        }
        // A list of values is as good as one of them; a sign belongs to its number.
        let before = self.text.trim_end_matches([' ', ',', ';']);
        if before.ends_with(VALUE) {
            self.text.truncate(before.len());
            return;
        }
        if self.text.ends_with(['-', '+', VALUE_CHAR]) {
            self.text.pop();
        }
        if !self.text.ends_with(VALUE) {
            self.text.push_str(VALUE);
        }
    }
}

const VALUE_CHAR: char = '#';

/// What a word is made of.
fn is_inner(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// What a word may have within it.
fn is_joined(letter: char) -> bool {
    is_inner(letter) || matches!(letter, '-' | '.' | ':' | '@' | '/' | '+' | '%' | '\'' | '’')
}

/// Whether a quoted text may be the name of a field, a property or the like.
fn is_name(text: &str) -> bool {
    let is_part =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' ');
    !text.is_empty() && text.len() <= 100 && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(message: &str, cause: &str) {
        assert_eq!(Cause::of(message).text(), cause);
        assert_eq!(Cause::of(cause).text(), cause, "a cause is its own cause");
    }

    #[test]
    fn what_one_record_has_is_left_out() {
        check(
            "destination refused contact 17: property \"amount\" is not a number: \"12,5\"",
            "destination refused contact #: property \"amount\" is not a number: \"…\"",
        );
        check(
            "contact already exists. Existing ID: 2051; plan again, and it is matched (correlation id 7f3c-11ee)",
            "contact already exists. Existing ID: #; plan again, and it is matched (correlation id #)",
        );
        check(
            "held back: contact 4 was changed since the plan: email was \"a@b.c\" and is \"\"; plan again",
            "held back: contact # was changed since the plan: email was \"…\" and is \"…\"; plan again",
        );
        check(
            "the connector's row is broken: field \"value\": invalid type: integer `3`, expected a decimal at line 1 column 44",
            "the connector's row is broken: field \"value\": invalid type: integer `…`, expected a decimal at line # column #",
        );
        check(
            "ann@lee.test, 4 and -5 of 2026-11-27T10:00:00Z",
            "# and # of #",
        );
        check("row has no id", "row has no id");
        check("it's  \"open", "it's \"open");
        check("", "");
    }

    #[test]
    fn names_of_properties_tell_causes_apart() {
        let [amount, close] = ["amount", "closedate"]
            .map(|name| Cause::of(&format!("property {name:?} is not writable")));
        assert_ne!(amount, close);
        assert_ne!(amount.handle(), close.handle());
        assert_eq!(amount.handle().len(), 8);
    }

    #[test]
    fn a_handle_stays_what_it_is() {
        // Operators write handles down: a change of this number breaks their notes.
        assert_eq!(Cause::of("row has no id").handle(), "54733950");
    }

    #[test]
    fn a_few_stop_nobody_and_five_in_a_hundred_do() {
        assert!(!trips(19, 19));
        assert!(trips(20, 400));
        assert!(!trips(20, 401));
        assert!(trips(5_000, 1_000_000));
        assert!(!trips(4_999, 1_000_000));
    }

    proptest! {
        #[test]
        fn a_cause_is_its_own_cause(message in "\\PC{0,60}|([a-z]{1,6}|[0-9]{1,3}|[ \"'`“”:;,.#…@-]){0,40}|[a-z0-9\"' ]{250,400}") {
            let once = Cause::of(&message);
            prop_assert_eq!(Cause::of(once.text()), once.clone(), "{:?}", message);
        }

        #[test]
        fn ids_and_values_make_no_difference(
            ids in ("[0-9]{1,12}", "[a-z]{0,3}[0-9]{1,3}-[0-9a-f]{4}"),
            values in ("[a-zA-Z0-9 .,:]{0,20}", "\\PC{0,20}"),
        ) {
            let message = |id: &str, value: &str| {
                format!("destination refused deal {id}: property \"amount\" cannot be {value:?}; see {id}")
            };
            prop_assert_eq!(
                Cause::of(&message(&ids.0, &values.0)),
                Cause::of(&message(&ids.1, &values.1))
            );
        }
    }
}
