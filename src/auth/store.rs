//! All SQL about sessions, and what sign-in needs of users.

pub mod export;

use crate::db::Connection;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Ban, LAST_USED_PRECISION, LIFETIME, Session};
use super::scope::Scope;
use super::token::TokenHash;
use super::{Caller, Credential, User};
use crate::identity::Role;
use crate::text;

/// The user behind a live token, and the ban on them if it has not ended. Notes now and then that the
/// session is in use.
pub async fn authenticate(
    connection: &mut Connection,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Caller>> {
    let session = sqlx::query!(
        r#"select s.id, s.user_id, s.last_used_at, u.role as "role: Role", u.banned_until, u.ban_reason
           from sessions s join users u on u.id = s.user_id
           where s.token_hash = $1 and s.expires_at > $2"#,
        hash,
        now
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(session) = session else { return Ok(None) };
    if session.last_used_at < now - LAST_USED_PRECISION {
        sqlx::query!("update sessions set last_used_at = $2 where id = $1", session.id, now)
            .execute(connection)
            .await?;
    }
    Ok(Some(Caller {
        user: User { id: session.user_id, role: session.role, credential: Credential::Session(session.id) },
        ban: ban(session.banned_until, session.ban_reason, now),
    }))
}

/// The same of a live API token.
pub async fn authenticate_machine(
    connection: &mut Connection,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Caller>> {
    let token = sqlx::query!(
        r#"select t.id, t.user_id, t.scopes, t.last_used_at, u.role as "role: Role", u.banned_until, u.ban_reason
           from api_tokens t join users u on u.id = t.user_id
           where t.token_hash = $1 and t.expires_at > $2"#,
        hash,
        now
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(token) = token else { return Ok(None) };
    if token.last_used_at.is_none_or(|used| used < now - LAST_USED_PRECISION) {
        sqlx::query!("update api_tokens set last_used_at = $2 where id = $1", token.id, now)
            .execute(connection)
            .await?;
    }
    let credential = Credential::Token { id: token.id, scopes: Scope::set_of(&token.scopes) };
    Ok(Some(Caller {
        user: User { id: token.user_id, role: token.role, credential },
        ban: ban(token.banned_until, token.ban_reason, now),
    }))
}

fn ban(until: Option<DateTime<Utc>>, reason: Option<String>, now: DateTime<Utc>) -> Option<Ban> {
    let (until, reason) = until.filter(|until| *until > now).zip(reason)?;
    Some(Ban { until, reason })
}

/// The role of a user and the ban on them, which nobody changes until the transaction ends.
pub async fn lock_rights(
    connection: &mut Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<(Role, Option<Ban>)>> {
    let rights = sqlx::query!(
        r#"select role as "role: Role", banned_until, ban_reason from users where id = $1 for key share"#,
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(rights.map(|user| (user.role, ban(user.banned_until, user.ban_reason, now))))
}

/// Whether a token is still there; if so, nobody revokes it until the transaction ends.
pub async fn lock_credential(connection: &mut Connection, credential: Credential) -> sqlx::Result<bool> {
    let locked = match credential {
        Credential::Session(id) => {
            sqlx::query!("select from sessions where id = $1 for key share", id).execute(connection).await?
        }
        Credential::Token { id, .. } => {
            sqlx::query!("select from api_tokens where id = $1 for key share", id).execute(connection).await?
        }
    };
    Ok(locked.rows_affected() > 0)
}

#[derive(Debug)]
pub struct Credentials {
    pub user_id: Uuid,
    /// Its password's PHC string.
    pub password_hash: String,
}

/// The credentials of the account with `email`, whatever its case.
pub async fn credentials_by_email(
    connection: &mut Connection,
    email: &str,
) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as!(
        Credentials,
        // An account that was made by an earlier version has the database's lower case.
        "select id as user_id, password_hash from users
         where coalesce(email_key, lower(email)) = any(array[$2, lower($1)])
         order by email = $1 desc limit 1",
        email,
        text::fold(email)
    )
    .fetch_optional(connection)
    .await
}

#[derive(Debug)]
pub struct NewSession<'a> {
    pub credentials: &'a Credentials,
    pub token_hash: &'a TokenHash,
    /// At most 400 characters.
    pub user_agent: Option<&'a str>,
    pub ip_address: Option<String>,
}

/// Makes a session, unless the password has changed since it was verified: then `None`. The row lock makes
/// a change of password wait, and then revoke this session too. Forgets the user's expired sessions.
pub async fn insert(
    connection: &mut Connection,
    new: NewSession<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Session>> {
    sqlx::query_as!(
        Session,
        r#"with expired as (delete from sessions where user_id = $2 and expires_at <= $7)
           insert into sessions (id, user_id, token_hash, user_agent, ip_address, created_at, last_used_at, expires_at)
           select $1, id, $4, $5, $6, $7, $7, $8 from users where id = $2 and password_hash = $3 for share
           returning id, user_id, user_agent, ip_address, created_at, last_used_at, expires_at, true as "current!""#,
        Uuid::now_v7(),
        new.credentials.user_id,
        new.credentials.password_hash,
        new.token_hash,
        new.user_agent,
        new.ip_address,
        now,
        now + LIFETIME,
    )
    .fetch_optional(connection)
    .await
}

/// The live sessions of `user`, newest first, after the one with id `after`.
pub async fn list(
    connection: &mut Connection,
    user: &User,
    after: Option<Uuid>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Session>> {
    sqlx::query_as!(
        Session,
        r#"select id, user_id, user_agent, ip_address, created_at, last_used_at, expires_at, coalesce(id = $2, false) as "current!"
           from sessions
           where user_id = $1 and expires_at > $3 and id < $4
           order by id desc limit $5"#,
        user.id,
        user.session_id(),
        now,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Revokes one session of `user_id`; false if it is not theirs or not there.
pub async fn delete(connection: &mut Connection, user_id: Uuid, id: Uuid) -> sqlx::Result<bool> {
    let deleted = sqlx::query!("delete from sessions where id = $1 and user_id = $2", id, user_id)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Revokes every token of the user, also those of machines, but for that of the session `keep`.
pub async fn delete_others(
    connection: &mut Connection,
    user_id: Uuid,
    keep: Option<Uuid>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with machines as (delete from api_tokens where user_id = $1)
         delete from sessions where user_id = $1 and ($2::uuid is null or id <> $2)",
        user_id,
        keep
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn delete_expired(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from sessions where id in (
           select id from sessions where expires_at <= $1 order by expires_at limit $2 for update skip locked)",
        now,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
