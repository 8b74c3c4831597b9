"""What must hold of the network: who reaches whom, from which subnet, and by which way out."""

from resource_rules import of, one

# Who reaches what, from where to which group at which port: all of it.
INGRESS = {
    ("0.0.0.0/0", "load_balancer", 443),
    ("0.0.0.0/0", "load_balancer", 80),
    ("load_balancer", "tasks", 8000),
    ("tasks", "database", 5432),
    ("tasks", "endpoints", 443),
}
EGRESS = {
    ("load_balancer", "tasks", 8000),
    ("tasks", "database", 5432),
    ("tasks", "0.0.0.0/0", 443),
}
SUBNETS = {
    "public": {"10.0.0.0/24", "10.0.1.0/24"},
    "private": {"10.0.10.0/24", "10.0.11.0/24"},
    "database": {"10.0.20.0/24", "10.0.21.0/24"},
}


def findings(state):
    yield from packets(state)
    yield from addresses(state)
    yield from places(state)
    yield from ways_out(state)


def packets(state):
    groups = {group["values"]["id"]: group["name"] for group in of(state, "aws_security_group")}

    def edges(kind, outward):
        for rule in (resource["values"] for resource in of(state, kind)):
            mine = groups[rule["security_group_id"]]
            other = groups.get(rule["referenced_security_group_id"]) or rule["cidr_ipv4"] or "somewhere"
            port = rule["from_port"] if rule["ip_protocol"] == "tcp" and rule["from_port"] == rule["to_port"] else "many"
            yield (mine, other, port) if outward else (other, mine, port)

    for direction, allowed, actual in [
        ("ingress", INGRESS, set(edges("aws_vpc_security_group_ingress_rule", False))),
        ("egress", EGRESS, set(edges("aws_vpc_security_group_egress_rule", True))),
    ]:
        for source, target, port in actual - allowed:
            yield direction, f"{source} may reach {target} at {port}"
        for source, target, port in allowed - actual:
            yield direction, f"{source} cannot reach {target} at {port}"
    inline = [group["name"] for group in of(state, "aws_security_group") if group["values"]["ingress"] or group["values"]["egress"]]
    if inline or of(state, "aws_security_group_rule"):
        yield "rules-apart", f"rules stand where nobody looks for them: {inline}"


def addresses(state):
    subnets = of(state, "aws_subnet")
    for kind, ranges in SUBNETS.items():
        those = [subnet["values"] for subnet in subnets if subnet["name"] == kind]
        if {subnet["cidr_block"] for subnet in those} != ranges:
            yield "subnets", f"{kind} subnets are not {sorted(ranges)}"
        if len({subnet["availability_zone"] for subnet in those}) != 2:
            yield "zones", f"{kind} subnets are not in two zones"
    if any(subnet["values"]["map_public_ip_on_launch"] for subnet in subnets):
        yield "public-addresses", "a subnet gives public addresses"


def ids(state, kind, name):
    return {resource["values"]["id"] for resource in of(state, kind) if resource["name"] == name}


def places(state):
    """In which subnets and security groups the load balancer, the tasks and the database are."""
    balancer = of(state, "aws_lb")[0]["values"]
    tasks = of(state, "aws_ecs_service")[0]["values"]["network_configuration"][0]
    database = of(state, "aws_db_instance")[0]["values"]
    for what, subnets, kind in [
        ("balancer", balancer["subnets"], "public"),
        ("tasks", tasks["subnets"], "private"),
        ("database", of(state, "aws_db_subnet_group")[0]["values"]["subnet_ids"], "database"),
    ]:
        if set(subnets) != ids(state, "aws_subnet", kind):
            yield f"{what}-subnets", f"not in the {kind} subnets"
    if database["db_subnet_group_name"] != of(state, "aws_db_subnet_group")[0]["values"]["name"]:
        yield "database-subnets", "not in the group of its subnets"
    for what, groups, name in [
        ("balancer", balancer["security_groups"], "load_balancer"),
        ("tasks", tasks["security_groups"], "tasks"),
        ("database", database["vpc_security_group_ids"], "database"),
    ]:
        if set(groups) != ids(state, "aws_security_group", name):
            yield f"{what}-group", f"not in the security group {name} alone"


def ways_out(state):
    """Public subnets by the internet gateway, private ones by NAT (S3 by its endpoint), the database's by none."""
    tables = {resource["values"]["subnet_id"]: resource["values"]["route_table_id"] for resource in of(state, "aws_route_table_association")}
    defaults = {
        route["values"]["route_table_id"]: route["values"] for route in of(state, "aws_route")
        if route["values"]["destination_cidr_block"] == "0.0.0.0/0"
    }  # fmt: skip
    internet, nats = of(state, "aws_internet_gateway")[0]["values"]["id"], of(state, "aws_nat_gateway")

    def way(subnet):
        return defaults.get(tables.get(subnet), {"gateway_id": None, "nat_gateway_id": None})

    for subnet in ids(state, "aws_subnet", "public"):
        if way(subnet)["gateway_id"] != internet:
            yield "public-route", "a public subnet has no way to the internet gateway"
    for subnet in ids(state, "aws_subnet", "private"):
        if way(subnet)["nat_gateway_id"] not in {nat["values"]["id"] for nat in nats}:
            yield "private-route", "a private subnet has no way to a NAT gateway"
    if not {nat["values"]["subnet_id"] for nat in nats} <= ids(state, "aws_subnet", "public"):
        yield "nat-place", "a NAT gateway has no way out itself"
    if ids(state, "aws_route_table", "database") & {route["values"]["route_table_id"] for route in of(state, "aws_route")}:
        yield "database-route", "the database has a way out"
    if {tables.get(subnet) for subnet in ids(state, "aws_subnet", "database")} != ids(state, "aws_route_table", "database"):
        yield "database-route", "a database subnet has another table than the one without routes"
    endpoint = one(state, "aws_vpc_endpoint", "s3")["values"]
    if set(endpoint["route_table_ids"]) != {tables.get(subnet) for subnet in ids(state, "aws_subnet", "private")}:
        yield "s3-endpoint", "a private subnet reaches S3 only through NAT"
