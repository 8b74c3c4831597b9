//! What the errors of the layers below are to a client. The name of a constraint decides the response wherever it
//! fires.

use super::{ApiError, FieldErrors};
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
                // Data exception, program limit exceeded: a value that no text, number or time can hold.
                Some(code) if ["22", "54"].iter().any(|class| code.starts_with(class)) => {
                    Self::Unacceptable(error.into())
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
            // The same, noticed before it is sent.
            sqlx::Error::Encode(_) => Self::Unacceptable(error.into()),
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error;
    use std::fmt;

    use axum::http::StatusCode;
    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    #[derive(Debug)]
    struct Refusal(&'static str);

    impl fmt::Display for Refusal {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Refusal {}

    impl DatabaseError for Refusal {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn what_the_database_cannot_hold_is_the_clients_fault() {
        for code in ["22001", "22003", "22007", "22008", "22021", "22P02", "22P05", "54000", "54001"] {
            let error = ApiError::from(sqlx::Error::Database(Box::new(Refusal(code))));
            assert_eq!(error.status_and_code().0, StatusCode::BAD_REQUEST, "{code}");
        }
        let encode = ApiError::from(sqlx::Error::Encode("out of range".into()));
        assert_eq!(encode.status_and_code().0, StatusCode::BAD_REQUEST);
        let defect = ApiError::from(sqlx::Error::Database(Box::new(Refusal("42703"))));
        assert_eq!(defect.status_and_code().0, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
