"""That the metrics of alarms and of the dashboard are written by somebody.

A metric that nobody writes is no mistake to AWS: the alarm on it stays silent for ever. So every name and dimension is
held against what AWS documents, and every dimension's value against what Terraform makes.
"""

import json
import re

from resource_rules import environment
from stack import REPOSITORY

BALANCER, TARGETS = ("LoadBalancer",), ("LoadBalancer", "TargetGroup")
SERVICE, DATABASE = ("ClusterName", "ServiceName"), ("DBInstanceIdentifier",)

# The metrics in use, and the dimensions under which AWS writes each.
WRITTEN_BY_AWS = {
    ("AWS/ApplicationELB", "RequestCount"): {BALANCER, TARGETS},
    ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"): {BALANCER, TARGETS},
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"): {BALANCER},
    ("AWS/ApplicationELB", "TargetResponseTime"): {BALANCER, TARGETS},
    ("AWS/ApplicationELB", "HealthyHostCount"): {TARGETS},
    ("AWS/ApplicationELB", "UnHealthyHostCount"): {TARGETS},
    ("AWS/ECS", "CPUUtilization"): {SERVICE},
    ("AWS/ECS", "MemoryUtilization"): {SERVICE},
    ("AWS/Events", "TriggeredRules"): {("RuleName",)},
    ("AWS/RDS", "CPUUtilization"): {DATABASE},
    ("AWS/RDS", "FreeStorageSpace"): {DATABASE},
    ("AWS/RDS", "DatabaseConnections"): {DATABASE},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {("QueueName",)},
}

# What the service tells CloudWatch itself.
TOLD = re.findall(r'^    \("(\w+)", "\w+", ', (REPOSITORY / "src/telemetry/emf.rs").read_text(), re.MULTILINE)


def findings(state):
    filters, alarms = state.of("aws_cloudwatch_log_metric_filter"), state.of("aws_cloudwatch_metric_alarm")
    service, rule = state.one("aws_ecs_service"), state.one("aws_cloudwatch_event_rule.stopped_tasks")
    written = {tuple(one["metric_transformation"][0][key] for key in ("namespace", "name")): {()} for one in filters}
    namespaces = {namespace for namespace, _ in written}
    serve = state.one("aws_ecs_task_definition.serve")
    if {environment(serve).get("METRICS_NAMESPACE")} != namespaces:
        yield "own-metrics", "the service's numbers do not go where the filters' go"
    written |= {(namespace, name): {()} for namespace in namespaces for name in TOLD} | WRITTEN_BY_AWS
    there = {
        "LoadBalancer": state.one("aws_lb")["arn_suffix"],
        "TargetGroup": state.one("aws_lb_target_group")["arn_suffix"],
        "ClusterName": state.one("aws_ecs_cluster")["name"],
        "ServiceName": service["name"],
        "RuleName": rule["name"],
        "QueueName": state.one("aws_sqs_queue")["name"],
        "DBInstanceIdentifier": state.one("aws_db_instance")["identifier"],
    }

    def wrong(namespace, name, dimensions):
        if (namespace, name) not in written:
            return "nobody writes it"
        if tuple(sorted(dimensions)) not in written[namespace, name]:
            return f"it is not written by {sorted(dimensions)}"
        return next((f"there is no {key} {value}" for key, value in dimensions.items() if there[key] != value), None)

    counted = f"{len(filters) + len(TOLD)} metrics"
    if counted not in (REPOSITORY / "docs/deploy.md").read_text():
        yield "metrics-counted", f"what it costs, in docs/deploy.md, does not say {counted}"

    for alarm in alarms:
        metrics = [query["metric"][0] for query in alarm["metric_query"] if query["metric"]] or [alarm]
        for metric in metrics:
            why = wrong(metric["namespace"], metric["metric_name"], metric["dimensions"] or {})
            if why:
                yield "alarm-metrics", f"{alarm['alarm_name']}: {metric['namespace']} {metric['metric_name']}: {why}"

    for widget in json.loads(state.one("aws_cloudwatch_dashboard")["dashboard_body"])["widgets"]:
        for namespace, name, *rest in widget["properties"]["metrics"]:
            pairs = [part for part in rest if isinstance(part, str)]
            why = wrong(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))
            if why:
                yield "dashboard-metrics", f"{namespace} {name}: {why}"
