//! What becomes of all that is a user's when the account is deleted.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::media::store as media;

/// How many pictures one statement deletes.
const MEDIA: i64 = 200;

/// Lets go of a part of what is a user's, and says how many rows that were: none once one statement can do the rest in
/// its time, which [`delete`] then does. The posts that nobody reads are deleted, and what is kept is without them.
pub async fn release(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<i64> {
    let pictures = media::delete_unused_of(&mut *connection, id, MEDIA).await?;
    let rows = sqlx::query_scalar!(
        r#"with unread as (
             delete from posts where id in (
               select id from posts where author_id = $1
                 and (deleted_at is not null or published_at is null or published_at > $2)
                 -- What their followers were told of them goes with them, and is let go first.
                 and not exists (select from notifications n where n.post_id = posts.id offset 100)
               offset 200 limit 200)
             returning 1),
           news as (
             delete from notifications where id in (
               select n.id from posts p join notifications n on n.post_id = p.id
               where p.author_id = $1 and (p.deleted_at is not null or p.published_at is null or p.published_at > $2)
               offset 10000 limit 10000)
             returning 1),
           read as (
             update posts set author_id = null where id in (
               select id from posts where author_id = $1 and deleted_at is null and published_at <= $2 offset 200 limit 200)
             returning 1),
           written as (
             update comments set author_id = null where id in (
               select id from comments where author_id = $1 offset 1000 limit 1000)
             returning 1),
           liked as (
             delete from post_likes where user_id = $1 and post_id in (
               select post_id from post_likes where user_id = $1 offset 1000 limit 1000)
             returning 1),
           muted as (
             delete from muted_posts where user_id = $1 and post_id in (
               select post_id from muted_posts where user_id = $1 offset 1000 limit 1000)
             returning 1),
           told as (
             delete from notifications where id in (
               select id from notifications where user_id = $1 offset 1000 limit 1000)
             returning 1),
           done as (
             update audit_log set actor_id = null, token_id = null where id in (
               select id from audit_log where actor_id = $1 offset 1000 limit 1000)
             returning 1)
           select (select count(*) from unread) + (select count(*) from read) + (select count(*) from written)
             + (select count(*) from liked) + (select count(*) from muted) + (select count(*) from told)
             + (select count(*) from news) + (select count(*) from done) as "rows!""#,
        id,
        now
    )
    .fetch_one(connection)
    .await?;
    // The last few are left to `delete`.
    Ok(rows + if pictures < MEDIA { 0 } else { pictures })
}

/// Erases a user, whom the caller has locked: so everything that is theirs is seen.
///
/// What is theirs alone goes with the account, and what others need stays without them: the foreign keys say
/// which. The posts that nobody reads go too, deleted ones, drafts and scheduled ones: nobody will restore or
/// publish them for their author. So do the notes on their reports, since nobody could take them back, and the
/// stored responses to others that show them. Lines of the audit log about them stay as lines about nobody.
pub async fn delete(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "with unread as (
           delete from posts where author_id = $1
             and (deleted_at is not null or published_at is null or published_at > $2)),
         tokens as (
           update audit_log set token_id = null where actor_id = $1 and token_id is not null)
         update users set avatar_id = null, avatar = null where id = $1 and avatar_id is not null",
        id,
        now
    )
    .execute(&mut *connection)
    .await?;
    // Now that nothing of theirs refers to them. What a post that stays shows, stays.
    while media::delete_unused_of(&mut *connection, id, MEDIA).await? == MEDIA {}
    sqlx::query!(
        "with responses as (
           delete from idempotency_keys where people @> array[$1::uuid]),
         sign_ups as (
           -- Those asked for with the address; the invitations by the user go with them.
           delete from sign_ups
           where email_key = (select coalesce(email_key, lower(email)) from users where id = $1)),
         asked as (
           -- Both halves have an index.
           delete from jobs
           where (kind = 'password_reset' and failed_at is null or kind = 'password_reset' and failed_at is not null)
             and lower(payload ->> 'email') = (select lower(email) from users where id = $1)),
         notes as (
           update reports set note = null, version = version + 1 where reporter_id = $1 and note is not null),
         lines as (
           update audit_log set target_id = null, details = '{}' where target_id = $1 and target_type = 'user')
         delete from users where id = $1",
        id
    )
    .execute(connection)
    .await?;
    Ok(())
}
