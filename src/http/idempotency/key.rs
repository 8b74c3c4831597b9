//! The key of a write, and the hashes that are stored in its place.

use axum::extract::OriginalUri;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{ApiError, FieldError};

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const MAX_LENGTH: usize = 255;

#[derive(Debug)]
pub(super) struct Key {
    key: String,
    /// The hash of the key and all of the request. With the key in it, nobody can try passwords on a stored
    /// hash of a sign-up without the key, of which only a hash is stored as well.
    pub(super) fingerprint: [u8; 32],
}

impl Key {
    /// Up to 255 visible characters: in quotes, as the draft of the standard has it, or without, as is usual.
    pub(super) fn read(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
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

    pub(super) fn of(key: String, parts: &Parts, body: &[u8]) -> Self {
        let target = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let fingerprint = hash(&[key.as_bytes(), target.to_string().as_bytes(), body]);
        Self { key, fingerprint }
    }

    /// What the response to `user`, or to anybody, is stored under.
    pub(super) fn hash(&self, user: Option<Uuid>) -> [u8; 32] {
        let owner = user.map_or_else(|| "anonymous".to_owned(), |id| id.to_string());
        hash(&[owner.as_bytes(), self.key.as_bytes()])
    }
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
