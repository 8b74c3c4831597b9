//! What the errors of the layers below are to a client. The name of a constraint decides the response wherever it
//! fires.

use super::{ApiError, FieldError, FieldErrors};
use crate::db::{self, OverLimit, Violation, ViolationKind};
use crate::markdown::RenderError;
use crate::workers::WorkError;

impl From<FieldErrors> for ApiError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<WorkError> for ApiError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Full => Self::Overloaded,
            WorkError::Panicked => Self::Internal(error.into()),
        }
    }
}

/// What is rendered is the `body` of a request.
impl From<RenderError> for ApiError {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::TooComplex => Self::invalid("body", "too_complex", error.to_string()),
            RenderError::Work(error) => error.into(),
        }
    }
}

impl From<db::Error> for ApiError {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Overloaded => Self::Overloaded,
            // Whatever stands in the way of a connection, also a refusal by the database, is about the database
            // and not about the request.
            db::Error::Unavailable(error) => Self::Unavailable(error.into()),
            db::Error::Statement(error) => error.into(),
        }
    }
}

impl From<Violation> for ApiError {
    fn from(Violation { field, kind }: Violation) -> Self {
        match kind {
            ViolationKind::Taken => Self::conflict(field, "taken", kind.detail()),
            ViolationKind::NotFound => Self::invalid(field, "not_found", kind.detail()),
            ViolationKind::Invalid => Self::invalid(field, "invalid", kind.detail()),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(violation) = db::violation(&error) {
            return violation.into();
        }
        match &error {
            sqlx::Error::Database(database) => match database.code().as_deref() {
                // An impossible date: bodies and parameters are validated, so it comes from a cursor.
                Some("22008") => {
                    Self::Malformed(FieldError::new("cursor", "malformed", "has an impossible date"))
                }
                // Serialization failure, deadlock.
                Some("40001" | "40P01") => Self::Contended(error.into()),
                // Lock or statement timeout, out of resources, connection refused or lost, server shutting
                // down or read-only: all pass.
                Some(code)
                    if ["55P03", "57014", "25006"].contains(&code)
                        || ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) =>
                {
                    Self::Unavailable(error.into())
                }
                _ => Self::Internal(error.into()),
            },
            sqlx::Error::Io(cause)
                if cause.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<OverLimit>) =>
            {
                Self::TooCostly
            }
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => Self::Unavailable(error.into()),
            _ => Self::Internal(error.into()),
        }
    }
}
