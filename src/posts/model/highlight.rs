//! What a search has found, as HTML that is safe to show.

/// Before and after a match, in a headline that [`highlight`] reads: characters for private use.
const START: char = '\u{e000}';
const STOP: char = '\u{e001}';

/// The headline as HTML: white space in one piece, every character that means something to HTML escaped, and
/// `<mark>` around the matches. `headline` is HTML without its tags, with private-use characters around the
/// matches.
#[must_use]
pub fn highlight(headline: &str) -> String {
    let words: Vec<_> = headline.split_whitespace().collect();
    let mut html = String::with_capacity(headline.len());
    let mut is_open = false;
    for character in unescape(&words.join(" ")).chars() {
        match character {
            START if !is_open => html.push_str("<mark>"),
            STOP if is_open => html.push_str("</mark>"),
            START | STOP => continue,
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
        is_open = if is_open { character != STOP } else { character == START };
    }
    if is_open {
        html.push_str("</mark>");
    }
    html
}

/// The text that HTML stands for. The sanitizer writes no other entities; the last one must stay last, or what
/// it gives would be taken for another.
fn unescape(html: &str) -> String {
    html.replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matches_are_marked_and_everything_else_is_escaped() {
        assert_eq!(
            highlight("A \u{e000}tag\u{e001}:\n &lt;b&gt; &amp;amp; \"1 > 0\""),
            "A <mark>tag</mark>: &lt;b&gt; &amp;amp; &quot;1 &gt; 0&quot;"
        );
    }

    proptest! {
        #[test]
        fn nothing_but_balanced_marks_is_markup(text in "[a&;<>\"lgtmpq \u{e000}\u{e001}]{0,40}") {
            let html = highlight(&text);
            let open = html.matches("<mark>").count();
            prop_assert_eq!(open, html.matches("</mark>").count());
            let rest = html.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!rest.contains(['<', '>', '"', '\'']), "{}", html);
            for (at, _) in rest.match_indices('&') {
                let entity = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().any(|it| rest[at..].starts_with(it));
                prop_assert!(entity, "{}", html);
            }
        }
    }
}
