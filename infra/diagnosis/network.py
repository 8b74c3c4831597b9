"""How tasks get addresses and reach the rest of AWS."""

import ipaddress

from facts import container, vpc_configuration
from table import Cause, rule, said

HTTPS = 443


@rule("no-free-address", "free addresses in the service's subnets")
def no_free_address(facts):
    for subnet in facts["subnets"]:
        if subnet["AvailableIpAddressCount"] == 0:
            yield Cause(
                f"The subnet {subnet['SubnetId']} has no free address. Every task takes one, and a deployment runs old and new at once.",
                "take a larger subnet into the service, or free addresses (old load balancers, endpoints, interfaces):\n"
                f"aws ec2 describe-network-interfaces --filters Name=subnet-id,Values={subnet['SubnetId']} "
                "--query 'NetworkInterfaces[].[NetworkInterfaceId,Description]'",
                [
                    f"{subnet['SubnetId']} {subnet['CidrBlock']}: 0 free",
                    *said(facts, r"free address|RESOURCE:ENI|network interface"),
                ],
            )


@rule("no-way-out", "routes, public addresses and VPC endpoints of the service's subnets")
def no_way_out(facts):
    told = said(facts, r"i/o timeout|unable to (pull|retrieve)|connection issue|could not connect")
    public_address = vpc_configuration(facts["service"]).get("assignPublicIp") == "ENABLED"
    for subnet in facts["subnets"]:
        if subnet["Table"] is None:
            continue
        route = default_route(subnet["Table"])
        gateway = route and (route.get("GatewayId") or "")
        if route and route.get("State") != "blackhole" and (not gateway.startswith("igw-") or public_address):
            continue
        missing = missing_endpoints(facts, subnet)
        if not missing:
            continue
        name, vpc = subnet["SubnetId"], subnet["VpcId"]
        if gateway and gateway.startswith("igw-"):
            words = f"The subnet {name} is public, but tasks get no public address, so its internet gateway does not serve them."
            mend = (
                f"aws ecs update-service --cluster {facts['cluster']} --service {facts['service']['serviceName']} --network-configuration "
                f"'awsvpcConfiguration={{subnets=[{','.join(s['SubnetId'] for s in facts['subnets'])}],"
                f"securityGroups=[{','.join(vpc_configuration(facts['service']).get('securityGroups', []))}],assignPublicIp=ENABLED}}'\n"
                "or better, move the tasks to private subnets behind a NAT gateway"
            )
        else:
            words = (
                f"The subnet {name} has no way out: no NAT gateway, and not the endpoints that would do instead. "
                "Images, secrets and logs cannot be reached."
            )
            table = subnet["Table"]["RouteTableId"]
            verb = "replace-route" if route else "create-route"
            mend = (
                f"aws ec2 {verb} --route-table-id {table} --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT-GATEWAY\n"
                + "or the endpoints:\n"
                + "\n".join(endpoint_mend(facts, service, vpc, table) for service in missing)
            )
        evidence = [f"{name}: default route {target(route)}, without endpoints for {', '.join(missing)}", *told]
        yield Cause(words, mend, evidence)


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


@rule("endpoint-closed", "the security groups of interface endpoints")
def endpoint_closed(facts):
    tasks = {g["GroupId"] for g in task_groups(facts)}
    for endpoint in facts["endpoints"]:
        groups = [
            facts["security_groups"][g["GroupId"]]
            for g in endpoint.get("Groups", [])
            if g["GroupId"] in facts["security_groups"]
        ]
        cidrs = [s["CidrBlock"] for s in facts["subnets"]]
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

    def serves(endpoint, service):
        if endpoint.get("State", "available").lower() != "available" or not endpoint["ServiceName"].endswith(
            f".{service}"
        ):
            return False
        gateway = endpoint.get("VpcEndpointType") == "Gateway"
        return not gateway or subnet["Table"]["RouteTableId"] in endpoint.get("RouteTableIds", [])

    return [s for s in needed if not any(serves(e, s) for e in facts["endpoints"])]


def endpoint_mend(facts, service, vpc, table):
    region = facts["service"]["serviceArn"].split(":")[3]
    name = f"aws ec2 create-vpc-endpoint --vpc-id {vpc} --service-name com.amazonaws.{region}.{service}"
    if service == "s3":
        return f"{name} --vpc-endpoint-type Gateway --route-table-ids {table}"
    subnets = " ".join(s["SubnetId"] for s in facts["subnets"])
    return f"{name} --vpc-endpoint-type Interface --subnet-ids {subnets} --security-group-ids GROUP-THAT-LETS-443-IN --private-dns-enabled"


def task_groups(facts):
    ids = vpc_configuration(facts["service"]).get("securityGroups", [])
    return [facts["security_groups"][i] for i in ids if i in facts["security_groups"]]


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
