//! All SQL about notifications: the user's list here, whom an act concerns, mail and settings in their files.

pub mod export;
mod mail;
mod recipients;
mod settings;

pub use mail::*;
pub use recipients::*;
pub use settings::*;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::model::{Act, Event, Notification, NotificationKind, NotificationPost};
use crate::db::Connection;
use crate::identity::UserRef;
use crate::jobs::model::Kind;
use crate::jobs::store::{self as jobs, NewJob};

/// How many notifications one statement looks at: some may be of what is not shown any more.
const MAX_CONSIDERED: i64 = 1000;

/// Up to how many unread notifications are counted.
pub const MAX_UNREAD: i64 = 100;

/// Has those told later whom it concerns what `actor` has done; wants the transaction of the act. A post has one job at a
/// time, however often it is scheduled anew.
pub async fn queue(
    connection: &mut Connection,
    event: Event,
    actor: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (kind, key, run_at) = match event {
        Event::Post { id, at } => (Kind::PostNotification, Some(format!("post {id}")), at),
        Event::Comments { .. } | Event::Report { .. } => (Kind::Notification, None, now),
    };
    let payload = json!(Act { event, actor: Some(actor) });
    let new = NewJob { kind, payload, user_id: None, run_at };
    match key {
        Some(key) => jobs::replace(connection, &key, new, now).await,
        None => jobs::insert(connection, new, now).await.map(drop),
    }
}

struct Row {
    id: Uuid,
    kind: NotificationKind,
    actor_id: Option<Uuid>,
    actor_username: Option<String>,
    actor_display_name: Option<String>,
    post_id: Option<Uuid>,
    post_slug: Option<String>,
    post_title: Option<String>,
    comment_id: Option<Uuid>,
    report_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
}

impl From<Row> for Notification {
    fn from(row: Row) -> Self {
        let post = row.post_id.zip(row.post_slug).zip(row.post_title);
        Self {
            id: row.id,
            kind: row.kind,
            actor: UserRef::new(row.actor_id, row.actor_username, row.actor_display_name),
            post: post.map(|((id, slug), title)| NotificationPost { id, slug, title }),
            comment_id: row.comment_id,
            report_id: row.report_id,
            created_at: row.created_at,
            read_at: row.read_at,
        }
    }
}

/// A query of those notifications of the user `$1` that are shown at the time `$2`: what they may read, and what waits
/// for them as an editor. Of those that `$which` selects, it looks at the newest, `$3` at most.
macro_rules! shown {
    ($query:ident [$($row:tt)*], $columns:tt, $which:tt, $tail:tt, $($argument:expr),+) => {
        sqlx::$query!(
            $($row)*
            $columns + r#"
            from (
              select * from notifications n
              where n.user_id = $1 "# + $which + r#" order by n.id desc limit $3) n
            join users u on u.id = n.user_id
            left join posts p on p.id = n.post_id
            left join comments c on c.id = n.comment_id
            left join reports r on r.id = n.report_id
            left join users actor on actor.id = case n.kind
              when 'report' then r.reporter_id when 'post' then p.author_id else c.author_id end
            where (n.post_id is null or p.deleted_at is null and p.published_at <= $2)
              and not exists (select from muted_posts m where m.user_id = n.user_id and m.post_id = n.post_id)
              and case n.kind
                when 'held_comment' then u.role in ('editor', 'admin') and (u.banned_until is null or u.banned_until <= $2)
                  and c.status = 'pending' and c.deleted_at is null
                when 'report' then u.role in ('editor', 'admin') and (u.banned_until is null or u.banned_until <= $2)
                  and r.status = 'open'
                when 'post' then true
                else c.status = 'approved' and c.deleted_at is null end "# + $tail,
            $($argument),+
        )
    };
}

macro_rules! select {
    ($which:tt, $tail:tt, $($argument:expr),+) => {
        shown!(
            query_as [Row,],
            r#"select n.id, n.kind as "kind: NotificationKind", actor.id as "actor_id?",
                 actor.username as "actor_username?", actor.display_name as "actor_display_name?",
                 p.id as "post_id?", p.slug as "post_slug?", p.title as "post_title?", n.comment_id, n.report_id,
                 n.created_at, n.read_at"#,
            $which,
            $tail,
            $($argument),+
        )
    };
}

/// The notifications of a user, newest first, after the one with id `after`.
pub async fn list(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Notification>> {
    let rows = select!(
        "and n.id < $4",
        "order by n.id desc limit $5",
        user_id,
        now,
        MAX_CONSIDERED,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Notification::from).collect())
}

/// How many notifications a user has not read; [`MAX_UNREAD`] at most.
pub async fn count_unread(
    connection: &mut Connection,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    shown!(
        query_scalar [],
        r#"select count(*) as "count!" from (select"#,
        "and n.read_at is null",
        "limit $4) unread",
        user_id,
        now,
        MAX_CONSIDERED,
        MAX_UNREAD
    )
    .fetch_one(connection)
    .await
}

/// Those notifications that a mail has, that its user has not read meanwhile and still wants, newest first.
pub async fn in_mail(
    connection: &mut Connection,
    user_id: Uuid,
    mail_job: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Notification>> {
    let rows = select!(
        "and n.mail_at is not null and n.mail_job = $4 and n.read_at is null",
        "and not exists (
           select from notification_settings s
           where s.user_id = n.user_id and 'never' = case n.kind
             when 'reply' then s.reply when 'comment' then s.comment when 'held_comment' then s.held_comment
             when 'report' then s.report when 'post' then s.post end)
         order by n.id desc",
        user_id,
        now,
        MAX_CONSIDERED,
        mail_job
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Notification::from).collect())
}

/// Notes that a user has read notifications of theirs: those with `ids`, or those up to the one with id `up_to`. Of many,
/// the newest `limit`.
pub async fn mark_read(
    connection: &mut Connection,
    user_id: Uuid,
    ids: Option<&[Uuid]>,
    up_to: Option<Uuid>,
    limit: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    match ids {
        Some(ids) => sqlx::query!(
            "update notifications set read_at = $3 where id = any($2) and user_id = $1 and read_at is null",
            user_id,
            ids,
            now
        )
        .execute(connection)
        .await?,
        None => {
            sqlx::query!(
                "update notifications set read_at = $4 where id in (
                   select id from notifications where user_id = $1 and read_at is null and id <= $2
                   order by id desc limit $3)",
                user_id,
                up_to,
                limit,
                now
            )
            .execute(connection)
            .await?
        }
    };
    Ok(())
}

/// Forgets what users were told before `before`.
pub async fn delete_expired(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from notifications where id in (
           select id from notifications where created_at <= $1 order by created_at limit $2 for update skip locked)",
        before,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
