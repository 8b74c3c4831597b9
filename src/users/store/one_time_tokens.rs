//! What links in mails prove.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::token::TokenHash;
use crate::db::Connection;
use crate::text_enum::text_enum;

// The words are stored.
text_enum! {
    /// What a token is for: it serves nothing else.
    pub enum Purpose {
        /// To choose a new password.
        PasswordReset = "password_reset",
    }
}

/// Notes that the address of a user was sent a token; false if the user is gone. With a lost answer the mail may be
/// sent again, so a user may have several.
pub async fn insert_token(
    connection: &mut Connection,
    user_id: Uuid,
    purpose: Purpose,
    hash: &TokenHash,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into one_time_tokens (hash, purpose, user_id, email_key, version, expires_at)
         select $1, $2, id, coalesce(email_key, lower(email)), version, $4 from users where id = $3",
        hash,
        purpose.as_str(),
        user_id,
        expires_at
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
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
           and u.version = t.version and coalesce(u.email_key, lower(u.email)) = t.email_key",
        hash,
        purpose.as_str(),
        now
    )
    .fetch_optional(connection)
    .await
}

/// Sets the password of the user whom the token proves, as [`bearer`] says, and uses up every token of theirs for
/// that; `None` if it proves nothing any more.
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
             and u.version = t.version and coalesce(u.email_key, lower(u.email)) = t.email_key
           for update of u, t),
         used as (
           delete from one_time_tokens
           where user_id = (select id from proven) and purpose = 'password_reset')
         update users set password_hash = $2, version = version + 1, updated_at = $3
         where id = (select id from proven)
         returning id",
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
