//! What links in mails prove.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::token::TokenHash;
use crate::db::Connection;
use crate::text;
use crate::text_enum::text_enum;

// The words are stored.
text_enum! {
    /// What a token is for: it serves nothing else.
    pub enum Purpose {
        /// To choose a new password.
        PasswordReset = "password_reset",
        /// To show that an address is read.
        EmailVerification = "email_verification",
        /// To have the address again that another has replaced.
        EmailUndo = "email_undo",
    }
}

#[derive(Debug)]
pub struct NewToken<'a> {
    pub purpose: Purpose,
    pub hash: &'a TokenHash,
    /// Of the code beside the link.
    pub code_hash: Option<&'a TokenHash>,
    /// The address that was replaced.
    pub email: Option<&'a str>,
    pub expires_at: DateTime<Utc>,
}

/// Notes that a user was sent a token: for the address that is to take the place of theirs, if there is one. With a
/// lost answer the mail may be sent again, so a user may have several.
pub async fn insert_token(
    connection: &mut Connection,
    user_id: Uuid,
    new: &NewToken<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into one_time_tokens (hash, purpose, user_id, email_key, version, expires_at, code_hash, email)
         select $1, $2, id,
           coalesce($7, case when $2 = 'email_verification' then pending_email_key end, email_key, lower(email)),
           -- Of the change that has replaced the address, however late its mail is sent.
           coalesce((select min(version) from one_time_tokens
                     where user_id = $3 and purpose = 'email_undo' and $2 = 'email_undo' and email_key = $7),
             credentials_version), $4, $5, $6
         from users where id = $3",
        new.hash,
        new.purpose.as_str(),
        user_id,
        new.expires_at,
        new.code_hash.map(|hash| &hash[..]),
        new.email,
        new.email.map(text::fold)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whom a token proves to be the reader of the account's mail.
#[derive(Debug)]
pub struct Bearer {
    pub user_id: Uuid,
    pub username: String,
    pub email: String,
}

/// `None` unless the token is live, and the account's address and version are those that it was made for.
pub async fn bearer(
    connection: &mut Connection,
    purpose: Purpose,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Bearer>> {
    sqlx::query_as!(
        Bearer,
        "select u.id as user_id, u.username, u.email
         from one_time_tokens t join users u on u.id = t.user_id
         where t.hash = $1 and t.purpose = $2 and t.expires_at > $3
           and u.credentials_version = t.version and coalesce(u.email_key, lower(u.email)) = t.email_key",
        hash,
        purpose.as_str(),
        now
    )
    .fetch_optional(connection)
    .await
}

/// Sets the password of the user whom the token proves, as [`bearer`] says, uses up every token of theirs for that, and
/// takes back an address that waits to be verified; `None` if it proves nothing any more.
pub async fn reset_password(
    connection: &mut Connection,
    hash: &TokenHash,
    password_hash: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "with proven as (
           select u.id from one_time_tokens t join users u on u.id = t.user_id
           where t.hash = $1 and t.purpose = 'password_reset' and t.expires_at > $3
             and u.credentials_version = t.version and coalesce(u.email_key, lower(u.email)) = t.email_key
           for update of u, t),
         used as (
           delete from one_time_tokens
           where user_id = (select id from proven) and purpose = 'password_reset')
         update users set password_hash = $2, email_undeliverable = null,
           -- What had become of mail to the address before, and is told again, is no news.
           email_verified_at = case when email_undeliverable is null then coalesce(email_verified_at, $3) else $3 end,
           pending_email = null, pending_email_key = null, credentials_version = credentials_version + 1,
           version = version + 1, updated_at = $3
         where id = (select id from proven)
         returning id",
        hash,
        password_hash,
        now
    )
    .fetch_optional(connection)
    .await
}

/// Whether there is such a token.
pub async fn is_live(
    connection: &mut Connection,
    purpose: Purpose,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists(
             select from one_time_tokens where hash = $1 and purpose = $2 and expires_at > $3) as "exists!""#,
        hash,
        purpose.as_str(),
        now
    )
    .fetch_one(connection)
    .await
}

/// Counts a try of a code against every live one of a user, and gives the token that it stands for.
pub async fn try_code(
    connection: &mut Connection,
    user_id: Uuid,
    code_hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "with tried as (
           update one_time_tokens set tries_left = tries_left - 1
           where user_id = $1 and purpose = 'email_verification' and tries_left > 0 and expires_at > $3
           returning hash, code_hash)
         select hash from tried where code_hash = $2 limit 1",
        user_id,
        &code_hash[..],
        now
    )
    .fetch_optional(connection)
    .await
}

/// What the proof of an address has changed.
#[derive(Debug)]
pub struct Verified {
    pub user_id: Uuid,
    /// The address that another has taken the place of.
    pub replaced: Option<String>,
}

/// Notes that the address that a token was sent to is read; one that waited for that takes the place of the user's. Uses
/// up every token of theirs for that; `None` if it proves nothing any more. An address that somebody else has by now
/// violates its unique index.
pub async fn verify_email(
    connection: &mut Connection,
    hash: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Verified>> {
    sqlx::query_as!(
        Verified,
        r#"with proven as (
             select u.id, case when u.pending_email is not null then u.email end as replaced
             from one_time_tokens t join users u on u.id = t.user_id
             where t.hash = $1 and t.purpose = 'email_verification' and t.expires_at > $2
               and coalesce(u.pending_email_key, u.email_key, lower(u.email)) = t.email_key
             for update of u, t),
           used as (
             delete from one_time_tokens
             where user_id = (select id from proven) and purpose = 'email_verification')
           update users u set email = coalesce(u.pending_email, u.email),
             email_key = coalesce(u.pending_email_key, u.email_key), pending_email = null, pending_email_key = null,
             credentials_version = u.credentials_version + (u.pending_email is not null)::int,
             email_verified_at = $2, email_undeliverable = null, version = u.version + 1, updated_at = $2
           from proven where u.id = proven.id
           returning u.id as user_id, proven.replaced as "replaced?""#,
        hash,
        now
    )
    .fetch_optional(connection)
    .await
}

/// Gives a user the address again that a token says was replaced, with a password that nobody knows, and uses up every
/// token of theirs but those of changes before that one; `None` if it proves nothing any more. An address that somebody
/// else has by now violates its unique index.
pub async fn restore_email(
    connection: &mut Connection,
    hash: &TokenHash,
    password_hash: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "with proven as (
           select user_id, email, email_key, version from one_time_tokens
           where hash = $1 and purpose = 'email_undo' and expires_at > $3 for update),
         used as (
           delete from one_time_tokens t using proven p
           where t.user_id = p.user_id and (t.purpose <> 'email_undo' or t.version >= p.version))
         update users u set email = p.email, email_key = p.email_key, pending_email = null, pending_email_key = null,
           email_verified_at = $3, email_undeliverable = null, password_hash = $2, credentials_version = u.credentials_version + 1,
           version = u.version + 1, updated_at = $3
         from proven p where u.id = p.user_id returning u.id",
        hash,
        password_hash,
        now
    )
    .fetch_optional(connection)
    .await
}

pub async fn delete_expired_tokens(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from one_time_tokens where hash in (
           select hash from one_time_tokens where expires_at <= $1 order by expires_at limit $2
           for update skip locked)",
        now,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
