//! The ids in a text's HTML: each once, and all beginning with `h-`, `fn-` or `fnref-`, so that none is taken
//! for another part of the page, or for a variable by its scripts.

use std::collections::{HashMap, HashSet};

use comrak::Anchorizer;

use super::Heading;
use super::pieces::{Piece, pieces, unescaped};
use super::text::{Text, cut};

/// How many characters of a heading its anchor is made of.
const MAX_ANCHOR: usize = 80;
/// How many characters a heading has in the table of contents.
const MAX_TITLE: usize = 200;

/// The anchors of headings by their slugs: what other sites make of a heading for links within the page.
pub(super) type Slugs = HashMap<String, String>;

#[derive(Default)]
pub(super) struct Headings {
    /// The HTML with the ids of its headings.
    pub html: String,
    pub toc: Vec<Heading>,
    pub slugs: Slugs,
}

/// Gives an id to each heading that has something to read. One inside another has none.
pub(super) fn of_headings(html: &str) -> Headings {
    let (mut anchorizer, mut slugger) = (Anchorizer::new(), Anchorizer::new());
    let mut headings = Headings::default();
    let mut open: Option<(Piece<'_>, String)> = None;
    for piece in pieces(html) {
        match (&mut open, piece) {
            (None, Piece::Open(name, _)) if level(name).is_some() => open = Some((piece, String::new())),
            (None, piece) => headings.html.push_str(piece.source()),
            (Some((Piece::Open(name, start), inner)), Piece::Close(closed, end)) if *name == closed => {
                let whole = title(inner);
                if whole.is_empty() {
                    headings.html.extend([*start, inner, end]);
                } else {
                    let anchor = anchor(&mut anchorizer, &whole);
                    let (before, after) = start.split_at(1 + name.len());
                    headings.html.extend([before, " id=\"", &anchor, "\"", after, inner, end]);
                    headings.slugs.insert(slugger.anchorize(&whole), anchor.clone());
                    let level = level(name).unwrap_or_default();
                    headings.toc.push(Heading { level, anchor, text: cut(&whole, MAX_TITLE) });
                }
                open = None;
            }
            (Some((_, inner)), piece) => inner.push_str(piece.source()),
        }
    }
    headings
}

fn level(name: &str) -> Option<u8> {
    name.strip_prefix('h')?.parse().ok()
}

/// The text of a heading or, if it has none, the alternative texts of its images.
fn title(inner: &str) -> String {
    let text = Text::of(inner).without_notes();
    if !text.is_empty() {
        return text;
    }
    let alternatives = pieces(inner).filter_map(|piece| piece.attribute("alt")).collect::<Vec<_>>().join(" ");
    let words = unescaped(&alternatives);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn anchor(anchorizer: &mut Anchorizer, text: &str) -> String {
    let start: String = text.chars().take(MAX_ANCHOR).collect();
    let is_word = start.chars().any(char::is_alphanumeric);
    format!("h-{}", anchorizer.anchorize(if is_word { start.trim() } else { "section" }))
}

/// Leaves the ids of footnotes with `scope` in them, and each of them once.
pub(super) fn of_footnotes(html: &str, scope: &str) -> String {
    let mut seen = HashSet::new();
    let mut left = String::with_capacity(html.len());
    for piece in pieces(html) {
        match piece.attribute("id") {
            Some(id) if !is_of_footnote(id, scope) || !seen.insert(id) => {
                left.push_str(&piece.with_attributes(|name, value| (name != "id").then(|| value.into())));
            }
            _ => left.push_str(piece.source()),
        }
    }
    left
}

fn is_of_footnote(id: &str, scope: &str) -> bool {
    let note = id.strip_prefix("fnref-").or_else(|| id.strip_prefix("fn-"));
    let number = note.and_then(|note| note.strip_prefix(scope)?.strip_prefix('-'));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}
