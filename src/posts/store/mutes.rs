//! Posts of which a user wants to be told nothing.

use chrono::{DateTime, Utc};

use crate::auth::User;
use crate::db::Connection;
use crate::identity::Role;
use crate::posts::model::PostRef;

/// Has `user` told nothing more of the post, also if they are not already; false if it is not there or not for them to know.
pub async fn mute(
    connection: &mut Connection,
    post: &PostRef,
    user: &User,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"with post as (
             select id from posts
             where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is null
               and (published_at <= $4 or author_id = $3 or $5)),
           added as (
             insert into muted_posts (user_id, post_id, created_at) select $3, id, $4 from post
             on conflict do nothing)
           select exists (select from post) as "found!""#,
        post.id(),
        post.slug(),
        user.id,
        now,
        user.is(Role::Editor)
    )
    .fetch_one(connection)
    .await
}

/// Has `user` told of the post again; false if it is not there or not for them to know.
pub async fn unmute(
    connection: &mut Connection,
    post: &PostRef,
    user: &User,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"with post as (
             select id from posts
             where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is null
               and (published_at <= $4 or author_id = $3 or $5)),
           deleted as (
             delete from muted_posts where post_id = (select id from post) and user_id = $3)
           select exists (select from post) as "found!""#,
        post.id(),
        post.slug(),
        user.id,
        now,
        user.is(Role::Editor)
    )
    .fetch_one(connection)
    .await
}
