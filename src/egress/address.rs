//! Which addresses may be reached: the global ones by IANA's registries of special purposes, without those that are
//! multicast or lead to another address, and what the operator allows beside them.
//!
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>. `tests/egress/addresses.tsv` compares with Python.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::config::egress::Allow;

/// Of IPv4, what is not global.
const SPECIAL: [IpNet; 17] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    // Shared between a provider and its customers.
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([168, 63, 129, 16], 32),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    // Protocols of the IETF, with the two global ones in it: nobody serves HTTP there.
    v4([192, 0, 0, 0], 24),
    // Documentation.
    v4([192, 0, 2, 0], 24),
    // Relays from IPv6, which are no more.
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    // Benchmarks.
    v4([198, 18, 0, 0], 15),
    // Documentation.
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // Multicast.
    v4([224, 0, 0, 0], 4),
    // Reserved, and broadcast.
    v4([240, 0, 0, 0], 4),
    v4([255, 255, 255, 255], 32),
];

/// All of IPv6 that is given to networks. What is outside is special, or reserved and may become so.
const UNICAST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Of that, what is not global.
const SPECIAL_UNICAST: [IpNet; 4] = [
    // Protocols of the IETF, Teredo and identifiers that are no addresses among them.
    v6([0x2001, 0, 0, 0], 23),
    // Documentation.
    v6([0x2001, 0xdb8, 0, 0], 32),
    // 6to4, which leads to an address of IPv4.
    v6([0x2002, 0, 0, 0], 16),
    // Documentation.
    v6([0x3fff, 0, 0, 0], 20),
];

/// What stays refused whatever is allowed: where hosts get credentials from, and what is no host of a network.
const NEVER: [IpNet; 16] = [
    // "This host": Linux connects to itself.
    v4([0, 0, 0, 0], 8),
    // Link-local. 169.254.169.254 (EC2 and others), 169.254.170.2 (ECS) and 169.254.170.23 (EKS) hand out credentials.
    v4([169, 254, 0, 0], 16),
    // The same of Alibaba, Oracle and Azure.
    v4([100, 100, 100, 200], 32),
    v4([192, 0, 0, 192], 32),
    v4([168, 63, 129, 16], 32),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128)),
    // The services of AWS, with fd00:ec2::254 (EC2) and fd00:ec2::23 (EKS).
    v6([0xfd00, 0xec2, 0, 0], 32),
    // The same of Google.
    v6([0xfd20, 0xce, 0, 0], 64),
    v6([0xfe80, 0, 0, 0], 10),
    v6([0xff00, 0, 0, 0], 8),
    // Teredo, 6to4 and stateless translation hide an address of IPv4, and nobody uses them.
    v6([0x2001, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0], 16),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96)),
    // Where in it the address of IPv4 is, only the network's operator knows.
    v6([0x64, 0xff9b, 1, 0], 48),
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6([a, b, c, d]: [u16; 4], length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length))
}

/// Whether a connection to `address` may be made, with or without TLS.
pub(super) fn is_reachable(address: IpAddr, is_encrypted: bool, allow: &Allow) -> bool {
    let is_let_through = allow.covers(address) || (is_encrypted && is_global(address));
    is_let_through
        && !is_in(&NEVER, address)
        && translated(address).is_none_or(|inner| is_reachable(inner.into(), is_encrypted, allow))
}

fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !is_in(&SPECIAL, address),
        IpAddr::V6(v6) => UNICAST.contains(&v6) && !is_in(&SPECIAL_UNICAST, address),
    }
}

fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// The address of IPv4 that an address of IPv6 leads to, which has to be reachable too.
fn translated(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let inner = Ipv4Addr::from_bits(u32::try_from(address.to_bits() & u128::from(u32::MAX)).ok()?);
    match address.segments() {
        _ if address.is_loopback() => None,
        // Mapped, compatible, NAT64, ISATAP.
        [0, 0, 0, 0, 0, 0xffff | 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..]
        | [_, _, _, _, 0 | 0x100 | 0x200 | 0x300, 0x5efe, ..] => Some(inner),
        _ => None,
    }
}
