//! What is done to media without being asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::model::UNUSED_KEPT;
use super::storage::Storage;
use super::store;
use crate::clock::Clock;
use crate::db::{self, Connection, Db};
use crate::jobs::model::{Failure, Kind};
use crate::jobs::store::{self as jobs, NewJob};

/// How many rows one statement takes.
const BATCH: i64 = 100;
/// How many objects are deleted before the next are chosen: soon enough that nobody else takes them on meanwhile.
const OBJECTS: i64 = 10;

/// A picture with a new description.
#[derive(Debug, Deserialize, Serialize)]
pub struct Described {
    pub media_id: Uuid,
}

/// Has the posts that show a picture made anew with its present description; wants the transaction that changes it.
pub async fn describe_again(
    connection: &mut Connection,
    media_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let payload = json!(Described { media_id });
    let new = NewJob { kind: Kind::MediaDescription, payload, user_id: None, run_at: now };
    jobs::replace(connection, &format!("media {media_id}"), new, now).await
}

/// Deletes what nothing has referred to for long, what was announced and never came, and what is stored of both.
pub async fn sweep(db: &Db, storage: Option<&Storage>, clock: &Clock) -> Result<(), Failure> {
    let passing = |error: db::Error| Failure::Passing(error.into());
    forget_unused(db, clock.now()).await.map_err(passing)?;
    let Some(storage) = storage else { return Ok(()) };
    loop {
        let names = take(db, clock.now()).await.map_err(passing)?;
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            storage.delete(&name).await.map_err(|error| Failure::Passing(error.into()))?;
            forget(db, &name).await.map_err(passing)?;
        }
    }
}

async fn forget_unused(db: &Db, now: DateTime<Utc>) -> Result<(), db::Error> {
    while store::forget_files(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while store::delete_unused(&mut db.acquire().await?, now - UNUSED_KEPT, BATCH).await? > 0 {}
    Ok(())
}

async fn take(db: &Db, now: DateTime<Utc>) -> Result<Vec<String>, db::Error> {
    Ok(store::take_unused_objects(&mut db.acquire().await?, now, OBJECTS).await?)
}

async fn forget(db: &Db, name: &str) -> Result<(), db::Error> {
    Ok(store::forget_object(&mut db.acquire().await?, name).await?)
}
