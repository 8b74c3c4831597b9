//! Who follows whom.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::users::model::Profile;

/// How many users one user follows at most: it bounds what their feed is made of.
pub const MAX_FOLLOWED: i64 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    Yes,
    /// As before.
    Already,
    Unknown,
    TooMany,
}

/// Makes `user_id` follow `followed`, who must be another. Wants a transaction: the row lock makes the same
/// user's other wishes wait, so that none is counted wrong.
pub async fn follow(
    connection: &mut Connection,
    user_id: Uuid,
    followed: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Followed> {
    sqlx::query!("select from users where id = $1 for no key update", user_id)
        .fetch_optional(&mut *connection)
        .await?;
    let result = sqlx::query!(
        r#"with target as (select id from users where id = $2),
             added as (
               insert into follows (follower_id, followed_id, created_at)
               select u.id, target.id, $3 from users u, target
               where u.id = $1 and (select count(*) from follows where follower_id = $1) < $4
               on conflict do nothing
               returning followed_id)
           select exists (select from target) as "known!",
             exists (select from added) as "added!",
             exists (select from follows where follower_id = $1 and followed_id = $2) as "already!""#,
        user_id,
        followed,
        now,
        MAX_FOLLOWED
    )
    .fetch_one(connection)
    .await?;
    Ok(match (result.known, result.added, result.already) {
        (_, true, _) => Followed::Yes,
        (_, _, true) => Followed::Already,
        (false, ..) => Followed::Unknown,
        (true, ..) => Followed::TooMany,
    })
}

/// Makes `user_id` not follow `followed`; false if they did not.
pub async fn unfollow(connection: &mut Connection, user_id: Uuid, followed: Uuid) -> sqlx::Result<bool> {
    let deleted =
        sqlx::query!("delete from follows where follower_id = $1 and followed_id = $2", user_id, followed)
            .execute(connection)
            .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Those whom `follower` follows, newest accounts first, after the one with id `after`.
pub async fn following(
    connection: &mut Connection,
    follower: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Profile>> {
    // The bound stands on both sides, so that a merge of the two indexes begins there in both.
    sqlx::query_as!(
        Profile,
        r#"select u.id, u.username, u.display_name, u.bio, u.avatar as "avatar: _", u.version, u.created_at
         from follows f join users u on u.id = f.followed_id
         where f.follower_id = $1
           and f.followed_id < $2
           and u.id < $2
         order by f.followed_id desc limit $3"#,
        follower,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Those who follow `followed`, newest accounts first, after the one with id `after`.
pub async fn followers(
    connection: &mut Connection,
    followed: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Profile>> {
    sqlx::query_as!(
        Profile,
        r#"select u.id, u.username, u.display_name, u.bio, u.avatar as "avatar: _", u.version, u.created_at
         from follows f join users u on u.id = f.follower_id
         where f.followed_id = $1
           and f.follower_id < $2
           and u.id < $2
         order by f.follower_id desc limit $3"#,
        followed,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}
