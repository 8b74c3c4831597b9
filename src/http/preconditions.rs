//! Preconditions of writes (RFC 9110): `If-Match` against lost updates, `If-None-Match: *` against writing over
//! what is there. None is ignored: a handler that takes an [`IfMatch`] evaluates them, and says so among the
//! parameters of its path; every other refuses a request that has one.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Type};

use super::conditional::{Versioned, entity_tags, etag};
use crate::error::{ApiError, FieldError};

/// Whether a change must say which version it changes: `REQUIRE_IF_MATCH`.
#[derive(Clone, Copy, Debug)]
pub struct RequireIfMatch(pub bool);

/// What a request expects of the resource that it changes.
#[derive(Debug, PartialEq, Eq)]
pub struct IfMatch {
    /// The versions that `If-Match` lets a change be made to; `None` is any.
    versions: Option<Vec<i64>>,
    /// `If-None-Match: *`: there must be nothing yet.
    absent: bool,
}

impl IfMatch {
    /// The versions of a resource that is there which may be changed.
    #[must_use]
    pub fn versions(&self) -> Option<&[i64]> {
        if self.absent { Some(&[]) } else { self.versions.as_deref() }
    }

    /// Why a change was refused: `current` is gone, or is not what `If-Match` named.
    pub fn refusal(&self, current: Option<impl Versioned>) -> ApiError {
        current.map_or(ApiError::NotFound, |current| ApiError::PreconditionFailed(etag(&current)))
    }

    /// Fails if a resource that is there may not be changed in this version.
    pub fn check(&self, version: i64) -> Result<(), ApiError> {
        self.check_part(version, true)
    }

    /// The same of a part of a resource, with its version, that is there or not.
    pub fn check_part(&self, version: i64, is_there: bool) -> Result<(), ApiError> {
        let is_other = self.versions.as_ref().is_some_and(|versions| !versions.contains(&version));
        if is_other || self.absent && is_there {
            // The version alone is a tag that `If-Match` takes.
            return Err(ApiError::PreconditionFailed(format!("\"{version}\"")));
        }
        Ok(())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch
where
    RequireIfMatch: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if let Some((name, detail)) = unsupported(&parts.headers) {
            return Err(ApiError::Malformed(FieldError::new(name, "unsupported", detail)));
        }
        let RequireIfMatch(required) = RequireIfMatch::from_ref(state);
        // Nothing but `*` gets here.
        let absent = parts.headers.contains_key(header::IF_NONE_MATCH);
        let versions = match entity_tags(&parts.headers, &header::IF_MATCH) {
            None if required && !absent => return Err(ApiError::PreconditionRequired),
            None => None,
            Some(tags) if tags.contains(&"*") => None,
            Some(tags) => Some(tags.into_iter().filter_map(version).collect()),
        };
        Ok(Self { versions, absent })
    }
}

/// The version in a strong tag. A weak one matches nothing here, as the standard has it.
fn version(tag: &str) -> Option<i64> {
    let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
    opaque.split('-').next()?.parse().ok()
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = |name: &str, description: &str, pattern: &str| {
            let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build();
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(schema))
                .build()
        };
        vec![
            header(
                "If-Match",
                "The `ETag` of what you change: 412 if it has changed since",
                r#"^"[0-9]+(-[0-9a-f]{16})?"$"#,
            ),
            header("If-None-Match", "`*` to write only what is not there yet: 412 if it is", r"^\*$"),
        ]
    }
}

/// The writes whose handlers take no [`IfMatch`]: their methods and paths.
#[derive(Clone, Debug, Default)]
pub struct Unconditional(Arc<HashSet<(Method, String)>>);

impl Unconditional {
    /// Those of the document that do not say that they take one.
    #[must_use]
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let takes = |operation: &utoipa::openapi::path::Operation| {
            let mut parameters = operation.parameters.iter().flatten();
            parameters
                .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "If-Match"))
        };
        let of_path = |(path, item): (&String, &utoipa::openapi::PathItem)| {
            let operations = [
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let others = operations
                .into_iter()
                .filter(|(_, operation)| operation.as_ref().is_some_and(|operation| !takes(operation)));
            others.map(|(method, _)| (method, path.clone())).collect::<Vec<_>>()
        };
        Self(Arc::new(document.paths.paths.iter().flat_map(of_path).collect()))
    }

    fn has(&self, request: &Request) -> bool {
        let path = request.extensions().get::<MatchedPath>();
        path.is_some_and(|path| self.0.contains(&(request.method().clone(), path.as_str().to_owned())))
    }

    /// Refuses a write with a precondition that nobody would evaluate.
    pub(super) fn check(&self, write: &Request) -> Result<(), ApiError> {
        match unexpected(write.headers()) {
            Some((name, detail)) if self.has(write) => {
                Err(ApiError::Malformed(FieldError::new(name, "unsupported", detail)))
            }
            _ => Ok(()),
        }
    }
}

fn unexpected(headers: &HeaderMap) -> Option<(&'static str, &'static str)> {
    let name = PRECONDITIONS.into_iter().find(|(_, header)| headers.contains_key(header))?.0;
    Some((name, "is a condition that this request cannot have: what it writes has no version"))
}

/// What the handlers do not evaluate. `If-Match` makes `If-Unmodified-Since` void, as the standard has it.
fn unsupported(headers: &HeaderMap) -> Option<(&'static str, &'static str)> {
    if headers.contains_key(header::IF_UNMODIFIED_SINCE) && !headers.contains_key(header::IF_MATCH) {
        return Some((
            "If-Unmodified-Since",
            "is too coarse to be evaluated here: send `If-Match` with the `ETag`",
        ));
    }
    let tags = entity_tags(headers, &header::IF_NONE_MATCH)?;
    let detail = "can only be `*` in a write: send `If-Match` with the `ETag` of what you change";
    (tags != ["*"]).then_some(("If-None-Match", detail))
}

const PRECONDITIONS: [(&str, HeaderName); 3] = [
    ("If-Match", header::IF_MATCH),
    ("If-None-Match", header::IF_NONE_MATCH),
    ("If-Unmodified-Since", header::IF_UNMODIFIED_SINCE),
];
