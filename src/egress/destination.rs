//! An address that a user named, and what can be said of it before anything is resolved.

use std::fmt;
use std::net::IpAddr;

use axum::http::{HeaderValue, Uri};
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use super::address::is_reachable;
use crate::config::egress::Allow;

/// Of a URL, as it is given and as it is written in the end.
const MAX_URL: usize = 2048;

/// A URL that may be called, if its name leads to addresses that may be.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    url: Url,
    host: Host,
    port: u16,
    /// What a certificate must be for.
    pub(super) server: ServerName<'static>,
    /// The `Host` of a request.
    pub(super) authority: HeaderValue,
    /// The target of a request.
    pub(super) target: Uri,
}

/// Why a URL is none that may be called; its `Display` follows the name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("must have at most {MAX_URL} characters")]
    Length,
    #[error("must be a URL like https://receiver.example/path")]
    Syntax,
    #[error("must begin with https://")]
    Scheme,
    #[error("must have no user and no password")]
    UserInfo,
    #[error("must have no fragment")]
    Fragment,
    #[error("must have the name of a host")]
    Host,
    #[error("must have another port than 0")]
    Port,
    #[error("must lead to a public address")]
    Address,
}

impl Destination {
    pub(super) fn new(text: &str, allow: &Allow) -> Result<Self, Refusal> {
        let url = normal(text)?;
        let is_encrypted = match url.scheme() {
            "https" => true,
            "http" if allow.http() => false,
            _ => return Err(Refusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        let host = url.host().ok_or(Refusal::Host)?.to_owned();
        let literal = literal(&host);
        if literal.is_some_and(|address| !is_reachable(address, is_encrypted, allow)) {
            return Err(Refusal::Address);
        }
        let server = match literal {
            Some(address) => address.into(),
            None => ServerName::try_from(host.to_string()).map_err(|_| Refusal::Host)?,
        };
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(Refusal::Port)?;
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        let authority = HeaderValue::from_str(authority).map_err(|_| Refusal::Host)?;
        let target = url[Position::BeforePath..Position::AfterQuery].parse().map_err(|_| Refusal::Syntax)?;
        Ok(Self { url, host, port, server, authority, target })
    }

    /// The whole URL in its normal form, to be stored.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Scheme, host and port: what may be logged.
    pub fn origin(&self) -> &str {
        &self.url[..Position::AfterPort]
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The address, if the host is one.
    pub(super) fn literal(&self) -> Option<IpAddr> {
        literal(&self.host)
    }

    /// The host as it is asked for.
    pub(super) fn name(&self) -> String {
        self.host.to_string()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

/// The URL as every client reads it, if it is not too long.
fn normal(text: &str) -> Result<Url, Refusal> {
    if text.len() > MAX_URL {
        return Err(Refusal::Length);
    }
    let url = Url::parse(text).map_err(refusal)?;
    if url.as_str().len() > MAX_URL { Err(Refusal::Length) } else { Ok(url) }
}

fn literal(host: &Host) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
    }
}

fn refusal(error: url::ParseError) -> Refusal {
    use url::ParseError as E;
    match error {
        E::EmptyHost
        | E::IdnaError
        | E::InvalidIpv4Address
        | E::InvalidIpv6Address
        | E::InvalidDomainCharacter => Refusal::Host,
        E::InvalidPort => Refusal::Port,
        _ => Refusal::Syntax,
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Destination").field(&self.origin()).finish()
    }
}
