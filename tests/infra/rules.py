"""What must hold of everything that Terraform makes. A finding is (where, rule, why)."""

import json
import re

import task_rules
from resource_rules import EACH, EACH_OF_BOOTSTRAP, each, of, one

ALARMS = {"5xx", "p99", "unhealthy-targets", "task-restarts", "log-errors", "database-cpu", "database-storage", "database-connections"}

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

# Actions that AWS does not limit to a resource.
UNLIMITED = re.compile(
    r"ecr:GetAuthorizationToken|ecs:(RegisterTaskDefinition|DescribeTaskDefinition|ListTaskDefinitions|ListTasks)"
    r"|ec2:Describe\w+|elasticloadbalancing:Describe\w+|logs:DescribeLogGroups"
)

APPLICATION_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/database-AbCdEf"
MASTER_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds!db-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/blog-api-"


def production(state, source):
    """Findings in what infra/production makes (resources by address) and in its files (text by path)."""
    found = each(EACH, state)
    found += [("infra", rule, why) for rule, why in [*network(state), *roles(state), *service(state), *written(source)]]
    found += [*wildcards(state)]
    definitions = {one["name"]: registered(one["values"]) for one in of(state, "aws_ecs_task_definition")}
    return found + task_rules.findings(definitions)


def bootstrap(state):
    found = each(EACH_OF_BOOTSTRAP, state) + [*wildcards(state)]
    return found + [("infra", rule, why) for rule, why in deploy_role(state)]


def network(state):
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

    subnets = of(state, "aws_subnet")
    for kind, ranges in SUBNETS.items():
        those = [subnet["values"] for subnet in subnets if subnet["name"] == kind]
        if {subnet["cidr_block"] for subnet in those} != ranges:
            yield "subnets", f"{kind} subnets are not {sorted(ranges)}"
        if len({subnet["availability_zone"] for subnet in those}) != 2:
            yield "zones", f"{kind} subnets are not in two zones"
    if any(subnet["values"]["map_public_ip_on_launch"] for subnet in subnets):
        yield "public-addresses", "a subnet gives public addresses"

    closed = one(state, "aws_route_table", "database")["values"]["id"]
    if any(route["values"]["route_table_id"] == closed for route in of(state, "aws_route")):
        yield "database-route", "the database has a way out"
    in_database_subnets = [subnet["values"]["id"] for subnet in subnets if subnet["name"] == "database"]
    if set(of(state, "aws_db_subnet_group")[0]["values"]["subnet_ids"]) != set(in_database_subnets):
        yield "database-subnets", "the database is not in its subnets"


def service(state):
    running = one(state, "aws_ecs_service", "this")
    values = running["values"]
    container = json.loads(one(state, "aws_ecs_task_definition", "serve")["values"]["container_definitions"])[0]
    balanced = values["load_balancer"][0]
    ports = {
        balanced["container_port"],
        container["portMappings"][0]["containerPort"],
        of(state, "aws_lb_target_group")[0]["values"]["port"],
    }
    if ports != {8000} or balanced["container_name"] != container["name"]:
        yield "ports", "container, target group and service do not agree on name and port"
    private = [subnet["values"]["id"] for subnet in of(state, "aws_subnet") if subnet["name"] == "private"]
    if set(values["network_configuration"][0]["subnets"]) != set(private):
        yield "private-subnets", "tasks are not in the private subnets"
    if "module.service.aws_lb_listener.https" not in running["depends_on"]:
        yield "listener-first", "ECS refuses a service whose target group has no listener"
    if container["logConfiguration"]["options"]["awslogs-group"] != state["module.service.aws_cloudwatch_log_group.this"]["values"]["name"]:
        yield "log-group", "the tasks write to another log group than the one with retention"

    names = {alarm["values"]["alarm_name"] for alarm in of(state, "aws_cloudwatch_metric_alarm")}
    for missing in ALARMS - {name.removeprefix("blog-api-") for name in names}:
        yield "alarms", f"there is no alarm {missing}"

    firewall = of(state, "aws_wafv2_web_acl")[0]["values"]["rule"]
    managed = {group["name"] for rule in firewall for group in rule["statement"][0]["managed_rule_group_statement"]}
    if not {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= managed:
        yield "managed-rules", "the firewall lacks a managed rule group"
    rate = [rule for rule in firewall if rule["statement"][0]["rate_based_statement"]]
    if not rate or not rate[0]["action"][0]["block"]:
        yield "rate-rule", "nothing stops a flood from one address"
    if not of(state, "aws_wafv2_web_acl_association"):
        yield "firewall", "the firewall stands before nothing"


def statements(state, role):
    policy = one(state, "aws_iam_role_policy", role)["values"]["policy"]
    return json.loads(policy)["Statement"]


def listed(value):
    return value if isinstance(value, list) else [value]


def roles(state):
    for role, secrets in {"task": {APPLICATION_SECRET}, "migrate": {APPLICATION_SECRET, MASTER_SECRET}}.items():
        allowed = {}
        for statement in statements(state, role):
            for action in listed(statement["Action"]):
                allowed.setdefault(action, set()).update(listed(statement["Resource"]))
        if allowed.pop("secretsmanager:GetSecretValue", None) != secrets:
            yield f"{role}-secrets", f"the {role} role must read {sorted(secrets)} and no other secret"
        if allowed.pop("kms:Decrypt", None) is None:
            yield f"{role}-key", f"the {role} role cannot decrypt what it reads"
        if allowed:
            yield f"{role}-rights", f"the {role} role may also {sorted(allowed)}"

    execution = {action for statement in statements(state, "execution") for action in listed(statement["Action"])}
    needed = {"ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"}
    needed |= {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    if execution != needed:
        yield "execution-rights", f"the execution role differs by {sorted(execution ^ needed)}"

    for definition, role in {"serve": "task", "migrate": "migrate"}.items():
        values = one(state, "aws_ecs_task_definition", definition)["values"]
        if (values["execution_role_arn"], values["task_role_arn"]) != (ROLE + "execution", ROLE + role):
            yield f"{definition}-roles", "a role in the wrong place"
        container = json.loads(values["container_definitions"])[0]
        environment = {variable["name"]: variable["value"] for variable in container["environment"]}
        secrets = environment.get("DB_SECRET_ID"), environment.get("DB_APP_SECRET_ID")
        if definition == "serve" and secrets != (APPLICATION_SECRET, None):
            yield "serve-environment", "the service reads another secret than its own"
        if definition == "migrate" and (
            secrets != (MASTER_SECRET, APPLICATION_SECRET)
            or not {"DB_HOST", "DB_PORT", "DB_NAME"} <= set(environment)
            or container["command"] != ["migrate"]
        ):
            yield "migrate-environment", "migrations lack the master secret, the application secret, the address or the command"


def wildcards(state):
    """Policies of roles and who may assume them; in a key's policy `*` is the key, in a bucket's the bucket is named."""
    for resource in of(state, "aws_iam_role_policy"):
        for statement in json.loads(resource["values"]["policy"])["Statement"]:
            for action in listed(statement["Action"]):
                if "*" in action or "*" in listed(statement["Resource"]) and not UNLIMITED.fullmatch(action):
                    yield resource["address"], "wildcard", f"{action} on {statement['Resource']}"
    for resource in of(state, "aws_iam_role"):
        trusted = json.loads(resource["values"]["assume_role_policy"])["Statement"]
        if any("*" in json.dumps(statement["Principal"]) for statement in trusted):
            yield resource["address"], "trust", "anybody may assume the role"


def deploy_role(state):
    allowed = {}
    for statement in statements(state, "deploy"):
        for action in listed(statement["Action"]):
            allowed[action] = statement
    passed = allowed.get("iam:PassRole", {"Resource": []})
    if set(listed(passed["Resource"])) != {ROLE + role for role in ("execution", "task", "migrate")}:
        yield "pass-role", "the deploy role must pass the three roles of tasks and no other"
    if passed.get("Condition") != {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}:
        yield "pass-to", "roles are passed to ECS tasks alone"
    if {"ecs:CreateService", "ecs:DeleteService", "iam:PutRolePolicy", "secretsmanager:GetSecretValue"} & set(allowed):
        yield "deploy-rights", "the deploy role does more than deploy"
    needed = {"ecr:PutImage", "ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:UpdateService", "ecs:DescribeServices", "ecs:DescribeTasks", "ecs:TagResource"}
    if needed - set(allowed):
        yield "deploy-needs", f"the deploy role lacks {sorted(needed - set(allowed))}"
    if not allowed.get("ecs:UpdateService", {"Resource": ""})["Resource"].endswith(":service/blog-cluster/blog-api"):
        yield "deploy-service", "the deploy role rolls another service"
    trust = json.loads(one(state, "aws_iam_role", "deploy")["values"]["assume_role_policy"])["Statement"][0]
    subject = trust["Condition"].get("StringEquals", {}).get("token.actions.githubusercontent.com:sub")
    if subject != "repo:owner/blog-api:environment:production":
        yield "deploy-trust", "workflows of other repositories or branches may deploy"


def written(source):
    """What no state shows."""
    everything = "\n".join(source.values())
    service_file = source["modules/service/service.tf"]
    if not re.search(r"ignore_changes\s*=\s*\[task_definition, desired_count\]", service_file):
        yield "ignore-changes", "Terraform would undo deployments and scaling"
    if not re.search(r"use_lockfile\s*=\s*true", source["production/versions.tf"]):
        yield "lockfile", "two applies at once would break the state"
    if re.search(r"^\s*ca_cert_identifier\s*=", everything, re.MULTILINE):
        yield "certificate-authority", "a named authority runs out; RDS's own does not"
    if "secret_string_wo " not in source["modules/database/secret.tf"] or re.search(r"secret_string\s*=", everything):
        yield "password-in-state", "the password must not be in the state"
    for path in ("production/versions.tf", "bootstrap/versions.tf"):
        if not re.search(r'version\s*=\s*"\d+\.\d+\.\d+"', source[path]):
            yield "pinned", f"{path} does not pin the provider"
    if re.search(r'\bsource\s*=\s*"(?!\.\./modules/\w+"|hashicorp/aws")', everything):
        yield "local-modules", "a module or provider comes from elsewhere"


def registered(values):
    """A resource aws_ecs_task_definition as RegisterTaskDefinition takes it."""
    platform = values["runtime_platform"][0]
    definition = {
        "family": values["family"],
        "networkMode": values["network_mode"],
        "requiresCompatibilities": values["requires_compatibilities"],
        "runtimePlatform": {
            "operatingSystemFamily": platform["operating_system_family"],
            "cpuArchitecture": platform["cpu_architecture"],
        },
        "cpu": values["cpu"],
        "memory": values["memory"],
        "executionRoleArn": values["execution_role_arn"],
        "taskRoleArn": values["task_role_arn"],
        "containerDefinitions": json.loads(values["container_definitions"]),
    }
    return {key: value for key, value in definition.items() if value is not None}
