//! All SQL about posts: reading one here, lists, changes, revisions and rendering in their files.

mod deletion;
pub mod export;
mod filter;
mod likes;
mod list;
mod listed;
mod mutes;
mod next_publication;
mod rendering;
mod revisions;
mod row;
mod schedule;
mod search;
mod tags;
mod timeline;
mod unlisted;
mod write;

pub use deletion::*;
pub use filter::*;
pub use likes::*;
pub use list::*;
pub use mutes::*;
pub use next_publication::*;
pub use rendering::*;
pub use revisions::*;
pub use row::PostRow;
pub use schedule::*;
pub use search::search;
pub use tags::*;
pub use timeline::*;
pub use write::*;

use chrono::{DateTime, Utc};
use uuid::Uuid;

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
    find_for(connection, post, None, now).await
}

/// The same, with whether `reader` likes it, and has muted it.
pub async fn find_for(
    connection: &mut Connection,
    post: &PostRef,
    reader: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Post>> {
    let row = posts!(
        whole["case when $4::uuid is not null then
             exists (select from post_likes l where l.post_id = p.id and l.user_id = $4) end as liked,
           case when $4 is not null then
             exists (select from muted_posts m where m.post_id = p.id and m.user_id = $4) end as muted
         from posts p join post_stats s on s.post_id = p.id left join users u on u.id = p.author_id
         where p.id = coalesce($2, (select id from posts where slug = $3)) and p.deleted_at is null"],
        now,
        post.id(),
        post.slug(),
        reader
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Post::from))
}

/// What decides who may do what with the post, unless it was deleted.
pub async fn head(
    connection: &mut Connection,
    post: &PostRef,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PostHead>> {
    sqlx::query_as!(
        PostHead,
        r#"select id, author_id, comments_open, published_at,
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
