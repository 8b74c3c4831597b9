//! What is mailed, and when.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::New;
use crate::db::Connection;
use crate::jobs::model::Kind;
use crate::mail::{MailLanguage, Recipient};

/// How many mails a user gets in an hour, beside digests.
const MAX_AT_ONCE: i64 = 10;

/// Has whatever else tells these users wait until the transaction ends: when a mail is due depends on those before it.
pub async fn lock_recipients(connection: &mut Connection, new: &[New]) -> sqlx::Result<()> {
    let users: Vec<_> = new.iter().map(|new| new.user_id).collect();
    sqlx::query!("select from users where id = any($1) order by id for no key update", &users)
        .execute(connection)
        .await?;
    Ok(())
}

/// Tells users what concerns them, each thing once, unless they have muted the post: what goes and comes back, as a post that
/// is unpublished and published again, is no news to who was mailed of it or has read it. What they want to be mailed gets the
/// time of its mail, if there is mail and they are known to read their address; and a job for then, unless it goes with
/// what waits already. Beyond [`MAX_AT_ONCE`] it goes with the next mail that waits, or an hour later. Wants the
/// transaction of [`lock_recipients`].
pub async fn insert(
    connection: &mut Connection,
    new: &[New],
    has_mail: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<_> = new.iter().map(|_| Uuid::now_v7()).collect();
    let users: Vec<_> = new.iter().map(|new| new.user_id).collect();
    let kinds: Vec<_> = new.iter().map(|new| new.about.kind.as_str().to_owned()).collect();
    let posts: Vec<_> = new.iter().map(|new| new.about.post_id).collect();
    let comments: Vec<_> = new.iter().map(|new| new.about.comment_id).collect();
    let reports: Vec<_> = new.iter().map(|new| new.about.report_id).collect();
    sqlx::query!(
        "with wanted as (
           select new.*,
             case when new.kind in ('reply', 'comment', 'post') then new.post_id
               else '00000000-0000-0000-0000-000000000000' end as thread,
             case when $7 and u.email_verified_at is not null and u.email_undeliverable is null then case new.kind
               when 'reply' then coalesce(s.reply, 'at_once')
               when 'comment' then coalesce(s.comment, 'at_once')
               when 'held_comment' then coalesce(s.held_comment, 'at_once')
               when 'report' then coalesce(s.report, 'at_once')
               when 'post' then coalesce(s.post, 'digest') end end as delivery,
             (select count(*) from unnest(s.at_once_mails) at where at > $8::timestamptz - interval '1 hour') as mails,
             (select min(at) from unnest(s.at_once_mails) at where at > $8) as next_at
           from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[])
             as new (id, user_id, kind, post_id, comment_id, report_id)
           join users u on u.id = new.user_id
           left join notification_settings s on s.user_id = new.user_id
           where not exists (select from muted_posts m where m.user_id = new.user_id and m.post_id = new.post_id)),
         waiting as (
           select w.*,
             (select min(n.mail_at) from notifications n
              where n.user_id = w.user_id and n.mail_at > $8 and n.mail_job is null and n.delivery = w.delivery
                and (w.delivery = 'digest' or n.thread = w.thread)) as joined_at
           from wanted w),
         due as (
           select w.*, coalesce(joined_at, case delivery
             when 'digest' then $8 + interval '1 day'
             -- As if it were mailed already, what is just about to be.
             when 'at_once' then coalesce(greatest(
               (select max(n.mailed_at) from notifications n
                where n.user_id = w.user_id and n.thread = w.thread and n.mailed_at > $8 - interval '1 hour'
                  and n.delivery = 'at_once'),
               (select max(n.mail_at) from notifications n
                where n.user_id = w.user_id and n.thread = w.thread and n.mail_at > $8 - interval '1 hour'
                  and n.delivery = 'at_once')) + interval '1 hour', $8) end) as due_at
           from waiting w),
         counted as (
           select d.*, delivery = 'at_once' and joined_at is null and mails + dense_rank() over (
             partition by user_id, delivery = 'at_once' and joined_at is null order by due_at) > $11 as is_too_many
           from due d),
         timed as (
           select c.id, c.user_id, kind, post_id, comment_id, report_id, coalesce(report_id, comment_id, post_id) as about,
             c.thread, c.delivery,
             case when is_too_many then next_at else joined_at end as joined_at,
             case when is_too_many then coalesce(next_at, $8 + interval '1 hour') else due_at end as mail_at
           from counted c),
         added as (
           insert into notifications
             (id, user_id, kind, post_id, comment_id, report_id, thread, created_at, delivery, mail_at)
           select id, user_id, kind, post_id, comment_id, report_id, thread, $8, nullif(delivery, 'never'), mail_at
           from timed
           -- One that was neither mailed nor read has gone from sight before its mail, and is back.
           on conflict (user_id, kind, coalesce(report_id, comment_id, post_id))
             do update set delivery = excluded.delivery, mail_at = excluded.mail_at, mail_job = null
             where excluded.mail_at is not null and notifications.mail_at is null
               and notifications.mailed_at is null and notifications.read_at is null
           returning user_id, kind, coalesce(report_id, comment_id, post_id) as about),
         mailable as (
           select t.* from timed t join added using (user_id, kind, about) where mail_at is not null),
         limiting as (
           insert into notification_settings as s (user_id, at_once_mails)
           select user_id, array_agg(distinct mail_at) from mailable
           where delivery = 'at_once' and joined_at is null
           group by user_id
           on conflict (user_id) do update set at_once_mails = array(
             select at from unnest(s.at_once_mails || excluded.at_once_mails) at where at > $8 - interval '1 hour'))
         -- One job for all that is due at one time: the first takes all.
         insert into jobs (id, kind, user_id, due_at, run_at, created_at)
         select distinct on (user_id, delivery, mail_at)
           id, case delivery when 'digest' then $10 else $9 end, user_id, mail_at, mail_at, $8 from mailable
         -- The job that it joins may be at work by then.
         where joined_at is null or joined_at < $8 + interval '1 minute'
         order by user_id, delivery, mail_at, id",
        &ids,
        &users,
        &kinds,
        &posts as &[Option<Uuid>],
        &comments as &[Option<Uuid>],
        &reports as &[Option<Uuid>],
        has_mail,
        now,
        Kind::NotificationMail.as_str(),
        Kind::NotificationDigest.as_str(),
        MAX_AT_ONCE
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives what is due to be mailed to a user to a mail, unless that has some from an attempt before.
pub async fn take(
    connection: &mut Connection,
    user_id: Uuid,
    mail_job: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update notifications set mail_job = $2
         where user_id = $1 and mail_at <= $3 and mail_job is null
           and not exists (select from notifications where user_id = $1 and mail_at is not null and mail_job = $2)",
        user_id,
        mail_job,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that those of a mail with the ids `mailed` were mailed now, and that what it has beside them need not be: it was
/// read meanwhile, or cannot be any more.
pub async fn settle(
    connection: &mut Connection,
    user_id: Uuid,
    mail_job: Uuid,
    mailed: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update notifications set mail_at = null, mailed_at = case when id = any($3) then $4::timestamptz end
         where user_id = $1 and mail_at is not null and mail_job = $2",
        user_id,
        mail_job,
        mailed,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes them out of a mail that was not sent, for the next one.
pub async fn release(connection: &mut Connection, user_id: Uuid, mail_job: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "update notifications set mail_job = null
         where user_id = $1 and mail_at is not null and mail_job = $2",
        user_id,
        mail_job
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that the user's address takes no mail, as its server says.
pub async fn mark_undeliverable(connection: &mut Connection, user_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update users set email_undeliverable = 'bounce' where id = $1", user_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// To whom notifications are mailed; `None` unless they are known to read their address.
pub async fn recipient(connection: &mut Connection, user_id: Uuid) -> sqlx::Result<Option<Recipient>> {
    sqlx::query_as!(
        Recipient,
        r#"select email, username, display_name, language as "language: MailLanguage" from users
           where id = $1 and email_verified_at is not null and email_undeliverable is null"#,
        user_id
    )
    .fetch_optional(connection)
    .await
}
