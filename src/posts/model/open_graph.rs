//! What pages say of posts to those who link to them: the Open Graph protocol, <https://ogp.me>.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::PostSummary;

/// What pages say of a post to those who link to it. The page adds its own address as `og:url`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenGraph {
    /// What it is.
    #[serde(rename = "og:type")]
    #[schema(example = "article")]
    kind: &'static str,
    /// The title.
    #[serde(rename = "og:title")]
    #[schema(example = "Hello, world")]
    title: String,
    /// What it is about, or how its text begins.
    #[serde(rename = "og:description")]
    #[schema(example = "The first post of this blog.")]
    description: String,
    /// Where its cover is.
    #[serde(rename = "og:image", skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// How many pixels wide that is.
    #[serde(rename = "og:image:width", skip_serializing_if = "Option::is_none")]
    image_width: Option<i32>,
    /// How many pixels high it is.
    #[serde(rename = "og:image:height", skip_serializing_if = "Option::is_none")]
    image_height: Option<i32>,
    /// What it shows.
    #[serde(rename = "og:image:alt", skip_serializing_if = "Option::is_none")]
    image_alt: Option<String>,
    /// When it was published.
    #[serde(rename = "article:published_time", skip_serializing_if = "Option::is_none")]
    published_time: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(rename = "article:modified_time")]
    modified_time: DateTime<Utc>,
}

impl From<&PostSummary> for OpenGraph {
    fn from(post: &PostSummary) -> Self {
        let cover = post.cover.as_ref();
        Self {
            kind: "article",
            title: post.title.clone(),
            description: post.summary.as_ref().unwrap_or(&post.excerpt).clone(),
            image: cover.map(|cover| cover.url.clone()),
            image_width: cover.map(|cover| cover.width),
            image_height: cover.map(|cover| cover.height),
            image_alt: cover.and_then(|cover| cover.alt.clone()),
            published_time: post.published_at,
            modified_time: post.updated_at,
        }
    }
}
