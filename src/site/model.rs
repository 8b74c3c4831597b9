//! What is decided about the whole site: the rules of each field.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::conditional::Versioned;
use crate::http::validation::text_type;
use crate::text_enum::text_enum;

text_type!(
    /// The title of the site.
    SiteTitle, line, LINE, 1..=200, "Notes on engines");

text_type!(
    /// What the site is about, in plain text.
    SiteDescription, line, LINE, 1..=500, "What machines can do beyond numbers.");

text_enum! {
    /// Which new comments wait for an editor before others read them, on posts that do not say it themselves.
    pub enum SiteCommentsPolicy {
        /// None.
        Open = "open",
        /// Those of a user of whom no comment is approved.
        FirstHeld = "first_held",
        /// All but editors' and the post's author's.
        AllHeld = "all_held",
        /// No post takes any, whatever the post says.
        Closed = "closed",
    }
}

/// What is decided about the whole site.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Site {
    /// The title.
    #[schema(example = "Notes on engines")]
    pub title: String,
    /// What it is about.
    #[schema(required, example = "What machines can do beyond numbers.")]
    pub description: Option<String>,
    /// Which new comments wait for an editor.
    pub comments_policy: SiteCommentsPolicy,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Versioned for Site {
    fn version(&self) -> i64 {
        self.version
    }
}
