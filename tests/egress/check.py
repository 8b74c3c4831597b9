#!/usr/bin/env python3
"""Holds the tables of tests/egress against Python: what `ipaddress` says of each address, and what `inet_aton`, which
reads IPv4 as the C library does, makes of each spelling. `--write` writes the column anew."""

import ipaddress
import re
import socket
import sys
import unicodedata
import urllib.parse
from pathlib import Path

HERE = Path(__file__).parent
# What older versions of Python judge in another way, and the first that does not.
CORRECTED = [
    ("192.0.0.0/24", (3, 13)),
    ("64:ff9b:1::/48", (3, 13)),
    ("2001::/23", (3, 13)),
    ("2002::/16", (3, 13)),
    ("3fff::/20", (3, 13, 1)),
]


def is_comparable(address):
    networks = ((ipaddress.ip_network(network), version) for network, version in CORRECTED)
    return all(address not in network or sys.version_info >= version for network, version in networks)


def judged(line):
    """The line with what this Python says; as it is if an older one cannot know."""
    if line.startswith("#"):
        return line
    text, said, *rest = line.split("\t")
    address = ipaddress.ip_address(text)
    if is_comparable(address):
        said = "global" if address.is_global else "not global"
    return "\t".join([text, said, *rest])


def addresses():
    path = HERE / "addresses.tsv"
    lines = path.read_text().splitlines()
    expected = [judged(line) for line in lines]
    if "--write" in sys.argv:
        path.write_text("\n".join(expected) + "\n")
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    problems = [f"{line!r}: Python says {new!r}" for line, new in zip(lines, expected) if line != new]
    for address, said, ours, *reason in rows:
        if (said, ours) == ("not global", "reached"):
            problems.append(f"{address}: laxer than Python")
        if ((said, ours) == ("global", "refused")) != bool(reason):
            problems.append(f"{address}: a reason is given where it is stricter than Python, and only there")
    compared = sum(is_comparable(ipaddress.ip_address(row[0])) for row in rows)
    stricter = sum(len(row) > 3 for row in rows)
    print(f"{len(rows)} addresses, {compared} compared with this Python; {stricter} stricter")
    if len({ipaddress.ip_address(row[0]) for row in rows}) != len(rows) or len(rows) < 250:
        problems.append("an address is there twice, or some are missing")
    return problems


def meaning(spelling):
    """What a host is as an address of IPv4 by the C library, after what a URL does to every host."""
    host = unicodedata.normalize("NFKC", urllib.parse.unquote(spelling)).replace("。", ".").rstrip(".")
    return socket.inet_ntoa(socket.inet_aton(host))


def spellings():
    rows = [line.split("\t") for line in (HERE / "spellings.tsv").read_text().splitlines()]
    of_v4 = [(host, address) for host, address in rows if re.fullmatch(r"[\d.]+", address)]
    print(f"{len(of_v4)} spellings of IPv4")
    return [f"{host} is {meaning(host)}" for host, address in of_v4 if meaning(host) != address]


problems = addresses() + spellings()
print("\n".join(problems) or "as Python says")
sys.exit(bool(problems))
