"""Who reaches whom in the network. In which subnets and by which way out, golden/ has."""

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
