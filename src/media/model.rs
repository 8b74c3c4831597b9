//! What media are: the rules of their fields, and how they are shown.

pub mod file;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::conditional::Versioned;
use crate::http::validation::text_type;

text_type!(
    /// What a picture shows, for those who do not see it.
    AltText, line, LINE, 1..=1000, "A bridge in fog");

/// How long what nothing refers to is kept.
pub const UNUSED_KEPT: TimeDelta = TimeDelta::days(30);

/// A narrower copy of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Variant {
    /// Where it is.
    #[schema(
        example = "https://media.blog.example/60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752.jpg"
    )]
    pub url: String,
    /// How many pixels wide it is.
    #[schema(example = 480, minimum = 1)]
    pub width: i32,
    /// How many pixels high it is.
    #[schema(example = 320, minimum = 1)]
    pub height: i32,
    /// How many bytes it has.
    #[schema(example = 31_234, minimum = 1)]
    pub bytes: i64,
}

/// A picture where it is used: the cover of a post, the avatar of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Image {
    /// The id in `/v1/media`.
    pub id: Uuid,
    /// Where it is.
    #[schema(
        example = "https://media.blog.example/fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13.jpg"
    )]
    pub url: String,
    /// Its type.
    #[schema(example = "image/jpeg")]
    pub content_type: String,
    /// How many bytes it has.
    #[schema(example = 512_345, minimum = 1)]
    pub bytes: i64,
    /// How many pixels wide it is.
    #[schema(example = 2400, minimum = 1)]
    pub width: i32,
    /// How many pixels high it is.
    #[schema(example = 1600, minimum = 1)]
    pub height: i32,
    /// The mean of its colours: what to show until it is loaded.
    #[schema(example = "#8a939c", pattern = "^#[0-9a-f]{6}$")]
    pub color: String,
    /// What it shows, for those who do not see it; null is missing.
    #[schema(required, example = "A bridge in fog")]
    pub alt: Option<String>,
    /// Narrower copies, narrowest first, for `srcset`; none of a small picture or an animation.
    pub variants: Vec<Variant>,
}

/// Something that was uploaded: a picture, or another file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Media {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    #[schema(
        example = "https://media.blog.example/fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13.jpg"
    )]
    pub url: String,
    /// Its type.
    #[schema(example = "image/jpeg")]
    pub content_type: String,
    /// How many bytes it has.
    #[schema(example = 512_345, minimum = 1)]
    pub bytes: i64,
    /// How many pixels wide a picture is.
    #[schema(required, example = 2400, minimum = 1)]
    pub width: Option<i32>,
    /// How many pixels high a picture is.
    #[schema(required, example = 1600, minimum = 1)]
    pub height: Option<i32>,
    /// The mean of a picture's colours: what to show until it is loaded.
    #[schema(required, example = "#8a939c", pattern = "^#[0-9a-f]{6}$")]
    pub color: Option<String>,
    /// What a picture shows, for those who do not see it; null is missing.
    #[schema(required, example = "A bridge in fog")]
    pub alt: Option<String>,
    /// Narrower copies of a picture, narrowest first, for `srcset`; none of a small one or an animation.
    pub variants: Vec<Variant>,
    /// What a file that is no picture is called.
    #[schema(required)]
    pub filename: Option<String>,
    /// Who has uploaded it; null for a deleted user.
    #[schema(required)]
    pub owner_id: Option<Uuid>,
    /// Since when nothing may refer to it: no post that is kept, no avatar. After 30 days it is deleted. Null if something
    /// does.
    #[schema(required)]
    pub unused_since: Option<DateTime<Utc>>,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Media {
    /// This as what posts and users show; `None` if it is no picture.
    #[must_use]
    pub fn into_image(self) -> Option<Image> {
        Some(Image {
            id: self.id,
            url: self.url,
            content_type: self.content_type,
            bytes: self.bytes,
            width: self.width?,
            height: self.height?,
            color: self.color?,
            alt: self.alt,
            variants: self.variants,
        })
    }
}

impl Versioned for Media {
    fn version(&self) -> i64 {
        self.version
    }
}

/// The path of a picture or a file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MediaPath {
    /// The id of the picture or the file
    pub id: Uuid,
}
