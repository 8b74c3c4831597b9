//! Since when a document is as it is, and until when: its `ETag`, `Last-Modified` and `Cache-Control`.
//!
//! `Last-Modified` is derived from all that the document shows: a hash of what it is made of is kept, with the time at
//! which that was first seen. A feed that shows no post has none, or asking for tags that nobody uses would fill
//! the table.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Serialize;

use crate::cache::CachePolicy;
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::feeds::store::{self, Seen};
use crate::http::conditional::{digest, http_date};
use crate::posts::store::NextPublication;
use crate::{REVISION, VERSION};

/// How long a cache may keep a response without asking again.
const MAX_AGE: Duration = Duration::from_mins(1);

/// What is known of a document before it is made.
pub(super) struct Known {
    name: String,
    seen: Option<Seen>,
    now: DateTime<Utc>,
    next_change: Option<DateTime<Utc>>,
}

impl Known {
    pub(super) async fn read(
        connection: &mut Connection,
        name: String,
        next: &NextPublication,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Self> {
        let seen = store::seen(connection, &name).await?;
        let next_change = next.after(now, connection).await?;
        Ok(Self { name, seen, now, next_change })
    }

    /// How long a document holds that is not known by its time.
    pub(super) fn undated(self) -> Freshness {
        Freshness { now: self.now, last_change: None, next_change: self.next_change }
    }

    /// How long a document holds that is made of what has this [`fingerprint`], the newest of which is of `newest`.
    pub(super) async fn dated(self, db: &Db, fingerprint: &str, newest: DateTime<Utc>) -> Freshness {
        let last_change = match &self.seen {
            Some(seen) if seen.digest == fingerprint => Some(seen.changed_at),
            _ => self.record(db, fingerprint, newest).await,
        };
        Freshness { last_change, ..self.undated() }
    }

    /// `None` if it cannot be stored: without the writer a feed is still read.
    async fn record(&self, db: &Db, digest: &str, newest: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // The second that is over, so that it can be told at once.
        let earliest = self.now - TimeDelta::seconds(1);
        let recorded = async {
            let mut connection = db.acquire().await?;
            Ok(store::record(&mut connection, &self.name, digest, newest, earliest).await?)
        };
        recorded
            .await
            .inspect_err(|error: &crate::db::Error| {
                tracing::warn!(cause = %error, "a feed has no Last-Modified");
            })
            .ok()
    }
}

/// A hash of what a document is made of: `content`, and the version of the service that makes it.
pub(super) fn fingerprint(content: &impl Serialize) -> Result<String, ApiError> {
    let made_of = serde_json::to_vec(&(VERSION, REVISION, content));
    Ok(digest(&made_of.map_err(|error| ApiError::Internal(error.into()))?))
}

/// A document and its `ETag`.
pub(super) struct Document {
    bytes: Vec<u8>,
    tag: String,
}

impl Document {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let tag = format!("\"{}\"", digest(&bytes));
        Self { bytes, tag }
    }
}

/// How long what is read now holds, and since when.
#[derive(Clone, Copy)]
pub(super) struct Freshness {
    now: DateTime<Utc>,
    last_change: Option<DateTime<Utc>>,
    next_change: Option<DateTime<Utc>>,
}

impl Freshness {
    pub(super) fn respond(&self, media_type: &'static str, document: Document) -> Response {
        let mut headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        headers.extend(HeaderValue::try_from(document.tag).map(|tag| (header::ETAG, tag)));
        // HTTP dates are in whole seconds, and none is later than its response.
        let last_change = self.last_change.filter(|time| time.trunc_subsecs(0) < self.now.trunc_subsecs(0));
        headers.extend(last_change.and_then(http_date).map(|date| (header::LAST_MODIFIED, date)));
        let policy = CachePolicy::Shared { max_age: MAX_AGE, until: self.next_change };
        (policy, headers, document.bytes).into_response()
    }
}
