//! What a search has found, as HTML that is safe to show.

/// Before and after a match, in a headline that [`highlight`] reads: characters for private use.
const START: char = '\u{e000}';
const STOP: char = '\u{e001}';

/// The headline as HTML: white space in one piece, every character that means something to HTML escaped, and
/// `<mark>` around the matches. `headline` is a text as `search_words` makes it in PostgreSQL, with private-use
/// characters around the matches.
#[must_use]
pub fn highlight(headline: &str) -> String {
    let words: Vec<_> = headline.split_whitespace().collect();
    let mut html = String::with_capacity(headline.len());
    let mut is_open = false;
    for character in words.join(" ").chars().filter_map(original) {
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

/// What PostgreSQL's parser is shown instead of characters that it would join words by, and the originals: those of
/// `search_words`.
const STAND_INS: &str =
    "\u{11}\u{12}\u{13}\u{14}\u{15}\u{16}\u{17}\u{18}\u{19}\u{1a}\u{1b}\u{10600}\u{10601}\u{10602}";
const ORIGINALS: &str = "<>&/@_:+-.#+#.";
/// Parts a run of letters into words.
const PART: char = '\u{1c}';

/// What `character` stands for, if it is shown.
fn original(character: char) -> Option<char> {
    let mut pairs = STAND_INS.chars().zip(ORIGINALS.chars());
    let original =
        pairs.find(|(stand_in, _)| *stand_in == character).map_or(character, |(_, original)| original);
    (original != PART).then_some(original)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matches_are_marked_and_everything_else_is_escaped() {
        assert_eq!(
            highlight("我\u{1c}\u{e000}中国\u{e001}\u{1c}: \u{e000}C\u{10600}\u{10600}\u{e001}"),
            "我<mark>中国</mark>: <mark>C++</mark>"
        );
        assert_eq!(
            highlight("A \u{e000}tag\u{e001}\u{17}\n \u{11}b\u{12} \u{13}amp; \"1 > 0\""),
            "A <mark>tag</mark>: &lt;b&gt; &amp;amp; &quot;1 &gt; 0&quot;"
        );
    }

    proptest! {
        #[test]
        fn nothing_but_balanced_marks_is_markup(text in "[a&;<>\"lgtmpq \u{11}-\u{1c}\u{e000}\u{e001}]{0,40}") {
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
