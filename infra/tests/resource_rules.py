"""What must hold of what Terraform makes, one row for each rule, beside what checkov looks for.

A row is (rule, resource as type or type.name, what must hold of each such resource, why). Where the resource is None, it
is about the whole state.
"""

import json
import re

REQUESTS = re.compile(r"app/blog-api/[0-9a-f]{16}/targetgroup/blog-api/[0-9a-f]{16}")
APPLICATION_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/database-AbCdEf"
MASTER_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds!db-AbCdEf"
PASSWORDS = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/admin/*"
ROLE = "arn:aws:iam::123456789012:role/blog-api-"

# Actions that AWS does not limit to a resource.
UNLIMITED = re.compile(
    r"ecr:GetAuthorizationToken|ecs:(RegisterTaskDefinition|DescribeTaskDefinition|ListTaskDefinitions|ListTasks)"
    r"|ec2:Describe\w+|elasticloadbalancing:Describe\w+|logs:DescribeLogGroups"
)

# What ECS needs to start a task.
EXECUTION = {
    "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability",
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
}  # fmt: skip

# All that AWS's two groups have about bodies.
COUNTED = {
    "SizeRestrictions_BODY", "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY",
    "JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY",
}  # fmt: skip


def listed(value):
    return value if isinstance(value, list) else [value]


def health(group):
    check = group["health_check"][0]
    return check["path"], check["matcher"], check["interval"], check["healthy_threshold"]


def alarms(service):
    return {name for block in service["alarms"] if block["enable"] and block["rollback"] for name in block["alarm_names"]}


def tracking(policy):
    block = policy["target_tracking_scaling_policy_configuration"][0]
    metric = block["predefined_metric_specification"][0]["predefined_metric_type"]
    return metric, block["target_value"], block["scale_out_cooldown"], block["scale_in_cooldown"]


def label(policy):
    return policy["target_tracking_scaling_policy_configuration"][0]["predefined_metric_specification"][0]["resource_label"]


def parameters(group):
    return {one["name"]: one["value"] for one in group["parameter"]}


def kept(lifecycle):
    rules = [rule["selection"] for rule in json.loads(lifecycle["policy"])["rules"]]
    return [(rule["tagStatus"], rule["countNumber"]) for rule in rules]


def counted(log_filter):
    return log_filter["pattern"], log_filter["metric_transformation"][0]["value"]


def container(definition):
    return json.loads(definition["container_definitions"])[0]


def environment(definition):
    return {variable["name"]: variable["value"] for variable in container(definition)["environment"]}


def secrets(definition):
    return environment(definition).get("DB_SECRET_ID"), environment(definition).get("DB_APP_SECRET_ID")


def roles(definition):
    return definition["execution_role_arn"], definition["task_role_arn"]


def rights(state, role):
    """The resources of each action that a role may do."""
    allowed = {}
    for statement in state.statements(role):
        for action in listed(statement["Action"]):
            allowed.setdefault(action, set()).update(listed(statement["Resource"]))
    return allowed


def readable(state, role):
    return rights(state, role).get("secretsmanager:GetSecretValue")


def all_readers(state, holds):
    """Of the roles that read secrets."""
    return all(holds(rights(state, role).keys()) for role in ("task", "migrate", "admin"))


def one_port(state):
    box, balanced = container(state.one("aws_ecs_task_definition.serve")), state.one("aws_ecs_service")["load_balancer"][0]
    ports = {balanced["container_port"], box["portMappings"][0]["containerPort"], state.one("aws_lb_target_group")["port"]}
    return ports == {8000} and balanced["container_name"] == box["name"]


def managed(firewall):
    return [group for rule in firewall["rule"] for group in rule["statement"][0]["managed_rule_group_statement"]]


def overridden(firewall):
    overrides = [one for group in managed(firewall) for one in group["rule_action_override"]]
    return {one["name"] for one in overrides if one["action_to_use"][0]["count"]}


def rate_rules(firewall):
    return [rule for rule in firewall["rule"] if rule["statement"][0]["rate_based_statement"]]


def leads_to(state):
    record = state.one("aws_route53_record.this")
    return record["name"], record["type"], [alias["name"] for alias in record["alias"]]


def may_use(key, service):
    """Whether a service of AWS may use the key, for this account only."""
    statements = json.loads(key["policy"])["Statement"]
    its = [one for one in statements if service in listed(one["Principal"].get("Service", []))]
    return its and all("123456789012" in json.dumps(one.get("Condition", {})) for one in its)


def wild(policy):
    """In a key's policy `*` is the key, and in a bucket's the bucket is named; here it is everything."""
    for statement in json.loads(policy["policy"])["Statement"]:
        for action in listed(statement["Action"]):
            if "*" in action or "*" in listed(statement["Resource"]) and not UNLIMITED.fullmatch(action):
                return True
    return False


def of_this_account(role):
    account = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    trusted = json.loads(role["assume_role_policy"])["Statement"]
    return all(statement.get("Condition") == account for statement in trusted if "Service" in statement["Principal"])


POLICIES = [
    ("wildcard", "aws_iam_role_policy", lambda r: not wild(r), "an action or a resource is any"),
    ("trust-account", "aws_iam_role", of_this_account, "a service may assume the role for another account's sake"),
]

PRODUCTION = POLICIES + [
    # the edge
    ("target-type", "aws_lb_target_group", lambda r: r["target_type"] == "ip", "a Fargate task is an address"),
    ("target-port", "aws_lb_target_group", lambda r: (r["protocol"], r["port"]) == ("HTTP", 8000), "the service listens on 8000"),
    ("target-health", "aws_lb_target_group", lambda r: health(r) == ("/health", "200", 15, 2), "GET /health, 200, each 15 s, twice"),
    ("deregistration", "aws_lb_target_group", lambda r: int(r["deregistration_delay"]) == 30, "a task stops accepting soon after"),
    ("forward", "aws_lb_listener.https", lambda r: (r["port"], r["default_action"][0]["type"]) == (443, "forward"), "443 leads to the tasks"),
    ("keep-alive", "aws_lb", lambda r: r["idle_timeout"] < 75, "the load balancer closes idle connections first"),
    ("public-balancer", "aws_lb", lambda r: not r["internal"], "clients reach it"),
    ("certificate", "aws_acm_certificate", lambda r: r["validation_method"] == "DNS", "it renews itself"),
    ("certificate-issued", "aws_lb_listener.https", lambda r: "module.service.aws_acm_certificate_validation.this" in r["depends_on"], "a listener takes no certificate that is not issued yet"),
    ("alias", None, lambda s: leads_to(s) == ("blog.example.com", "A", [s.one("aws_lb")["dns_name"]]), "the domain does not lead to the load balancer"),
    ("firewall", "aws_wafv2_web_acl_association", lambda r: r["resource_arn"], "the firewall stands before nothing"),
    ("firewall-logs", "aws_wafv2_web_acl_logging_configuration", lambda r: r["redacted_fields"], "no token in the log"),
    ("firewall-default", "aws_wafv2_web_acl", lambda r: r["default_action"][0]["allow"], "what no rule is about passes"),
    ("managed-rules", "aws_wafv2_web_acl", lambda r: {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= {group["name"] for group in managed(r)}, "the firewall lacks a managed rule group"),
    ("bodies-counted", "aws_wafv2_web_acl", lambda r: overridden(r) == COUNTED, "a post about code or an attack is refused, or more than bodies is let through"),
    ("rate-rule", "aws_wafv2_web_acl", lambda r: rate_rules(r)[0]["action"][0]["block"], "nothing stops a flood from one address"),
    # images
    ("image-lifecycle", "aws_ecr_lifecycle_policy", lambda r: kept(r) == [("untagged", 7), ("any", 50)], "old images go, and enough stay to roll back to"),
    # the service
    ("cluster-name", "aws_ecs_cluster", lambda r: r["name"] == "blog-cluster", "what the deploy role and scripts/deploy expect"),
    ("ports", None, one_port, "container, target group and service do not agree on name and port"),
    ("listener-first", "aws_ecs_service", lambda r: "module.service.aws_lb_listener.https" in r["depends_on"], "ECS refuses a service whose target group has no listener"),
    ("breaker", "aws_ecs_service", lambda r: r["deployment_circuit_breaker"] == [{"enable": True, "rollback": True}], "a bad deployment ends and is taken back"),
    ("deployment-alarms", "aws_ecs_service", lambda r: alarms(r) == {"blog-api-5xx", "blog-api-p99"}, "a deployment that answers badly is taken back"),
    ("capacity", "aws_ecs_service", lambda r: (r["deployment_minimum_healthy_percent"], r["deployment_maximum_percent"]) == (100, 200), "no deployment takes capacity away"),
    ("grace", "aws_ecs_service", lambda r: r["health_check_grace_period_seconds"] >= 30, "a task may boot before it is judged"),
    ("rebalancing", "aws_ecs_service", lambda r: r["availability_zone_rebalancing"] == "ENABLED", "tasks in both zones after an outage"),
    ("two-tasks", "aws_ecs_service", lambda r: r["desired_count"] >= 2, "a zone may be lost"),
    ("fargate-service", "aws_ecs_service", lambda r: r["launch_type"] == "FARGATE", "there are no instances"),
    ("keep-revisions", "aws_ecs_task_definition", lambda r: r["skip_destroy"], "there must be something to roll back to"),
    ("scaling-range", "aws_appautoscaling_target", lambda r: (r["min_capacity"], r["max_capacity"]) == (2, 10), "2 to 10 tasks"),
    ("scaling-cpu", "aws_appautoscaling_policy.cpu", lambda r: tracking(r) == ("ECSServiceAverageCPUUtilization", 60, 30, 120), "60 % of CPU, 30 s out, 120 s in"),
    ("scaling-requests", "aws_appautoscaling_policy.requests", lambda r: tracking(r) == ("ALBRequestCountPerTarget", 3000, 30, 120) and REQUESTS.fullmatch(label(r)), "requests per task of this balancer and target group"),
    # roles and what tasks are told
    ("serve-roles", "aws_ecs_task_definition.serve", lambda r: roles(r) == (ROLE + "execution", ROLE + "task"), "a role in the wrong place"),
    ("migrate-roles", "aws_ecs_task_definition.migrate", lambda r: roles(r) == (ROLE + "execution", ROLE + "migrate"), "a role in the wrong place"),
    ("admin-roles", "aws_ecs_task_definition.admin", lambda r: roles(r) == (ROLE + "execution", ROLE + "admin"), "a role in the wrong place"),
    ("admin-environment", "aws_ecs_task_definition.admin", lambda r: secrets(r) == (APPLICATION_SECRET, None) and container(r)["command"] == ["users", "list"], "administration reads another secret than the service's, or does more than to list unless it is told to"),
    ("admin-secrets", None, lambda s: readable(s, "admin") == {APPLICATION_SECRET, PASSWORDS}, "the admin role must read the application's secret and the passwords of new users and no other"),
    ("serve-environment", "aws_ecs_task_definition.serve", lambda r: secrets(r) == (APPLICATION_SECRET, None), "the service reads another secret than its own"),
    ("migrate-environment", "aws_ecs_task_definition.migrate", lambda r: secrets(r) == (MASTER_SECRET, APPLICATION_SECRET) and {"DB_HOST", "DB_PORT", "DB_NAME"} <= environment(r).keys() and container(r)["command"] == ["migrate"], "migrations lack the master secret, the application secret, the address or the command"),
    ("task-secrets", None, lambda s: readable(s, "task") == {APPLICATION_SECRET}, "the task role must read the application's secret and no other"),
    ("migrate-secrets", None, lambda s: readable(s, "migrate") == {APPLICATION_SECRET, MASTER_SECRET}, "the migrate role must read both secrets and no other"),
    ("task-key", None, lambda s: all_readers(s, lambda actions: "kms:Decrypt" in actions), "a role cannot decrypt what it reads"),
    ("task-rights", None, lambda s: all_readers(s, lambda actions: actions <= {"secretsmanager:GetSecretValue", "kms:Decrypt"}), "a role does more than to read its secrets"),
    ("execution-rights", None, lambda s: rights(s, "execution").keys() == EXECUTION, "the execution role may do less or more than what starts a task"),
    # the database
    ("postgres", "aws_db_instance", lambda r: (r["engine"], r["engine_version"]) == ("postgres", "17"), "PostgreSQL 17"),
    ("master-password", "aws_db_instance", lambda r: r["manage_master_user_password"] and not r["password"], "RDS makes, keeps and rotates it"),
    ("backups", "aws_db_instance", lambda r: r["backup_retention_period"] >= 7, "a week to notice a loss"),
    ("final-snapshot", "aws_db_instance", lambda r: not r["skip_final_snapshot"], "what is deleted can come back"),
    ("force-ssl", "aws_db_parameter_group", lambda r: parameters(r).get("rds.force_ssl") == "1", "nothing reaches it in the clear"),
    ("slow-statements", "aws_db_parameter_group", lambda r: int(parameters(r).get("log_min_duration_statement", -1)) > 0, "slow statements are logged"),
    ("parameters-used", "aws_db_instance", lambda r: r["parameter_group_name"] == "blog-api-postgres17", "a group that nobody uses sets nothing"),
    # what is kept
    ("retention", "aws_cloudwatch_log_group", lambda r: r["retention_in_days"], "no log is kept for ever"),
    ("flow-logs", "aws_flow_log", lambda r: r["traffic_type"] == "ALL", "what was refused and what was not"),
    ("log-group", "aws_ecs_task_definition.serve", lambda r: container(r)["logConfiguration"]["options"]["awslogs-group"] == "/ecs/blog-api", "the tasks write to another log group than the one with retention"),
    ("key-users", "aws_kms_key", lambda r: may_use(r, "logs.ap-northeast-2.amazonaws.com"), "log groups of this account alone are encrypted with it"),
    ("key-users", "aws_kms_key", lambda r: may_use(r, "cloudwatch.amazonaws.com"), "alarms of this account alone are encrypted with it"),
    ("alarm-actions", "aws_cloudwatch_metric_alarm", lambda r: r["alarm_actions"] and r["ok_actions"], "an alarm that tells nobody is none"),
    ("log-errors", "aws_cloudwatch_log_metric_filter.errors", lambda r: counted(r) == ('{ $.level = "ERROR" }', "1"), "the service logs JSON"),
    ("log-latency", "aws_cloudwatch_log_metric_filter.latency", lambda r: counted(r) == ("{ $.latency_ms = * }", "$.latency_ms"), "the service logs how long an answer took"),
]

BOOTSTRAP = POLICIES + [
    ("state-kept", "aws_s3_bucket.state", lambda r: not r["force_destroy"], "a bucket with states is not deleted"),
]
