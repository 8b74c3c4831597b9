"""What Terraform makes and what the workflows do, as reviewed: golden/ has a line for each value.

A line is an address, a path and a value. What AWS makes up is left out, and where another resource is named, the line
names it too. `make golden` writes the lines anew, for their changes to be read in the diff.
"""

import json
import re
from pathlib import Path

import yaml

# Runs of production.tftest.hcl.
CHOICES = ("learning", "small", "spot_on_arm", "no_mail", "no_media", "media_by_a_name_of_cloudfront")

FOLDER = Path(__file__).parent / "golden"
# What the mocked provider makes up where mocks/ says nothing.
MADE_UP = re.compile(r"[a-z0-9]{8}")


def leaves(value, path=()):
    """(path, value) of all that is neither empty nor false. Lists have no order."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except ValueError:
            pass  # a pattern of CloudWatch's
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict):
                block = list(leaves(inner, (*path, name(inner))))
                # An empty block says something: `allow {}`.
                yield from block or [((*path, "[]"), "{}")]
            else:
                yield from leaves(inner, path)
    elif value not in (None, "", 0, False):
        yield path, value


def name(block):
    """What tells a block from others in its list."""
    words = (block.get(key) for key in ("name", "Sid", "id", "metric_name", "rulePriority", "uses", "run", "Action"))
    return next((f"[{str(word[0] if isinstance(word, list) else word).partition(chr(10))[0]}]" for word in words if word), "[]")


def made(state):
    """The lines of what Terraform has made."""
    resources, plan = {values["address"]: values for _, _, values in state.resources}, state.plans["planned"]
    owners = {}
    for address, values in resources.items():
        for key in ("arn", "arn_suffix", "id", "dns_name", "zone_id", "fqdn", "key_id", "name"):
            value = values.get(key)
            if isinstance(value, str) and not (plan.get(address) or {}).get(key):
                owners.setdefault(value, []).append(f"{address}.{key}")
    # What several would be called by names none of them.
    owners = {value: f"${{{names[0]}}}" for value, names in owners.items() if len(names) == 1 or MADE_UP.fullmatch(value)}
    owned = re.compile("|".join(re.escape(value) for value in sorted(owners, key=len, reverse=True)) or "$^")

    found = []
    for kind, _, values in state.resources:
        address, unsaid = values["address"], {"address", "depends_on", "id", *state.computed[kind]}
        known = set(leaves(plan.get(address)))
        for path, value in leaves({key: values[key] for key in values.keys() - unsaid}):
            if (path, value) not in known and isinstance(value, str):
                value = owned.sub(lambda found: owners[found[0]], value)
                in_document = len(path) > 1 and isinstance(values[path[0]], str)
                if f"{{{address}." in value or MADE_UP.fullmatch(value) and not in_document:
                    continue
            place = owned.sub(lambda found: owners[found[0]], ".".join(path))
            found.append(f"{address}: {place} = {value}")
    return sorted(set(found))


def profiles(state):
    """What other profiles and choices plan otherwise than the defaults, of what is known before."""
    for run in CHOICES:
        plans = state.plans["planned"], state.plans[run]
        for sign, ours, other in (("-", *plans), ("+", *reversed(plans))):
            for address, values in sorted(ours.items()):
                if address not in other:
                    yield f"{run}: {sign} {address}"
                    continue
                for path, value in sorted(set(leaves(values)) - set(leaves(other[address])), key=str):
                    yield f"{run}: {sign} {address}: {'.'.join(path)} = {value}"


def workflows(files):
    """The lines of workflows, by path."""
    return sorted(
        f"{Path(path).name}: {'.'.join(where)} = {line}"
        for path, text in files.items()
        for where, value in leaves(yaml.safe_load(text))
        for line in str(value).splitlines()
    )


def write(which, lines):
    (FOLDER / f"{which}.txt").write_text("".join(f"{line}\n" for line in lines))


def compare(which, lines):
    """Findings where the lines are not those reviewed."""
    lines, reviewed = set(lines), set((FOLDER / f"{which}.txt").read_text().splitlines())
    for sign, changed in (("+", lines - reviewed), ("-", reviewed - lines)):
        for line in sorted(changed):
            address, _, rest = line.partition(": ")
            yield address, "golden", f"{sign} {rest}"
