"""How tasks get addresses and reach the rest of AWS."""

import ipaddress

from facts import container, vpc_configuration
from table import Cause, rule, said, update

HTTPS = 443


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
        internet = bool(route) and (route.get("GatewayId") or "").startswith("igw-")
        leads_out = route and route.get("State") != "blackhole"
        missing = missing_endpoints(facts, subnet)
        if not missing or leads_out and (not internet or configuration.get("assignPublicIp") == "ENABLED"):
            continue
        if internet:
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
                "Images, secrets and logs cannot be reached."
            )
            verb = "replace-route" if route else "create-route"
            mend = f"aws ec2 {verb} --route-table-id {table} --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT-GATEWAY\n"
            mend += "\n".join(["or the endpoints:", *(endpoint_mend(facts, service, subnet) for service in missing)])
        yield Cause(words, mend, [f"{name}: default route {target(route)}, without endpoints for {', '.join(missing)}", *told])


@rule("egress-closed", "the outbound rules of the tasks' security groups")
def egress_closed(facts):
    groups = task_groups(facts)
    if groups and not any(opens(p, HTTPS) for g in groups for p in g["IpPermissionsEgress"]):
        names = ", ".join(g["GroupId"] for g in groups)
        yield Cause(
            f"The tasks' security group ({names}) lets nothing out on port 443: images, secrets and logs cannot be reached.",
            f"aws ec2 authorize-security-group-egress --group-id {groups[0]['GroupId']} --protocol tcp --port 443 --cidr 0.0.0.0/0",
            [f"{g['GroupId']} egress: {g['IpPermissionsEgress']}" for g in groups],
        )


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


def missing_endpoints(facts, subnet):
    """The services that tasks need to start and that this subnet has no endpoint for."""
    needed = ["ecr.api", "ecr.dkr", "s3"]
    if container(facts["definition"]).get("logConfiguration", {}).get("logDriver") == "awslogs":
        needed.append("logs")
    if facts["secrets"]:
        needed.append("secretsmanager")
    serving = [
        e["ServiceName"] for e in facts["endpoints"]
        if e.get("VpcEndpointType") != "Gateway" or subnet["Table"]["RouteTableId"] in e.get("RouteTableIds", [])
    ]  # fmt: skip
    return [service for service in needed if not any(name.endswith(f".{service}") for name in serving)]


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
