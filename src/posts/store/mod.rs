//! All SQL about posts: reading one here, lists, changes, revisions and rendering in their files.

pub mod export;
mod likes;
mod list;
mod listed;
mod rendering;
mod revisions;
mod row;
mod schedule;
mod search;
mod tags;
mod timeline;
mod unlisted;
mod write;

pub use likes::*;
pub use list::*;
pub use rendering::*;
pub use revisions::*;
pub use row::PostRow;
pub use schedule::*;
pub use search::search;
pub use tags::*;
pub use timeline::*;
pub use write::*;

use chrono::{DateTime, Utc};

use super::model::{CommentsPolicy, Post, PostHead, PostRef, PostStatus};
use crate::auth::Viewer;
use crate::db::Connection;
use crate::language::Language;
use row::posts;

/// The post, unless it was deleted.
pub async fn find(
    connection: &mut Connection,
    post: &PostRef,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Post>> {
    let row = posts!(
        whole["from posts p join post_stats s on s.post_id = p.id left join users u on u.id = p.author_id
         where p.id = coalesce($2, (select id from posts where slug = $3)) and p.deleted_at is null"],
        now,
        post.id(),
        post.slug()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Post::from))
}

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
