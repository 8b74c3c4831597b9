"""What must hold between the things that Terraform makes, one row for each rule, beside what checkov looks for and what
golden/ has word by word.

A row is (rule, resource as type or type.name, what must hold of each such resource, why). Where the resource is None, it
is about the whole state.
"""

import json
import re
from hashlib import sha256

APPLICATION_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/database-AbCdEf"
MASTER_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds!db-AbCdEf"
PASSWORDS = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/admin/*"
SENDING = {f"arn:aws:ses:ap-northeast-2:123456789012:{what}" for what in ("identity/example.com", "configuration-set/blog-api")}
KEYS = {(f"token{number}._domainkey.example.com", f"token{number}.dkim.amazonses.com") for number in (1, 2, 3)}
SENDER = {"StringEquals": {"ses:FromAddress": "blog@example.com"}}

MEDIA = "arn:aws:s3:::blog-api-media-123456789012"
OBJECTS = {f"{MEDIA}/media/*"}

# Actions that AWS does not limit to a resource.
UNLIMITED = re.compile(
    r"ecr:GetAuthorizationToken|ecs:(RegisterTaskDefinition|DescribeTaskDefinition|ListTaskDefinitions|ListTasks)"
    r"|ec2:Describe\w+|elasticloadbalancing:Describe\w+|logs:DescribeLogGroups|secretsmanager:GetRandomPassword|route53:ListHostedZonesByName"
    r"|cloudfront:ListDistributions|ses:GetAccount"
)

# What ECS needs to start a task.
EXECUTION = {
    "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability",
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
}  # fmt: skip


def listed(value):
    return value if isinstance(value, list) else [value]


def environment(definition):
    container = json.loads(definition["container_definitions"])[0]
    return {variable["name"]: variable["value"] for variable in container["environment"]}


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


def wild(policy):
    """In a key's policy `*` is the key, and in a bucket's the bucket is named; here it is everything."""
    for statement in json.loads(policy["policy"])["Statement"]:
        for action in listed(statement["Action"]):
            if "*" in action or "*" in listed(statement["Resource"]) and not UNLIMITED.fullmatch(action):
                return True
    return False


def vouched_for(state):
    """Whether the service knows the hash of the token that EventBridge sends."""
    sent = state.one("aws_cloudwatch_event_connection")["auth_parameters"][0]["api_key"][0]["value"]
    known = environment(state.one("aws_ecs_task_definition.serve"))["MAIL_EVENTS_TOKEN_SHA256"]
    return sent.startswith("Bearer ") and sha256(sent.removeprefix("Bearer ").encode()).hexdigest() == known


def kept(state):
    """Whether EventBridge may write what it cannot deliver into the queue that it is told of."""
    queue, rule = state.one("aws_sqs_queue")["arn"], state.one("aws_cloudwatch_event_rule.mail_events")["arn"]
    target, policy = state.one("aws_cloudwatch_event_target.mail_events"), state.one("aws_sqs_queue_policy")
    meant = {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }  # fmt: skip
    return target["dead_letter_config"] == [{"arn": queue}] and json.loads(policy["policy"])["Statement"] == [meant]


def delivered(state):
    """Whether clients are sent to the distribution that reads what the service keeps, and nobody else may read."""
    told = environment(state.one("aws_ecs_task_definition.serve"))
    bucket, distribution = state.one("aws_s3_bucket.this"), state.one("aws_cloudfront_distribution")
    origin, access = distribution["origin"][0], state.one("aws_cloudfront_origin_access_control")
    statements = json.loads(state.one("aws_s3_bucket_policy.this")["policy"])["Statement"]
    open_to = [(s["Principal"], s["Condition"]) for s in statements if s["Effect"] == "Allow"]
    allowed = {s["Action"]: s["Resource"] for s in statements if s["Effect"] == "Allow"}
    return (
        told["MEDIA_URL"] == f"s3://{bucket['id']}{origin['origin_path']}"
        and told["MEDIA_PUBLIC_URL"].removeprefix("https://") in distribution["aliases"]
        and (origin["domain_name"], origin["origin_access_control_id"]) == (bucket["bucket_regional_domain_name"], access["id"])
        and allowed == {"s3:GetObject": f"{MEDIA}{origin['origin_path']}/*", "s3:ListBucket": MEDIA}
        and all(one == ({"Service": "cloudfront.amazonaws.com"}, {"StringEquals": {"aws:SourceArn": distribution["arn"]}}) for one in open_to)
    )


def of_this_account(role):
    account = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    trusted = json.loads(role["assume_role_policy"])["Statement"]
    return all(statement.get("Condition") == account for statement in trusted if "Service" in statement["Principal"])


BOOTSTRAP = [
    ("wildcard", "aws_iam_role_policy", lambda r: not wild(r), "an action or a resource is any"),
    ("trust-account", "aws_iam_role", of_this_account, "a service may assume the role for another account's sake"),
]

PRODUCTION = BOOTSTRAP + [
    ("certificate-issued", "aws_lb_listener.https", lambda r: "module.service.aws_acm_certificate_validation.this" in r["depends_on"], "a listener takes no certificate that is not issued yet"),
    ("listener-first", "aws_ecs_service", lambda r: "module.service.aws_lb_listener.https" in r["depends_on"], "ECS refuses a service whose target group has no listener"),
    ("admin-secrets", None, lambda s: readable(s, "admin") == {APPLICATION_SECRET, PASSWORDS}, "the admin role must read the application's secret and the passwords of new users and no other"),
    ("task-secrets", None, lambda s: readable(s, "task") == {APPLICATION_SECRET}, "the task role must read the application's secret and no other"),
    ("migrate-secrets", None, lambda s: readable(s, "migrate") == {APPLICATION_SECRET, MASTER_SECRET}, "the migrate role must read both secrets and no other"),
    ("task-key", None, lambda s: all_readers(s, lambda actions: "kms:Decrypt" in actions), "a role cannot decrypt what it reads"),
    ("task-rights", None, lambda s: all_readers(s, lambda actions: actions <= {"secretsmanager:GetSecretValue", "kms:Decrypt"}), "a role does more than to read its secrets"),
    ("mail-sender", "aws_iam_role_policy.mail", lambda r: all(s["Condition"] == SENDER for s in json.loads(r["policy"])["Statement"]), "the task may send in the name of others"),
    ("mail-keys", None, lambda s: {(r["name"], *r["records"]) for r in s.of("aws_route53_record") if r["type"] == "CNAME" and "dkim" in r["address"]} == KEYS, "mail is signed with keys that nobody finds"),
    ("mail-rights", None, lambda s: rights(s, "mail") == dict.fromkeys(("ses:SendEmail", "ses:SendRawEmail"), SENDING), "the task must send for its identity and configuration set, and do nothing else with mail"),
    ("mail-events-token", None, vouched_for, "the service refuses the token that EventBridge sends"),
    ("mail-events-kept", None, kept, "bounces and complaints that are not delivered are lost"),
    ("mail-events-rights", None, lambda s: rights(s, "mail_events") == {"events:InvokeApiDestination": {s.one("aws_cloudwatch_event_api_destination")["arn"]}}, "EventBridge must reach the service's route with this role, and nothing else"),
    ("media-rights", None, lambda s: rights(s, "media") == dict.fromkeys(("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), OBJECTS) | {"s3:ListBucket": {MEDIA}}, "the task must keep media below its prefix, and do nothing else with S3"),
    ("media-delivered", None, delivered, "what the service keeps is not what CloudFront alone reads, at the address that clients are told"),
    ("execution-rights", None, lambda s: rights(s, "execution").keys() == EXECUTION, "the execution role may do less or more than what starts a task"),
]
