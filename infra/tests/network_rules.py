"""What must hold of the network: who reaches whom, from which subnet, and by which way out."""

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


def packets(state):
    groups = {
        group["id"]: name for name in ("load_balancer", "tasks", "database", "endpoints")
        for group in state.of(f"aws_security_group.{name}")
    }  # fmt: skip

    def edges(direction):
        for rule in state.of(f"aws_vpc_security_group_{direction}_rule"):
            mine = groups[rule["security_group_id"]]
            other = groups.get(rule["referenced_security_group_id"]) or rule["cidr_ipv4"] or "somewhere"
            port = rule["from_port"] if rule["ip_protocol"] == "tcp" and rule["from_port"] == rule["to_port"] else "many"
            yield (mine, other, port) if direction == "egress" else (other, mine, port)

    for direction, meant in {"ingress": INGRESS, "egress": EGRESS}.items():
        actual = set(edges(direction))
        for source, target, port in actual - meant:
            yield direction, f"{source} may reach {target} at {port}"
        for source, target, port in meant - actual:
            yield direction, f"{source} cannot reach {target} at {port}"


def in_two_zones(state):
    return all(len({one["availability_zone"] for one in state.of(f"aws_subnet.{kind}")}) == 2 for kind in SUBNETS)


def database_group_used(state):
    return state.one("aws_db_instance")["db_subnet_group_name"] == state.one("aws_db_subnet_group")["name"]


def tables(state, kind):
    """The route tables of all subnets of a kind."""
    table = {one["subnet_id"]: one["route_table_id"] for one in state.of("aws_route_table_association")}
    return {table.get(subnet) for subnet in state.ids(f"aws_subnet.{kind}")}


def ways_out(state, kind, gateway):
    """Where the default routes of all subnets of a kind lead."""
    defaults = {
        route["route_table_id"]: route[gateway] for route in state.of("aws_route")
        if route["destination_cidr_block"] == "0.0.0.0/0"
    }  # fmt: skip
    return {defaults.get(table) for table in tables(state, kind)}


def no_way_out(state):
    routed = {route["route_table_id"] for route in state.of("aws_route")}
    return not tables(state, "database") & routed and tables(state, "database") == state.ids("aws_route_table.database")


def task_network(service):
    return service["network_configuration"][0]


ROWS = [
    # where the load balancer, the tasks and the database are
    ("balancer-subnets", None, lambda s: set(s.one("aws_lb")["subnets"]) == s.ids("aws_subnet.public"), "not in the public subnets"),
    ("tasks-subnets", None, lambda s: set(task_network(s.one("aws_ecs_service"))["subnets"]) == s.ids("aws_subnet.private"), "not in the private subnets"),
    ("database-subnets", None, lambda s: set(s.one("aws_db_subnet_group")["subnet_ids"]) == s.ids("aws_subnet.database") and database_group_used(s), "not in the database subnets"),
    ("balancer-group", None, lambda s: set(s.one("aws_lb")["security_groups"]) == s.ids("aws_security_group.load_balancer"), "not in its security group alone"),
    ("tasks-group", None, lambda s: set(task_network(s.one("aws_ecs_service"))["security_groups"]) == s.ids("aws_security_group.tasks"), "not in their security group alone"),
    ("database-group", None, lambda s: set(s.one("aws_db_instance")["vpc_security_group_ids"]) == s.ids("aws_security_group.database"), "not in its security group alone"),
    ("subnets", None, lambda s: {kind: {one["cidr_block"] for one in s.of(f"aws_subnet.{kind}")} for kind in SUBNETS} == SUBNETS, "subnets are not those of the plan"),
    ("zones", None, in_two_zones, "subnets of a kind are not in two zones"),
    ("rules-apart", "aws_security_group", lambda r: not r["ingress"] and not r["egress"], "rules stand where nobody looks for them"),
    # Public subnets by the internet gateway, private ones by NAT (S3 by its endpoint), the database's by none.
    ("public-route", None, lambda s: ways_out(s, "public", "gateway_id") == s.ids("aws_internet_gateway"), "a public subnet has no way to the internet gateway"),
    ("private-route", None, lambda s: ways_out(s, "private", "nat_gateway_id") <= s.ids("aws_nat_gateway"), "a private subnet has no way to a NAT gateway"),
    ("nat-place", None, lambda s: {nat["subnet_id"] for nat in s.of("aws_nat_gateway")} <= s.ids("aws_subnet.public"), "a NAT gateway has no way out itself"),
    ("database-route", None, no_way_out, "the database has a way out"),
    ("s3-endpoint", None, lambda s: set(s.one("aws_vpc_endpoint.s3")["route_table_ids"]) == tables(s, "private"), "a private subnet reaches S3 only through NAT"),
]  # fmt: skip
