//! The instant of a request.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::error::ApiError;

/// When the request was first asked for its time: the same for everything that is decided in it.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub DateTime<Utc>);

impl Now {
    pub fn of<S>(parts: &mut Parts, state: &S) -> DateTime<Utc>
    where
        Clock: FromRef<S>,
    {
        parts.extensions.get_or_insert_with(|| Self(Clock::from_ref(state).now())).0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Now
where
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(Self::of(parts, state)))
    }
}
