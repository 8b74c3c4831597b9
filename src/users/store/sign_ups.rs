//! Accounts that are to be, and what their mailed links prove. Once an address is an account's, a trigger voids all of them
//! that are for it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::token::TokenHash;
use crate::db::Connection;
use crate::identity::Role;
use crate::mail::MailLanguage;
use crate::users::model::{Email, Username};

#[derive(Debug)]
pub struct NewSignUp<'a> {
    pub username: &'a Username,
    pub email: &'a Email,
    pub role: Role,
    pub display_name: Option<&'a str>,
    pub bio: Option<&'a str>,
    pub language: MailLanguage,
    pub expires_at: DateTime<Utc>,
}

/// Keeps what a new user has chosen until they show that they read the address: the sign-up's id.
pub async fn insert_sign_up(
    connection: &mut Connection,
    new: &NewSignUp<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into sign_ups (id, email, email_key, role, username, display_name, bio, language, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id,
        new.email.as_str(),
        new.email.key(),
        new.role.as_str(),
        new.username.as_str(),
        new.display_name,
        new.bio,
        new.language.as_str(),
        now,
        new.expires_at
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
    /// The username of who invites.
    pub inviter: Option<String>,
    pub language: MailLanguage,
    /// Whether the address was sent a token before, which may not have arrived.
    pub has_token: bool,
}

/// A sign-up or an invitation that is live, and that nobody uses or takes back until the transaction ends.
pub async fn lock_sign_up(
    connection: &mut Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PendingSignUp>> {
    sqlx::query_as!(
        PendingSignUp,
        r#"select s.email, s.role as "role: Role", u.username as "inviter?", s.language as "language: MailLanguage",
             exists (select from sign_up_tokens t where t.sign_up_id = s.id) as "has_token!"
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

/// Notes that the address of a sign-up or an invitation is sent a token, which it has until `expires_at`.
pub async fn insert_sign_up_token(
    connection: &mut Connection,
    sign_up_id: Uuid,
    hash: &TokenHash,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with sent as (update sign_ups set expires_at = $3 where id = $2)
         insert into sign_up_tokens (hash, sign_up_id) values ($1, $2)",
        hash,
        sign_up_id,
        expires_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A sign-up or an invitation whose address is shown to be read.
#[derive(Debug)]
pub struct ProvenSignUp {
    pub email: String,
    pub role: Role,
    /// Of an invitation.
    pub inviter_id: Option<Uuid>,
    /// Of a sign-up.
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub bio: Option<String>,
    pub language: MailLanguage,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    SignUp,
    Invitation,
}

/// The [`ProvenSignUp`] that a token proves, read `$from` the table, or from what `$locked` has of it. The arguments are the
/// token's hash, whether it is an invitation's, and the time.
macro_rules! proven {
    ($locked:tt, $from:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            ProvenSignUp,
            r#"with proven as (
                 select s.id, s.email_key from sign_up_tokens t join sign_ups s on s.id = t.sign_up_id
                 where t.hash = $1 and (s.inviter_id is not null) = $2 and s.expires_at > $3)"# + $locked + r#"
               select email, role as "role: Role", inviter_id, username, display_name, bio,
                 language as "language: MailLanguage"
               from "# + $from + " where id = (select id from proven)",
            $($argument),+
        )
    };
}

/// `None` unless a token proves a live sign-up or invitation.
pub async fn proven_sign_up(
    connection: &mut Connection,
    offer: Offer,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<ProvenSignUp>> {
    proven!("", "sign_ups", hash, offer == Offer::Invitation, now).fetch_optional(connection).await
}

/// The same, which nobody else uses until the transaction ends, nor any other of its address.
pub async fn lock_proven_sign_up(
    connection: &mut Connection,
    offer: Offer,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<ProvenSignUp>> {
    proven!(
        // All are locked in one order, so that of two who confirm one comes second.
        ", locked as (
             select * from sign_ups where email_key = (select email_key from proven) order by id for update)",
        "locked",
        hash,
        offer == Offer::Invitation,
        now
    )
    .fetch_optional(connection)
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
