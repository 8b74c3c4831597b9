"""What must hold of alarms, of the dashboard and of the metrics that log lines are counted into.

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
}

# What the service tells CloudWatch itself.
TOLD = re.findall(r'^    \("(\w+)", "\w+", ', (REPOSITORY / "src/telemetry/emf.rs").read_text(), re.MULTILINE)

ABOVE, BELOW = {"GreaterThanThreshold", "GreaterThanOrEqualToThreshold"}, {"LessThanThreshold", "LessThanOrEqualToThreshold"}

# Each alarm: the metrics that it is about, and on which side of the threshold it goes off.
ALARMS = {
    "5xx": ({"RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"}, ABOVE),
    "p99": ({"TargetResponseTime"}, ABOVE),
    "unhealthy-targets": ({"UnHealthyHostCount"}, ABOVE),
    "no-healthy-target": ({"HealthyHostCount"}, BELOW),
    "task-restarts": ({"TriggeredRules"}, ABOVE),
    "log-errors": ({"LogErrors"}, ABOVE),
    "database-cpu": ({"CPUUtilization"}, ABOVE),
    "database-storage": ({"FreeStorageSpace"}, BELOW),
    "database-connections": ({"DatabaseConnections"}, ABOVE),
}


def findings(state):
    filters, alarms = state.of("aws_cloudwatch_log_metric_filter"), state.of("aws_cloudwatch_metric_alarm")
    service, rule = state.one("aws_ecs_service"), state.one("aws_cloudwatch_event_rule")
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
        "DBInstanceIdentifier": state.one("aws_db_instance")["identifier"],
    }

    def wrong(namespace, name, dimensions):
        if (namespace, name) not in written:
            return "nobody writes it"
        if tuple(sorted(dimensions)) not in written[namespace, name]:
            return f"it is not written by {sorted(dimensions)}"
        return next((f"there is no {key} {value}" for key, value in dimensions.items() if there[key] != value), None)

    alarms = {alarm["alarm_name"].removeprefix("blog-api-"): alarm for alarm in alarms}
    for name in ALARMS.keys() - alarms.keys():
        yield "alarms", f"there is no alarm {name}"
    for name, alarm in alarms.items():
        metrics = [query["metric"][0] for query in alarm["metric_query"] if query["metric"]] or [alarm]
        for metric in metrics:
            why = wrong(metric["namespace"], metric["metric_name"], metric["dimensions"] or {})
            if why:
                yield "alarm-metrics", f"{name}: {metric['namespace']} {metric['metric_name']}: {why}"
        about, side = ALARMS.get(name, (set(), ABOVE | BELOW))
        if {metric["metric_name"] for metric in metrics} != about:
            yield "alarm-subject", f"{name} is not about {sorted(about)}"
        if alarm["comparison_operator"] not in side:
            yield "alarm-direction", f"{name} goes off when all is well"

    for widget in json.loads(state.one("aws_cloudwatch_dashboard")["dashboard_body"])["widgets"]:
        for namespace, name, *rest in widget["properties"]["metrics"]:
            pairs = [part for part in rest if isinstance(part, str)]
            why = wrong(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))
            if why:
                yield "dashboard-metrics", f"{namespace} {name}: {why}"

    for one in filters:
        if one["log_group_name"] != "/ecs/blog-api":
            yield "filtered-logs", f"{one['address']} does not read the service's log"

    pattern = json.loads(rule["event_pattern"])
    of_whom = {"clusterArn": [state.one("aws_ecs_cluster")["arn"]], "group": [f"service:{service['name']}"], "lastStatus": ["STOPPED"]}
    kind = pattern["source"], pattern["detail-type"]
    if kind != (["aws.ecs"], ["ECS Task State Change"]) or not of_whom.items() <= pattern["detail"].items():
        yield "stopped-tasks", "the rule does not see this service's tasks stop"
    if state.one("aws_cloudwatch_event_target")["rule"] != rule["name"]:
        yield "stopped-tasks", "what stopped is kept nowhere"

    topic = state.one("aws_sns_topic")["arn"]
    if [one["topic_arn"] for one in state.of("aws_sns_topic_subscription")] != [topic]:
        yield "alarm-email", "alarm_email is given and not told"
