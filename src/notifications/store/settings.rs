//! How users want to be told.

use uuid::Uuid;

use crate::db::{Connection, Outcome};
use crate::notifications::model::{Delivery, NotificationKind, NotificationSettings};

/// Those of who has chosen nothing are the defaults.
pub async fn settings(connection: &mut Connection, user_id: Uuid) -> sqlx::Result<NotificationSettings> {
    sqlx::query_as!(
        NotificationSettings,
        r#"select coalesce(s.reply, 'at_once') as "reply!: Delivery", coalesce(s.comment, 'at_once') as "comment!: Delivery",
             coalesce(s.held_comment, 'at_once') as "held_comment!: Delivery",
             coalesce(s.report, 'at_once') as "report!: Delivery", coalesce(s.post, 'digest') as "post!: Delivery",
             coalesce(s.version, 1) as "version!"
           from (select $1::uuid as id) u left join notification_settings s on s.user_id = u.id"#,
        user_id
    )
    .fetch_one(connection)
    .await
}

/// What changes in settings; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes {
    pub reply: Option<Delivery>,
    pub comment: Option<Delivery>,
    pub held_comment: Option<Delivery>,
    pub report: Option<Delivery>,
    pub post: Option<Delivery>,
}

impl Changes {
    /// No more mail about `kind`, or about anything.
    #[must_use]
    pub fn never(kind: Option<NotificationKind>) -> Self {
        let never = |of| kind.is_none_or(|kind| kind == of).then_some(Delivery::Never);
        Self {
            reply: never(NotificationKind::Reply),
            comment: never(NotificationKind::Comment),
            held_comment: never(NotificationKind::HeldComment),
            report: never(NotificationKind::Report),
            post: never(NotificationKind::Post),
        }
    }
}

/// Refused if they are in none of the versions `if_match`. What waits to be mailed and is not wanted any more is not. Wants
/// a transaction.
pub async fn update(
    connection: &mut Connection,
    user_id: Uuid,
    changes: Changes,
    if_match: Option<&[i64]>,
) -> sqlx::Result<Outcome> {
    sqlx::query!("insert into notification_settings (user_id) values ($1) on conflict do nothing", user_id)
        .execute(&mut *connection)
        .await?;
    let result = sqlx::query!(
        r#"with old as (
             select user_id, reply, comment, held_comment, report, post from notification_settings
             where user_id = $1 and ($7::bigint[] is null or version = any($7))
             for no key update),
           new as (
             select user_id, coalesce($2, reply) as reply, coalesce($3, comment) as comment,
               coalesce($4, held_comment) as held_comment, coalesce($5, report) as report, coalesce($6, post) as post
             from old),
           changed as (
             update notification_settings s set reply = new.reply, comment = new.comment,
               held_comment = new.held_comment, report = new.report, post = new.post, version = s.version + 1
             from old join new on new.user_id = old.user_id
             where s.user_id = new.user_id and old is distinct from new
             returning s.user_id),
           unwanted as (
             update notifications n set mail_at = null
             from new
             where n.user_id = new.user_id and n.mail_at is not null and n.mail_job is null and 'never' = case n.kind
               when 'reply' then new.reply when 'comment' then new.comment when 'held_comment' then new.held_comment
               when 'report' then new.report when 'post' then new.post end)
           select exists (select from old) as "found!", exists (select from changed) as "changed!""#,
        user_id,
        changes.reply.map(Delivery::as_str),
        changes.comment.map(Delivery::as_str),
        changes.held_comment.map(Delivery::as_str),
        changes.report.map(Delivery::as_str),
        changes.post.map(Delivery::as_str),
        if_match
    )
    .fetch_one(connection)
    .await?;
    Ok(Outcome::of(result.found, result.changed))
}

/// What ends a user's mails, the same in all of them: `key` if they have none yet.
pub async fn unsubscribe_key(
    connection: &mut Connection,
    user_id: Uuid,
    key: &[u8],
) -> sqlx::Result<Vec<u8>> {
    sqlx::query_scalar!(
        r#"insert into notification_settings as s (user_id, unsubscribe_key) values ($1, $2)
           on conflict (user_id) do update set unsubscribe_key = coalesce(s.unsubscribe_key, excluded.unsubscribe_key)
           returning unsubscribe_key as "unsubscribe_key!""#,
        user_id,
        key
    )
    .fetch_one(connection)
    .await
}

/// Whose mails a key ends.
pub async fn subscriber(connection: &mut Connection, key: &[u8]) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("select user_id from notification_settings where unsubscribe_key = $1", key)
        .fetch_optional(connection)
        .await
}
