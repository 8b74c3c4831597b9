//! Markdown to safe HTML: `CommonMark` with tables, strikethrough, task lists, footnotes and autolinks,
//! then an allow-list of elements and attributes. Done once, when a text is written.
//!
//! [`sanitizer`] decides what may be in the HTML; [`anchors`] gives it the only ids that it has; [`text`]
//! reads it as people do. What a text may cost is bounded before ([`cost`]) and while it is done ([`budget`]), and
//! few [`workers`](crate::workers) do it.

mod anchors;
mod budget;
mod cost;
mod pieces;
mod sanitizer;
mod text;

use std::sync::LazyLock;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::workers::{TEXTS, WorkError};

/// The version of what [`render`] makes: raise it with every change, and older texts are rendered anew.
pub const RENDERER_VERSION: i16 = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text as safe HTML, with an id on each heading and footnote.
    pub html: String,
    pub toc: Vec<Heading>,
    /// Plain text of about 200 characters, without headings, tables and code if there is anything else.
    pub excerpt: String,
    /// For the search: at most 100,000 characters of plain text, with no word longer than 100.
    pub text: String,
    /// How long it takes to read, in minutes; at least 1.
    pub reading_minutes: i32,
}

/// A heading of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Heading {
    /// Its level: 1 is the highest.
    #[schema(minimum = 1, maximum = 6)]
    pub level: u8,
    /// The id of its element in `body_html`.
    #[schema(example = "h-hello")]
    pub anchor: String,
    /// Its text, without markup: escape it where you show it as HTML.
    #[schema(example = "Hello")]
    pub text: String,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum RenderError {
    #[error(
        "has more than {} elements or {} levels of nesting, becomes too long as HTML, or has HTML that cannot be \
         nested or closed like this: make it simpler",
        budget::MAX_ELEMENTS,
        budget::MAX_DEPTH
    )]
    TooComplex,
    #[error(transparent)]
    Work(#[from] WorkError),
}

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.autolink = true;
    // Raw HTML goes through, because the sanitizer comes after.
    options.render.r#unsafe = true;
    options
});

/// How much longer than its text HTML may be, and its table of contents as well: what is stored and sent
/// with every response. Links that are nothing but their address have it twice, in markup.
const MAX_GROWTH: usize = 8;
const MAX_CONSTANT: usize = 16 * 1024;

fn max_bytes(markdown: &str) -> usize {
    MAX_GROWTH * markdown.len() + MAX_CONSTANT
}

/// What the text of a page of its own becomes, made when a thread is free for it.
pub async fn render(markdown: &str) -> Result<Rendered, RenderError> {
    rendered(markdown, document).await
}

/// Safe HTML for a page that others share: headings have no ids, footnotes ids that no other text has.
pub async fn render_fragment(markdown: &str) -> Result<String, RenderError> {
    rendered(markdown, fragment).await
}

async fn rendered<T: Send + 'static>(
    markdown: &str,
    render: fn(&str) -> Option<T>,
) -> Result<T, RenderError> {
    let text = markdown.to_owned();
    TEXTS.run(text.len(), move || render(&text)).await?.ok_or(RenderError::TooComplex)
}

fn document(markdown: &str) -> Option<Rendered> {
    let (html, toc) = anchors::of_headings(&to_html(markdown, "")?);
    // `{"level":1,"anchor":"","text":""},` and its text escaped, at most.
    let of_heading = |heading: &Heading| 35 + heading.anchor.len() + 2 * heading.text.len();
    if html.len() + toc.iter().map(of_heading).sum::<usize>() > max_bytes(markdown) {
        return None;
    }
    Some(Rendered {
        excerpt: text::excerpt(&html),
        text: text::searchable(&html),
        reading_minutes: text::reading_minutes(&html),
        html,
        toc,
    })
}

fn fragment(markdown: &str) -> Option<String> {
    // The same for the same text, so that rendering it again changes nothing.
    let hash = Sha256::digest(markdown);
    let scope = format!("x{:02x}{:02x}{:02x}{:02x}-", hash[0], hash[1], hash[2], hash[3]);
    to_html(markdown, &scope)
}

/// Safe HTML with the ids of footnotes, each of which has `scope` in it.
fn to_html(markdown: &str, scope: &str) -> Option<String> {
    if !cost::is_low(markdown) {
        return None;
    }
    let arena = Arena::new();
    let root = comrak::parse_document(&arena, markdown, &OPTIONS);
    let mut notes = 0;
    for node in root.descendants() {
        match &mut node.data_mut().value {
            NodeValue::FootnoteReference(reference) => reference.name = format!("{scope}{}", reference.ix),
            // Their order is that of their first references.
            NodeValue::FootnoteDefinition(definition) => {
                notes += 1;
                definition.name = format!("{scope}{notes}");
            }
            _ => {}
        }
    }
    let mut html = String::new();
    comrak::format_html(root, &OPTIONS, &mut html).ok()?;
    sanitizer::clean(&html, max_bytes(markdown)).map(|html| anchors::of_footnotes(&html, scope))
}

#[cfg(test)]
mod tests;
