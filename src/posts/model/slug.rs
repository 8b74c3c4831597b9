//! How a path names a post: by its id, or by its slug.

use std::borrow::Cow;
use std::convert::Infallible;
use std::str::FromStr;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::transliteration::transliterated;
use crate::http::validation::{Rule, RuleViolation, length};
use crate::language::Language;

/// The part of a post's URL that people read: lower-case ASCII words between single hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 1, max_length = 100, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "hello-world")]
pub struct Slug(String);

/// Longer titles are cut, which leaves room for [`Slug::with_suffix`].
const MAX_GENERATED: usize = 80;

impl Slug {
    /// The slug that a title in `language` gives, `post` if it gives none.
    #[must_use]
    pub fn from_title(title: &str, language: Language) -> Self {
        let mut slug = slug::slugify(transliterated(title, language));
        slug.truncate(MAX_GENERATED);
        let slug = slug.trim_end_matches('-');
        if slug.is_empty() {
            Self("post".into())
        } else if is_id(slug) {
            Self(format!("post-{slug}"))
        } else {
            Self(slug.into())
        }
    }

    /// A variant of this slug that is most likely free.
    #[must_use]
    pub fn with_suffix(&self, random: u32) -> Self {
        Self(format!("{}-{:06x}", self.0, random & 0x00ff_ffff))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Rule for Slug {
    fn check(&self) -> Result<(), RuleViolation> {
        length(&self.0, 1, 100)?;
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !self.0.split('-').all(is_word) {
            Err((
                "invalid_slug",
                Cow::Borrowed("must be lower-case letters and digits between single hyphens"),
            ))
        } else if is_id(&self.0) {
            Err(("invalid_slug", Cow::Borrowed("must not look like an id")))
        } else {
            Ok(())
        }
    }
}

/// Whether `/v1/posts/{post}` takes `text` for an id.
fn is_id(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// A post as a path names it: by id or by slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostRef {
    Id(Uuid),
    Slug(String),
}

impl PostRef {
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        if let Self::Id(id) = self { Some(*id) } else { None }
    }

    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        if let Self::Slug(slug) = self { Some(slug) } else { None }
    }
}

impl FromStr for PostRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let id = Uuid::try_parse(text).ok().filter(|_| is_id(text));
        // No slug has a NUL, and PostgreSQL could not be asked for one.
        Ok(id.map_or_else(|| Self::Slug(text.replace('\0', "\u{fffd}")), Self::Id))
    }
}

impl<'de> Deserialize<'de> for PostRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(post) = String::deserialize(deserializer)?.parse();
        Ok(post)
    }
}

/// The path of a post.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PostPath {
    /// The post's id or slug
    #[param(value_type = String)]
    pub post: PostRef,
}
