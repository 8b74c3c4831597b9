//! Changing accounts.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{Connection, Outcome};
use crate::identity::Role;
use crate::mail::MailLanguage;
use crate::media::model::Image;
use crate::users::model::Email;

/// What changes in an account; `None` stays as it is, `Some(None)` is taken away.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    pub username: Option<&'a str>,
    /// From now on, and not verified.
    pub email: Option<&'a Email>,
    /// Once it is verified; the present address takes such a change back.
    pub pending_email: Option<&'a Email>,
    pub role: Option<Role>,
    pub display_name: Option<Option<&'a str>>,
    pub bio: Option<Option<&'a str>>,
    pub language: Option<MailLanguage>,
    /// As it is shown; nobody deletes it until the transaction ends.
    pub avatar: Option<Option<&'a Image>>,
    /// The new password's PHC string. It takes back an address that waits to be verified.
    pub password_hash: Option<&'a str>,
    /// Change nothing unless this still is the password's PHC string.
    pub verified_hash: Option<&'a str>,
}

/// Refused if it is not there, in none of the versions `if_match`, or has another password than the verified.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<Outcome> {
    let result = sqlx::query!(
        r#"with old as (
             select id, username, email, pending_email, role, display_name, bio, language, password_hash, avatar_id, avatar from users
             where id = $1 and ($10::text is null or password_hash = $10)
               and ($12::bigint[] is null or version = any($12))
             for no key update),
           new as (
             select id, coalesce($2, username) as username, coalesce($3, email) as email,
               case when $3::text is not null or $15::text = email then null
                    when $15 is null and $9::text is not null then null
                    else coalesce($15, pending_email) end as pending_email,
               coalesce($4, role) as role,
               case when $5 then $6 else display_name end as display_name,
               case when $7 then $8 else bio end as bio,
               coalesce($14, language) as language, coalesce($9, password_hash) as password_hash,
               case when $17 then $18 else avatar_id end as avatar_id,
               case when $17 then $19 else avatar end as avatar
             from old),
           changed as (
             update users u set
               username = new.username, email = new.email,
               email_key = coalesce($13, u.email_key),
               email_verified_at = case when new.email = old.email then u.email_verified_at end,
               pending_email = new.pending_email,
               pending_email_key = case when new.pending_email is not null then coalesce($16::text, u.pending_email_key) end,
               role = new.role, display_name = new.display_name,
               bio = new.bio, language = new.language, avatar_id = new.avatar_id, avatar = new.avatar, password_hash = new.password_hash, version = u.version + 1,
               credentials_version = u.credentials_version
                 + (new.email <> old.email or new.password_hash <> old.password_hash)::int, updated_at = $11
             from old join new on new.id = old.id
             where u.id = new.id and old is distinct from new
             returning u.id)
           select exists (select from old) as "found!", exists (select from changed) as "changed!""#,
        id,
        changes.username,
        changes.email.map(Email::as_str),
        changes.role.map(Role::as_str),
        changes.display_name.is_some(),
        changes.display_name.flatten(),
        changes.bio.is_some(),
        changes.bio.flatten(),
        changes.password_hash,
        changes.verified_hash,
        now,
        if_match,
        changes.email.map(Email::key),
        changes.language.map(MailLanguage::as_str),
        changes.pending_email.map(Email::as_str),
        changes.pending_email.map(Email::key),
        changes.avatar.is_some(),
        changes.avatar.flatten().map(|avatar| avatar.id),
        changes.avatar.flatten().map(Json) as _
    )
    .fetch_one(connection)
    .await?;
    Ok(Outcome::of(result.found, result.changed))
}

/// Gives the avatars with a picture another alternative text; false if there are none.
pub async fn describe_avatars(
    connection: &mut Connection,
    media_id: Uuid,
    alt: Option<&str>,
) -> sqlx::Result<bool> {
    let described = sqlx::query!(
        "update users set avatar = jsonb_set(avatar, '{alt}', coalesce(to_jsonb($2::text), 'null')) where avatar_id = $1",
        media_id,
        alt
    )
    .execute(connection)
    .await?;
    Ok(described.rows_affected() > 0)
}
