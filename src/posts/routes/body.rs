//! What a client sends of a post, and what the store gets of it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::model::changed_fields;
use crate::auth::User;
use crate::error::ApiError;
use crate::http::timestamp::Timestamp;
use crate::http::validation::{Validate, Violations, items, items_if_given, not_null, nullable};
use crate::language::Language;
use crate::media::model::AltText;
use crate::posts::model::{
    CommentsPolicy, MAX_TAGS, PostBody, PostStatus, Publication, Slug, Summary, Tag, Title,
};
use crate::posts::store::{Changes, Cover, NewPost, Text};

/// A new post.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePost {
    /// The title, one line.
    pub(super) title: Title,
    /// The text, in Markdown.
    pub(super) body: PostBody,
    /// What it is about, in plain text.
    pub(super) summary: Option<Summary>,
    /// The name for its URL; made from the title if absent.
    pub(super) slug: Option<Slug>,
    /// The picture that stands for it.
    pub(super) cover: Option<NewCover>,
    /// Its tags; kept in lower case, each once.
    #[serde(default, deserialize_with = "items")]
    #[schema(max_items = 10)]
    pub(super) tags: Vec<Tag>,
    /// Whether it takes comments.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) comments_open: bool,
    /// The language of its text, so that the search finds its words; the service's own if absent.
    pub(super) language: Option<Language>,
    /// Which new comments wait for an editor; the site's policy if absent.
    pub(super) comments_policy: Option<CommentsPolicy>,
    /// Where it is on its way to its readers; a draft if absent.
    pub(super) status: Option<PostStatus>,
    /// When it appears: required and in the future if scheduled, in the past or absent (now) if published,
    /// absent from a draft.
    pub(super) published_at: Option<Timestamp>,
}

/// The picture that stands for a post.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCover {
    /// Its id in `/v1/media`: one's own, or as an editor anyone's.
    pub(super) media: Uuid,
    /// What it shows here, for those who do not see it; the picture's own text if absent.
    pub(super) alt: Option<AltText>,
}

fn yes() -> bool {
    true
}

impl Validate for CreatePost {
    fn validate(&self, violations: &mut Violations) {
        violations
            .check("title", &self.title)
            .check("body", &self.body)
            .check("summary", &self.summary)
            .check("slug", &self.slug);
        check_cover(violations, self.cover.as_ref());
        check_tags(violations, &self.tags);
    }
}

impl CreatePost {
    pub(super) fn publication(&self, now: DateTime<Utc>) -> Result<Publication, ApiError> {
        Ok(publication(self.status, self.published_at, now)?.unwrap_or(Publication::Never))
    }

    pub(super) fn to_new_post<'a>(
        &'a self,
        id: Uuid,
        author: User,
        text: &'a Text,
        cover: Option<Cover<'a>>,
        tags: &'a [String],
        publication: Publication,
        default_language: Language,
    ) -> NewPost<'a> {
        NewPost {
            id,
            author_id: author.id,
            title: self.title.as_str(),
            summary: self.summary.as_ref().map(Summary::as_str),
            body: self.body.as_str(),
            text,
            cover,
            tags,
            comments_open: self.comments_open,
            language: self.language.unwrap_or(default_language),
            comments_policy: self.comments_policy,
            publication,
        }
    }
}

/// What changes in a post. What is absent stays; null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePost {
    /// The new title; the slug stays.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    pub(super) title: Option<Title>,
    /// The new text, in Markdown.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    pub(super) body: Option<PostBody>,
    /// What it is about, in plain text.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Summary>)]
    pub(super) summary: Option<Option<Summary>>,
    /// The new name for its URL.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    pub(super) slug: Option<Slug>,
    /// The picture that stands for it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<NewCover>)]
    pub(super) cover: Option<Option<NewCover>>,
    /// All its tags.
    #[serde(default, deserialize_with = "items_if_given")]
    #[schema(max_items = 10, nullable = false)]
    pub(super) tags: Option<Vec<Tag>>,
    /// Whether it takes comments.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    pub(super) comments_open: Option<bool>,
    /// The language of its text.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    pub(super) language: Option<Language>,
    /// Which new comments wait for an editor; null for the site's policy.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<CommentsPolicy>)]
    pub(super) comments_policy: Option<Option<CommentsPolicy>>,
    /// Where it is on its way to its readers.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    pub(super) status: Option<PostStatus>,
    /// When it appears; goes with `status`, as in a new post.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    pub(super) published_at: Option<Timestamp>,
}

impl Validate for UpdatePost {
    fn validate(&self, violations: &mut Violations) {
        violations
            .check("title", &self.title)
            .check("body", &self.body)
            .check("summary", &self.summary)
            .check("slug", &self.slug);
        check_cover(violations, self.cover.as_ref().and_then(Option::as_ref));
        check_tags(violations, self.tags.as_deref().unwrap_or_default());
    }
}

impl UpdatePost {
    pub(super) fn to_changes<'a>(
        &'a self,
        text: Option<&'a Text>,
        cover: Option<Cover<'a>>,
        tags: Option<&'a [String]>,
        publication: Option<Publication>,
    ) -> Changes<'a> {
        Changes {
            slug: self.slug.as_ref().map(Slug::as_str),
            title: self.title.as_ref().map(Title::as_str),
            summary: self.summary.as_ref().map(|summary| summary.as_ref().map(Summary::as_str)),
            body: self.body.as_ref().map(PostBody::as_str).zip(text),
            cover: self.cover.as_ref().map(|_given| cover),
            tags,
            comments_open: self.comments_open,
            language: self.language,
            comments_policy: self.comments_policy,
            publication,
        }
    }

    pub(super) fn publication(&self, now: DateTime<Utc>) -> Result<Option<Publication>, ApiError> {
        publication(self.status, self.published_at, now)
    }

    pub(super) fn changed_fields(&self) -> Vec<&'static str> {
        changed_fields(&[
            ("title", self.title.is_some()),
            ("body", self.body.is_some()),
            ("summary", self.summary.is_some()),
            ("slug", self.slug.is_some()),
            ("cover", self.cover.is_some()),
            ("tags", self.tags.is_some()),
            ("language", self.language.is_some()),
            ("comments_open", self.comments_open.is_some()),
            ("comments_policy", self.comments_policy.is_some()),
            ("status", self.status.is_some()),
            ("published_at", self.published_at.is_some()),
        ])
    }
}

fn check_cover(violations: &mut Violations, cover: Option<&NewCover>) {
    if let Some(cover) = cover {
        violations.check("cover.alt", &cover.alt);
    }
}

fn check_tags(violations: &mut Violations, tags: &[Tag]) {
    if tags.len() > MAX_TAGS {
        violations.add("tags", "too_many", format!("must be at most {MAX_TAGS}"));
    }
    violations.check_each("tags", tags);
}

fn publication(
    status: Option<PostStatus>,
    published_at: Option<Timestamp>,
    now: DateTime<Utc>,
) -> Result<Option<Publication>, ApiError> {
    Publication::new(status, published_at.map(Into::into), now)
        .map_err(|(code, detail)| ApiError::invalid("published_at", code, detail))
}
