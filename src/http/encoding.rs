//! Which compression a response gets, and where the work is done.

use std::convert::Infallible;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;
use tower::{Service, service_fn};
use tower_http::compression::Compression;

use super::caching::is_read;
use super::concurrency::Streamed;
use crate::error::ApiError;
use crate::workers::{BODIES, LARGE};

/// What responses can be compressed with. Of those that a client weighs the same, the last is chosen.
const ENCODINGS: [&str; 3] = ["gzip", "br", "zstd"];

/// Reduces `Accept-Encoding` to the encoding that is chosen, so that the cache has one response for each.
pub(super) fn choose_encoding(headers: &mut HeaderMap) {
    if !headers.contains_key(header::ACCEPT_ENCODING) {
        return;
    }
    match choose(headers) {
        Some(chosen) => drop(headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(chosen))),
        None => drop(headers.remove(header::ACCEPT_ENCODING)),
    }
}

/// Put into the extensions of a response before it is compressed: its length.
#[derive(Clone, Copy)]
struct Length(usize);

/// Notes the length of a response that is large, or not known before it is read.
fn note_length(mut response: Response) -> Response {
    let length =
        response.body().size_hint().exact().map_or(LARGE, |length| length.try_into().unwrap_or(LARGE));
    if length >= LARGE && response.extensions().get::<Streamed>().is_none() {
        response.extensions_mut().insert(Length(length));
    }
    response
}

/// Compresses what `respond` makes of the request, as that accepts it: a large body of a read on threads beside.
pub(super) async fn compressed<F: Future<Output = Response>>(
    request: Request,
    respond: impl Fn(Request) -> F,
) -> Response {
    let is_read = is_read(&request);
    let noted = service_fn(|request| {
        let response = respond(request);
        async { Ok::<_, Infallible>(note_length(response.await)) }
    });
    let Ok(response) = Compression::new(noted).call(request).await;
    let response = response.map(Body::new);
    let Some(Length(length)) = response.extensions().get().copied() else { return response };
    // What a write has done may not be refused.
    if !is_read || !response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let runtime = Handle::current();
    match BODIES.run(length, move || runtime.block_on(to_bytes(body, usize::MAX))).await {
        Ok(Ok(bytes)) => Response::from_parts(parts, Body::from(bytes)),
        Ok(Err(error)) => ApiError::Internal(error.into()).into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}

fn choose(headers: &HeaderMap) -> Option<&'static str> {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let items: Vec<_> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(weighed)
        .collect();
    let weight = |name: &str| {
        let named = items.iter().find(|(item, _)| item.eq_ignore_ascii_case(name));
        named.map(|(_, weight)| *weight)
    };
    let accepted = ENCODINGS.into_iter().filter_map(|name| Some((name, weight(name)?)));
    let best = accepted.filter(|(_, weight)| *weight > 0.0).max_by(|(_, a), (_, b)| a.total_cmp(b));
    let refuses_plain = || weight("identity").or(weight("*")) == Some(0.0);
    best.map(|(name, _)| name).or_else(|| refuses_plain().then_some("identity;q=0"))
}

/// An item of the list, with its weight.
fn weighed(item: &str) -> Option<(&str, f32)> {
    let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
    let weight = weight.trim().strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    Some((name.trim(), weight.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_what_is_accepted_is_chosen() {
        for (accepted, chosen) in [
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("gzip, deflate, br", Some("br")),
            ("GZIP", Some("gzip")),
            ("gzip;q=1.0, zstd;q=0.5", Some("gzip")),
            ("gzip; q=0.001,nonsense", Some("gzip")),
            ("gzip;q=0", None),
            ("gzip;q=nan, br;q=, zstd;x=1", None),
            ("deflate, *", None),
            ("", None),
            ("identity", None),
            ("identity;q=0, gzip", Some("gzip")),
            ("identity;q=0", Some("identity;q=0")),
            ("*;q=0", Some("identity;q=0")),
            ("*;q=0, identity", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepted.parse().unwrap())]);
            assert_eq!(choose(&headers), chosen, "{accepted}");
        }
    }
}
