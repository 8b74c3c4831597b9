//! Accounts that are to be, and what their mailed links prove.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::token::TokenHash;
use crate::db::Connection;
use crate::identity::Role;
use crate::mail::MailLanguage;
use crate::users::model::{Email, Username};
use crate::users::store::NewUser;

/// Keeps what a new user has chosen until they show that they read the address: the sign-up's id.
pub async fn insert_sign_up(
    connection: &mut Connection,
    new: &NewUser<'_>,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into sign_ups (id, email, email_key, role, username, password_hash, display_name, bio, language,
           created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id,
        new.email.as_str(),
        new.email.key(),
        new.role.as_str(),
        new.username.as_str(),
        new.password_hash,
        new.display_name,
        new.bio,
        new.language.as_str(),
        now,
        expires_at
    )
    .execute(connection)
    .await?;
    Ok(id)
}

/// What a mail to the address of a sign-up or an invitation needs.
#[derive(Debug)]
pub struct PendingSignUp {
    pub email: String,
    pub role: Role,
    /// Nobody's yet, of an invitation.
    pub username: Option<String>,
    /// The username of who invites.
    pub inviter: Option<String>,
    pub language: MailLanguage,
}

/// A sign-up or an invitation that is live, and that nobody uses or takes back until the transaction ends.
pub async fn lock_sign_up(
    connection: &mut Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PendingSignUp>> {
    sqlx::query_as!(
        PendingSignUp,
        r#"select s.email, s.role as "role: Role", s.username, u.username as "inviter?",
             s.language as "language: MailLanguage"
           from sign_ups s left join users u on u.id = s.inviter_id
           where s.id = $1 and s.expires_at > $2 for update of s"#,
        id,
        now
    )
    .fetch_optional(connection)
    .await
}

pub async fn delete_sign_up(connection: &mut Connection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from sign_ups where id = $1", id).execute(connection).await?;
    Ok(())
}

/// Notes that the address of a sign-up or an invitation was sent a token.
pub async fn insert_sign_up_token(
    connection: &mut Connection,
    sign_up_id: Uuid,
    hash: &TokenHash,
) -> sqlx::Result<()> {
    sqlx::query!("insert into sign_up_tokens (hash, sign_up_id) values ($1, $2)", hash, sign_up_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// A sign-up whose address is shown to be read.
#[derive(Debug)]
pub struct ConfirmedSignUp {
    pub email: String,
    pub role: Role,
    pub username: String,
    pub password_hash: String,
    pub display_name: Option<String>,
    pub bio: Option<String>,
    pub language: MailLanguage,
}

impl ConfirmedSignUp {
    /// Another username, if the chosen one is somebody else's by now.
    #[must_use]
    pub fn username(&self, other: Option<Username>) -> Username {
        other.unwrap_or_else(|| Username::from(self.username.clone()))
    }

    #[must_use]
    pub fn email(&self) -> Email {
        Email::from(self.email.clone())
    }
}

/// Uses up the sign-up that a token proves, and every other sign-up and invitation of its address: it has an account
/// then. `None` if the token proves nothing any more.
pub async fn take_sign_up(
    connection: &mut Connection,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<ConfirmedSignUp>> {
    sqlx::query_as!(
        ConfirmedSignUp,
        // All are locked in one order, so that of two who confirm one comes second.
        r#"with proven as (
             select s.id, s.email_key from sign_up_tokens t join sign_ups s on s.id = t.sign_up_id
             where t.hash = $1 and s.inviter_id is null and s.expires_at > $2),
           locked as (
             select id from sign_ups where email_key = (select email_key from proven) order by id for update),
           used as (
             delete from sign_ups where id in (select id from locked) returning *)
           select email, role as "role: Role", username as "username!", password_hash as "password_hash!",
             display_name, bio, language as "language: MailLanguage"
           from used where id = (select id from proven)"#,
        hash,
        now
    )
    .fetch_optional(connection)
    .await
}

/// Whether another user has that name, whatever the case. Whether it is so when the name becomes somebody's is for its
/// unique index.
pub async fn is_username_taken(connection: &mut Connection, username: &Username) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists(select from users where lower(username collate "C") = lower($1)) as "exists!""#,
        username.as_str()
    )
    .fetch_one(connection)
    .await
}

/// Deletes sign-ups and invitations that were not used in time.
pub async fn delete_expired_sign_ups(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from sign_ups where id in (
           select id from sign_ups where expires_at <= $1 order by expires_at limit $2 for update skip locked)",
        now,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
