"""Whether the load balancer finds tasks healthy, and whether a deployment ends."""

import re
from datetime import datetime, timezone

from facts import container, steady
from network import closed, known_groups, opening, task_groups
from startup import REGISTER
from table import ROLLING, Cause, rule, said, update

PATH = "/health"
STUCK_AFTER_MINUTES = 15
FAILING = ("unhealthy", "unused", "unavailable")
# What the balancer says about a target, and what it means here.
TARGET_REASONS = {
    "Target.ResponseCodeMismatch": "the program answers, but not with the code that counts as healthy",
    "Target.Timeout": "nothing answers in time: a closed security group, or a program that hangs",
    "Target.FailedHealthChecks": "the connection fails: nothing listens on that port, or the answer is malformed",
    "Target.NotInUse": "the target group has no listener, or the task is in a zone that the balancer does not serve",
    "Target.IpUnusable": "the address cannot be used by this balancer",
    "Elb.InternalError": "the balancer itself has trouble",
}


def seen(target):
    health = target["TargetHealth"]
    meaning = TARGET_REASONS.get(health.get("Reason"), health.get("Description", ""))
    place = f"{target['Target']['Id']}:{target['Target'].get('Port')}"
    return f"target {place} is {health['State']}: {health.get('Reason', '')}, {meaning}"


@rule("health-checks-failed", "target health, events of failed checks, and the five checkpoints together")
def health_checks_failed(facts):
    targets = [target for group in facts["target_groups"] for target in group["Health"]]
    bad = [seen(t) for t in targets if t["TargetHealth"]["State"] in FAILING]
    told = said(facts, r"failed ELB health checks|unhealthy in .*target-group")
    if not bad and not told:
        return
    checks = {
        "the ports are equal": ports_differ,
        f"the check asks for {PATH} over HTTP and takes 200": lambda facts: [*health_path(facts), *health_protocol(facts)],
        "the grace period is longer than the boot": grace_period,
        "the security groups let the balancer reach the tasks": group_closed,
        "the balancer reaches the tasks' network": other_network,
    }
    broken = {words: bool(list(judge(facts))) for words, judge in checks.items()}
    mend = "mend the broken checkpoints below"
    if not any(broken.values()):
        group = facts["logs"]["group"] or "LOG-GROUP"
        mend = f"every checkpoint holds from outside: see what the program answers and why\naws logs tail {group} --since 30m"
    yield Cause(
        "The load balancer's health checks fail, so tasks are stopped and replaced again and again.",
        mend,
        [*bad, *told, *(f"checkpoint {'BROKEN' if broken[words] else 'holds'}: {words}" for words in checks)],
    )


@rule("no-target", "whether the service has a load balancer, and that a healthy target")
def no_target(facts):
    service = facts["service"]
    # A task that is looked at alone has no deployments. While a service rolls out, its first targets are not healthy yet.
    if not service.get("deployments") or not service["runningCount"] or not steady(service):
        return
    if not any(attachment.get("targetGroupArn") for attachment in service.get("loadBalancers", [])):
        yield Cause(
            "The service belongs to no load balancer, so no request reaches its tasks.",
            update(facts, "--load-balancers targetGroupArn=TARGET-GROUP,containerName=api,containerPort=8000"),
            ["the service has no target group"],
        )
    for group in facts["target_groups"]:
        states = [target["TargetHealth"]["State"] for target in group["Health"]]
        # Those that fail their checks are another rule's.
        if group.get("HealthKnown") and not {"healthy", *FAILING}.intersection(states):
            yield Cause(
                f"{service['runningCount']} tasks run, and none of them is a healthy target of {group['TargetGroupName']}: nobody gets an answer.",
                update(facts, "--force-new-deployment    # registers the new tasks"),
                [*(seen(target) for target in group["Health"]), f"{group['TargetGroupName']}: {len(states)} targets, none healthy"],
            )


@rule("not-ready", "what a task says to /ready, if URL says where to ask")
def not_ready(facts):
    ready = facts.get("ready") or {}
    if ready.get("reason"):
        yield Cause(
            f"A task answers, but cannot serve: /ready says {ready['reason']}.",
            "docs/operations.md says what to do about each reason; the task's log has the cause\n"
            f"aws logs tail {facts['logs']['group'] or 'LOG-GROUP'} --since 30m",
            [f"{ready['url']}: {ready['status']}, {ready['reason']}"],
        )


@rule("alarm", "the alarms whose names begin with the service's")
def alarm(facts):
    for one in facts.get("alarms", []):
        yield Cause(
            f"The alarm {one['AlarmName']} is on: {one['AlarmDescription'] or 'it has no description.'}",
            f"aws cloudwatch describe-alarm-history --alarm-name {one['AlarmName']} --max-items 5",
            [f"since {one['StateUpdatedTimestamp']}: {one['StateReason']}"],
        )


@rule("ports-differ", "PORT, the port mapping, the service and the target group")
def ports_differ(facts):
    for group in facts["target_groups"]:
        boxes = {c["name"]: c for c in facts["definition"].get("containerDefinitions", [])}
        box, arn = boxes.get(group["ContainerName"]), group["TargetGroupArn"]
        if boxes and box is None:
            yield Cause(
                f"The service sends requests to a container {group['ContainerName']}, which the task definition does not have.",
                balance(facts, arn, next(iter(boxes)), 8000),
                [f"containers: {', '.join(boxes)}"],
            )
        if box is None:
            continue
        listens = int({e["name"]: e["value"] for e in box.get("environment", [])}.get("PORT") or 8000)
        mapped = [m["containerPort"] for m in box.get("portMappings", [])]
        registered, check = group["ContainerPort"], group.get("HealthCheckPort", "traffic-port")
        ports = {
            "the program listens on": listens,
            "the task definition maps": registered if registered in mapped else (mapped or [None])[0],
            "the service registers": registered,
            "the target group has": group["Port"],
            "the health check asks": registered if check == "traffic-port" else int(check),
        }
        if len(set(ports.values())) == 1:
            continue
        if check not in ("traffic-port", str(listens)):
            mend = "the check follows the targets with\n"
            mend += f"aws elbv2 modify-target-group --target-group-arn {arn} --health-check-port traffic-port"
        elif group["Port"] != listens:
            mend = "a target group's port cannot be changed, make another one (docs/deploy.md), then\n"
            mend += balance(facts, "NEW", box["name"], listens)
        elif registered != listens:
            mend = balance(facts, arn, box["name"], listens)
        else:
            mend = f"correct PORT or portMappings in task-definition.json, and\n{REGISTER}"
        yield Cause(
            "The ports differ, so requests and health checks go where nothing listens.",
            f"one number in all places, {listens}: {mend}",
            [f"{place} {port}" for place, port in ports.items()],
        )


def balance(facts, group, container, port):
    return update(facts, f"--load-balancers targetGroupArn={group},containerName={container},containerPort={port}")


@rule("health-path", "path and codes of the target group's check")
def health_path(facts):
    for group in facts["target_groups"]:
        modify = f"aws elbv2 modify-target-group --target-group-arn {group['TargetGroupArn']}"
        wrong = [t for t in group["Health"] if t["TargetHealth"].get("Reason") == "Target.ResponseCodeMismatch"]
        codes_seen = [f"{t['Target']['Id']}: {t['TargetHealth'].get('Description', '')}" for t in wrong]
        path, codes = group.get("HealthCheckPath"), group.get("Matcher", {}).get("HttpCode", "200")
        if path != PATH:
            yield Cause(
                f"The health check asks for {path}; the one path that answers 200 without the database is {PATH}.",
                f"{modify} --health-check-path {PATH}",
                [f"HealthCheckPath {path}", *codes_seen],
            )
        elif not takes_200(codes):
            yield Cause(
                f"The health check takes {codes} for healthy, and {PATH} answers 200.",
                f"{modify} --matcher HttpCode=200",
                [f"Matcher {codes}", *codes_seen],
            )
        elif wrong:
            yield Cause(
                f"{PATH} does not answer 200, so something else than this program answers on that port, or another version of it.",
                f"aws logs tail {facts['logs']['group']} --since 30m    # and compare the image with the commit",
                codes_seen,
            )


@rule("health-protocol", "the protocols of the target group and of its check")
def health_protocol(facts):
    for group in facts["target_groups"]:
        for words, protocol, mend in [
            ("sends requests", group.get("Protocol", "HTTP"), "a target group's protocol cannot be changed, make another one (docs/deploy.md), then\n"
             + balance(facts, "NEW", group["ContainerName"], group["ContainerPort"])),
            ("checks health", group.get("HealthCheckProtocol", "HTTP"),
             f"aws elbv2 modify-target-group --target-group-arn {group['TargetGroupArn']} --health-check-protocol HTTP"),
        ]:  # fmt: skip
            if protocol != "HTTP":
                yield Cause(
                    f"The load balancer {words} over {protocol}, and the program speaks HTTP: TLS ends at the balancer.",
                    mend,
                    [f"{group['TargetGroupName']}: {protocol}"],
                )


@rule("container-health", "events of failed checks of the container's own")
def container_health(facts):
    told = said(facts, r"failed container health checks")
    if told:
        check = container(facts["definition"]).get("healthCheck", {})
        yield Cause(
            "ECS asks inside the container, apart from the load balancer, and that check fails.",
            "correct `healthCheck` in task-definition.json: the image has no shell and no curl, its command is "
            f'["CMD", "/app/blog-api", "healthcheck"]\n{REGISTER}',
            [f"the definition has {check.get('command', 'none')}", *told],
        )


def takes_200(codes):
    return any(int(first) <= 200 <= int(last or first) for first, last in re.findall(r"(\d+)(?:-(\d+))?", codes))


@rule("grace-period", "the service's grace period against the boot")
def grace_period(facts):
    grace = facts["service"].get("healthCheckGracePeriodSeconds") or 0
    start = container(facts["definition"]).get("healthCheck", {}).get("startPeriod", 0)
    for group in facts["target_groups"]:
        interval, count = group["HealthCheckIntervalSeconds"], group["HealthyThresholdCount"]
        needs = max(interval * count, start)
        if grace < needs:
            yield Cause(
                f"The grace period is {grace} s, and a task needs up to {needs} s before the balancer can call it healthy: "
                "ECS may stop tasks that are still starting.",
                update(facts, f"--health-check-grace-period-seconds {max(60, 2 * needs)}"),
                [
                    f"{count} checks, {interval} s apart; container startPeriod {start} s",
                    *said(facts, r"failed ELB health checks"),
                ],
            )


@rule("group-closed", "the security groups of the balancer and the tasks")
def group_closed(facts):
    tasks, to_tasks = task_groups(facts), [s["CidrBlock"] for s in facts["subnets"]]
    for group, balancer in ((group, balancer) for group in facts["target_groups"] for balancer in group["LoadBalancers"]):
        port, own = group["ContainerPort"], known_groups(facts, balancer.get("SecurityGroups", []))
        if not own or not tasks:
            continue
        from_balancer = [s["CidrBlock"] for s in group["LoadBalancerSubnets"]]
        if closed(tasks, "IpPermissions", port, own, from_balancer):
            yield Cause(
                f"The tasks' security group does not let the load balancer in on port {port}.",
                opening("ingress", port, tasks, own),
                [f"{g['GroupId']} ingress: {g['IpPermissions']}" for g in tasks],
            )
        if closed(own, "IpPermissionsEgress", port, tasks, to_tasks):
            yield Cause(
                f"The load balancer's security group lets nothing out to the tasks on port {port}.",
                opening("egress", port, own, tasks),
                [f"{g['GroupId']} egress: {g['IpPermissionsEgress']}" for g in own],
            )


@rule("other-network", "VPCs and zones of the balancer, the target group and the tasks")
def other_network(facts):
    vpcs = {s["VpcId"] for s in facts["subnets"]}
    zones = {s["AvailabilityZone"] for s in facts["subnets"]}
    for group in facts["target_groups"]:
        if vpcs and group.get("VpcId") not in vpcs:
            yield Cause(
                "The target group is in another VPC than the tasks, so the balancer has no route to them.",
                f"make a target group and a balancer in {', '.join(vpcs)} (docs/deploy.md), then\n"
                + balance(facts, "NEW", group["ContainerName"], group["ContainerPort"]),
                [f"target group in {group.get('VpcId')}, tasks in {', '.join(vpcs)}"],
            )
        if not group["LoadBalancers"] and group.get("LoadBalancerArns") == []:
            yield Cause(
                "No listener sends requests to the target group, so its targets are never checked.",
                "aws elbv2 create-listener --load-balancer-arn BALANCER --protocol HTTP --port 80 "
                f"--default-actions Type=forward,TargetGroupArn={group['TargetGroupArn']}",
                [f"{group['TargetGroupName']} belongs to no load balancer"],
            )
        for balancer in group["LoadBalancers"]:
            served = {z["ZoneName"] for z in balancer["AvailabilityZones"]}
            if zones - served:
                yield Cause(
                    f"Tasks run in {', '.join(sorted(zones - served))}, a zone that the load balancer does not serve.",
                    f"aws elbv2 set-subnets --load-balancer-arn {balancer['LoadBalancerArn']} --subnets A-PUBLIC-SUBNET-OF-EACH-ZONE",
                    [f"the balancer serves {', '.join(sorted(served))}; the tasks' subnets are in {', '.join(sorted(zones))}"],
                )


@rule("target-type", "the type of the target group")
def target_type(facts):
    for group in facts["target_groups"]:
        name, kind = group["TargetGroupName"], group.get("TargetType")
        if kind != "ip":
            yield Cause(
                f"The target group is of the type {kind}; a task has an address of its own and no instance, so it must be ip.",
                "the type cannot be changed, make another target group:\n"
                f"aws elbv2 create-target-group --name {name}-ip --protocol HTTP --port {group['ContainerPort']} "
                f"--vpc-id {group.get('VpcId')} --target-type ip --health-check-path {PATH}",
                [f"{name}: {kind}", *said(facts, r"target type|instance ID")],
            )


@rule("breaker-off", "the age and failures of the deployment, and the circuit breaker")
def breaker_off(facts):
    service = facts["service"]
    if service.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {}).get("enable"):
        return
    for deployment in service.get("deployments", []):
        if (deployment["status"], deployment.get("rolloutState")) != ("PRIMARY", "IN_PROGRESS"):
            continue
        minutes, failed = age_in_minutes(deployment["createdAt"]), deployment.get("failedTasks", 0)
        if failed or minutes > STUCK_AFTER_MINUTES:
            yield Cause(
                "The deployment does not come to an end, and with the circuit breaker off it never will by itself.",
                update(facts, ROLLING) + "\nscripts/rollback    # back to what worked",
                [
                    f"in progress for {minutes} min, {failed} tasks failed, "
                    f"{deployment['runningCount']} of {deployment['desiredCount']} run"
                ],
            )


def age_in_minutes(created):
    then = datetime.fromisoformat(created) if isinstance(created, str) else datetime.fromtimestamp(created, timezone.utc)
    return int((datetime.now(timezone.utc) - then).total_seconds() // 60)
