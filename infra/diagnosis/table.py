"""The table of rules: what each is called, what it looks at, and the function that judges."""

import re
from dataclasses import dataclass, field
from itertools import takewhile


@dataclass
class Cause:
    words: str
    mend: str
    evidence: list = field(default_factory=list)


@dataclass
class Rule:
    id: str
    looks_at: str
    judge: object


RULES = []


def rule(identifier, looks_at):
    """Adds a function of the facts, which yields causes, to the table. Rules run in the order of the files."""

    def add(judge):
        RULES.append(Rule(identifier, looks_at, judge))
        return judge

    return add


def diagnose(facts):
    """`(rule, cause)` for everything that is wrong."""
    return [(r, cause) for r in RULES for cause in r.judge(facts)]


def reports(facts):
    """What AWS has said in words: why tasks stopped, what the service's events are, which command failed with what."""
    for task in facts["stopped"]:
        yield from (f"task stopped: {r}" for r in [task.get("stoppedReason")] if r)
        yield from (f"container {c['name']}: {c['reason']}" for c in task.get("containers", []) if c.get("reason"))
    yield from (f"event: {e['message']}" for e in events(facts))
    yield from (
        f"deployment: {d['rolloutStateReason']}"
        for d in facts["service"].get("deployments", [])
        if d.get("rolloutStateReason")
    )
    yield from (f"command failed: {e}" for e in facts["errors"])


def events(facts):
    """Newest first. What the service went through before it was steady the last time is over, unless it is asked why a revision
    was taken back."""
    service = facts["service"]
    if not runs(facts):
        return service["events"]
    return list(takewhile(lambda e: "has reached a steady state" not in e["message"], service["events"]))


def runs(facts):
    """Whether the revision that is looked at is the one that the service has."""
    return facts["definition"].get("taskDefinitionArn") == facts["service"].get("taskDefinition")


def said(facts, pattern):
    """The reports that match, each once, newest first."""
    return list(dict.fromkeys(r for r in reports(facts) if re.search(pattern, r, re.IGNORECASE)))


def logged(facts, pattern):
    """The last log lines that match."""
    return [f"log: {line}" for line in facts["logs"]["lines"] if re.search(pattern, line, re.IGNORECASE)][-3:]


# A rollout that can begin, and that ends by itself.
ROLLING = "--deployment-configuration 'deploymentCircuitBreaker={enable=true,rollback=true},maximumPercent=200,minimumHealthyPercent=100'"


def update(facts, change):
    return f"aws ecs update-service --cluster {facts['cluster']} --service {facts['service']['serviceName']} {change}"
