"""The way from the internet to the load balancer."""

import json
from datetime import datetime, timezone

from network import EVERYWHERE, default_route, known_groups, opens, ranges, target
from table import Cause, rule


def balancers(facts):
    return [(group, balancer) for group in facts["target_groups"] for balancer in group["LoadBalancers"]]


@rule("edge-closed", "the load balancer's inbound rules against its listeners")
def edge_closed(facts):
    for _, balancer in balancers(facts):
        groups = known_groups(facts, balancer.get("SecurityGroups", []))
        for listener in balancer["Listeners"] if groups else []:
            port = listener["Port"]
            rules = [p for g in groups for p in g["IpPermissions"] if admits(p, port)]
            internal = balancer.get("Scheme") == "internal"
            if not rules or not internal and not everybody(rules):
                yield Cause(
                    f"The load balancer's security group lets nobody in on port {port}, where it listens"
                    + (", but from some addresses: the internet is shut out, unless that is meant." if rules else "."),
                    f"aws ec2 authorize-security-group-ingress --group-id {groups[0]['GroupId']} --protocol tcp --port {port} --cidr 0.0.0.0/0",
                    [f"{g['GroupId']} ingress: {g['IpPermissions']}" for g in groups],
                )


def admits(permission, port):
    sources = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    return opens(permission, port) and any(permission.get(source) for source in sources)


def everybody(rules):
    """Whether a balancer's rules let the internet in. What stands in a prefix list, such as CloudFront's, is not looked at."""
    listed = any(p.get("PrefixListIds") or {"CidrIpv6": "::/0"} in p.get("Ipv6Ranges", []) for p in rules)
    return listed or EVERYWHERE in ranges(rules)


@rule("balancer-inactive", "the state of the load balancer")
def balancer_inactive(facts):
    for _, balancer in balancers(facts):
        state = balancer.get("State", {})
        if state.get("Code", "active") != "active":
            name = balancer["LoadBalancerArn"]
            yield Cause(
                f"The load balancer is {state['Code']}, not active.",
                f"aws elbv2 describe-load-balancers --load-balancer-arns {name} --query 'LoadBalancers[0].State'    # while it is provisioning, wait; else make it anew",
                [f"{name}: {state['Code']} {state.get('Reason', '')}".rstrip()],
            )


@rule("certificate", "whether the listeners' certificates hold, and are renewed")
def certificate(facts):
    for _, balancer in balancers(facts):
        for domain in balancer.get("Domains", []):
            which, status, ends, renewal = (domain.get(key) for key in ("certificate", "status", "ends", "renewal"))
            over = bool(ends) and moment(ends) < datetime.now(timezone.utc)
            evidence = [f"{which}: {status}, until {ends}, renewal {renewal or 'none'}"]
            see = f"aws acm describe-certificate --certificate-arn {which} --query 'Certificate.DomainValidationOptions[].ResourceRecord'"
            if over or status not in (None, "ISSUED"):
                yield Cause(
                    f"The certificate of {domain['name']} is {'EXPIRED' if over else status}: browsers refuse it.",
                    f"{see}    # the record by which AWS renews it; where it has expired, request another one (docs/deploy.md)",
                    evidence,
                )
            elif renewal in ("FAILED", "PENDING_VALIDATION"):
                yield Cause(
                    f"The certificate of {domain['name']} is not renewed, and ends at {ends}: AWS does not find the record that proves whose the domain is.",
                    f"{see}    # must be in the domain's zone",
                    evidence,
                )


def moment(said):
    then = datetime.fromisoformat(said) if isinstance(said, str) else datetime.fromtimestamp(said, timezone.utc)
    return then if then.tzinfo else then.replace(tzinfo=timezone.utc)


@rule("edge-without-route", "the routes of a public load balancer's subnets")
def edge_without_route(facts):
    for group, balancer in balancers(facts):
        for subnet in group["LoadBalancerSubnets"] if balancer.get("Scheme") != "internal" else []:
            if subnet.get("Table") is None:
                continue
            route, name = default_route(subnet["Table"]), subnet["SubnetId"]
            if not route or not (route.get("GatewayId") or "").startswith("igw-") or route.get("State") == "blackhole":
                verb = "replace-route" if route else "create-route"
                yield Cause(
                    f"The load balancer is public, and no route leads from its subnet {name} to the internet.",
                    f"aws ec2 {verb} --route-table-id {subnet['Table']['RouteTableId']} --destination-cidr-block 0.0.0.0/0 --gateway-id INTERNET-GATEWAY",
                    [f"{name}: default route {target(route)}"],
                )


@rule("listener-elsewhere", "what the listeners do with requests")
def listener_elsewhere(facts):
    for group, balancer in balancers(facts):
        ports, arn = {listener["Port"] for listener in balancer["Listeners"]}, group["TargetGroupArn"]
        forward = f"Type=forward,TargetGroupArn={arn}"
        for listener in balancer["Listeners"]:
            action = listener["DefaultActions"][-1]
            evidence = [f"{listener['Protocol']} {listener['Port']}: {action}"]
            if action["Type"] == "fixed-response":
                yield Cause(
                    f"The listener on port {listener['Port']} answers by itself, and asks no task.",
                    f"aws elbv2 modify-listener --listener-arn {listener['ListenerArn']} --default-actions {forward}",
                    evidence,
                )
            to = action.get("RedirectConfig", {}).get("Port")
            if action["Type"] == "redirect" and to and to.isdigit() and int(to) not in ports:
                yield Cause(
                    f"The listener on port {listener['Port']} sends everybody to port {to}, where nothing listens.",
                    f"aws elbv2 create-listener --load-balancer-arn {balancer['LoadBalancerArn']} --protocol HTTPS --port {to} "
                    f"--certificates CertificateArn=CERTIFICATE --default-actions {forward}",
                    evidence,
                )


@rule("record-gone", "where Route 53 leads the domain of the certificate")
def record_gone(facts):
    for _, balancer in balancers(facts):
        ours = balancer["DNSName"].lower()
        for domain in balancer.get("Domains", []):
            name, targets = domain["name"], domain["targets"]
            if targets is None or leads(targets, ours):
                continue
            yield Cause(
                f"The domain {name} " + ("leads elsewhere than to the load balancer." if targets else "has no record: nobody finds the load balancer."),
                leading(domain, {"DNSName": ours, "HostedZoneId": balancer["CanonicalHostedZoneId"], "EvaluateTargetHealth": True}),
                [f"{name} in {domain['zone']}: {', '.join(targets) or 'no record'}; the load balancer is {ours}"],
            )


@rule("listener-to-others", "to which target groups the listeners and their rules forward")
def listener_to_others(facts):
    for group, balancer in balancers(facts):
        ours = group["TargetGroupArn"]
        secure = [one for one in balancer["Listeners"] if one["Protocol"] == "HTTPS"]
        # Clients come by HTTPS where there is any; a load balancer of several services has listeners for others.
        listeners = [one for one in secure or balancer["Listeners"] if one["DefaultActions"][-1]["Type"] == "forward" or special(one)]
        if not listeners or any(path(one, ours) is None for one in listeners):
            continue
        listener = listeners[0]
        words, arn = path(listener, ours)
        change = f"modify-rule --rule-arn {arn} --actions" if ":listener-rule/" in arn else f"modify-listener --listener-arn {arn} --default-actions"
        yield Cause(
            f"The listener on port {listener['Port']} sends requests elsewhere than to the service: {words}",
            f"aws elbv2 {change} Type=forward,TargetGroupArn={ours}",
            [f"{one['Protocol']} {one['Port']}: default {one['DefaultActions'][-1]}; {len(special(one))} rules" for one in listeners],
        )


def special(listener):
    """The rules before the default action, in their order. Facts that were saved before have none."""
    rules = [rule for rule in listener.get("Rules") or [] if str(rule.get("Priority")).isdigit()]
    return sorted(rules, key=lambda rule: int(rule["Priority"]))


def path(listener, ours):
    """None where requests come to the target group `ours`; else what takes them, in words, and its ARN."""
    for rule in special(listener):
        if forwards(rule["Actions"], ours):
            return None
        if all(takes_all(condition) for condition in rule.get("Conditions", [])):
            return f"its rule {rule['Priority']} takes all of them.", rule["RuleArn"]
    if forwards(listener["DefaultActions"], ours):
        return None
    return "its default action names another target group.", listener["ListenerArn"]


def forwards(actions, ours):
    if actions[-1]["Type"] != "forward":
        return False
    groups = actions[-1].get("ForwardConfig", {}).get("TargetGroups", [])
    weights = {g["TargetGroupArn"]: g.get("Weight", 1) for g in groups} or {actions[-1].get("TargetGroupArn"): 1}
    return bool(weights.get(ours))


def takes_all(condition):
    field = condition.get("Field")
    values = condition.get("Values") or condition.get("PathPatternConfig", condition.get("HostHeaderConfig", {})).get("Values", [])
    return field in ("path-pattern", "host-header") and not {"*", "/*"}.isdisjoint(values)


def leads(targets, to):
    return any(t.lower().rstrip(".").removeprefix("dualstack.") == to for t in targets)


def leading(domain, alias):
    change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": domain["name"], "Type": "A", "AliasTarget": alias}}
    return f"aws route53 change-resource-record-sets --hosted-zone-id {domain['zone']} --change-batch '{json.dumps({'Changes': [change]})}'"


@rule("firewall-blocks", "the default action of the load balancer's firewall")
def firewall_blocks(facts):
    for _, balancer in balancers(facts):
        acl = balancer.get("WebAcl")
        if acl and "Block" in acl["DefaultAction"]:
            yield Cause(
                f"The firewall {acl['Name']} refuses whatever no rule lets through: its default action is to block.",
                f"aws wafv2 get-web-acl --name {acl['Name']} --scope REGIONAL --id {acl['Id']}    # then update-web-acl with --default-action Allow={{}}",
                [f"default action {acl['DefaultAction']}"],
            )
