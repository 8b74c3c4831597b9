//! What a feed is made of, whatever its format, and the addresses that it names.

pub mod atom;
mod html;
pub mod json;
pub mod sitemap;

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::http::origin::post_address;
use crate::media::model::Image;

/// A published post, as a feed shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub id: Uuid,
    pub slug: String,
    pub title: String,
    pub summary: Option<String>,
    /// Its tags, in lower case.
    pub tags: Vec<String>,
    /// The text as safe HTML.
    pub html: String,
    /// The picture that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<Image>,
    /// The author's name, as readers see it.
    pub author: String,
    pub published_at: DateTime<Utc>,
    /// When it last changed since it was published.
    pub updated_at: DateTime<Utc>,
}

impl Entry {
    /// The id of the post in every feed, whatever its address.
    fn urn(&self) -> String {
        self.id.urn().to_string()
    }
}

/// The newest posts of the site, of an author or with a tag.
#[derive(Clone, Debug, Serialize)]
pub struct Feed {
    /// The site's title, and what the feed is limited to.
    pub title: String,
    pub description: Option<String>,
    /// What limits it, as a query string with its `?`; empty for the whole site.
    pub query: String,
    /// The newest change of its posts or, if it has none, of the site.
    pub updated_at: DateTime<Utc>,
    /// Newest first.
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub struct Addresses {
    /// Where this service was asked: scheme and authority.
    pub api: String,
    /// `PUBLIC_URL`: the site that people read, if it has one.
    pub site: Option<Arc<str>>,
}

impl Addresses {
    /// The first page of the site, or else the list of posts.
    #[must_use]
    pub fn home(&self) -> String {
        match &self.site {
            Some(site) => format!("{site}/"),
            None => format!("{}/v1/posts", self.api),
        }
    }

    /// The page of a post, or else the post in the API.
    #[must_use]
    pub fn post(&self, slug: &str) -> String {
        post_address(self.site.as_deref(), &self.api, slug)
    }

    /// The media type of what is found at [`home`](Self::home) and [`post`](Self::post).
    fn media_type(&self) -> &'static str {
        if self.site.is_some() { "text/html" } else { "application/json" }
    }

    /// What stands for the site in ids: its own address, which outlives that of the API.
    fn identity(&self) -> &str {
        self.site.as_deref().unwrap_or(&self.api)
    }
}

/// `text` without the characters that XML 1.0 cannot express, even escaped.
fn expressible(text: &str) -> Cow<'_, str> {
    let is_forbidden = |c: char| match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c < ' ',
    };
    if text.contains(is_forbidden) { text.replace(is_forbidden, "\u{fffd}").into() } else { text.into() }
}
