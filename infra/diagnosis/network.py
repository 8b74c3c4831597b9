"""How tasks get addresses and reach the rest of AWS."""

import ipaddress

from facts import container, environment, vpc_configuration
from table import Cause, rule, said, update

HTTPS = 443
PRIVATE = [ipaddress.ip_network(cidr) for cidr in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")]
EVERYWHERE = ipaddress.ip_network("0.0.0.0/0")


@rule("no-free-address", "free addresses in the service's subnets")
def no_free_address(facts):
    for subnet in facts["subnets"]:
        if subnet["AvailableIpAddressCount"] == 0:
            name = subnet["SubnetId"]
            yield Cause(
                f"The subnet {name} has no free address. Every task takes one, and a deployment runs old and new at once.",
                "take a larger subnet into the service, or free addresses (old load balancers, endpoints, interfaces):\n"
                f"aws ec2 describe-network-interfaces --filters Name=subnet-id,Values={name} "
                "--query 'NetworkInterfaces[].[NetworkInterfaceId,Description]'",
                [f"{name} {subnet['CidrBlock']}: 0 free", *said(facts, r"free address|RESOURCE:ENI|network interface")],
            )


@rule("no-way-out", "routes, public addresses and VPC endpoints of the service's subnets")
def no_way_out(facts):
    told = said(facts, r"i/o timeout|unable to (pull|retrieve)|connection issue|could not connect")
    configuration = vpc_configuration(facts["service"])
    for subnet in (s for s in facts["subnets"] if s["Table"] is not None):
        name, table = subnet["SubnetId"], subnet["Table"]["RouteTableId"]
        route = default_route(subnet["Table"])
        missing = missing_endpoints(facts, subnet)
        if not missing or leads_out(facts, subnet):
            continue
        if through_gateway(route):
            words = f"The subnet {name} is public, but tasks get no public address, so its internet gateway does not serve them."
            network = (
                f"awsvpcConfiguration={{subnets=[{','.join(s['SubnetId'] for s in facts['subnets'])}],"
                f"securityGroups=[{','.join(configuration.get('securityGroups', []))}],assignPublicIp=ENABLED}}"
            )
            mend = update(facts, f"--network-configuration '{network}'")
            mend += "\nor better, move the tasks to private subnets behind a NAT gateway"
        else:
            words = (
                f"The subnet {name} has no way out: no NAT gateway, and not the endpoints that would do instead. "
                f"What tasks need cannot be reached: {', '.join(missing)}."
            )
            verb = "replace-route" if route else "create-route"
            mend = f"aws ec2 {verb} --route-table-id {table} --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT-GATEWAY\n"
            mend += "\n".join(["or the endpoints:", *(endpoint_mend(facts, service, subnet) for service in missing)])
        yield Cause(words, mend, [f"{name}: default route {target(route)}, without endpoints for {', '.join(missing)}", *told])


@rule("webhooks-without-way", "whether tasks reach the receivers of webhooks, unless WEBHOOKS is off")
def webhooks_without_way(facts):
    if not facts["definition"] or environment(facts["definition"]).get("WEBHOOKS") == "off":
        return
    for subnet in (s for s in facts["subnets"] if s["Table"] is not None):
        # Where tasks do not even start, another rule says so.
        if not leads_out(facts, subnet) and not missing_endpoints(facts, subnet):
            yield Cause(
                f"Webhooks are on, and no way leads from the subnet {subnet['SubnetId']} to their receivers: every delivery fails.",
                "scripts/psql \"select count(*) from webhooks\"    # those that are there: turn them off first\n"
                "set WEBHOOKS to off in the task definition and run scripts/deploy; or give the subnet a NAT gateway",
                [f"WEBHOOKS is {environment(facts['definition']).get('WEBHOOKS', 'not set, which is on')}; default route {target(default_route(subnet['Table']))}"],
            )
            return


@rule("egress-closed", "the outbound rules of the tasks' security groups")
def egress_closed(facts):
    groups = task_groups(facts)
    rules = [p for g in groups for p in g["IpPermissionsEgress"] if opens(p, HTTPS)]
    unreached = [] if anywhere(rules) else sorted({service for subnet in facts["subnets"] for service in shut(facts, rules, subnet)})
    if groups and (not rules or unreached):
        names = ", ".join(g["GroupId"] for g in groups)
        yield Cause(
            f"The tasks' security group ({names}) lets nothing out on port 443"
            + (f" to {', '.join(unreached)}" if rules else ": images, secrets and logs cannot be reached") + ".",
            f"aws ec2 authorize-security-group-egress --group-id {groups[0]['GroupId']} --protocol tcp --port 443 --cidr 0.0.0.0/0",
            [f"{g['GroupId']} egress: {g['IpPermissionsEgress']}" for g in groups],
        )


def ranges(rules):
    return ipaddress.collapse_addresses(ipaddress.ip_network(r["CidrIp"]) for p in rules for r in p.get("IpRanges", []))


def anywhere(rules):
    """Whether rules let tasks reach AWS's public addresses. What stands in a prefix list is not looked at, nor which public ranges are AWS's."""
    return any(p.get("PrefixListIds") for p in rules) or any(not any(r.subnet_of(p) for p in PRIVATE) for r in ranges(rules))


def shut(facts, rules, subnet):
    """The services that rules for some private addresses or groups alone do not let the tasks of a subnet reach."""
    for service in needed(facts):
        endpoint = next((e for e in serving(facts, subnet) if e["ServiceName"].endswith(f".{service}")), None)
        # A gateway endpoint changes the route to public addresses, and not the addresses.
        private = endpoint and endpoint.get("VpcEndpointType") != "Gateway"
        others = {g["GroupId"] for g in endpoint.get("Groups", [])} if private else set()
        if not private or others and not any(lets(p, HTTPS, others, [s["CidrBlock"] for s in facts["subnets"]]) for p in rules):
            yield service


@rule("vpc-dns", "whether the VPC resolves names")
def vpc_dns(facts):
    private = [e for e in facts["endpoints"] if e.get("PrivateDnsEnabled")]
    needed = {"enableDnsSupport": "none is resolved", "enableDnsHostnames": "those of its endpoints lead past them"}
    for attribute, words in needed.items():
        if facts["dns"].get(attribute) is False and (attribute == "enableDnsSupport" or private):
            option = "--enable-dns-support" if attribute == "enableDnsSupport" else "--enable-dns-hostnames"
            vpc = facts["subnets"][0]["VpcId"]
            yield Cause(
                f"The VPC {vpc} does not resolve names for the tasks: {words}.",
                f"aws ec2 modify-vpc-attribute --vpc-id {vpc} {option} Value=true",
                [f"{attribute} is false", *said(facts, r"no such host|resolve")],
            )


@rule("endpoint-closed", "the security groups of interface endpoints")
def endpoint_closed(facts):
    tasks = {g["GroupId"] for g in task_groups(facts)}
    cidrs = [s["CidrBlock"] for s in facts["subnets"]]
    for endpoint in facts["endpoints"]:
        groups = known_groups(facts, [g["GroupId"] for g in endpoint.get("Groups", [])])
        if tasks and groups and not any(lets(p, HTTPS, tasks, cidrs) for g in groups for p in g["IpPermissions"]):
            yield Cause(
                f"The endpoint of {endpoint['ServiceName']} does not let the tasks in, and its name leads nowhere else.",
                f"aws ec2 authorize-security-group-ingress --group-id {groups[0]['GroupId']} --protocol tcp --port 443 "
                f"--source-group {sorted(tasks)[0]}",
                [f"{endpoint['VpcEndpointId']}, {g['GroupId']} ingress: {g['IpPermissions']}" for g in groups],
            )


def default_route(table):
    return next((r for r in table.get("Routes", []) if r.get("DestinationCidrBlock") == "0.0.0.0/0"), None)


def target(route):
    if not route:
        return "none"
    keys = ("NatGatewayId", "GatewayId", "TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId")
    return f"{next((route[k] for k in keys if route.get(k)), 'elsewhere')} ({route.get('State', 'active')})"


def through_gateway(route):
    return bool(route) and (route.get("GatewayId") or "").startswith("igw-")


def leads_out(facts, subnet):
    """Whether tasks in a subnet whose table is known reach the internet."""
    route = default_route(subnet["Table"])
    if not route or route.get("State") == "blackhole":
        return False
    return not through_gateway(route) or vpc_configuration(facts["service"]).get("assignPublicIp") == "ENABLED"


def needed(facts):
    """The services of AWS that tasks need to start and to run."""
    services = ["ecr.api", "ecr.dkr", "s3"]
    if container(facts["definition"]).get("logConfiguration", {}).get("logDriver") == "awslogs":
        services.append("logs")
    if facts["secrets"]:
        services.append("secretsmanager")
    if environment(facts["definition"]).get("MAIL_URL", "").startswith("ses:"):
        services.append("email")
    return services


def serving(facts, subnet):
    """The endpoints that requests from a subnet take."""
    table = (subnet["Table"] or {}).get("RouteTableId")
    return [e for e in facts["endpoints"] if e.get("VpcEndpointType") != "Gateway" or table in e.get("RouteTableIds", [])]


def missing_endpoints(facts, subnet):
    """The services that tasks need and that this subnet has no endpoint for."""
    names = [e["ServiceName"] for e in serving(facts, subnet)]
    return [service for service in needed(facts) if not any(name.endswith(f".{service}") for name in names)]


def endpoint_mend(facts, service, subnet):
    region = facts["service"]["serviceArn"].split(":")[3]
    make = f"aws ec2 create-vpc-endpoint --vpc-id {subnet['VpcId']} --service-name com.amazonaws.{region}.{service}"
    if service == "s3":
        return f"{make} --vpc-endpoint-type Gateway --route-table-ids {subnet['Table']['RouteTableId']}"
    subnets = " ".join(s["SubnetId"] for s in facts["subnets"])
    return f"{make} --vpc-endpoint-type Interface --subnet-ids {subnets} --security-group-ids GROUP-THAT-LETS-443-IN --private-dns-enabled"


def known_groups(facts, ids):
    return [facts["security_groups"][i] for i in ids if i in facts["security_groups"]]


def task_groups(facts):
    return known_groups(facts, vpc_configuration(facts["service"]).get("securityGroups", []))


def opens(permission, port):
    """Whether a rule of a security group is about `port` over TCP."""
    if permission["IpProtocol"] == "-1":
        return True
    return permission["IpProtocol"] == "tcp" and permission["FromPort"] <= port <= permission["ToPort"]


def lets(permission, port, groups, cidrs):
    """Whether a rule lets `port` through to or from one of `groups`, or all of `cidrs`."""
    if not opens(permission, port):
        return False
    # What stands in a prefix list is not looked at.
    if permission.get("PrefixListIds") or any(p["GroupId"] in groups for p in permission.get("UserIdGroupPairs", [])):
        return True
    ranges = [ipaddress.ip_network(r["CidrIp"]) for r in permission.get("IpRanges", [])]
    return bool(cidrs) and all(any(ipaddress.ip_network(c).subnet_of(r) for r in ranges) for c in cidrs)


def closed(groups, direction, port, others, cidrs):
    ids = {g["GroupId"] for g in others}
    return not any(lets(p, port, ids, cidrs) for g in groups for p in g[direction])


def opening(direction, port, groups, others):
    return (
        f"aws ec2 authorize-security-group-{direction} --group-id {groups[0]['GroupId']} --protocol tcp --port {port} "
        f"--source-group {others[0]['GroupId']}"
    )
