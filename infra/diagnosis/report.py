"""What is said to the person who asked."""

import scheduling, startup, network, database, health, edge, media, mail  # isort: skip  # noqa: F401  in the order in which a task meets the rules
from facts import environment, failed_by_itself, steady
from table import RULES, Cause, Rule, diagnose, reports, update

# What no rule looks at.
UNSEEN = "network ACLs, endpoint policies, the policies of keys and of the organisation"
RECORD = ", the domain's record"
MAIL = ", the mail server"
READY = ", /ready, since URL does not say where"
UNEXPLAINED = Rule("unexplained", "the service's counts, rollout and reports, when no other rule speaks", None)


def causes(facts):
    return diagnose(facts) or [(UNEXPLAINED, cause) for cause in unexplained(facts)]


def is_well(facts):
    """Whether the service runs all that it is to, and everything was seen that is looked at."""
    return steady(facts["service"]) and not facts["unknown"]


def unexplained(facts):
    troubles = list(troubled(facts))
    if troubles:
        yield Cause(
            "The service is not healthy, and none of the usual causes is found.",
            update(facts, "--force-new-deployment    # try again; then look at network ACLs, endpoint")
            + "\npolicies, KMS keys, service quotas and the organisation's policies",
            [*troubles, *list(reports(facts))[:10]],
        )


def troubled(facts):
    service = facts["service"]
    for d in service.get("deployments", []):
        if d.get("rolloutState") == "FAILED" or d.get("failedTasks"):
            yield f"rollout {d.get('rolloutState')} of {d['taskDefinition'].split('/')[-1]}, {d.get('failedTasks', 0)} tasks failed"
        elif (d["status"], d.get("rolloutState")) == ("PRIMARY", "COMPLETED") and service["runningCount"] < service["desiredCount"]:
            yield f"{service['runningCount']} of {service['desiredCount']} tasks run"
    for task in facts["stopped"]:
        if failed_by_itself(task) and any(c.get("exitCode") != 0 for c in task.get("containers", [])):
            yield f"task stopped: {task.get('stoppedReason')}"


def text(facts, found):
    service, definition = facts["service"], facts["definition"]
    lines = [
        f"{service['serviceName']} in {facts['cluster']}: {service['runningCount']} of {service['desiredCount']} tasks run; "
        f"looked at {definition.get('family')}:{definition.get('revision')}, {facts['image']['uri']}"
    ]
    for number, (rule, cause) in enumerate(found, 1):
        lines += ["", f"{number}. {cause.words}  [{rule.id}]"]
        lines += [f"   seen: {line}" for line in dict.fromkeys(cause.evidence)]
        first, *rest = cause.mend.split("\n")
        lines += [f"   mend: {first}", *(f"         {line}" for line in rest)]
    seen = "\n".join(line for _, cause in found for line in cause.evidence)
    besides = [line for line in dict.fromkeys(troubled(facts)) if line.partition(": ")[2] not in seen]
    if found and besides:
        lines += ["", "AWS also says:", *(f"   {line}" for line in besides)]
    over = [*startup.taken_back(facts), *scheduling.alarmed(facts)]
    if over:
        lines += ["", "Seen besides:", *(f"   {line}" for line in dict.fromkeys(over))]
    if not found:
        lines += ["", "Nothing is wrong." if is_well(facts) else "Nothing wrong is seen."]
        if service.get("deployments") and not steady(service):
            states = ", ".join(f"{d['taskDefinition'].split('/')[-1]} {d.get('rolloutState')}" for d in service["deployments"])
            lines += [f"But the service is not steady yet: {states}. Ask again."]
        domains = [domain for _, balancer in edge.balancers(facts) for domain in balancer.get("Domains", [])]
        read = domains and all(domain["targets"] is not None for domain in domains)
        smtp = environment(definition).get("MAIL_URL", "").startswith("smtp")
        unseen = UNSEEN + ("" if read else RECORD) + (MAIL if smtp else "") + ("" if facts.get("ready") else READY)
        lines += [f"Not looked at: {unseen}."]
    if facts["unknown"]:
        lines += ["", "Could not look at:", *(f"   {line}" for line in dict.fromkeys(facts["unknown"]))]
    return "\n".join(lines)


def table():
    rules = [*RULES, UNEXPLAINED]
    return "\n".join(f"{r.id:24}{r.looks_at}" for r in rules)
