//! What those wrote whom a user follows.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::row::{PostRow, posts};
use crate::db::Connection;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus};

/// The published posts of those whom `follower` follows, newest first, after the one at `after`.
///
/// Of n posts on a page, each is of one of the n authors whose newest post is the newest: so each followed
/// author is asked for one post, and these n authors for n. That touches so many rows whatever the history: a
/// scan of all posts by time would pass all that others wrote, and a sort of all that the followed ones wrote
/// grows with them.
pub async fn timeline(
    connection: &mut Connection,
    follower: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    let (at, id) = after.unwrap_or((now, Uuid::max()));
    posts!(
        summaries ["
           null::real as rank, null::text as headline
         from (
           select post.id from (
             select f.followed_id, newest.at, newest.id
             from follows f cross join lateral (
               select published_at as at, id from posts
               where author_id = f.followed_id and deleted_at is null and published_at is not null
                 and published_at <= $1
                 and (published_at, id)
                     < ($3, $4)
               order by published_at desc, id desc limit 1
             ) newest
             where f.follower_id = $2
             order by newest.at desc, newest.id desc limit $5
           ) author cross join lateral (
             select published_at as at, id from posts
             where author_id = author.followed_id and deleted_at is null and published_at is not null
               and published_at <= $1
               and (published_at, id)
                   < ($3, $4)
             order by published_at desc, id desc limit $5
           ) post
           order by post.at desc, post.id desc limit $5
         ) page
         join posts p on p.id = page.id join post_stats s on s.post_id = p.id left join users u on u.id = p.author_id
         order by p.published_at desc, p.id desc"],
        now,
        follower,
        at,
        id,
        rows
    )
    .fetch_all(connection)
    .await
}
