//! `Idempotency-Key`: a write that is sent again because its response was lost is not done again. The response
//! is stored in the transaction of the write, so there is never one without the other, and is replayed for 24
//! hours. Errors are not stored: nothing was written, so the request may simply be repeated.
//!
//! The extractors replay it themselves, before they read the body: what the handler checks may depend on the
//! time or on what has been written since. So they stand after those that say who may ask.

mod key;
pub mod store;
mod write;

pub use key::IDEMPOTENCY_KEY;
pub use write::Write;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use uuid::Uuid;

use self::key::Key;
use self::store::{StoredResponse, Taken};
use self::write::{Entry, On, STORED};
use super::context::RequestContext;
use super::extract;
use super::now::Now;
use super::validation::Validate;
use crate::cache::{Invalidates, Scope};
use crate::clock::Clock;
use crate::db::{Db, Transaction};
use crate::error::ApiError;

pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const LOCK_ATTEMPTS: usize = 5;
const LOCK_INTERVAL: Duration = Duration::from_millis(10);

/// What a write begins with: the key of its request, if it has one.
#[derive(Debug)]
pub struct Idempotency {
    key: Option<Key>,
    db: Db,
    now: DateTime<Utc>,
}

/// The same of a request with a JSON body, and the body.
#[derive(Debug)]
pub struct Idempotent<T>(pub Idempotency, pub T);

/// Why a handler does not run.
#[derive(Debug)]
pub enum Refusal {
    /// It did before: its response.
    Replayed(Box<Response>),
    Error(ApiError),
}

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Replayed(response) => *response,
            Self::Error(error) => error.into_response(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotency
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        Self::of_body(parts, &[], state).await
    }
}

impl<T: DeserializeOwned + Validate + Send + 'static, S: Send + Sync> FromRequest<S> for Idempotent<T>
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        Key::read(request.headers())?;
        let (mut parts, body) = request.into_parts();
        let bytes = extract::read_json(&parts, body).await?;
        let idempotency = Idempotency::of_body(&mut parts, &bytes, state).await?;
        Ok(Self(idempotency, extract::parse_json(bytes).await?))
    }
}

impl Idempotency {
    /// That of a request with this body, or with a body that this stands for.
    pub async fn of_body<S>(parts: &mut Parts, body: &[u8], state: &S) -> Result<Self, Refusal>
    where
        S: Send + Sync,
        Db: FromRef<S>,
        Clock: FromRef<S>,
    {
        let key = Key::read(&parts.headers)?.map(|key| Key::of(key, parts, body));
        Self { key, db: Db::from_ref(state), now: Now::of(parts, state) }.unless_done(parts).await
    }

    /// This, unless there is a response to the same request. That the key was used for another is found by
    /// [`run`](Self::run): by then the handler has counted who tries.
    async fn unless_done(self, parts: &Parts) -> Result<Self, Refusal> {
        let Some(key) = &self.key else { return Ok(self) };
        let user = parts.extensions.get().and_then(|context: &RequestContext| context.user_id.get());
        let mut connection = self.db.acquire().await?;
        let stored = store::find(&mut connection, &key.hash(user.copied()), self.now).await?;
        match stored.filter(|stored| stored.fingerprint == key.fingerprint) {
            Some(stored) => Err(Refusal::Replayed(Box::new(replay(stored, key.fingerprint)?))),
            None => Ok(self),
        }
    }

    /// Runs `write` for `user` (`None` is anybody) in a transaction and commits it with its response, or replays
    /// the stored response. Also fails with 409 while the same write is in progress, and with 422 when the key
    /// was used for another.
    pub async fn run<R: IntoResponse>(
        self,
        user: Option<Uuid>,
        write: impl AsyncFnOnce(&mut Write) -> Result<R, ApiError>,
    ) -> Result<Response, ApiError> {
        let Self { key, db, now } = self;
        let mut transaction = db.begin().await?;
        let entry = match key {
            None => None,
            Some(key) => {
                let (key_hash, fingerprint) = (key.hash(user), key.fingerprint);
                if let Some(stored) = take(&mut transaction, &key_hash, now).await? {
                    // Before it is sent, so that the key is free when the client knows.
                    transaction.commit().await?;
                    return replay(stored, fingerprint);
                }
                Some(Entry { key_hash, fingerprint, user, now, invitations: Vec::new() })
            }
        };
        Write::new(On::Transaction(transaction), entry).run(write).await
    }

    /// The same of a `write` that changes anything in one statement alone, which needs no transaction unless there
    /// is a response to be stored.
    pub async fn run_statement<R: IntoResponse>(
        self,
        user: Option<Uuid>,
        write: impl AsyncFnOnce(&mut Write) -> Result<R, ApiError>,
    ) -> Result<Response, ApiError> {
        if self.key.is_some() {
            return self.run(user, write).await;
        }
        Write::new(On::Connection(self.db.acquire().await?), None).run(write).await
    }
}

/// Takes the key, and gives the response to the request with it. It tries a few times: a refused request frees its
/// key a moment after its response.
async fn take(
    transaction: &mut Transaction,
    key_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<StoredResponse>, ApiError> {
    for attempt in 0..LOCK_ATTEMPTS {
        if attempt > 0 {
            sleep(LOCK_INTERVAL).await;
        }
        if let Taken::ByThis(stored) = store::take(transaction, key_hash, now).await? {
            return Ok(stored);
        }
    }
    let detail = "is that of a request which is being served: try again shortly";
    Err(ApiError::conflict("Idempotency-Key", "in_use", detail))
}

fn replay(stored: StoredResponse, fingerprint: [u8; 32]) -> Result<Response, ApiError> {
    if stored.fingerprint != fingerprint {
        let detail = "was used for another request: take a new one";
        return Err(ApiError::invalid("Idempotency-Key", "reused", detail));
    }
    let mut response = Response::new(Body::from(stored.body));
    *response.status_mut() = u16::try_from(stored.status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| ApiError::Internal("a stored response has no status".into()))?;
    for name in STORED {
        if let Some(value) = stored.headers[name.as_str()].as_str().and_then(|text| text.parse().ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response.extensions_mut().insert(Invalidates(Scope::Nothing));
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
