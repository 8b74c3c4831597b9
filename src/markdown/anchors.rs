//! The ids in a text's HTML: each once, and all beginning with `h-`, `fn-` or `fnref-`, so that none is taken
//! for another part of the page, or for a variable by its scripts.

use std::collections::HashSet;

use comrak::Anchorizer;

use super::Heading;
use super::pieces::{Piece, pieces};
use super::text::{cut, plain};

/// How many characters of a heading its anchor is made of.
const MAX_ANCHOR: usize = 80;
/// How many characters a heading has in the table of contents.
const MAX_TITLE: usize = 200;

/// Gives an id to each heading. One inside another has none.
pub(super) fn of_headings(html: &str) -> (String, Vec<Heading>) {
    let mut anchorizer = Anchorizer::new();
    let mut toc = Vec::new();
    let mut anchored = String::with_capacity(html.len());
    let mut open: Option<(Piece<'_>, String)> = None;
    for piece in pieces(html) {
        match (&mut open, piece) {
            (None, Piece::Open(name, _)) if level(name).is_some() => open = Some((piece, String::new())),
            (None, piece) => anchored.push_str(piece.source()),
            (Some((Piece::Open(name, start), inner)), Piece::Close(closed, end)) if *name == closed => {
                let text = cut(&plain(inner, &[]), MAX_TITLE);
                let anchor = anchor(&mut anchorizer, &text);
                let (before, after) = start.split_at(1 + name.len());
                for part in [before, " id=\"", &anchor, "\"", after, inner, end] {
                    anchored.push_str(part);
                }
                toc.push(Heading { level: level(name).unwrap_or_default(), anchor, text });
                open = None;
            }
            (Some((_, inner)), piece) => inner.push_str(piece.source()),
        }
    }
    (anchored, toc)
}

fn level(name: &str) -> Option<u8> {
    name.strip_prefix('h')?.parse().ok()
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
                left.push_str(&piece.source().replacen(&format!(" id=\"{id}\""), "", 1));
            }
            _ => left.push_str(piece.source()),
        }
    }
    left
}

fn is_of_footnote(id: &str, scope: &str) -> bool {
    let number = id.strip_prefix("fnref-").or_else(|| id.strip_prefix("fn-"));
    number
        .and_then(|number| number.strip_prefix(scope))
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}
