//! Whom an act concerns.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::notifications::model::NotificationKind;

/// What a user is told of.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub kind: NotificationKind,
    pub post_id: Option<Uuid>,
    pub comment_id: Option<Uuid>,
    pub report_id: Option<Uuid>,
}

impl About {
    #[must_use]
    pub fn of(kind: NotificationKind) -> Self {
        Self { kind, post_id: None, comment_id: None, report_id: None }
    }
}

/// A user who is to be told of something.
#[derive(Clone, Copy, Debug)]
pub struct New {
    pub user_id: Uuid,
    pub about: About,
}

/// Whom those of the comments concern that readers see, or will once their post is published again: who wrote what they reply to, and who wrote the post.
pub async fn of_comments(connection: &mut Connection, ids: &[Uuid]) -> sqlx::Result<Vec<New>> {
    let rows = sqlx::query!(
        r#"with shown as (
             select c.id, c.post_id, c.author_id, p.author_id as post_author_id, parent.author_id as parent_author_id
             from comments c
             join posts p on p.id = c.post_id and p.deleted_at is null
             left join comments parent on parent.post_id = c.post_id and parent.id = c.parent_id
             where c.id = any($1) and c.status = 'approved' and c.deleted_at is null)
           select parent_author_id as "user_id!", 'reply' as "kind!: NotificationKind", post_id as "post_id!", id as "id!"
           from shown where parent_author_id is distinct from author_id and parent_author_id is not null
           union all
           select post_author_id, 'comment', post_id, id
           from shown where post_author_id is distinct from author_id and post_author_id is not null
             -- Once is enough.
             and post_author_id is distinct from parent_author_id"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    let new = rows.into_iter().map(|row| {
        let about = About { post_id: Some(row.post_id), comment_id: Some(row.id), ..About::of(row.kind) };
        New { user_id: row.user_id, about }
    });
    Ok(new.collect())
}

/// A comment that waits for an editor.
#[derive(Debug)]
pub struct Held {
    pub id: Uuid,
    pub post_id: Uuid,
    pub author_id: Option<Uuid>,
}

/// Those of the comments that wait for an editor; of the others it is told no more that they do.
pub async fn held(connection: &mut Connection, ids: &[Uuid]) -> sqlx::Result<Vec<Held>> {
    sqlx::query_as!(
        Held,
        r#"with held as (
             select c.id, c.post_id, c.author_id from comments c
             join posts p on p.id = c.post_id and p.deleted_at is null
             where c.id = any($1) and c.status = 'pending' and c.deleted_at is null),
           settled as (
             delete from notifications
             where comment_id = any($1) and kind = 'held_comment' and comment_id not in (select id from held))
           select id, post_id, author_id from held"#,
        ids
    )
    .fetch_all(connection)
    .await
}

/// Who has made an open report. Of one that was decided it is told no more that it waits.
pub async fn reporter(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Option<Uuid>>> {
    sqlx::query_scalar!(
        "with open as (select id, reporter_id from reports where id = $1 and status = 'open'),
           settled as (
             delete from notifications where report_id = $1 and report_id not in (select id from open))
         select reporter_id from open",
        id
    )
    .fetch_optional(connection)
    .await
}

/// When a post was published that readers see, and by whom.
#[derive(Debug)]
pub struct Published {
    pub at: DateTime<Utc>,
    pub author_id: Uuid,
}

pub async fn published(
    connection: &mut Connection,
    post_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Published>> {
    sqlx::query_as!(
        Published,
        r#"select published_at as "at!", author_id as "author_id!" from posts
           where id = $1 and deleted_at is null and published_at <= $2 and author_id is not null"#,
        post_id,
        now
    )
    .fetch_optional(connection)
    .await
}

/// Many users whom the same concerns.
#[derive(Clone, Copy, Debug)]
pub enum Audience {
    /// Editors and admins who are not banned.
    Staff,
    FollowersOf(Uuid),
}

/// Some of them, by id, after the one with id `after`.
pub async fn audience(
    connection: &mut Connection,
    audience: Audience,
    after: Uuid,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Uuid>> {
    match audience {
        Audience::Staff => {
            sqlx::query_scalar!(
                "select id from users
                 where role in ('editor', 'admin') and (banned_until is null or banned_until <= $3) and id > $1
                 order by id limit $2",
                after,
                rows,
                now
            )
            .fetch_all(connection)
            .await
        }
        Audience::FollowersOf(followed) => {
            sqlx::query_scalar!(
                "select follower_id from follows where followed_id = $1 and follower_id > $2
                 order by follower_id limit $3",
                followed,
                after,
                rows
            )
            .fetch_all(connection)
            .await
        }
    }
}
