//! What is answered where no route is, or none with this method.

use axum::extract::OriginalUri;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::error::ApiError;

/// What `OPTIONS` is called between the CORS layer and the route.
const OPTIONS: &str = "OPTIONS*";

pub(super) fn rename_options(method: &mut Method) {
    if *method == Method::OPTIONS
        && let Ok(renamed) = Method::from_bytes(OPTIONS.as_bytes())
    {
        *method = renamed;
    }
}

/// No route has a slash at its end: who writes one is sent to the address without it, the query and all.
pub(super) async fn not_found(OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path().trim_end_matches('/');
    // What begins with two slashes would be another host.
    if path.len() == uri.path().len() || !path.starts_with('/') || path[1..].starts_with(['/', '\\']) {
        return ApiError::NotFound.into_response();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::permanent(&format!("{path}{query}")).into_response()
}

/// The router adds `Allow`.
pub(super) async fn method_not_allowed(method: Method) -> Response {
    if method.as_str() == OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        ApiError::MethodNotAllowed.into_response()
    }
}
