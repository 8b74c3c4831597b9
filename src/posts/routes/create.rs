//! Writing posts.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::write::{check_tags, publication};
use crate::auth::Author;
use crate::cache::{Invalidates, Scope};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::idempotency::Idempotent;
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations, items};
use crate::language::Language;
use crate::markdown;
use crate::posts::model::{
    CommentsPolicy, Post, PostBody, PostRef, PostStatus, Publication, Slug, Summary, Tag, Title, stored_tags,
};
use crate::posts::store::{self};

/// A new post.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePost {
    /// The title, one line.
    title: Title,
    /// The text, in Markdown.
    body: PostBody,
    /// What it is about, in plain text.
    summary: Option<Summary>,
    /// The name for its URL; made from the title if absent.
    slug: Option<Slug>,
    /// Its tags; kept in lower case, each once.
    #[serde(default, deserialize_with = "items")]
    #[schema(max_items = 10)]
    tags: Vec<Tag>,
    /// Whether it takes comments.
    #[serde(default = "yes")]
    #[schema(default = true)]
    comments_open: bool,
    /// The language of its text, so that the search finds its words; the service's own if absent.
    language: Option<Language>,
    /// Which new comments wait for an editor; the site's policy if absent.
    comments_policy: Option<CommentsPolicy>,
    /// Where it is on its way to its readers; a draft if absent.
    status: Option<PostStatus>,
    /// When it appears: required and in the future if scheduled, in the past or absent (now) if published,
    /// absent from a draft.
    published_at: Option<DateTime<Utc>>,
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
            .check("slug", &self.slug)
            .check("published_at", &self.published_at);
        check_tags(violations, &self.tags);
    }
}

/// How often a slug made from a title is tried, each time but the first with another random suffix.
const SLUG_ATTEMPTS: usize = 4;

/// Write a post
#[utoipa::path(post, path = "/v1/posts", tag = "posts", request_body = CreatePost, security(("token" = [])), responses(
    (status = 201, description = "The new post", body = Post,
     headers(("Location" = String, description = "The path of the new post"))),
    (status = 403, description = "Readers do not write posts"),
    (status = 409, description = "The slug is taken"),
))]
pub async fn create(
    Author(user): Author,
    Now(now): Now,
    State(default_language): State<Language>,
    Idempotent(key, body): Idempotent<CreatePost>,
) -> Result<Response, ApiError> {
    let publication = publication(body.status, body.published_at, now)?.unwrap_or(Publication::Never);
    let rendered = markdown::render(body.body.as_str()).await?;
    let tags = stored_tags(&body.tags);
    let new = store::NewPost {
        author_id: user.id,
        title: body.title.as_str(),
        summary: body.summary.as_ref().map(Summary::as_str),
        body: body.body.as_str(),
        rendered: &rendered,
        tags: &tags,
        comments_open: body.comments_open,
        language: body.language.unwrap_or(default_language),
        comments_policy: body.comments_policy,
        publication,
    };
    key.run(Some(user.id), async |write| {
        let mut id = None;
        if let Some(slug) = &body.slug {
            id = store::insert(write, slug, &new, now).await?;
        } else {
            let plain = Slug::from_title(new.title);
            for attempt in 0..SLUG_ATTEMPTS {
                let slug = if attempt == 0 { plain.clone() } else { plain.with_suffix(rand::random()) };
                id = store::insert(write, &slug, &new, now).await?;
                if id.is_some() {
                    break;
                }
            }
        }
        let id = id.ok_or_else(|| ApiError::conflict("slug", "taken", "is taken already"))?;
        let post = store::find(write, &PostRef::Id(id), now).await?.ok_or(ApiError::NotFound)?;
        let location = [(header::LOCATION, format!("/v1/posts/{id}"))];
        let changed = Invalidates(Scope::Resource(id));
        Ok((StatusCode::CREATED, location, changed, Tagged(post)))
    })
    .await
}
