//! Where clients and readers find the service, for responses that name whole addresses.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};

use super::context::{TrustedProxyHops, listed};
use crate::error::{ApiError, FieldError};

pub const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// `PUBLIC_URL`: the address of the site that readers see, without a slash at its end, if it is known.
#[derive(Clone, Debug)]
pub struct PublicUrl(pub Option<Arc<str>>);

/// Where a post is read: on the `site`, or if there is none in the `api`.
#[must_use]
pub fn post_address(site: Option<&str>, api: &str, slug: &str) -> String {
    match site {
        Some(site) => format!("{site}/posts/{slug}"),
        None => format!("{api}/v1/posts/{slug}"),
    }
}

/// Where the client asked this service: scheme and authority, like `https://api.example.com`. The scheme is
/// that of the proxy in front, where there is one to be trusted.
#[derive(Clone, Debug)]
pub struct Origin(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Origin
where
    TrustedProxyHops: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let authority = authority(parts).ok_or_else(|| {
            ApiError::Malformed(FieldError::new("Host", "malformed", "is not a host, or not one host"))
        })?;
        let TrustedProxyHops(hops) = TrustedProxyHops::from_ref(state);
        let scheme = if is_https(&parts.headers, hops) { "https" } else { "http" };
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

/// Whether the outermost trusted proxy was asked by HTTPS: what it wrote is counted from the right, as the client's
/// address is. Some proxies append to what they were sent and some replace it, so a list that is shorter than they
/// are many is all theirs.
fn is_https(headers: &HeaderMap, hops: usize) -> bool {
    let schemes = listed(headers, X_FORWARDED_PROTO).filter(|scheme| !scheme.is_empty());
    schemes.rev().take(hops).last().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The host that was asked, with its port: of the whole address if the client wrote that, else of `Host`.
fn authority(parts: &Parts) -> Option<String> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none());
    let authority = match parts.uri.authority() {
        Some(authority) => authority.clone(),
        None => Authority::try_from(host?.as_bytes()).ok()?,
    };
    is_host(&authority).then(|| authority.as_str().to_ascii_lowercase())
}

/// Whether it is a name or an address, and nothing that only the syntax allows.
fn is_host(authority: &Authority) -> bool {
    let host = authority.host();
    let is_address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    let is_name =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let port = &authority.as_str()[host.len().min(authority.as_str().len())..];
    (is_address || is_name)
        && (port.is_empty() || authority.port_u16().is_some_and(|number| port == format!(":{number}")))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn of(uri: &str, hosts: &[&str]) -> Option<String> {
        let request = hosts.iter().fold(Request::get(uri), |request, host| request.header("host", *host));
        authority(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_scheme_is_that_of_the_outermost_trusted_proxy() {
        for (lines, hops, expected) in [
            (&["https"][..], 1, true),
            (&["HTTPS"], 1, true),
            (&["http"], 1, false),
            (&["https"], 0, false),
            (&["https,http"], 1, false),
            (&["http,https"], 1, true),
            (&["https, http"], 2, true),
            (&["http", "https"], 1, true),
            (&["https", "http"], 2, true),
            (&["https, http, http"], 2, false),
            (&["https"], 3, true),
            (&["https,"], 1, true),
            (&["wss"], 1, false),
            (&[], 1, false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_PROTO, line.parse().unwrap());
            }
            assert_eq!(is_https(&headers, hops), expected, "{lines:?} behind {hops}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_with_a_port() {
        for host in
            ["api.example.com", "localhost:8000", "127.0.0.1:80", "[::1]:8000", "[2001:db8::1]", "api_1"]
        {
            assert_eq!(of("/", &[host]).as_deref(), Some(host));
        }
        assert_eq!(of("/", &["API.Example.Com"]).as_deref(), Some("api.example.com"));
        assert_eq!(of("http://asked.example/", &["other.example"]).as_deref(), Some("asked.example"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in [
            "", ":80", "a b", "a/b", "user@a", "a:b", "a:99999", "a:", "a<b", "a\"b", "a'b", "a,b", "[::1",
            "[x]", "é",
        ] {
            assert_eq!(of("/", &[host]), None, "{host}");
        }
        assert_eq!(of("/", &[]), None);
        assert_eq!(of("/", &["a", "b"]), None);
    }
}
