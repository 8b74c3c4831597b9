"""What must hold of each resource of a type, one row for each rule."""

import json
import re
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


def health(group):
    check = group["health_check"][0]
    return check["path"], check["matcher"], check["interval"], check["healthy_threshold"]


def redirect(listener):
    action = listener["default_action"][0]
    to = (action["redirect"] or [{"protocol": None, "port": None}])[0]
    return listener["port"], action["type"], to["protocol"], to["port"]


def alarms(service):
    return {name for block in service["alarms"] if block["enable"] and block["rollback"] for name in block["alarm_names"]}


def tracking(policy):
    block = policy["target_tracking_scaling_policy_configuration"][0]
    metric = block["predefined_metric_specification"][0]["predefined_metric_type"]
    return metric, block["target_value"], block["scale_out_cooldown"], block["scale_in_cooldown"]


REQUESTS = re.compile(r"app/blog-api/[0-9a-f]{16}/targetgroup/blog-api/[0-9a-f]{16}")


def label(policy):
    return policy["target_tracking_scaling_policy_configuration"][0]["predefined_metric_specification"][0]["resource_label"]


def parameters(group):
    return {one["name"]: one["value"] for one in group["parameter"]}


def kept(lifecycle):
    rules = [rule["selection"] for rule in json.loads(lifecycle["policy"])["rules"]]
    return [(rule["tagStatus"], rule["countNumber"]) for rule in rules]


def counted(log_filter):
    return log_filter["pattern"], log_filter["metric_transformation"][0]["value"]


# Each row: rule, resource as type or type.name, what must hold of each such resource, why.
EACH = [
    # the edge
    ("target-type", "aws_lb_target_group", lambda r: r["target_type"] == "ip", "a Fargate task is an address"),
    ("target-port", "aws_lb_target_group", lambda r: (r["protocol"], r["port"]) == ("HTTP", 8000), "the service listens on 8000"),
    ("target-health", "aws_lb_target_group", lambda r: health(r) == ("/health", "200", 15, 2), "GET /health, 200, each 15 s, twice"),
    ("deregistration", "aws_lb_target_group", lambda r: int(r["deregistration_delay"]) == 30, "a task stops accepting soon after"),
    ("tls", "aws_lb_listener.https", lambda r: (r["protocol"], r["port"]) == ("HTTPS", 443) and "TLS13-1-2" in r["ssl_policy"], "TLS 1.2 and newer"),
    ("forward", "aws_lb_listener.https", lambda r: r["default_action"][0]["type"] == "forward", "443 leads to the tasks"),
    ("redirect", "aws_lb_listener.http", lambda r: redirect(r) == (80, "redirect", "HTTPS", "443"), "80 leads to 443 alone"),
    ("access-logs", "aws_lb", lambda r: r["access_logs"][0]["enabled"], "who asked for what is kept"),
    ("invalid-headers", "aws_lb", lambda r: r["drop_invalid_header_fields"], "request smuggling"),
    ("keep-alive", "aws_lb", lambda r: r["idle_timeout"] < 75, "the load balancer closes idle connections first"),
    ("public-balancer", "aws_lb", lambda r: not r["internal"], "clients reach it"),
    ("certificate", "aws_acm_certificate", lambda r: r["validation_method"] == "DNS", "it renews itself"),
    ("firewall-logs", "aws_wafv2_web_acl_logging_configuration", lambda r: r["redacted_fields"], "no token in the log"),
    ("firewall-default", "aws_wafv2_web_acl", lambda r: r["default_action"][0]["allow"], "what no rule is about passes"),
    # images
    ("image-scan", "aws_ecr_repository", lambda r: r["image_scanning_configuration"][0]["scan_on_push"], "known holes are told"),
    ("image-immutable", "aws_ecr_repository", lambda r: r["image_tag_mutability"] == "IMMUTABLE", "a tag names one image for good"),
    ("image-lifecycle", "aws_ecr_lifecycle_policy", lambda r: kept(r) == [("untagged", 7), ("any", 50)], "old images go, and enough stay to roll back to"),
    # the service
    ("cluster-name", "aws_ecs_cluster", lambda r: r["name"] == "blog-cluster", "what the deploy role and scripts/deploy expect"),
    ("insights", "aws_ecs_cluster", lambda r: {"name": "containerInsights", "value": "enabled"} in r["setting"], "metrics of tasks"),
    ("breaker", "aws_ecs_service", lambda r: r["deployment_circuit_breaker"] == [{"enable": True, "rollback": True}], "a bad deployment ends and is taken back"),
    ("deployment-alarms", "aws_ecs_service", lambda r: alarms(r) == {"blog-api-5xx", "blog-api-p99"}, "a deployment that answers badly is taken back"),
    ("capacity", "aws_ecs_service", lambda r: (r["deployment_minimum_healthy_percent"], r["deployment_maximum_percent"]) == (100, 200), "no deployment takes capacity away"),
    ("grace", "aws_ecs_service", lambda r: r["health_check_grace_period_seconds"] >= 30, "a task may boot before it is judged"),
    ("rebalancing", "aws_ecs_service", lambda r: r["availability_zone_rebalancing"] == "ENABLED", "tasks in both zones after an outage"),
    ("two-tasks", "aws_ecs_service", lambda r: r["desired_count"] >= 2, "a zone may be lost"),
    ("fargate-service", "aws_ecs_service", lambda r: r["launch_type"] == "FARGATE", "there are no instances"),
    ("public-address", "aws_ecs_service", lambda r: not r["network_configuration"][0]["assign_public_ip"], "tasks are private"),
    ("keep-revisions", "aws_ecs_task_definition", lambda r: r["skip_destroy"], "there must be something to roll back to"),
    ("scaling-range", "aws_appautoscaling_target", lambda r: (r["min_capacity"], r["max_capacity"]) == (2, 10), "2 to 10 tasks"),
    ("scaling-cpu", "aws_appautoscaling_policy.cpu", lambda r: tracking(r) == ("ECSServiceAverageCPUUtilization", 60, 30, 120), "60 % of CPU, 30 s out, 120 s in"),
    ("scaling-requests", "aws_appautoscaling_policy.requests", lambda r: tracking(r) == ("ALBRequestCountPerTarget", 3000, 30, 120) and REQUESTS.fullmatch(label(r)), "requests per task of this balancer and target group"),
    # the database
    ("postgres", "aws_db_instance", lambda r: (r["engine"], r["engine_version"]) == ("postgres", "17"), "PostgreSQL 17"),
    ("multi-az", "aws_db_instance", lambda r: r["multi_az"], "a zone may be lost"),
    ("storage-encrypted", "aws_db_instance", lambda r: r["storage_encrypted"] and r["kms_key_id"], "data is encrypted at rest"),
    ("master-password", "aws_db_instance", lambda r: r["manage_master_user_password"] and not r["password"], "RDS makes, keeps and rotates it"),
    ("backups", "aws_db_instance", lambda r: r["backup_retention_period"] >= 7, "a week to notice a loss"),
    ("deletion-protection", "aws_db_instance", lambda r: r["deletion_protection"], "nobody deletes it by mistake"),
    ("final-snapshot", "aws_db_instance", lambda r: not r["skip_final_snapshot"], "what is deleted can come back"),
    ("private-database", "aws_db_instance", lambda r: not r["publicly_accessible"], "the internet has no way in"),
    ("performance-insights", "aws_db_instance", lambda r: r["performance_insights_enabled"], "to see why it is slow"),
    ("force-ssl", "aws_db_parameter_group", lambda r: parameters(r).get("rds.force_ssl") == "1", "nothing reaches it in the clear"),
    ("slow-statements", "aws_db_parameter_group", lambda r: int(parameters(r).get("log_min_duration_statement", -1)) > 0, "slow statements are logged"),
    ("parameters-used", "aws_db_instance", lambda r: r["parameter_group_name"] == "blog-api-postgres17", "a group that nobody uses sets nothing"),
    ("enhanced-monitoring", "aws_db_instance", lambda r: (r["monitoring_interval"], r["monitoring_role_arn"]) == (60, "arn:aws:iam::123456789012:role/mock"), "RDS needs a role to write what it measures"),
    ("balancer-protection", "aws_lb", lambda r: r["enable_deletion_protection"], "nobody deletes it by mistake"),
    # what is kept
    ("secret-key", "aws_secretsmanager_secret", lambda r: r["kms_key_id"], "a key that roles are granted"),
    ("key-rotation", "aws_kms_key", lambda r: r["enable_key_rotation"], "a new key each year"),
    ("retention", "aws_cloudwatch_log_group", lambda r: r["retention_in_days"], "no log is kept for ever"),
    ("log-key", "aws_cloudwatch_log_group", lambda r: r["kms_key_id"], "logs are encrypted with our key"),
    ("flow-logs", "aws_flow_log", lambda r: r["traffic_type"] == "ALL", "what was refused and what was not"),
    ("topic-key", "aws_sns_topic", lambda r: r["kms_master_key_id"], "alarms name what is weak"),
    ("alarm-actions", "aws_cloudwatch_metric_alarm", lambda r: r["alarm_actions"] and r["ok_actions"], "an alarm that tells nobody is none"),
    ("log-errors", "aws_cloudwatch_log_metric_filter.errors", lambda r: counted(r) == ('{ $.level = "ERROR" }', "1"), "the service logs JSON"),
    ("log-latency", "aws_cloudwatch_log_metric_filter.latency", lambda r: counted(r) == ("{ $.latency_ms = * }", "$.latency_ms"), "the service logs how long an answer took"),
    ("buckets-private", "aws_s3_bucket_public_access_block", lambda r: all(r[key] for key in PUBLIC_ACCESS), "no bucket is public"),
]

PUBLIC_ACCESS = ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]

# Only in infra/bootstrap.
EACH_OF_BOOTSTRAP = [
    ("state-versions", "aws_s3_bucket_versioning.state", lambda r: r["versioning_configuration"][0]["status"] == "Enabled", "an old state can come back"),
    ("state-encrypted", "aws_s3_bucket_server_side_encryption_configuration.state", lambda r: r["rule"][0]["apply_server_side_encryption_by_default"][0]["sse_algorithm"] == "aws:kms", "states hold names and addresses"),
    ("state-kept", "aws_s3_bucket.state", lambda r: not r["force_destroy"], "a bucket with states is not deleted"),
    ("buckets-private", "aws_s3_bucket_public_access_block", lambda r: all(r[key] for key in PUBLIC_ACCESS), "no bucket is public"),
]


def each(rows, state):
    found = []
    for rule, what, holds, why in rows:
        kind, _, name = what.partition(".")
        matching = [resource for resource in of(state, kind) if name in ("", resource["name"])]
        if not matching:
            found.append((what, rule, "there is none"))
        for resource in matching:
            if not sound(holds, resource["values"]):
                found.append((resource["address"], rule, why))
    return found


def sound(holds, values):
    try:
        return holds(values)
    except (IndexError, KeyError, TypeError):
        return False  # what it looks at is not there


def of(state, kind):
    return [resource for resource in state.values() if resource["type"] == kind]


def one(state, kind, name):
    return next(resource for resource in of(state, kind) if resource["name"] == name)


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(state, role):
    policy = one(state, "aws_iam_role_policy", role)["values"]["policy"]
    return json.loads(policy)["Statement"]
