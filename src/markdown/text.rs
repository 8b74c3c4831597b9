//! A text's HTML as people read it: its words, the beginning of it, and how long it takes.

use super::pieces::{Piece, pieces, unescaped};

/// How many characters an excerpt has at most, without its ellipsis.
const MAX_EXCERPT: usize = 200;
/// How many characters of a text are searched.
const MAX_SEARCHABLE: usize = 100_000;
/// How many characters of them follow each other without white space: what PostgreSQL's parser takes for a run
/// of these grows with the square of its length.
const MAX_RUN: usize = 100;
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

/// The text of `html` without markup, footnotes and elements of these names; white space is single spaces.
pub(super) fn plain(html: &str, without: &[&str]) -> String {
    text_of(html, |piece, name| without.contains(&name) || is_footnote(piece))
}

/// The text of `html` without markup, and without elements that `is_left_out` says by their beginning and name.
fn text_of<'a>(html: &'a str, is_left_out: impl Fn(Piece<'a>, &str) -> bool) -> String {
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
            (Piece::Open(name, _), None) if is_left_out(piece, name) => {
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
    is_footnote_mark(piece) || piece.attribute("class").is_some_and(|class| class == "footnotes")
}

fn is_footnote_mark(piece: Piece<'_>) -> bool {
    piece.attribute("class").is_some_and(|class| class == "footnote-ref")
}

/// The beginning of the text as a search reads it, with its footnotes: bounded in its length and in that of
/// its words, so that it costs PostgreSQL no more than any text of this length.
pub(super) fn searchable(html: &str) -> String {
    let text = text_of(html, |piece, _name| is_footnote_mark(piece));
    let mut runs = String::new();
    for run in text.split(' ') {
        push_run(&mut runs, run);
    }
    runs.truncate(runs.char_indices().nth(MAX_SEARCHABLE).map_or(runs.len(), |(end, _)| end));
    runs
}

/// `run` in pieces, each after a space: cut at the last character that is of no word, or else anywhere.
fn push_run(runs: &mut String, mut run: &str) {
    while let Some((end, _)) = run.char_indices().nth(MAX_RUN) {
        let last = run[..end].char_indices().rev().find(|(_, c)| !c.is_alphanumeric());
        let (piece, rest) = run.split_at(last.map_or(end, |(at, c)| at + c.len_utf8()));
        push_word(runs, piece);
        run = rest;
    }
    push_word(runs, run);
}

fn push_word(runs: &mut String, word: &str) {
    if !runs.is_empty() {
        runs.push(' ');
    }
    runs.push_str(word);
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

/// In minutes, rounded up, at least 1. Chinese and Japanese have no spaces: their characters are counted.
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
