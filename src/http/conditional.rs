//! Conditional requests (RFC 9110): a strong `ETag` on every single resource, and 304 for what the client has
//! already. [`preconditions`](super::preconditions) has those of writes.
//!
//! A tag is the version of the resource's row and a hash of its representation: `"7-5d41402abc4b2a76"`. The
//! hash makes it strong, since a representation also shows what is not in its row (the author's name, the
//! number of likes). `If-Match` compares the version alone: a like in between is no lost update.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rapidhash::v3::rapidhash_v3;
use serde::Serialize;

use super::caching::is_read;
use crate::error::ApiError;

pub trait Versioned: Serialize {
    /// Grows with each change of the row.
    fn version(&self) -> i64;
}

/// A resource as JSON, with its `ETag`.
#[derive(Debug)]
pub struct Tagged<T>(pub T);

impl<T: Versioned> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(json) => {
                let headers =
                    [(header::CONTENT_TYPE, "application/json".into()), (header::ETAG, tag(&self.0, &json))];
                (headers, json).into_response()
            }
            Err(error) => ApiError::Internal(error.into()).into_response(),
        }
    }
}

pub(super) fn etag(resource: &impl Versioned) -> String {
    // What cannot be serialized cannot be sent either.
    tag(resource, &serde_json::to_vec(resource).unwrap_or_default())
}

fn tag(resource: &impl Versioned, json: &[u8]) -> String {
    format!("\"{}-{}\"", resource.version(), digest(json))
}

/// A short hash of a representation, for its entity tag: fast, and the same in every task. Nobody gains by two that
/// collide.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("{:016x}", rapidhash_v3(bytes))
}

/// The entity tags of a header, or `*`; `None` without the header. No tag of this service has a comma.
pub(super) fn entity_tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<&'a str>> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let tags: Vec<_> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    (!tags.is_empty()).then_some(tags)
}

/// What the client of a read has already.
pub(super) struct Known {
    tags: Option<Vec<String>>,
    since: Option<DateTime<Utc>>,
}

impl Known {
    pub(super) fn of(request: &Request) -> Option<Self> {
        if !is_read(request) {
            return None;
        }
        let headers = request.headers();
        let tags = entity_tags(headers, &header::IF_NONE_MATCH);
        // What is no date is as if absent, as the standard has it.
        let since = headers.get(header::IF_MODIFIED_SINCE).and_then(time_of);
        let tags = tags.map(|tags| tags.into_iter().map(str::to_owned).collect());
        (tags.is_some() || since.is_some()).then_some(Self { tags, since })
    }

    /// Answers 304 instead of sending what the client has.
    pub(super) fn leave_out(&self, response: &mut Response) {
        if response.status() != StatusCode::OK {
            return;
        }
        let known = match (&self.tags, self.since) {
            // If-Modified-Since counts only without If-None-Match.
            (Some(tags), _) => matching_tag(response.headers(), tags),
            (None, Some(since)) => {
                let last_modified = response.headers().get(header::LAST_MODIFIED).and_then(time_of);
                let unchanged = last_modified.is_some_and(|changed| changed <= since);
                unchanged.then(|| response.headers().get(header::ETAG).cloned())
            }
            (None, None) => None,
        };
        let Some(tag) = known else { return };
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        if let Some(tag) = tag {
            headers.insert(header::ETAG, tag);
        }
    }
}

/// A time as HTTP writes it, in whole seconds; `None` before 1970 and after 9999.
#[must_use]
pub fn http_date(time: DateTime<Utc>) -> Option<HeaderValue> {
    let is_expressible = (0..253_402_300_800).contains(&time.timestamp());
    is_expressible.then(|| HeaderValue::try_from(httpdate::fmt_http_date(time.into())).ok()).flatten()
}

/// The time in a header, in any form of HTTP's dates; also with a numeric zone, which some clients write.
fn time_of(value: &HeaderValue) -> Option<DateTime<Utc>> {
    // Old browsers add `; length=…`.
    let text = value.to_str().ok()?.split(';').next()?.trim();
    let in_words = || DateTime::parse_from_rfc2822(text).ok().map(Into::into);
    httpdate::parse_http_date(text).ok().map(Into::into).or_else(in_words)
}

/// The client's tag that matches, to be sent back: with the suffix of an encoding if it came with one.
#[expect(clippy::option_option, reason = "whether it matches, and by which tag")]
fn matching_tag(response: &HeaderMap, tags: &[String]) -> Option<Option<HeaderValue>> {
    let current = response.get(header::ETAG)?.to_str().ok()?;
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').to_owned();
    let of_encoding = |tag: &str| {
        let known = opaque(tag);
        ENCODINGS.iter().any(|encoding| known == format!("{}-{encoding}", opaque(current)))
    };
    tags.iter().find_map(|tag| {
        if tag == "*" {
            return Some(None);
        }
        let matches = opaque(tag) == opaque(current) || of_encoding(tag);
        matches.then(|| HeaderValue::try_from(tag.trim_start_matches("W/")).ok())
    })
}

/// What the compression can make of a response.
const ENCODINGS: [&str; 3] = ["gzip", "br", "zstd"];

/// A strong tag names bytes: a compressed response gets one of its own.
pub(super) fn tag_encoding(response: &mut Response) {
    let headers = response.headers();
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let tag = headers.get(header::ETAG).and_then(|value| value.to_str().ok());
    if let (Some(encoding), Some(tag)) = (encoding, tag)
        && let Ok(tag) = HeaderValue::try_from(format!("{}-{encoding}\"", tag.trim_end_matches('"')))
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form() {
        let time: DateTime<Utc> = "1994-11-06T08:49:37Z".parse().unwrap();
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 10:49:37 +0200",
            "6 Nov 1994 08:49:37 GMT",
            " Sun, 06 Nov 1994 08:49:37 GMT; length=1234",
        ] {
            assert_eq!(time_of(&HeaderValue::from_static(text)), Some(time), "{text}");
        }
        for nonsense in
            ["", "0", "784111777", "tomorrow", "1994-11-06T08:49:37Z", "Sun, 31 Feb 1994 08:49:37 GMT"]
        {
            assert_eq!(time_of(&HeaderValue::from_static(nonsense)), None, "{nonsense}");
        }
        assert_eq!(http_date(time).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(DateTime::<Utc>::MAX_UTC), None);
    }
}
