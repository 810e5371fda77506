//! Makes a connector's words fit to be shown: no control characters, no terminal escapes, no more than a given length.
//!
//! It does not escape markup; whoever renders the text does that.

/// The most characters of a failure's message that the host keeps.
pub(crate) const MESSAGE_MAX_CHARS: usize = 2_000;

/// The text with control characters replaced by spaces, cut after `max_chars`.
pub(crate) fn clean(text: &str, max_chars: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max_chars));
    for (position, character) in text.chars().enumerate() {
        if position == max_chars {
            out.push('…');
            break;
        }
        out.push(if is_hidden(character) { ' ' } else { character });
    }
    out
}

/// Whether a character acts on a terminal or on the direction of text instead of being seen.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_are_taken_out_and_length_is_capped() {
        assert_eq!(clean("a\u{1b}[31mb\nc\u{202e}d", 100), "a [31mb c d");
        assert_eq!(clean("ääää", 3), "äää…");
        assert_eq!(clean("äää", 3), "äää");
    }
}
