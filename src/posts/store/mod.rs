//! All SQL about posts: reading one here, lists, changes, revisions and rendering in their files.

mod feed;
mod likes;
mod list;
mod rendering;
mod revisions;
mod summary;
mod tags;
mod write;

pub use feed::*;
pub use likes::*;
pub use list::*;
pub use rendering::*;
pub use revisions::*;
pub use summary::SummaryRow;
pub use tags::*;
pub use write::*;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::model::{CommentsPolicy, Post, PostHead, PostRef, PostStatus, PostSummary};
use crate::auth::Viewer;
use crate::db::Connection;
use crate::identity::UserRef;
use crate::language::Language;
use crate::markdown::Heading;

type Toc = Json<Vec<Heading>>;

/// The post, unless it was deleted.
pub async fn find(
    connection: &mut Connection,
    post: &PostRef,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Post>> {
    let row = sqlx::query!(
        r#"select p.id, p.slug, p.title, p.summary, p.tags, p.excerpt, p.language as "language: Language", p.reading_minutes,
             p.comments_open, p.comments_policy as "comments_policy: CommentsPolicy", s.likes, s.comments,
             post_status(p.published_at, $3) as "status!: PostStatus",
             p.author_id, u.username as "author_username?", u.display_name as author_display_name,
             p.version, p.published_at, p.created_at, p.updated_at, p.body, p.body_html, p.toc as "toc: Toc"
           from posts p join post_stats s on s.post_id = p.id left join users u on u.id = p.author_id
           where p.id = coalesce($1, (select id from posts where slug = $2)) and p.deleted_at is null"#,
        post.id(),
        post.slug(),
        now
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Post {
        summary: PostSummary {
            id: row.id,
            slug: row.slug,
            title: row.title,
            summary: row.summary,
            tags: row.tags,
            status: row.status,
            excerpt: row.excerpt,
            language: row.language,
            reading_minutes: row.reading_minutes,
            comments_open: row.comments_open,
            comments_policy: row.comments_policy,
            likes: row.likes,
            comments: row.comments,
            author: UserRef::new(row.author_id, row.author_username, row.author_display_name),
            version: row.version,
            published_at: row.published_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: None,
            highlight: None,
        },
        body: row.body,
        body_html: row.body_html,
        toc: row.toc.0,
        liked: None,
    }))
}

/// When the next scheduled post appears, if there is one.
pub async fn next_publication(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select min(post_time(published_at, created_at)) from posts where post_time(published_at, created_at) > $1",
        now
    )
    .fetch_one(connection)
    .await
}

/// What decides who may do what with the post, unless it was deleted.
pub async fn head(
    connection: &mut Connection,
    post: &PostRef,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PostHead>> {
    sqlx::query_as!(
        PostHead,
        r#"select id, author_id, comments_open,
             post_status(published_at, $3) as "status!: PostStatus"
           from posts
           where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is null"#,
        post.id(),
        post.slug(),
        now
    )
    .fetch_optional(connection)
    .await
}

/// The post, if it is there and `viewer` may know of it.
pub async fn find_visible(
    connection: &mut Connection,
    post: &PostRef,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PostHead>> {
    Ok(head(connection, post, now).await?.filter(|post| post.is_visible_to(viewer)))
}
