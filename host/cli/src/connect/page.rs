//! Writes the page that a browser shows after a login: plain, without script, style, link or secret.

/// One page. What comes from outside is text, never markup.
pub(super) fn page(title: &str, text: &str) -> String {
    let (title, text) = (escape(title), escape(text));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Longshore: {title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_text() {
        let page = page("<b>", "A&B \"<script>alert('x')</script>\"\u{1b}[2J");
        assert!(
            page.contains("<h1>&lt;b&gt;</h1>")
                && page.contains(
                    "A&amp;B &quot;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; [2J"
                ),
            "{page}"
        );
        assert!(!page.contains("<script") && !page.contains('\u{1b}'));
    }
}
