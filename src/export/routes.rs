//! `GET /v1/users/me/export`: everything that is kept about the caller, written as it is read, so that its
//! size does not matter.

use std::error::Error;
use std::mem::take;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::stream::try_unfold;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use crate::audit::store::export as audit;
use crate::auth::SignedIn;
use crate::auth::scope::SESSION;
use crate::auth::store::export as sessions;
use crate::comments::store::export as comments;
use crate::db::{Connection, Db, Transaction};
use crate::error::ApiError;
use crate::export::model::Export;
use crate::http::concurrency::Streamed;
use crate::http::context::ClientNetwork;
use crate::http::idempotency::store::export as idempotency;
use crate::http::now::Now;
use crate::http::shares::{Share, Shares};
use crate::jobs::store::export as jobs;
use crate::media::storage::MaybeStorage;
use crate::media::store::export as media;
use crate::moderation::store::export as moderation;
use crate::notifications::store::export as notifications;
use crate::posts::store::export::{self as posts, ExportedPost};
use crate::tokens::store::export as tokens;
use crate::users::store::export::{self as users, ExportedAccount};
use crate::webhooks::store::export as webhooks;

/// How long a client may take over its export, since a connection to the database waits for it meanwhile.
const TIMEOUT: Duration = Duration::from_mins(5);
/// How far a client may be behind a pace of [`PACE`], since others wait for its slot.
const GRACE: Duration = Duration::from_secs(30);
/// How much a client must take in a second beyond that, in bytes.
const PACE: u64 = 64 * 1024;
/// How many exports are written at once: the other connections are for everything else.
const SLOTS: usize = 2;

/// How many exports of one account, and of one address with several.
const SLOTS_OF_CLIENT: usize = 1;

/// How many rows are in memory at once of what may be 1 MB each.
const HEAVY: i64 = 4;
/// How many rows are in memory at once of everything else.
const LIGHT: i64 = 200;

/// The exports that this task may still begin.
#[derive(Clone)]
pub struct ExportSlots {
    all: Arc<Semaphore>,
    accounts: Shares<Uuid>,
    addresses: Shares,
}

type Slot = (Share<Uuid>, Share, OwnedSemaphorePermit);

impl Default for ExportSlots {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(SLOTS)),
            accounts: Shares::new(SLOTS_OF_CLIENT),
            addresses: Shares::new(SLOTS_OF_CLIENT),
        }
    }
}

impl ExportSlots {
    fn take(&self, user: Uuid, address: IpAddr) -> Result<Slot, ApiError> {
        let too_many = || ApiError::RateLimited { policy: "concurrency", retry_after: 1 };
        let account = self.accounts.take(user, 1).ok_or_else(too_many)?;
        let address = self.addresses.take(address, 1).ok_or_else(too_many)?;
        let slot = self.all.clone().try_acquire_owned().map_err(|_taken| ApiError::Overloaded)?;
        Ok((account, address, slot))
    }
}

type Cause = Box<dyn Error + Send + Sync>;

/// The caller's data
///
/// Everything that is kept about the caller, as of one moment, as a file of JSON. It has no password hash and
/// no token. An account has one at a time, and so has an address. It is sent while it is read: if something fails, the connection
/// breaks before the document is whole.
#[utoipa::path(get, path = "/v1/users/me/export", tag = "users", security(("token" = [])), responses(
    (status = 200, description = "The whole document", body = Export, headers(
        ("Content-Disposition" = String, description = "A name for the file"))),
))]
pub async fn export(
    SignedIn(user): SignedIn<SESSION>,
    ClientNetwork(address): ClientNetwork,
    State(db): State<Db>,
    Now(now): Now,
    State(slots): State<ExportSlots>,
    State(storage): State<MaybeStorage>,
) -> Result<Response, ApiError> {
    let slot = slots.take(user.id, address)?;
    let mut snapshot = db.begin_snapshot().await?;
    let account = users::account(&mut snapshot, user.id).await?.ok_or(ApiError::NotFound)?;
    let disposition = format!("attachment; filename=\"{}-{}.json\"", account.username, now.date_naive());

    let (chunks, receiver) = mpsc::channel(1);
    let writing = async move {
        let _slot = slot;
        let writer = Writer {
            snapshot,
            storage,
            user_id: user.id,
            chunks: chunks.clone(),
            started: Instant::now(),
            taken: 0,
        };
        let written = timeout(TIMEOUT, writer.write(now, account)).await.map_err(Cause::from).flatten();
        if let Err(cause) = &written
            && !chunks.is_closed()
        {
            tracing::warn!(%cause, "export broken off");
        }
        written
    };
    let writing = tokio::spawn(writing.in_current_span());
    // The end of the chunks is the end of the document only if the writer says so.
    let body = try_unfold((receiver, writing), async |(mut receiver, writing)| match receiver.recv().await {
        Some(chunk) => Ok::<_, Cause>(Some((chunk, (receiver, writing)))),
        None => writing.await?.map(|()| None),
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_DISPOSITION, &disposition)];
    Ok((headers, Extension(Streamed), Body::from_stream(body)).into_response())
}

struct Writer {
    snapshot: Transaction,
    storage: MaybeStorage,
    user_id: Uuid,
    chunks: mpsc::Sender<Bytes>,
    started: Instant,
    /// How many bytes were handed over.
    taken: u64,
}

impl Writer {
    async fn write(mut self, now: DateTime<Utc>, account: ExportedAccount) -> Result<(), Cause> {
        let (now, account) = (serde_json::to_string(&now)?, serde_json::to_string(&account)?);
        self.send(format!("{{\"exported_at\":{now},\n\"account\":{account}").into()).await?;
        self.list("sessions", LIGHT, sessions::sessions, |row| row.id).await?;
        self.list("api_tokens", LIGHT, tokens::api_tokens, |row| row.id).await?;
        let by_time = |row: &ExportedPost| (row.published_at.unwrap_or(row.created_at), row.id);
        self.list("posts", HEAVY, posts::posts, by_time).await?;
        self.list("revisions", HEAVY, posts::revisions, |row| (row.post_id, row.number)).await?;
        self.list("comments", LIGHT, comments::comments, |row| row.id).await?;
        self.list("likes", LIGHT, posts::likes, |row| row.post_id).await?;
        self.list("following", LIGHT, users::following, |row| row.user_id).await?;
        self.list("followers", LIGHT, users::followers, |row| row.user_id).await?;
        self.list("muted_posts", LIGHT, posts::muted_posts, |row| row.post_id).await?;
        self.list("notifications", LIGHT, notifications::notifications, |row| row.id).await?;
        self.list("notification_settings", LIGHT, notifications::notification_settings, |row| row.user_id)
            .await?;
        self.list("one_time_tokens", LIGHT, users::one_time_tokens, |row| row.hash.clone()).await?;
        self.list("invitations", LIGHT, users::invitations, |row| row.id).await?;
        let storage = self.storage.0.clone();
        let url = |object: &str| storage.as_ref().map(|storage| storage.url(object));
        self.list_shown("media", LIGHT, media::media, |row| row.id, |row| row.shown(url)).await?;
        self.list("media_uploads", LIGHT, media::media_uploads, |row| row.id).await?;
        self.list("jobs", LIGHT, jobs::jobs, |row| row.id).await?;
        self.list("reports", LIGHT, moderation::reports, |row| row.id).await?;
        self.list("decided_reports", LIGHT, moderation::decided_reports, |row| row.id).await?;
        self.list("idempotency_keys", LIGHT, idempotency::idempotency_keys, |row| row.key_hash.clone())
            .await?;
        self.list("webhooks", LIGHT, webhooks::webhooks, |row| row.id).await?;
        self.list("actions", LIGHT, audit::actions, |row| row.id).await?;
        self.list("actions_on_account", LIGHT, audit::actions_on_account, |row| row.id).await?;
        self.send("}\n".into()).await
    }

    /// Writes a field with all of its rows, `size` at a time, each batch after the `key` of the last row.
    async fn list<T: Serialize, K>(
        &mut self,
        name: &str,
        size: i64,
        batch: impl AsyncFn(&mut Connection, Uuid, Option<K>, i64) -> sqlx::Result<Vec<T>>,
        key: impl Fn(&T) -> K,
    ) -> Result<(), Cause> {
        self.list_shown(name, size, batch, key, |row| row).await
    }

    /// The same of rows that become something else.
    async fn list_shown<T, S: Serialize, K>(
        &mut self,
        name: &str,
        size: i64,
        batch: impl AsyncFn(&mut Connection, Uuid, Option<K>, i64) -> sqlx::Result<Vec<T>>,
        key: impl Fn(&T) -> K,
        show: impl Fn(T) -> S,
    ) -> Result<(), Cause> {
        let mut chunk = format!(",\n\"{name}\":[").into_bytes();
        let mut separator: &[u8] = b"\n";
        let mut after = None;
        loop {
            let rows = batch(&mut self.snapshot, self.user_id, after, size).await?;
            after = rows.last().map(&key);
            for row in rows {
                chunk.extend_from_slice(separator);
                serde_json::to_writer(&mut chunk, &show(row))?;
                separator = b",\n";
            }
            if after.is_none() {
                chunk.push(b']');
                return self.send(chunk).await;
            }
            self.send(take(&mut chunk)).await?;
        }
    }

    /// Waits for the client, as long as its pace allows.
    async fn send(&mut self, chunk: Vec<u8>) -> Result<(), Cause> {
        let size = chunk.len() as u64;
        let deadline = self.started + GRACE + Duration::from_millis(self.taken * 1000 / PACE);
        timeout_at(deadline, self.chunks.send(chunk.into())).await??;
        self.taken += size;
        Ok(())
    }
}
