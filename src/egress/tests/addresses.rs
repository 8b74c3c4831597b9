//! Addresses that may be reached, and those that may not, in whatever way they are written.

use std::net::IpAddr;

use super::*;
use crate::egress::Refusal;
use crate::egress::address::is_reachable;

/// Compared with Python by `make test-egress`.
const ADDRESSES: &str = include_str!("../../../tests/egress/addresses.tsv");
const SPELLINGS: &str = include_str!("../../../tests/egress/spellings.tsv");

fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[test]
fn only_global_addresses_are_reached() {
    let client = Client::new(Allow::default());
    let mut rows = 0;
    for row in ADDRESSES.lines().filter(|row| !row.starts_with('#')) {
        let cells: Vec<_> = row.split('\t').collect();
        let address: IpAddr = cells[0].parse().unwrap();
        let is_reached = match cells[2] {
            "reached" => true,
            "refused" => false,
            other => unreachable!("{other}"),
        };
        assert_eq!(is_reachable(address, true, &Allow::default()), is_reached, "{row}");
        assert!(!is_reachable(address, false, &Allow::default()), "{row}");
        let checked = client.check(&format!("https://{}/hook", host(address))).map(drop);
        assert_eq!(checked, if is_reached { Ok(()) } else { Err(Refusal::Address) }, "{row}");
        // No laxer than Python.
        assert!(!is_reached || cells[1] == "global", "{row}");
        rows += 1;
    }
    assert!(rows > 300, "{rows}");
}

#[test]
fn an_address_is_known_in_every_spelling() {
    let client = Client::new(Allow::default());
    let all = Client::new(allow("0.0.0.0/0, ::/0"));
    let mut rows = 0;
    for row in SPELLINGS.lines() {
        let (spelling, address) = row.split_once('\t').unwrap();
        let url = format!("https://{spelling}/hook");
        assert_eq!(client.check(&url).map(drop), Err(Refusal::Address), "{row}");
        // What may be reached at all is connected to as that address.
        let address: IpAddr = address.parse().unwrap();
        if is_reachable(address, true, &allow("0.0.0.0/0, ::/0")) {
            assert_eq!(all.check(&url).unwrap().literal(), Some(address), "{row}");
        }
        rows += 1;
    }
    assert!(rows > 40, "{rows}");
}

#[test]
fn where_credentials_come_from_is_never_reached() {
    let everything = allow("0.0.0.0/0, ::/0, 169.254.170.2, fd00:ec2::254, 64:ff9b:1::/48, http");
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.0.1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fe80::a9fe:a9fe",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
        // The task's endpoint inside of others: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
        "::ffff:169.254.170.2",
        "::169.254.170.2",
        "::ffff:0:169.254.170.2",
        "64:ff9b::169.254.170.2",
        "64:ff9b:1::169.254.170.2",
        "64:ff9b:1:a9fe:aa:200::",
        "2002:a9fe:aa02::1",
        "2001:0:a9fe:aa02::1",
        "2001:0:808:808:0:0:5601:55fd",
        "2a00:1450::5efe:a9fe:aa02",
        "fd00::100:5efe:a9fe:aa02",
        "fd00::200:5efe:a9fe:aa02",
        "fd00::300:5efe:a9fe:aa02",
    ] {
        let address: IpAddr = address.parse().unwrap();
        for is_encrypted in [true, false] {
            assert!(!is_reachable(address, is_encrypted, &everything), "{address}");
        }
    }
}

#[test]
fn what_is_never_reached_has_its_ends() {
    let everything = allow("0.0.0.0/0, ::/0, http");
    let last = |start: &str| format!("{start}{}", ":ffff".repeat(8 - start.split(':').count()));
    for [before, first, end, after] in [
        ["", "0.0.0.0", "0.255.255.255", "1.0.0.0"],
        ["100.100.100.199", "100.100.100.200", "100.100.100.200", "100.100.100.201"],
        ["168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"],
        ["169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"],
        ["192.0.0.191", "192.0.0.192", "192.0.0.192", "192.0.0.193"],
        ["223.255.255.255", "224.0.0.0", "239.255.255.255", ""],
        ["", "240.0.0.0", "255.255.255.255", ""],
        ["::fffe:ffff:ffff:ffff", "::ffff:0:0:0", "::ffff:0:ffff:ffff", "::ffff:1:0:0"],
        [&last("64:ff9b:0"), "64:ff9b:1::", &last("64:ff9b:1"), "64:ff9b:2::"],
        [&last("2000"), "2001::", &last("2001:0"), "2001:1::"],
        [&last("2001"), "2002::", &last("2002"), "2003::"],
        [&last("fd00:ec1"), "fd00:ec2::", &last("fd00:ec2"), "fd00:ec3::"],
        [&last("fd20:cd"), "fd20:ce::", &last("fd20:ce:0:0"), "fd20:ce:0:1::"],
        [&last("fe7f"), "fe80::", &last("febf"), "fec0::"],
        [&last("feff"), "ff00::", &last("ffff"), ""],
    ] {
        for (address, is_reached) in [(before, true), (first, false), (end, false), (after, true)] {
            // Beside some there is another of them, or nothing.
            if address.is_empty() {
                continue;
            }
            let address = address.parse().unwrap();
            assert_eq!(is_reachable(address, true, &everything), is_reached, "{address}");
            assert_eq!(is_reachable(address, false, &everything), is_reached, "{address}");
        }
    }
}

#[test]
fn what_is_allowed_is_reached_and_nothing_beside_it() {
    let some = allow("10.0.0.0/8, fd12::/16, 64:ff9b::/96, ::ffff:0:0/96, ::1");
    for (address, is_reached) in [
        ("10.1.2.3", true),
        ("192.168.0.1", false),
        ("fd12::1", true),
        ("fd13::1", false),
        ("::1", true),
        ("127.0.0.1", false),
        // Both the address and the one in it.
        ("::ffff:10.1.2.3", true),
        ("::ffff:192.168.0.1", false),
        ("64:ff9b::10.1.2.3", true),
        ("64:ff9b::8.8.8.8", true),
        ("64:ff9b::127.0.0.1", false),
        ("8.8.8.8", true),
    ] {
        assert_eq!(is_reachable(address.parse().unwrap(), true, &some), is_reached, "{address}");
    }
    // Without TLS, the networks alone.
    let plain = allow("10.0.0.0/8, http");
    for (address, is_reached) in [("10.1.2.3", true), ("8.8.8.8", false), ("192.168.0.1", false)] {
        assert_eq!(is_reachable(address.parse().unwrap(), false, &plain), is_reached, "{address}");
    }
    // Nor what is in an address of theirs.
    let plain = allow("64:ff9b::/96, 10.0.0.0/8, http");
    for (address, is_reached) in [("64:ff9b::10.1.2.3", true), ("64:ff9b::8.8.8.8", false)] {
        assert_eq!(is_reachable(address.parse().unwrap(), false, &plain), is_reached, "{address}");
    }
}
