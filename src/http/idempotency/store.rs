//! All SQL about idempotency keys.

pub mod export;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::db::Connection;

/// How long a response is stored.
pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

#[derive(Debug)]
pub struct StoredResponse {
    /// The hash of the request that got it.
    pub fingerprint: Vec<u8>,
    pub status: i16,
    /// Its headers, an object of texts.
    pub headers: Value,
    /// Whom it shows, beside the user whose it is: an erasure takes it too.
    pub people: Vec<Uuid>,
    pub body: Vec<u8>,
}

/// Who has a key.
#[derive(Debug)]
pub enum Taken {
    ByAnother,
    /// This transaction, with the response to the request with the key, if it is not too old.
    ByThis(Option<StoredResponse>),
}

/// Takes the key for this transaction.
pub async fn take(
    connection: &mut Connection,
    key_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<Taken> {
    let lock = key_hash.iter().take(8).fold(0, |lock, byte| lock << 8 | i64::from(*byte));
    let row = sqlx::query!(
        r#"select taken as "taken!", fingerprint, status, headers, people, body from idempotency_take($1, $2, $3)"#,
        lock,
        key_hash.as_slice(),
        now - LIFETIME
    )
    .fetch_one(connection)
    .await?;
    if !row.taken {
        return Ok(Taken::ByAnother);
    }
    let stored = || {
        Some(StoredResponse {
            fingerprint: row.fingerprint?,
            status: row.status?,
            headers: row.headers?,
            people: row.people?,
            body: row.body?,
        })
    };
    Ok(Taken::ByThis(stored()))
}

/// The response to the request with the key, if it is not too old.
pub async fn find(
    connection: &mut Connection,
    key_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<Option<StoredResponse>> {
    sqlx::query_as!(
        StoredResponse,
        r#"select fingerprint, status, headers, coalesce(people, '{}') as "people!", body from idempotency_keys
           where key_hash = $1 and created_at > $2"#,
        key_hash.as_slice(),
        now - LIFETIME
    )
    .fetch_optional(connection)
    .await
}

/// Makes the erasure of `people` wait until the transaction ends, which then finds the response; false if one of
/// them was erased already.
pub async fn lock_people(connection: &mut Connection, people: &[Uuid]) -> sqlx::Result<bool> {
    if people.is_empty() {
        return Ok(true);
    }
    let locked = sqlx::query!("select from users where id = any($1) order by id for key share", people)
        .fetch_all(connection)
        .await?;
    Ok(locked.len() == people.len())
}

/// Stores a response, in the place of one that is too old.
pub async fn insert(
    connection: &mut Connection,
    key_hash: &[u8; 32],
    user_id: Option<Uuid>,
    response: &StoredResponse,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into idempotency_keys (key_hash, fingerprint, user_id, status, headers, body, created_at, people)
         values ($1, $2, $3, $4, $5, $6, $7, nullif($8::uuid[], '{}'))
         on conflict (key_hash) do update set
           fingerprint = excluded.fingerprint, user_id = excluded.user_id, status = excluded.status,
           headers = excluded.headers, body = excluded.body, created_at = excluded.created_at,
           people = excluded.people",
        key_hash.as_slice(),
        response.fingerprint,
        user_id,
        response.status,
        response.headers,
        response.body,
        now,
        &response.people
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
        "delete from idempotency_keys where key_hash in (
           select key_hash from idempotency_keys where created_at <= $1
           order by created_at limit $2 for update skip locked)",
        now - LIFETIME,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
