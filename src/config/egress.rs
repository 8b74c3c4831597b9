//! Egress: what may be reached inside a network although users name it.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::parse::Variables;

/// `WEBHOOK_ALLOW`: networks whose addresses are let through though they are not global, and whether they are
/// reached without TLS too. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    networks: Vec<IpNet>,
    http: bool,
}

impl Allow {
    /// Whether `address` is in one of the networks.
    #[must_use]
    pub fn covers(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether `http` is allowed, to these networks alone.
    #[must_use]
    pub fn http(&self) -> bool {
        self.http
    }
}

impl FromStr for Allow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut allow = Self::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            if item == "http" {
                allow.http = true;
            } else {
                allow.networks.push(network(item)?);
            }
        }
        if allow.http && allow.networks.is_empty() {
            return Err("has `http`, but no network that it is for".to_owned());
        }
        Ok(allow)
    }
}

/// `10.0.0.0/8`, or an address alone.
fn network(item: &str) -> Result<IpNet, String> {
    if let Ok(address) = item.parse::<IpAddr>() {
        return Ok(address.into());
    }
    let form = || format!("must list networks like `10.0.0.0/8` or `fd00::/8`, and `http`, not `{item}`");
    let network: IpNet = item.parse().map_err(|_| form())?;
    // A typing mistake, or a network that is larger than it looks.
    if network != network.trunc() {
        return Err(format!("has `{item}`, which is no network: the one around it is `{}`", network.trunc()));
    }
    Ok(network)
}

pub(super) fn read(env: &mut Variables<'_>) -> Allow {
    let allow = env.text("WEBHOOK_ALLOW").map(|text| text.parse::<Allow>()).transpose();
    allow
        .unwrap_or_else(|problem| {
            env.error("WEBHOOK_ALLOW", &problem);
            None
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_addresses_and_http_are_listed() {
        let allow: Allow = "10.0.0.0/8, fd00::/8,192.168.1.7 , http,".parse().unwrap();
        assert!(allow.http());
        for (address, is_covered) in [
            ("10.255.0.1", true),
            ("11.0.0.0", false),
            ("fd12::1", true),
            ("fe80::1", false),
            ("192.168.1.7", true),
            ("192.168.1.8", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(allow.covers(address.parse().unwrap()), is_covered, "{address}");
        }
        assert!(!"10.0.0.0/8".parse::<Allow>().unwrap().http());
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, said) in [
            ("10.0.0.0/8, intranet", "`intranet`"),
            ("10.0.0.0/33", "`10.0.0.0/33`"),
            ("10.0/8", "`10.0/8`"),
            ("10.1.2.3/8", "`10.0.0.0/8`"),
            ("fd00::1/8", "`fd00::/8`"),
            ("HTTP, 10.0.0.0/8", "`HTTP`"),
            ("https", "`https`"),
            ("http", "no network"),
        ] {
            let error = text.parse::<Allow>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
