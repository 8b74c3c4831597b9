//! The transaction of a write and of its response.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::store::{self, StoredResponse};
use crate::db::{Connection, Transaction};
use crate::error::ApiError;

/// The headers of a response that are stored.
pub(super) const STORED: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// A write whose response is stored with what it writes. Run queries on it as on a connection.
#[derive(Debug)]
pub struct Write {
    on: On,
    entry: Option<Entry>,
}

#[derive(Debug)]
pub(super) enum On {
    Transaction(Transaction),
    /// For a single statement.
    Connection(Connection),
}

impl On {
    async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Transaction(transaction) => transaction.commit().await,
            Self::Connection(_) => Ok(()),
        }
    }
}

/// Where a response is stored.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key_hash: [u8; 32],
    pub(super) fingerprint: [u8; 32],
    pub(super) user: Option<Uuid>,
    pub(super) now: DateTime<Utc>,
    /// Invitations that the response shows.
    pub(super) invitations: Vec<Uuid>,
}

impl Write {
    pub(super) fn new(on: On, entry: Option<Entry>) -> Self {
        Self { on, entry }
    }

    /// Stores the response as that of `user`, whom this write makes: it goes when they do.
    pub fn belongs_to(&mut self, user: Uuid) {
        if let Some(entry) = &mut self.entry {
            entry.user = Some(user);
        }
    }

    /// Stores the response as one that shows an invitation: once that is an account, it goes when its user does.
    pub fn shows_invitation(&mut self, id: Uuid) {
        if let Some(entry) = &mut self.entry {
            entry.invitations.push(id);
        }
    }

    /// Runs `write`, and commits it with its response.
    pub(super) async fn run<R: IntoResponse>(
        mut self,
        write: impl AsyncFnOnce(&mut Self) -> Result<R, ApiError>,
    ) -> Result<Response, ApiError> {
        let response = write(&mut self).await?.into_response();
        let Some(Entry { key_hash, fingerprint, user, now, invitations }) = self.entry.take() else {
            self.on.commit().await?;
            return Ok(response);
        };
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|error| ApiError::Internal(error.into()))?;
        let mut stored = StoredResponse {
            fingerprint: fingerprint.to_vec(),
            status: i16::try_from(parts.status.as_u16()).map_err(|error| ApiError::Internal(error.into()))?,
            headers: stored_headers(&parts.headers),
            people: people(&body, user),
            body: body.to_vec(),
        };
        if !store::lock_people(&mut self, &stored.people).await? {
            // One of them was erased since the response was made: it is to be made again.
            return Err(ApiError::Contended("somebody whom the response shows was erased".into()));
        }
        stored.people.extend(invitations);
        store::insert(&mut self, &key_hash, user, &stored, now).await?;
        self.on.commit().await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

impl Deref for Write {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.on {
            On::Transaction(transaction) => transaction,
            On::Connection(connection) => connection,
        }
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Connection {
        match &mut self.on {
            On::Transaction(transaction) => transaction,
            On::Connection(connection) => connection,
        }
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
