//! A text's HTML as people read it: its words, the beginning of it, and how long it takes.

use super::pieces::{Piece, pieces, unescaped};

/// How many characters an excerpt has at most, without its ellipsis.
const MAX_EXCERPT: usize = 200;
/// How many words, and how many Chinese or Japanese characters, are read in a minute.
const WORDS_PER_MINUTE: usize = 200;
const CHARACTERS_PER_MINUTE: usize = 500;

/// Elements that end a word by beginning and by ending.
const BREAKS: [&str; 27] = [
    "article",
    "aside",
    "blockquote",
    "br",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "p",
    "pre",
    "td",
    "th",
    "tr",
];

/// The text of `html` without markup and footnotes, and without what is in an element of these names. White
/// space is single spaces.
pub(super) fn plain(html: &str, without: &[&str]) -> String {
    let mut text = String::new();
    let mut left_out: Option<(&str, usize)> = None;
    for piece in pieces(html) {
        match (piece, &mut left_out) {
            (Piece::Open(name, _), Some((outer, depth))) if name == *outer => *depth += 1,
            (Piece::Close(name, _), Some((outer, depth))) if name == *outer => {
                *depth -= 1;
                if *depth == 0 {
                    left_out = None;
                }
            }
            (Piece::Open(name, _), None) if without.contains(&name) || is_footnote(piece) => {
                left_out = Some((name, 1));
            }
            (Piece::Open(name, _) | Piece::Close(name, _), None) if BREAKS.contains(&name) => text.push(' '),
            (Piece::Text(escaped), None) => text.push_str(&unescaped(escaped)),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The mark of a footnote, or all of them at the end of the text.
fn is_footnote(piece: Piece<'_>) -> bool {
    piece.attribute("class").is_some_and(|class| class == "footnotes" || class == "footnote-ref")
}

/// The beginning of the text: of its prose, if it has any.
pub(super) fn excerpt(html: &str) -> String {
    let prose = plain(html, &["h1", "h2", "h3", "h4", "h5", "h6", "pre", "table"]);
    cut(&if prose.is_empty() { plain(html, &[]) } else { prose }, MAX_EXCERPT)
}

/// `text` with at most `max` characters: cut after a word, or inside one that is longer, and `…`.
pub(super) fn cut(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else { return text.to_owned() };
    // The next character, to see whether a word ends here.
    let next = text[end..].chars().next().map_or(0, char::len_utf8);
    let words = text[..end + next].rfind(char::is_whitespace).map_or(&text[..end], |space| &text[..space]);
    format!("{}…", words.trim_end_matches(|c: char| c.is_whitespace() || ",;:–—-".contains(c)))
}

/// How long a text takes to read, in minutes, rounded up; at least 1. Chinese and Japanese, which put no
/// spaces between words, are counted by characters.
pub(super) fn reading_minutes(html: &str) -> i32 {
    let (mut words, mut characters, mut in_word) = (0, 0, false);
    for c in plain(html, &[]).chars() {
        if is_ideographic(c) {
            characters += 1;
            in_word = false;
        } else if c.is_whitespace() {
            in_word = false;
        } else if c.is_alphanumeric() && !in_word {
            words += 1;
            in_word = true;
        }
    }
    let thousandths = words * 1000 / WORDS_PER_MINUTE + characters * 1000 / CHARACTERS_PER_MINUTE;
    i32::try_from(thousandths.div_ceil(1000).max(1)).unwrap_or(i32::MAX)
}

/// Kana, Han and their extensions.
fn is_ideographic(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}
