//! `Idempotency-Key`: a write that is sent again because its response was lost is not done again. The response
//! is stored in the transaction of the write, so there is never one without the other, and is replayed for 24
//! hours. Errors are not stored: nothing was written, so the request may simply be repeated.

pub mod store;

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRef, FromRequest, FromRequestParts, OriginalUri, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::time::sleep;
use uuid::Uuid;

use self::store::StoredResponse;
use super::extract;
use super::now::Now;
use super::validation::Validate;
use crate::cache::{Invalidates, Scope};
use crate::clock::Clock;
use crate::db::{Connection, Db, Transaction};
use crate::error::{ApiError, FieldError};

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const STORED: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

const MAX_LENGTH: usize = 255;

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

#[derive(Debug)]
struct Key {
    key: String,
    /// The hash of the key and all of the request. With the key in it, nobody can try passwords on a stored
    /// hash of a sign-up without the key, of which only a hash is stored as well.
    fingerprint: [u8; 32],
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotency
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let key = Key::read(&parts.headers)?.map(|key| Key::of(key, parts, &[]));
        Ok(Self { key, db: Db::from_ref(state), now: Now::of(parts, state) })
    }
}

impl<T: DeserializeOwned + Validate + Send + 'static, S: Send + Sync> FromRequest<S> for Idempotent<T>
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let key = Key::read(request.headers())?;
        let (mut parts, body) = request.into_parts();
        let bytes = extract::read_json(&parts, body).await?;
        let key = key.map(|key| Key::of(key, &parts, &bytes));
        let idempotency = Idempotency { key, db: Db::from_ref(state), now: Now::of(&mut parts, state) };
        Ok(Self(idempotency, extract::parse_json(bytes).await?))
    }
}

impl Key {
    /// Up to 255 visible characters: in quotes, as the draft of the standard has it, or without, as is usual.
    fn read(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().unwrap_or_default();
        let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        if is_visible && !key.is_empty() && text.len() <= MAX_LENGTH && values.next().is_none() {
            Ok(Some(key.to_owned()))
        } else {
            let detail = "must be one value of up to 255 visible ASCII characters, such as a UUID";
            Err(ApiError::Malformed(FieldError::new("Idempotency-Key", "malformed", detail)))
        }
    }

    fn of(key: String, parts: &Parts, body: &[u8]) -> Self {
        let target = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let fingerprint = hash(&[key.as_bytes(), target.to_string().as_bytes(), body]);
        Self { key, fingerprint }
    }
}

impl Idempotency {
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
            Some(Key { key, fingerprint }) => {
                let owner = user.map_or_else(|| "anonymous".to_owned(), |id| id.to_string());
                let key_hash = hash(&[owner.as_bytes(), key.as_bytes()]);
                lock(&mut transaction, &key_hash).await?;
                if let Some(stored) = store::find(&mut transaction, &key_hash, now).await? {
                    // Before it is sent, so that the key is free when the client knows.
                    transaction.commit().await?;
                    return replay(stored, fingerprint);
                }
                Some(Entry { key_hash, fingerprint, user, now })
            }
        };
        let mut begun = Write { transaction, entry };
        let response = write(&mut begun).await?.into_response();
        begun.finish(response).await
    }
}

/// Takes the key. It tries a few times: a refused request frees its key a moment after its response.
async fn lock(transaction: &mut Transaction, key_hash: &[u8; 32]) -> Result<(), ApiError> {
    for attempt in 0..LOCK_ATTEMPTS {
        if attempt > 0 {
            sleep(LOCK_INTERVAL).await;
        }
        if store::lock(transaction, key_hash).await? {
            return Ok(());
        }
    }
    let detail = "is that of a request which is being served: try again shortly";
    Err(ApiError::conflict("Idempotency-Key", "in_use", detail))
}

/// Each part after its length, so that different lists never give the same input.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A transaction whose response is stored with what it writes. Run queries on it as on a connection.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction,
    entry: Option<Entry>,
}

#[derive(Debug)]
struct Entry {
    key_hash: [u8; 32],
    fingerprint: [u8; 32],
    user: Option<Uuid>,
    now: DateTime<Utc>,
}

impl Write {
    /// Stores the response as that of `user`, whom this write makes: it goes when they do.
    pub fn belongs_to(&mut self, user: Uuid) {
        if let Some(entry) = &mut self.entry {
            entry.user = Some(user);
        }
    }

    async fn finish(self, response: Response) -> Result<Response, ApiError> {
        let Self { mut transaction, entry } = self;
        let Some(Entry { key_hash, fingerprint, user, now }) = entry else {
            transaction.commit().await?;
            return Ok(response);
        };
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|error| ApiError::Internal(error.into()))?;
        let stored = StoredResponse {
            fingerprint: fingerprint.to_vec(),
            status: i16::try_from(parts.status.as_u16()).map_err(|error| ApiError::Internal(error.into()))?,
            headers: stored_headers(&parts.headers),
            people: people(&body, user),
            body: body.to_vec(),
        };
        if !store::lock_people(&mut transaction, &stored.people).await? {
            // One of them was erased since the response was made: it is to be made again.
            return Err(ApiError::Contended("somebody whom the response shows was erased".into()));
        }
        store::insert(&mut transaction, &key_hash, user, &stored, now).await?;
        transaction.commit().await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

impl Deref for Write {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}

/// Whom a JSON document shows beside `owner`: every object with an id and a username is somebody.
fn people(body: &[u8], owner: Option<Uuid>) -> Vec<Uuid> {
    let mut people = BTreeSet::new();
    let mut rest = vec![serde_json::from_slice(body).unwrap_or_default()];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(object) => {
                let id = object.get("id").filter(|_| object.contains_key("username"));
                people.extend(id.and_then(Value::as_str).and_then(|id| id.parse::<Uuid>().ok()));
                rest.extend(object.into_iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    people.into_iter().filter(|id| Some(*id) != owner).collect()
}

fn stored_headers(headers: &HeaderMap) -> Value {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let stored = STORED.iter().filter_map(|name| Some((name.to_string(), text(name)?.into())));
    Value::Object(stored.collect::<Map<_, _>>())
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
