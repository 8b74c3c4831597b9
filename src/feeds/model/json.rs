//! A feed as JSON Feed 1.1.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::media::model::Image;

use super::{Addresses, Entry, Feed, html};

pub const MEDIA_TYPE: &str = "application/feed+json";

/// A JSON Feed, as <https://jsonfeed.org/version/1.1> defines it.
#[derive(Debug, Serialize, ToSchema)]
pub struct JsonFeed {
    /// What it is.
    #[schema(example = "https://jsonfeed.org/version/1.1")]
    version: &'static str,
    /// The site's title, and what the feed is limited to.
    #[schema(example = "Blog")]
    title: String,
    /// Where the site is.
    #[schema(format = "uri", example = "https://blog.example.com/")]
    home_page_url: String,
    /// Where the feed is.
    #[schema(format = "uri", example = "https://api.example.com/feed.json")]
    feed_url: String,
    /// The site's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The newest posts, newest first.
    items: Vec<Item>,
}

/// A post in a JSON feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JsonFeedItem)]
pub struct Item {
    /// The post's id.
    #[schema(format = "uri", example = "urn:uuid:0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a")]
    id: String,
    /// Where the post is.
    #[schema(format = "uri", example = "https://blog.example.com/posts/hello-world")]
    url: String,
    /// The title.
    #[schema(example = "Hello, world")]
    title: String,
    /// The text as safe HTML.
    #[schema(example = "<p>This is <em>the first</em> post.</p>\n")]
    content_html: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The first post of this blog.")]
    summary: Option<String>,
    /// The picture that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri")]
    image: Option<String>,
    /// The same with its type and its size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    /// When it was published.
    date_published: DateTime<Utc>,
    /// When it last changed since then.
    date_modified: DateTime<Utc>,
    /// Who wrote it.
    authors: [Author; 1],
    /// Its tags, in lower case.
    #[schema(example = json!(["rust", "blog"]))]
    tags: Vec<String>,
}

/// A file of a post in a JSON feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JsonFeedAttachment)]
pub struct Attachment {
    /// Where it is.
    #[schema(format = "uri")]
    url: String,
    /// Its type.
    #[schema(example = "image/jpeg")]
    mime_type: String,
    /// What it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// How many bytes it has.
    size_in_bytes: i64,
}

/// The author of a post in a JSON feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JsonFeedAuthor)]
pub struct Author {
    /// The name shown to readers.
    #[schema(example = "Ada Lovelace")]
    name: String,
}

#[must_use]
pub fn document(feed: Feed, addresses: &Addresses) -> JsonFeed {
    JsonFeed {
        version: "https://jsonfeed.org/version/1.1",
        title: feed.title,
        home_page_url: addresses.home(),
        feed_url: format!("{}/feed.json{}", addresses.api, feed.query),
        description: feed.description,
        items: feed.entries.into_iter().map(|post| item(post, addresses)).collect(),
    }
}

fn item(post: Entry, addresses: &Addresses) -> Item {
    let url = addresses.post(&post.slug);
    Item {
        id: post.urn(),
        content_html: html::with_absolute_links(&post.html, &url),
        authors: [Author { name: post.author }],
        url,
        title: post.title,
        summary: post.summary,
        image: post.cover.as_ref().map(|cover| cover.url.clone()),
        attachments: post.cover.into_iter().map(attachment).collect(),
        date_published: post.published_at,
        date_modified: post.updated_at,
        tags: post.tags,
    }
}

fn attachment(cover: Image) -> Attachment {
    Attachment { url: cover.url, mime_type: cover.content_type, title: cover.alt, size_in_bytes: cover.bytes }
}
