//! The part of posts in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;
use crate::media::model::Image;

/// A post.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedPost {
    /// The post's id.
    pub id: Uuid,
    /// Its name in URLs.
    pub slug: String,
    /// The title.
    pub title: String,
    /// What it is about.
    #[schema(required)]
    pub summary: Option<String>,
    /// The text, in Markdown.
    pub body: String,
    /// The text as safe HTML.
    pub body_html: String,
    /// The picture that stands for it.
    #[schema(required, value_type = Option<Image>)]
    pub cover: Option<Json<Image>>,
    /// The language of its text search.
    pub language: String,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// Whether it takes comments.
    pub comments_open: bool,
    /// Whether they wait for an editor; the site decides if null.
    #[schema(required)]
    pub comments_policy: Option<String>,
    /// When it appeared or will appear; null for a draft.
    #[schema(required)]
    pub published_at: Option<DateTime<Utc>>,
    /// When a draft would have appeared that was scheduled when its author lost the right to write posts.
    #[schema(required)]
    pub planned_at: Option<DateTime<Utc>>,
    /// When it was deleted.
    #[schema(required)]
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A saved version of a post.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedRevision {
    /// The post.
    pub post_id: Uuid,
    /// Which version.
    pub number: i64,
    /// The title.
    pub title: String,
    /// What it is about.
    #[schema(required)]
    pub summary: Option<String>,
    /// The text, in Markdown.
    pub body: String,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
}

/// A like.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedLike {
    /// The post.
    pub post_id: Uuid,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Posts, newest first by their publication, drafts by their creation.
pub async fn posts(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedPost>> {
    let (time, id) = after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    sqlx::query_as!(
        ExportedPost,
        r#"select id, slug, title, summary, body, body_html, cover as "cover: _", language, tags, comments_open, comments_policy,
           published_at, planned_at, deleted_at, created_at, updated_at
         from posts
         where author_id = $1 and (post_time(published_at, created_at), id)
           < ($2, $3)
         order by post_time(published_at, created_at) desc, id desc limit $4"#,
        user_id,
        time,
        id,
        rows
    )
    .fetch_all(connection)
    .await
}

/// Saved versions, by post.
pub async fn revisions(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<(Uuid, i64)>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedRevision>> {
    let (post_id, number) = after.unwrap_or((Uuid::nil(), 0));
    sqlx::query_as!(
        ExportedRevision,
        "select post_id, number, title, summary, body, tags, created_at from post_revisions
         where editor_id = $1 and (post_id, number)
           > ($2, $3)
         order by post_id, number limit $4",
        user_id,
        post_id,
        number,
        rows
    )
    .fetch_all(connection)
    .await
}

/// Likes, by post.
pub async fn likes(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedLike>> {
    sqlx::query_as!(
        ExportedLike,
        "select post_id, created_at from post_likes
         where user_id = $1 and post_id > $2
         order by post_id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Muted posts, by post.
pub async fn muted_posts(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedLike>> {
    sqlx::query_as!(
        ExportedLike,
        "select post_id, created_at from muted_posts
         where user_id = $1 and post_id > $2
         order by post_id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
