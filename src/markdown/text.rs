//! A text's HTML as people read it: its words, the beginning of it, and how long it takes.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::pieces::{Piece, pieces, unescaped};
use super::scripts::is_unspaced;

/// How many characters an excerpt has at most, without its ellipsis.
const MAX_EXCERPT: usize = 200;
/// How many characters before the end of an excerpt a word may begin that is left out rather than cut.
const MAX_CUT_WORD: usize = 30;
/// How many characters of a text are searched: all of 200,000, each of which NFC may take apart into three, and
/// the spaces between runs.
const MAX_SEARCHABLE: usize = 650_000;
/// How many characters of them follow each other without white space: what PostgreSQL's parser takes for a run
/// of these grows with the square of its length.
const MAX_RUN: usize = 100;
/// How many words, and how many characters of scripts without spaces, are read in a minute.
const WORDS_PER_MINUTE: usize = 200;
const CHARACTERS_PER_MINUTE: usize = 500;

/// Elements that stand within a line. All others end a word by beginning and by ending.
const INLINE: [&str; 37] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "i", "img",
    "input", "ins", "kbd", "mark", "q", "rp", "rt", "rtc", "ruby", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "font",
];

/// Elements without an end tag.
const VOID: [&str; 7] = ["area", "br", "col", "hr", "img", "input", "wbr"];

/// What a piece of text is; inside another it is the later of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Prose,
    /// A heading, code or a table.
    Beside,
    /// A footnote.
    Note,
    /// A mark of a footnote, or the way back from it.
    Mark,
}

impl Part {
    fn of(piece: Piece<'_>, name: &str) -> Self {
        match (piece.attribute("class"), name) {
            (Some("footnote-ref" | "footnote-backref"), _) => Self::Mark,
            (Some("footnotes"), _) => Self::Note,
            (_, "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" | "table") => Self::Beside,
            _ => Self::Prose,
        }
    }
}

/// The text of HTML without markup, in the order of its parts.
#[derive(Debug)]
pub(super) struct Text(Vec<(Part, String)>);

impl Text {
    pub(super) fn of(html: &str) -> Self {
        let mut parts = vec![(Part::Prose, String::new())];
        // What the text after each end tag is.
        let mut outer = Vec::new();
        let mut part = Part::Prose;
        for piece in pieces(html) {
            match piece {
                Piece::Text(text) => push(&mut parts, part, &unescaped(text)),
                Piece::Open(name, _) | Piece::Close(name, _) if !INLINE.contains(&name) => {
                    push(&mut parts, part, " ");
                }
                Piece::Open(..) | Piece::Close(..) => {}
            }
            match piece {
                Piece::Open(name, _) if !VOID.contains(&name) => {
                    outer.push(part);
                    part = part.max(Part::of(piece, name));
                }
                Piece::Close(..) => part = outer.pop().unwrap_or(Part::Prose),
                _ => {}
            }
        }
        Self(parts)
    }

    /// The parts up to `last`, in NFC; white space is single spaces.
    fn up_to(&self, last: Part) -> String {
        let wanted = self.0.iter().filter(|(part, _)| *part <= last).map(|(_, text)| &**text);
        let text: String = wanted.collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
    }

    pub(super) fn without_notes(&self) -> String {
        self.up_to(Part::Beside)
    }

    /// The beginning: of the prose, if there is any.
    pub(super) fn excerpt(&self) -> String {
        let prose = self.up_to(Part::Prose);
        cut(&if prose.is_empty() { self.without_notes() } else { prose }, MAX_EXCERPT)
    }

    /// The text as a search reads it, with its footnotes: bounded in its length and in that of its words, so
    /// that it costs PostgreSQL no more than any text of this length.
    pub(super) fn searchable(&self) -> String {
        let text = self.up_to(Part::Note);
        let mut runs = String::with_capacity(text.len());
        for run in text.split(' ') {
            push_run(&mut runs, run);
        }
        runs.truncate(runs.char_indices().nth(MAX_SEARCHABLE).map_or(runs.len(), |(end, _)| end));
        runs
    }

    /// In minutes, rounded up, at least 1. Where words have no spaces between them, characters are counted.
    pub(super) fn reading_minutes(&self) -> i32 {
        let text = self.without_notes();
        let (mut words, mut characters, mut in_word, mut after_hyphen) = (0, 0, false, false);
        for grapheme in text.graphemes(true) {
            let c = grapheme.chars().next().unwrap_or(' ');
            let is_dash = matches!(c, '\u{2012}'..='\u{2015}' | '\u{2026}' | '\u{2e3a}' | '\u{2e3b}')
                || c == '-' && after_hyphen;
            after_hyphen = c == '-';
            if c.is_alphanumeric() && is_unspaced(c) {
                characters += 1;
                in_word = false;
            } else if c.is_whitespace() || is_dash {
                in_word = false;
            } else if c.is_alphanumeric() && !in_word {
                words += 1;
                in_word = true;
            }
        }
        let thousandths = words * 1000 / WORDS_PER_MINUTE + characters * 1000 / CHARACTERS_PER_MINUTE;
        i32::try_from(thousandths.div_ceil(1000).max(1)).unwrap_or(i32::MAX)
    }
}

fn push(parts: &mut Vec<(Part, String)>, part: Part, text: &str) {
    match parts.last_mut() {
        Some((last, before)) if *last == part => before.push_str(text),
        _ => parts.push((part, text.to_owned())),
    }
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

/// `text` with at most `max` characters: if it is longer, cut between two of what people take for a character,
/// after a word if one ends near, and with `…`.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let (mut end, mut length) = (0, 0);
    // The last place between words, and how many characters are before it.
    let (mut word_end, mut word_length) = (0, 0);
    let mut last = ' ';
    for (at, grapheme) in text.grapheme_indices(true) {
        let first = grapheme.chars().next().unwrap_or(' ');
        if [last, first].iter().any(|c| c.is_whitespace() || is_unspaced(*c)) {
            (word_end, word_length) = (at, length);
        }
        end = at;
        let longer = length + grapheme.chars().count();
        if longer > max {
            break;
        }
        (length, last) = (longer, first);
    }
    let end = if length - word_length <= MAX_CUT_WORD && word_length > 0 { word_end } else { end };
    let mut kept = &text[..end];
    while let Some(last) = kept.graphemes(true).next_back()
        && last.chars().all(|c| c.is_whitespace() || ",;:–—-、，；：،؛".contains(c))
    {
        kept = &kept[..kept.len() - last.len()];
    }
    format!("{kept}…")
}
