"""The way from the internet to the load balancer."""

import json

from network import default_route, known_groups, opens, target
from table import Cause, rule


def balancers(facts):
    return [(group, balancer) for group in facts["target_groups"] for balancer in group["LoadBalancers"]]


@rule("edge-closed", "the load balancer's inbound rules against its listeners")
def edge_closed(facts):
    for _, balancer in balancers(facts):
        groups = known_groups(facts, balancer.get("SecurityGroups", []))
        for listener in balancer["Listeners"] if groups else []:
            port = listener["Port"]
            if not any(admits(p, port) for g in groups for p in g["IpPermissions"]):
                yield Cause(
                    f"The load balancer's security group lets nobody in on port {port}, where it listens.",
                    f"aws ec2 authorize-security-group-ingress --group-id {groups[0]['GroupId']} --protocol tcp --port {port} --cidr 0.0.0.0/0",
                    [f"{g['GroupId']} ingress: {g['IpPermissions']}" for g in groups],
                )


def admits(permission, port):
    sources = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    return opens(permission, port) and any(permission.get(source) for source in sources)


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
