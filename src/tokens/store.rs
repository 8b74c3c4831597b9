//! All SQL about API tokens, but for what signing in with one needs.

pub mod export;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{ApiToken, EXPIRED_KEPT, MAX_TOKENS};
use crate::auth::token::TokenHash;
use crate::db::{Connection, Transaction};
use crate::identity::UserRef;

#[derive(Debug)]
pub struct NewToken<'a> {
    pub user_id: Uuid,
    /// That asks for it.
    pub session_id: Uuid,
    pub name: &'a str,
    pub token_hash: &'a TokenHash,
    pub scopes: &'a [String],
    pub expires_at: DateTime<Utc>,
}

struct Row {
    id: Uuid,
    user_id: Uuid,
    username: String,
    display_name: Option<String>,
    name: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
}

impl From<Row> for ApiToken {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user: UserRef::new(Some(row.user_id), Some(row.username), row.display_name),
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        }
    }
}

macro_rules! select {
    ($tail:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            "select t.id, t.user_id, u.username, u.display_name, t.name, t.scopes, t.created_at, t.last_used_at,
               t.expires_at
             from api_tokens t join users u on u.id = t.user_id " + $tail,
            $($argument),+
        )
    };
}

/// What became of a new token.
#[derive(Debug)]
pub enum Inserted {
    Token(ApiToken),
    /// The session was revoked meanwhile.
    SignedOut,
    TooMany,
}

/// Makes a token. Of one user, one is made at a time, and none while their tokens are revoked.
pub async fn insert(
    transaction: &mut Transaction,
    new: &NewToken<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Inserted> {
    let user = sqlx::query!("select from users where id = $1 for no key update", new.user_id)
        .fetch_optional(&mut **transaction)
        .await?;
    if user.is_none() {
        return Ok(Inserted::SignedOut);
    }
    let found = sqlx::query!(
        r#"with token as (
             insert into api_tokens (id, user_id, name, token_hash, scopes, created_at, expires_at)
             select $1, $2, $3, $4, $5, $6, $7
             where exists (select from sessions where id = $8)
               and (select count(*) from api_tokens where user_id = $2) < $9
             returning id)
           select (select id from token) as id, exists (select from sessions where id = $8) as "is_signed_in!""#,
        Uuid::now_v7(),
        new.user_id,
        new.name,
        new.token_hash,
        new.scopes,
        now,
        new.expires_at,
        new.session_id,
        MAX_TOKENS
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(match (found.id, found.is_signed_in) {
        (Some(id), _) => {
            Inserted::Token(select!("where t.id = $1", id).fetch_one(&mut **transaction).await?.into())
        }
        (None, true) => Inserted::TooMany,
        (None, false) => Inserted::SignedOut,
    })
}

/// The tokens of `user_id`, newest first, after the one with id `after`.
pub async fn list_of(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ApiToken>> {
    let found = select!(
        "where t.user_id = $1 and t.id < $2 order by t.id desc limit $3",
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    );
    Ok(found.fetch_all(connection).await?.into_iter().map(Into::into).collect())
}

/// The same of everybody.
pub async fn list(
    connection: &mut Connection,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ApiToken>> {
    let found = select!("where t.id < $1 order by t.id desc limit $2", after.unwrap_or(Uuid::max()), rows);
    Ok(found.fetch_all(connection).await?.into_iter().map(Into::into).collect())
}

/// Revokes a token of `user_id`, or anybody's, and says whose it was; `None` if there is no such token.
pub async fn delete(
    connection: &mut Connection,
    id: Uuid,
    user_id: Option<Uuid>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "delete from api_tokens where id = $1 and ($2::uuid is null or user_id = $2) returning user_id",
        id,
        user_id
    )
    .fetch_optional(connection)
    .await
}

/// Forgets tokens that expired long ago.
pub async fn delete_expired(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from api_tokens where id in (
           select id from api_tokens where expires_at <= $1 order by expires_at limit $2 for update skip locked)",
        now - EXPIRED_KEPT,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
