//! What is known of a request while it is served: its id, and who sent it once that is known.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName};
use uuid::Uuid;

use crate::error::ApiError;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The headers of distributed traces: W3C's and the load balancer's. What comes in goes out again.
pub const TRACE_HEADERS: [HeaderName; 2] = [TRACEPARENT, X_AMZN_TRACE_ID];
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// The request's own facts, shared between the access log, the error renderer and the extractors.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The client's `X-Request-Id` if it is a sensible one, else a new UUIDv7.
    pub request_id: Arc<str>,
    /// The trace that the request is part of: the id in `traceparent`, else the root of `X-Amzn-Trace-Id`.
    pub trace_id: Option<Arc<str>>,
    /// The signed-in user, set by the extractor that read the token.
    pub user_id: Arc<OnceLock<Uuid>>,
}

impl RequestContext {
    pub fn of(request: &Request) -> Self {
        let given = request.headers().get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
        let request_id = given
            .filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(is_id_byte))
            .map_or_else(|| Uuid::now_v7().to_string().into(), Into::into);
        let trace_id = trace_id(request.headers()).map(Into::into);
        Self { request_id, trace_id, user_id: Arc::default() }
    }
}

fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let [traceparent, amzn] = TRACE_HEADERS.map(|name| headers.get(name)?.to_str().ok());
    let of_w3c = traceparent.and_then(|value| {
        // version-trace-parent-flags
        let mut parts = value.split('-');
        let trace = parts.nth(1)?;
        let is_hex = trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_hex && parts.next()?.len() == 16).then_some(trace)
    });
    let of_amzn = || {
        let mut fields = amzn?.split(';');
        let root = fields.find_map(|field| field.trim().strip_prefix("Root="))?;
        ((1..=64).contains(&root.len()) && root.bytes().all(is_id_byte)).then_some(root)
    };
    of_w3c.or_else(of_amzn)
}

/// Nothing that could forge a log line or a header.
fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(&byte)
}

/// How many proxies in front of the service append to `X-Forwarded-For`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrustedProxyHops(pub usize);

/// The client's address: the peer's, or the one that the outermost trusted proxy wrote.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddr(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddr
where
    TrustedProxyHops: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(client(&parts.headers, &parts.extensions, TrustedProxyHops::from_ref(state))))
    }
}

/// Whom a request is counted against: see [`client_network`].
#[derive(Clone, Copy, Debug)]
pub struct ClientNetwork(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientNetwork
where
    TrustedProxyHops: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let hops = TrustedProxyHops::from_ref(state);
        Ok(Self(client_network(&parts.headers, &parts.extensions, hops)))
    }
}

/// Whom a request is counted against: the client's address, or that of the peer if no proxy has named the
/// client. Of IPv6 it is the network of 64 bits, since that is what one subscriber is given.
#[must_use]
pub fn client_network(headers: &HeaderMap, extensions: &Extensions, hops: TrustedProxyHops) -> IpAddr {
    let address = client(headers, extensions, hops).or_else(|| peer(extensions));
    network(address.unwrap_or(Ipv6Addr::UNSPECIFIED.into()))
}

/// The address itself, or the network of 64 bits that an address of IPv6 is in.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

fn client(
    headers: &HeaderMap,
    extensions: &Extensions,
    TrustedProxyHops(hops): TrustedProxyHops,
) -> Option<IpAddr> {
    if hops == 0 { peer(extensions) } else { forwarded_for(headers, hops).map(|ip| ip.to_canonical()) }
}

/// The other end of the connection.
#[must_use]
pub fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// The `hops`th address from the right: each trusted proxy appends the address it saw, and everything
/// further left is whatever the client liked to write.
fn forwarded_for(headers: &HeaderMap, hops: usize) -> Option<IpAddr> {
    let address = listed(headers, X_FORWARDED_FOR).rev().nth(hops - 1)?;
    // Some proxies write the port too.
    address.parse().ok().or_else(|| address.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// The items of a header that is a list, of all its lines.
pub(super) fn listed(headers: &HeaderMap, name: HeaderName) -> impl DoubleEndedIterator<Item = &str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(values: &[&'static str], hops: usize) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, axum::http::HeaderValue::from_static(value));
        }
        forwarded_for(&headers, hops).map(|ip| ip.to_string())
    }

    #[test]
    fn the_client_is_counted_from_the_right() {
        assert_eq!(client(&["6.6.6.6, 203.0.113.7"], 1).as_deref(), Some("203.0.113.7"));
        assert_eq!(client(&["6.6.6.6, 203.0.113.7, 10.0.0.1"], 2).as_deref(), Some("203.0.113.7"));
        assert_eq!(client(&["6.6.6.6", "203.0.113.7"], 1).as_deref(), Some("203.0.113.7"));
        assert_eq!(client(&["2001:db8::1"], 1).as_deref(), Some("2001:db8::1"));
        assert_eq!(client(&["203.0.113.7:4711"], 1).as_deref(), Some("203.0.113.7"));
    }

    #[test]
    fn traces_are_known_by_either_header() {
        let trace = |name: &'static str, value: &'static str| {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static(name),
                axum::http::HeaderValue::from_static(value),
            )]);
            trace_id(&headers).map(str::to_owned)
        };
        assert_eq!(
            trace("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").as_deref(),
            Some("4bf92f3577b34da6a3ce929d0e0e4736")
        );
        assert_eq!(
            trace(
                "x-amzn-trace-id",
                "Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678"
            )
            .as_deref(),
            Some("1-67891233-abcdef012345678912345678")
        );
        for forged in ["", "00-xyz-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736", "nonsense"] {
            assert_eq!(trace("traceparent", forged), None, "{forged}");
        }
        for forged in ["", "Root=", "Root=a b", "Parent=1-2-3"] {
            assert_eq!(trace("x-amzn-trace-id", forged), None, "{forged}");
        }
    }

    #[test]
    fn too_few_hops_or_nonsense_name_nobody() {
        assert_eq!(client(&["203.0.113.7"], 2), None);
        assert_eq!(client(&["unknown"], 1), None);
        assert_eq!(client(&[], 1), None);
    }
}
