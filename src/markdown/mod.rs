//! Markdown to safe HTML: `CommonMark` with tables, strikethrough, task lists, footnotes and autolinks,
//! then an allow-list of elements and attributes. Done once, when a text is written.
//!
//! [`bare_links`] and [`footnotes`] correct what the parser has read. [`sanitizer`] decides what may be in the
//! HTML; [`anchors`] gives it the only ids that it has, and [`links`] says where its links lead and how. [`text`]
//! reads it as people do. What a text may cost is bounded before ([`cost`]) and while it is done ([`budget`]), and
//! few [`workers`](crate::workers) do it.

mod anchors;
mod bare_links;
mod budget;
mod cost;
mod files;
mod footnotes;
mod links;
mod pieces;
pub mod rerender;
mod sanitizer;
mod scripts;
mod text;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use comrak::{Arena, Options};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

pub use files::{OwnFile, Picture, without_alt};

use crate::workers::{TEXTS, WorkError};
use links::Rel;
use text::Text;

/// The version of what a [`Renderer`] makes: raise it with every change, and older texts are rendered anew.
pub const RENDERER_VERSION: i16 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text as safe HTML, with an id on each heading and footnote.
    pub html: String,
    pub toc: Vec<Heading>,
    /// Plain text of about 200 characters, without headings, tables and code if there is anything else.
    pub excerpt: String,
    /// For the search: the whole plain text in NFC, with no word longer than 100 characters.
    pub text: String,
    /// How long it takes to read, in minutes; at least 1.
    pub reading_minutes: i32,
    /// The site's own files that it shows or links to, by each address that it has of them.
    pub files: Vec<OwnFile>,
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
    options.extension.cjk_friendly_emphasis = true;
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

/// What is the site's own in a text. Cheap to clone.
#[derive(Clone, Debug, Default)]
struct Site {
    /// Links to its host are the site's own.
    url: Option<Arc<Url>>,
    /// What is below it are files of the site. With a slash at its end.
    media_url: Option<Arc<Url>>,
}

/// Renders the texts of a site, each when a thread is free for it.
#[derive(Clone, Debug, Default)]
pub struct Renderer {
    site: Site,
}

impl Renderer {
    /// `public_url` is the address of the site that readers see, if it is known; `media_url` that of its files, without a
    /// slash at its end, if it has any.
    #[must_use]
    pub fn new(public_url: Option<&str>, media_url: Option<&str>) -> Self {
        let parsed = |url: String| Url::parse(&url).ok().map(Arc::new);
        let media_url = media_url.and_then(|url| parsed(format!("{url}/")));
        Self { site: Site { url: public_url.and_then(|url| parsed(url.to_owned())), media_url } }
    }

    /// What the text of the post `id` becomes.
    pub async fn post(&self, id: Uuid, markdown: &str) -> Result<Rendered, RenderError> {
        self.run(id, markdown, post).await
    }

    /// Safe HTML of the comment `id`: its headings have no ids.
    pub async fn comment(&self, id: Uuid, markdown: &str) -> Result<String, RenderError> {
        self.run(id, markdown, |_site, id, markdown| comment(id, markdown)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        id: Uuid,
        markdown: &str,
        render: fn(&Site, Uuid, &str) -> Option<T>,
    ) -> Result<T, RenderError> {
        let (site, text) = (self.site.clone(), markdown.to_owned());
        let rendered = TEXTS.run(text.len(), move || render(&site, id, &text)).await?;
        rendered.ok_or(RenderError::TooComplex)
    }
}

fn post(site: &Site, id: Uuid, markdown: &str) -> Option<Rendered> {
    let scope = scope(id);
    let (html, toc) = post_page(&sanitized(markdown, &scope)?, &scope, site.url.as_deref());
    // `{"level":1,"anchor":"","text":""},` and its text escaped, at most.
    let of_heading = |heading: &Heading| 35 + heading.anchor.len() + 2 * heading.text.len();
    if html.len() + toc.iter().map(of_heading).sum::<usize>() > max_bytes(markdown) {
        return None;
    }
    let text = Text::of(&html);
    Some(Rendered {
        excerpt: text.excerpt(),
        reading_minutes: text.reading_minutes(),
        text: text.searchable(),
        files: files::of(&html, site.media_url.as_deref()),
        html,
        toc,
    })
}

/// `clean` HTML with its ids and links.
fn post_page(clean: &str, scope: &str, site: Option<&Url>) -> (String, Vec<Heading>) {
    let headings = anchors::of_headings(&anchors::of_footnotes(clean, scope));
    (links::finished(&headings.html, &headings.slugs, Rel::OfPost(site)), headings.toc)
}

fn comment(id: Uuid, markdown: &str) -> Option<String> {
    let scope = scope(id);
    let html = anchors::of_footnotes(&sanitized(markdown, &scope)?, &scope);
    Some(links::finished(&html, &anchors::Slugs::new(), Rel::OfComment))
}

/// What the ids of footnotes have in them, so that texts on one page share none: the random part of a `UUIDv7`.
fn scope(id: Uuid) -> String {
    format!("{:016x}", id.as_u64_pair().1)
}

/// Safe HTML with the ids of footnotes, each of which has `scope` in it.
fn sanitized(markdown: &str, scope: &str) -> Option<String> {
    if !cost::is_low(markdown) {
        return None;
    }
    sanitizer::clean(&to_html(markdown, scope)?, max_bytes(markdown))
}

fn to_html(markdown: &str, scope: &str) -> Option<String> {
    let mut source = Cow::Borrowed(markdown);
    let mut rounds = 0;
    loop {
        let arena = Arena::new();
        let root = comrak::parse_document(&arena, &source, &OPTIONS);
        if rounds < bare_links::ROUNDS
            && let Some(ended) = bare_links::ended(root, &source)
        {
            source = Cow::Owned(ended);
            rounds += 1;
            continue;
        }
        footnotes::number(root, scope);
        let mut html = String::new();
        comrak::format_html(root, &OPTIONS, &mut html).ok()?;
        return Some(html);
    }
}

#[cfg(test)]
mod tests;
