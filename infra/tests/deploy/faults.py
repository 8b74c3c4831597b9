"""Every fault that scripts/diagnose knows, as changes of the facts of a healthy service, and what it must say."""

import json
from dataclasses import dataclass

from changes import add, drop, put, update

EXITED = "Essential container in task exited"
FAILED = "(service blog-api) (task 1) failed ELB health checks in (target-group tg-blog-api)"
STEADY = "(service blog-api) has reached a steady state."
NO_SECRET = "ResourceInitializationError: unable to pull secrets or registry auth: … secretsmanager: AccessDeniedException"
TIMED_OUT = "ResourceInitializationError: unable to pull secrets or registry auth: dial tcp 52.1.1.1:443: i/o timeout"
NO_PLATFORM = "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'"
ROLE = "arn:aws:iam::123456789012:role/blog-api"


# Changes -------------------------------------------------------------------------------------------------------


def event(message):
    """Each one older than the one before."""
    return add("service.events", {"id": "1", "createdAt": 0, "message": message})


def stop(reason, code=None, box_reason=None, stop_code="EssentialContainerExited", log=None, started_by="ecs-svc/1"):
    def change(facts):
        facts["stopped"].append({
            "taskArn": "arn:aws:ecs:ap-northeast-2:123456789012:task/blog-cluster/0123456789abcdef",
            "taskDefinitionArn": facts["definition"]["taskDefinitionArn"],
            "startedBy": started_by,
            "stopCode": stop_code,
            "stoppedReason": reason,
            "containers": [{"name": "api", "reason": box_reason} | ({} if code is None else {"exitCode": code})],
        })  # fmt: skip
        facts["logs"]["lines"] += [log] if log else []

    return change


def cannot_start(reason):
    return stop(reason, stop_code="TaskFailedToStart")


def target(state, reason, description=""):
    health = {"State": state, "Reason": reason, "Description": description}
    return add("target_groups.0.Health", {"Target": {"Id": "10.0.10.7", "Port": 8000}, "TargetHealth": health})


def of_tasks(key, value):
    """A change of the security group of the tasks; below, of that of the load balancer."""

    def change(facts):
        group = facts["service"]["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"][0]
        put(f"security_groups.{group}.{key}", value)(facts)

    return change


def of_balancer(key, value):
    def change(facts):
        group = facts["target_groups"][0]["LoadBalancers"][0]["SecurityGroups"][0]
        put(f"security_groups.{group}.{key}", value)(facts)

    return change


def routes(*beside_the_local_one):
    def change(facts):
        for subnet in facts["subnets"]:
            subnet["Table"]["Routes"][1:] = beside_the_local_one

    return change


def to_nat(state):
    return {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": state}


NO_PUBLIC_ADDRESS = put("service.networkConfiguration.awsvpcConfiguration.assignPublicIp", "DISABLED")


def variable(name, value):
    return add("definition.containerDefinitions.0.environment", {"name": name, "value": value})


HOST = "blog.abc.ap-northeast-2.rds.amazonaws.com"
STOPPED_COPY = {"DBInstanceIdentifier": "blog-old", "DBInstanceStatus": "stopped", "VpcSecurityGroups": [], "Cidrs": []}
ALL = ("ecr.api", "ecr.dkr", "s3", "logs", "secretsmanager")
OTHERS = {"Type": "forward", "TargetGroupArn": "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/other/1"}
TO_OTHERS = [put("target_groups.0.LoadBalancers.0.Listeners.0.DefaultActions", [OTHERS])]


def forwards(facts, **more):
    return [{"Type": "forward", "TargetGroupArn": facts["target_groups"][0]["TargetGroupArn"]} | more]


def rules(*priorities):
    """Of the first listener: (priority, values of a path, whether to the service)."""

    def change(facts):
        facts["target_groups"][0]["LoadBalancers"][0]["Listeners"][0]["Rules"] = [
            {"RuleArn": f"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener-rule/app/a/1/2/{priority}", "Priority": priority,
             "Conditions": [{"Field": "path-pattern", "Values": [value]}], "Actions": forwards(facts) if ours else [OTHERS]}
            for priority, value, ours in priorities
        ]  # fmt: skip

    return change


def secure(facts, actions):
    """A listener for HTTPS, beside the one on port 80."""
    listener = {"ListenerArn": "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/a/1/2", "Port": 443, "Protocol": "HTTPS"}
    facts["target_groups"][0]["LoadBalancers"][0]["Listeners"].append(listener | {"DefaultActions": actions})


def certificate(**changes):
    domain = {"name": "blog.example.com", "zone": None, "targets": None, "certificate": "arn:aws:acm:ap-northeast-2:123456789012:certificate/1",
              "status": "ISSUED", "ends": "2099-01-01T00:00:00+00:00", "renewal": "SUCCESS"}  # fmt: skip
    return put("target_groups.0.LoadBalancers.0.Domains", [domain | changes])


def mail(**changes):
    known = {"sender": "blog@example.com", "identity": "example.com", "found": True, "verified": True, "sending": True, "production": True}
    return put("mail", known | changes)


def out(*rules):
    """Of the tasks' group: what it lets out at port 443, and to the database."""
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    return lambda facts: of_tasks("IpPermissionsEgress", [
        *(https | rule for rule in rules),
        {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]},
    ])(facts)  # fmt: skip


def to(cidr):
    return {"IpRanges": [{"CidrIp": cidr}]}


def endpoints(*services, groups=()):
    def change(facts):
        for service in services:
            facts["endpoints"].append({
                "VpcEndpointId": f"vpce-{service}",
                "ServiceName": f"com.amazonaws.ap-northeast-2.{service}",
                "VpcEndpointType": "Gateway" if service == "s3" else "Interface",
                "RouteTableIds": [facts["subnets"][0]["Table"]["RouteTableId"]] if service == "s3" else [],
                "Groups": [{"GroupId": group} for group in groups],
            })  # fmt: skip

    return change


def refuse(role, actions):
    def change(facts):
        may = facts["roles"][role]["may"]
        may |= {action: False for action in may if action.startswith(actions)}

    return change


def passes(allowed):
    return lambda facts: facts["caller"].update(passes={role["arn"]: allowed for role in facts["roles"].values()})


def denial(principals):
    """Of a secret's own policy, for all but these."""
    condition = {"ArnNotEquals": {"aws:PrincipalArn": principals}}
    statement = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*", "Principal": "*", "Condition": condition}
    return put("secrets.0.policy", {"Version": "2012-10-17", "Statement": [statement]})


KEY = {"id": "arn:aws:kms:ap-northeast-2:123456789012:key/1", "arn": "arn:aws:kms:ap-northeast-2:123456789012:key/1", "state": "Enabled"}


# Of a service that keeps media, and has a bucket, a distribution and the rights for it.
BUCKET, PATH = "blog-api-media-123456789012", "/media"
OBJECTS = f"arn:aws:s3:::{BUCKET}{PATH}/*"
ORIGIN = {"DomainName": f"{BUCKET}.s3.ap-northeast-2.amazonaws.com", "OriginPath": PATH, "OriginAccessControlId": "A1"}
DISTRIBUTION = {
    "Id": "E1", "ARN": "arn:aws:cloudfront::123456789012:distribution/E1", "DomainName": "d1.cloudfront.net", "Enabled": True,
    "Aliases": {"Items": ["media.example.com"]}, "Origins": {"Items": [ORIGIN]},
}  # fmt: skip
READS = {
    "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": OBJECTS,
    "Condition": {"StringEquals": {"aws:SourceArn": DISTRIBUTION["ARN"]}},
}  # fmt: skip
TLS_ONLY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
KEEPS = {"s3:PutObject": True, "s3:GetObject": True, "s3:DeleteObject": True, "s3:ListBucket": True}
MEDIA = {
    "bucket": BUCKET, "found": True, "region": "ap-northeast-2", "expected": "ap-northeast-2", "path": PATH, "objects": OBJECTS, "key": None,
    "policy": {"Statement": [READS, TLS_ONLY]}, "public_url": "https://media.example.com", "distributions": [DISTRIBUTION], "may": KEEPS,
    "record": {"name": "media.example.com", "zone": "Z1", "targets": ["d1.cloudfront.net."]},
}  # fmt: skip
ENCRYPTS = {"kms:GenerateDataKey": True, "kms:Decrypt": True}


def media(**changes):
    return put("media", MEDIA | changes)


def distribution(**changes):
    return media(distributions=[DISTRIBUTION | changes])


def origin(**changes):
    return distribution(Origins={"Items": [ORIGIN | changes]})


def bucket_policy(*statements):
    return media(policy={"Statement": [*statements]})


def through(*statements):
    """Of the endpoint that the tasks' requests of S3 take."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": [*statements]})
    return [media(), endpoints("s3"), lambda facts: facts["endpoints"][-1].update(PolicyDocument=policy)]


def another_runs(facts):
    """The revision that is looked at is not the one that the service has."""
    other = facts["service"]["taskDefinition"] + "0"
    put("service.taskDefinition", other)(facts)
    put("service.deployments.0.taskDefinition", other)(facts)


def rolls(facts):
    """A rollout goes on."""
    update("service.deployments.0", rolloutState="IN_PROGRESS", runningCount=0)(facts)


def leads(*targets, zone="Z1"):
    """Where the domain leads; of no zone, nobody knows."""
    domain = {"name": "blog.example.com", "zone": zone, "targets": [*targets] if zone else None}
    return put("target_groups.0.LoadBalancers.0.Domains", [domain])


def of_database(key, value):
    def change(facts):
        group = facts["databases"][0]["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
        put(f"security_groups.{group}.{key}", value)(facts)

    return change


# Faults --------------------------------------------------------------------------------------------------------


@dataclass
class Fault:
    """`rules`: the one that is for it, and those that it breaks too, such as the summary of failed health checks."""

    name: str
    rules: str
    words: str
    mend: str
    changes: list

    def change(self, facts):
        for change in self.changes:
            change(facts)


FAULTS = [
    # startup
    Fault("pull without permission", "pull-denied", "may not pull the image", "attach-role-policy --role-name blog-api-execution",
          [refuse("execution", "ecr:"), cannot_start("CannotPullContainerError: … not authorized to perform: ecr:GetAuthorizationToken")]),
    Fault("no such tag", "image-missing", "has no image", "scripts/deploy",
          [put("image.tag_found", False), cannot_start("CannotPullContainerError: failed to resolve ref …: not found")]),
    Fault("no such repository", "image-missing", "no ECR repository blog-api", "create-repository --repository-name blog-api",
          [update("image", tag_found=False, repository_found=False)]),
    Fault("secret mistyped", "secret-missing container-exited", "does not exist", "create-secret --name blog-api/database --secret",
          [put("secrets.0.found", False), stop(EXITED, 78, log="blog-api: DB_SECRET_ID blog-api/databse: not found")]),
    Fault("secret deleted", "secret-missing", "marked for deletion", "restore-secret", [put("secrets.0.deleted", "2026-01-01T00:00:00Z")]),
    Fault("task role may not read the secret", "secret-denied", "task role blog-api-task may not read the secret",
          "put-role-policy --role-name blog-api-task", [put("secrets.0.may", False)]),
    Fault("execution role may not read the secret", "secret-denied", "execution role blog-api-execution may not read",
          "put-role-policy --role-name blog-api-execution", [update("secrets.0", reader="execution", may=False), cannot_start(NO_SECRET)]),
    Fault("secret refuses the role", "secret-denied", "policy of the secret", "put-resource-policy", [denial("arn:aws:iam::123456789012:role/another")]),
    Fault("logs without permission", "logs-denied", "may not write the logs", "attach-role-policy",
          [refuse("execution", "logs:"), cannot_start("ResourceInitializationError: failed to validate logger args: create stream has been retried")]),
    Fault("log group without permission", "logs-denied", "may not make it", "create-log-group --log-group-name /ecs/blog-api",
          [put("logs.found", False), refuse("execution", "logs:CreateLogGroup")]),
    Fault("log group missing", "logs-denied", "may not make it", "create-log-group",
          [put("logs.found", False), drop("definition.containerDefinitions.0.logConfiguration.options.awslogs-create-group")]),
    Fault("exited with 78", "container-exited", "exit code 78: the configuration is wrong", "logs tail /ecs/blog-api",
          [stop(EXITED, 78, log="blog-api: DB_SSL_MODE require: production takes verify-full only")]),
    Fault("exited with 69", "container-exited", "exit code 69: something outside is not there", "port 5432", [stop(EXITED, 69)]),
    Fault("exited with 70", "container-exited", "exit code 70: a background task", "logs tail", [stop(EXITED, 70)]),
    Fault("exited with 1", "container-exited", "exit code 1: requests were cut off", "logs tail", [stop(EXITED, 1)]),
    Fault("exited with 137", "container-exited", "exit code 137: it was killed: out of memory, or", "memory", [stop(EXITED, 137)]),
    Fault("out of memory", "container-exited", "ran out of memory", "now 1024 MiB",
          [stop("OutOfMemoryError", 137, "OutOfMemoryError: Container killed due to memory usage")]),
    Fault("exited with 139", "container-exited", "exit code 139: it crashed", "logs tail", [stop(EXITED, 139)]),
    Fault("built for ARM", "architecture container-exited", "another kind of processor", "--platform linux/amd64",
          [stop(EXITED, 255, log="exec /app/blog-api: exec format error")]),
    Fault("no image for the platform", "architecture", "another kind of processor", "--platform linux/amd64", [cannot_start(NO_PLATFORM)]),
    Fault("no execution role", "execution-role-missing", "has no execution role", "executionRoleArn",
          [put("roles.execution", None), drop("definition.executionRoleArn")]),
    Fault("no task role", "task-role-missing", "has no task role", "taskRoleArn", [put("roles.task", None), drop("definition.taskRoleArn")]),
    Fault("role deleted", "role-gone", "execution role that the task definition names does not exist", "create-role --role-name blog-api-execution",
          [update("roles.execution", found=False, trust=None, may={}), event("(service blog-api) failed to launch a task: ECS was unable to assume the role")]),
    Fault("role for another service", "role-not-assumable", "ECS may not assume the task role", "update-assume-role-policy --role-name blog-api-task",
          [put("roles.task.trust.Statement.0.Principal.Service", "ec2.amazonaws.com")]),
    Fault("PassRole refused", "pass-role-denied", "iam:PassRole is refused", "put-role-policy --role-name blog-api-deploy",
          [put("caller.Arn", "arn:aws:sts::123456789012:assumed-role/blog-api-deploy/github"),
           add("errors", f"An error occurred (AccessDeniedException): … not authorized to perform: iam:PassRole on resource: {ROLE}-execution")]),
    Fault("PassRole not granted", "pass-role-denied", "iam:PassRole is refused", "put-user-policy --user-name ada",
          [put("caller.Arn", "arn:aws:iam::123456789012:user/ada"), passes(False)]),
    Fault("repository refuses the role", "repository-denied", "policy of the repository", "set-repository-policy",
          [put("image.policy", {"Statement": [{"Effect": "Deny", "Action": "ecr:*", "Principal": "*"}]})]),
    Fault("role for another account", "role-not-assumable", "not for this account", "update-assume-role-policy --role-name blog-api-task",
          [put("roles.task.trust.Statement.0.Condition", {"StringEquals": {"aws:SourceAccount": "210987654321"}})]),
    Fault("key disabled", "secret-key", "it is Disabled", "enable-key --key-id", [put("secrets.0.key", KEY | {"state": "Disabled"})]),
    Fault("key to be deleted", "secret-key", "it is PendingDeletion", "cancel-key-deletion", [put("secrets.0.key", KEY | {"state": "PendingDeletion"})]),
    Fault("task role may not decrypt", "secret-key", "but not decrypt it", "put-role-policy --role-name blog-api-task",
          [update("secrets.0", key=KEY, decrypts=False)]),
    Fault("secret without a password", "secret-content container-exited", "does not hold what the program reads", "put-secret-value",
          [stop(EXITED, 78, log="blog-api: DB_SECRET_ID blog-api/database: has no `password`, or it is not text")]),
    Fault("killed when scaled in", "killed-at-stop", "did not end within", "stopTimeout",
          [stop("Scaling activity initiated by (deployment ecs-svc/1)", 137, stop_code="ServiceSchedulerInitiated")]),
    Fault("killed when Spot takes it back", "killed-at-stop", "AWS took the Spot capacity back, and its container api was killed", "stopTimeout",
          [stop("Your Spot Task was interrupted.", 137, stop_code="SpotInterruption")]),
    # scheduling
    Fault("scaled to nothing", "no-tasks-wanted", "no task at all", "--desired-count 2",
          [update("service", desiredCount=0, runningCount=0), update("service.deployments.0", desiredCount=0, runningCount=0)]),
    Fault("no capacity", "no-capacity", "no room for the tasks", "describe-capacity-providers",
          [rolls, event("(service blog-api) was unable to place a task. Reason: Capacity is unavailable at this time.")]),
    Fault("quota used up", "quota", "quota of Fargate is used up", "service-quotas",
          [rolls, event("(service blog-api) was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently.")]),
    Fault("no service-linked role", "service-linked-role", "has no service-linked role", "create-service-linked-role",
          [rolls, event("(service blog-api) was unable to place a task. Reason: Unable to assume the service linked role. Please verify that the ECS service linked role exists.")]),
    Fault("no room for a rollout", "no-room-to-roll", "No rollout can begin", "maximumPercent=200",
          [update("service.deploymentConfiguration", minimumHealthyPercent=100, maximumPercent=100)]),
    Fault("rolled back by an alarm", "rolled-back-by-alarm", "An alarm went off", "describe-alarm-history --alarm-name",
          [rolls, event("(service blog-api) (deployment ecs-svc/1) deployment failed: alarm detected.")]),
    Fault("asked for the revision that an alarm took back", "rolled-back-by-alarm", "An alarm went off", "describe-alarm-history --alarm-name",
          [another_runs, event(STEADY), event("(service blog-api) (deployment ecs-svc/1) deployment failed: alarm detected.")]),
    # network
    Fault("subnet full", "no-free-address", "has no free address", "describe-network-interfaces", [put("subnets.0.AvailableIpAddressCount", 0)]),
    Fault("private without NAT", "no-way-out", "has no way out", "create-route", [NO_PUBLIC_ADDRESS, routes(), cannot_start(TIMED_OUT)]),
    Fault("private with too few endpoints", "no-way-out", "has no way out", "service-name com.amazonaws.ap-northeast-2.secretsmanager",
          [NO_PUBLIC_ADDRESS, routes(), endpoints("ecr.api", "ecr.dkr", "s3", "logs")]),
    Fault("no endpoint for mail", "no-way-out", "cannot be reached: email", "service-name com.amazonaws.ap-northeast-2.email",
          [NO_PUBLIC_ADDRESS, routes(), endpoints(*ALL), variable("WEBHOOKS", "off"), variable("MAIL_URL", "ses:blog-api")]),
    Fault("webhooks behind endpoints", "webhooks-without-way", "Webhooks are on, and no way leads", "set WEBHOOKS to off", [NO_PUBLIC_ADDRESS, routes(), endpoints(*ALL)]),
    Fault("tasks may go out to the network alone", "egress-closed", "on port 443 to ecr.api, ecr.dkr", "--port 443 --cidr 0.0.0.0/0", [out(to("172.31.0.0/16"))]),
    Fault("tasks may go to endpoints, and not to S3", "egress-closed", "lets nothing out on port 443 to s3.", "--cidr 0.0.0.0/0",
          [out({"UserIdGroupPairs": [{"GroupId": "sg-endpoint"}]}), endpoints(*ALL, groups=["sg-endpoint"])]),
    Fault("public without address", "no-way-out", "no public address", "assignPublicIp=ENABLED", [NO_PUBLIC_ADDRESS]),
    Fault("NAT gateway deleted", "no-way-out", "has no way out", "replace-route", [routes(to_nat("blackhole"))]),
    Fault("tasks may not go out", "egress-closed database-closed", "lets nothing out on port 443", "authorize-security-group-egress", [of_tasks("IpPermissionsEgress", [])]),
    Fault("endpoint does not let in", "endpoint-closed", "does not let the tasks in", "--port 443",
          [endpoints("ecr.api", groups=["sg-endpoint"]), put("security_groups.sg-endpoint", {"GroupId": "sg-endpoint", "IpPermissions": []})]),
    Fault("VPC without names", "vpc-dns", "does not resolve names", "--enable-dns-support", [put("dns.enableDnsSupport", False)]),
    # database
    Fault("database deleted", "database-away", f"no instance of this account has the address {HOST}", "describe-db-snapshots",
          [put("databases", []), put("database", {"host": HOST, "gone": True})]),
    Fault("no database at all", "database-away", "no instance in this account and region", "describe-db-snapshots",
          [put("databases", []), put("database", {"host": None, "gone": True})]),
    Fault("database stopped, and which is not known", "database-away", "it is stopped", "start-db-instance",
          [put("databases.0.DBInstanceStatus", "stopped"), add("databases", STOPPED_COPY), put("database.host", None)]),
    Fault("database stopped", "database-away", "it is stopped", "start-db-instance", [put("databases.0.DBInstanceStatus", "stopped")]),
    Fault("database full", "database-away", "it is storage-full", "describe-events", [put("databases.0.DBInstanceStatus", "storage-full")]),
    Fault("database in another VPC", "database-away", "another VPC", "create-vpc-peering-connection", [put("databases.0.DBSubnetGroup.VpcId", "vpc-another")]),
    Fault("database does not let tasks in", "database-closed", "does not let the tasks in on port 5432", "authorize-security-group-ingress", [of_database("IpPermissions", [])]),
    Fault("tasks may not go to the database", "database-closed", "lets nothing out to the database", "authorize-security-group-egress",
          [of_tasks("IpPermissionsEgress", [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])]),
    # media
    Fault("bucket deleted", "media-bucket", "does not exist", f"create-bucket --bucket {BUCKET} --region ap-northeast-2", [media(found=False, region=None, policy=None)]),
    Fault("bucket in another region", "media-region", "is in eu-west-1, but the service looks for it in ap-northeast-2", "?region=eu-west-1", [media(region="eu-west-1")]),
    Fault("MEDIA_URL names another region", "media-region", "looks for it in eu-west-1", "?region=ap-northeast-2", [media(expected="eu-west-1")]),
    Fault("task role may not erase media", "media-denied", "may not do with media", "put-role-policy --role-name blog-api-task --policy-name keep-media",
          [media(may=KEEPS | {"s3:DeleteObject": False})]),
    Fault("task role may not ask whether a file is there", "media-denied", "may not do with media", '"s3:ListBucket"],"Resource":["arn:aws:s3:::',
          [media(may=KEEPS | {"s3:ListBucket": False})]),
    Fault("bucket refuses the role", "media-denied", "policy of the bucket", "put-bucket-policy",
          [bucket_policy(READS, {"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "arn:aws:s3:::*"})]),
    Fault("endpoint for image layers alone", "media-denied", "policy of the endpoint vpce-s3", "modify-vpc-endpoint --vpc-endpoint-id vpce-s3",
          through({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::prod-ap-northeast-2-starport-layer-bucket/*"})),
    Fault("endpoint that refuses", "media-denied", "policy of the endpoint vpce-s3", "--reset-policy",
          through({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"})),
    Fault("key of the bucket disabled", "media-key", "it is Disabled", "enable-key --key-id", [media(key=KEY | {"state": "Disabled"}, may=KEEPS | ENCRYPTS)]),
    Fault("key of the bucket to be deleted", "media-key", "it is PendingDeletion", "cancel-key-deletion", [media(key=KEY | {"state": "PendingDeletion"}, may=KEEPS | ENCRYPTS)]),
    Fault("task role may not use the bucket's key", "media-key", "but not use its key", "put-role-policy --role-name blog-api-task --policy-name encrypt-media",
          [media(key=KEY, may=KEEPS | ENCRYPTS | {"kms:GenerateDataKey": False})]),
    Fault("distribution deleted", "media-distribution", "No distribution of this account", "apply", [media(distributions=[])]),
    Fault("distribution disabled", "media-distribution", "is disabled", "update-distribution --id E1", [distribution(Enabled=False)]),
    Fault("media fetched by a name of nobody's", "media-url", "for which no distribution answers", "https://media.example.com", [media(public_url="https://d2.cloudfront.net")]),
    Fault("media fetched from another bucket", "media-url", "does not read", "get-distribution --id E1", [origin(DomainName="pictures.s3.ap-northeast-2.amazonaws.com")]),
    Fault("media fetched from another folder", "media-url", "does not read", "get-distribution --id E1", [origin(OriginPath="")]),
    Fault("media's domain without a record", "media-url", "does not lead to the distribution E1", "change-resource-record-sets --hosted-zone-id Z1",
          [media(record=MEDIA["record"] | {"targets": []})]),
    Fault("distribution without access control", "media-origin", "has no access control", "create-origin-access-control", [origin(OriginAccessControlId="")]),
    Fault("bucket does not let the distribution read", "media-origin", "does not let the distribution E1 read", f"put-bucket-policy --bucket {BUCKET}", [bucket_policy(TLS_ONLY)]),
    Fault("bucket lets another distribution read", "media-origin", "does not let the distribution E1 read", "distribution/E1",
          [bucket_policy(READS | {"Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E2"}}})]),
    Fault("bucket without a policy", "media-origin", "does not let the distribution E1 read", "put-bucket-policy", [media(policy={})]),
    Fault("bucket refuses services", "media-origin", "shuts the distribution E1 out", "aws:PrincipalIsAWSService",
          [bucket_policy(READS, {"Effect": "Deny", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:Get*", "Resource": "arn:aws:s3:::*"})]),
    Fault("bucket refuses all but the task role", "media-origin", "shuts the distribution E1 out", "get-bucket-policy", [bucket_policy(
          READS, {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": f"{ROLE}-task"}}})]),
    Fault("bucket refuses whoever is not the task role", "media-origin", "shuts the distribution E1 out", "get-bucket-policy",
          [bucket_policy(READS, {"Effect": "Deny", "NotPrincipal": {"AWS": f"{ROLE}-task"}, "Action": "*", "Resource": "*"})]),
    # mail
    Fault("no identity for the sender", "mail-refused", "no identity for the sender blog@example.com", "create-email-identity --email-identity example.com",
          [mail(found=False, verified=None)]),
    Fault("identity not verified", "mail-refused", "example.com is not verified", "get-email-identity", [mail(verified=False)]),
    Fault("sending paused", "mail-refused", "sends nothing for this account", "put-account-sending-attributes", [mail(sending=False)]),
    Fault("sandbox", "mail-refused", "in its sandbox", "put-account-details", [mail(production=False)]),
    # health
    Fault("no target at all", "no-target", "none of them is a healthy target of tg-blog-api", "--force-new-deployment", [put("target_groups.0.Health", [])]),
    Fault("targets that are let go of", "no-target", "none of them is a healthy target", "--force-new-deployment",
          [put("target_groups.0.Health", []), target("draining", "Target.DeregistrationInProgress")]),
    Fault("service without a balancer", "no-target", "belongs to no load balancer", "--load-balancers targetGroupArn=", [put("service.loadBalancers", []), put("target_groups", [])]),
    Fault("tasks that cannot serve", "not-ready", "/ready says database_unreachable", "docs/operations.md",
          [put("ready", {"url": "https://blog.example.com/ready", "status": 503, "reason": "database_unreachable"})]),
    Fault("alarm", "alarm", "blog-api-p99 is on: One answer in a hundred", "describe-alarm-history --alarm-name blog-api-p99",
          [add("alarms", {"AlarmName": "blog-api-p99", "AlarmDescription": "One answer in a hundred", "StateReason": "Threshold Crossed", "StateUpdatedTimestamp": 0})]),
    Fault("checks fail and nothing shows why", "health-checks-failed", "health checks fail", "every checkpoint holds",
          [event(FAILED), target("unhealthy", "Target.Timeout")]),
    Fault("check on another port", "ports-differ health-checks-failed", "ports differ", "modify-target-group",
          [put("target_groups.0.HealthCheckPort", "9000"), target("unhealthy", "Target.FailedHealthChecks")]),
    Fault("target group on another port", "ports-differ", "ports differ", "cannot be changed", [put("target_groups.0.Port", 80)]),
    # The mapping still says 8000.
    Fault("program on another port", "ports-differ", "ports differ", "correct PORT",
          [add("definition.containerDefinitions.0.environment", {"name": "PORT", "value": "8080"}), update("target_groups.0", Port=8080, ContainerPort=8080),
           of_tasks("IpPermissions.0.FromPort", 8080), of_tasks("IpPermissions.0.ToPort", 8080)]),
    Fault("container of another name", "ports-differ", "which the task definition does not have", "containerName=api", [put("target_groups.0.ContainerName", "web")]),
    Fault("check of another path", "health-path health-checks-failed", "asks for /", "--health-check-path /health",
          [put("target_groups.0.HealthCheckPath", "/"), target("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")]),
    Fault("check for another code", "health-path", "takes 204 for healthy", "--matcher HttpCode=200", [put("target_groups.0.Matcher.HttpCode", "204")]),
    Fault("health answers 503", "health-path health-checks-failed", "does not answer 200", "logs tail",
          [target("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")]),
    Fault("no grace period", "grace-period health-checks-failed", "grace period is 0 s", "--health-check-grace-period-seconds 60",
          [drop("service.healthCheckGracePeriodSeconds"), event(FAILED)]),
    Fault("tasks do not let the balancer in", "group-closed health-checks-failed", "does not let the load balancer in on port 8000", "authorize-security-group-ingress",
          [of_tasks("IpPermissions.0.UserIdGroupPairs.0.GroupId", "sg-another"), target("unhealthy", "Target.Timeout")]),
    Fault("balancer may not go out", "group-closed", "lets nothing out to the tasks", "authorize-security-group-egress", [of_balancer("IpPermissionsEgress", [])]),
    Fault("balancer in another VPC", "other-network", "another VPC", "make a target group", [put("target_groups.0.VpcId", "vpc-another")]),
    Fault("zone not served", "other-network health-checks-failed", "a zone that the load balancer does not serve", "set-subnets",
          [drop("target_groups.0.LoadBalancers.0.AvailabilityZones.0"), target("unused", "Target.NotInUse")]),
    Fault("no listener", "other-network", "No listener", "create-listener", [update("target_groups.0", LoadBalancers=[], LoadBalancerArns=[], LoadBalancerSubnets=[])]),
    Fault("target type instance", "target-type", "of the type instance", "--target-type ip", [put("target_groups.0.TargetType", "instance")]),
    Fault("check over HTTPS", "health-protocol", "checks health over HTTPS", "--health-check-protocol HTTP", [put("target_groups.0.HealthCheckProtocol", "HTTPS")]),
    Fault("target group for HTTPS", "health-protocol", "sends requests over HTTPS", "make another one", [put("target_groups.0.Protocol", "HTTPS")]),
    Fault("container's own check fails", "container-health", "apart from the load balancer", "healthCheck", [rolls, event("(service blog-api) (task 1) failed container health checks.")]),
    # edge
    Fault("balancer lets nobody in", "edge-closed", "lets nobody in on port", "authorize-security-group-ingress", [of_balancer("IpPermissions", [])]),
    Fault("balancer lets one office in", "edge-closed", "but from some addresses", "--cidr 0.0.0.0/0",
          [of_balancer("IpPermissions.0.IpRanges", [{"CidrIp": "203.0.113.7/32"}])]),
    Fault("balancer that could not be made", "balancer-inactive", "is failed, not active", "describe-load-balancers",
          [put("target_groups.0.LoadBalancers.0.State", {"Code": "failed", "Reason": "no address"})]),
    Fault("certificate at its end", "certificate", "blog.example.com is EXPIRED", "acm describe-certificate", [certificate(ends="2020-01-01T00:00:00+00:00")]),
    Fault("certificate not issued", "certificate", "is VALIDATION_TIMED_OUT", "acm describe-certificate", [certificate(status="VALIDATION_TIMED_OUT", ends=None)]),
    Fault("certificate not renewed", "certificate", "is not renewed", "acm describe-certificate", [certificate(renewal="FAILED")]),
    Fault("listener for others", "listener-to-others", "names another target group", "modify-listener --listener-arn", TO_OTHERS),
    Fault("HTTPS for others", "listener-to-others", "port 443 sends requests elsewhere", "modify-listener --listener-arn", [lambda facts: secure(facts, [OTHERS])]),
    Fault("nothing of the weight", "listener-to-others", "names another target group", "modify-listener", [lambda facts: secure(facts, forwards(facts, ForwardConfig={
          "TargetGroups": [{"TargetGroupArn": OTHERS["TargetGroupArn"], "Weight": 1}, {"TargetGroupArn": forwards(facts)[0]["TargetGroupArn"], "Weight": 0}]}))]),
    Fault("rule that takes all", "listener-to-others", "its rule 5 takes all", "modify-rule --rule-arn", [rules(("7", "/v1/*", True), ("5", "/*", False))]),
    Fault("balancer without a way in", "edge-without-route", "no route leads", "-route --route-table-id",
          [lambda facts: [subnet["Table"].update(Routes=[]) for subnet in facts["target_groups"][0]["LoadBalancerSubnets"]]]),
    Fault("listener answers by itself", "listener-elsewhere", "answers by itself", "modify-listener",
          [put("target_groups.0.LoadBalancers.0.Listeners.0.DefaultActions", [{"Type": "fixed-response"}])]),
    Fault("redirect to nowhere", "listener-elsewhere", "where nothing listens", "create-listener",
          [put("target_groups.0.LoadBalancers.0.Listeners.0.DefaultActions", [{"Type": "redirect", "RedirectConfig": {"Port": "443"}}])]),
    Fault("no record of the domain", "record-gone", "blog.example.com has no record", "change-resource-record-sets --hosted-zone-id Z1",
          [leads()]),
    Fault("the domain leads to an old balancer", "record-gone", "leads elsewhere", "change-resource-record-sets", [leads("dualstack.old-1.elb.example.")]),
    Fault("firewall blocks by default", "firewall-blocks", "default action is to block", "get-web-acl",
          [put("target_groups.0.LoadBalancers.0.WebAcl", {"Name": "blog-api", "Id": "1", "DefaultAction": {"Block": {}}})]),
    Fault("stuck with the breaker off", "breaker-off", "circuit breaker off", "deploymentCircuitBreaker={enable=true,rollback=true}",
          [put("service.deploymentConfiguration.deploymentCircuitBreaker", {"enable": False, "rollback": False}),
           update("service.deployments.0", rolloutState="IN_PROGRESS", runningCount=0, createdAt=0)]),
    Fault("rollout failed without a word", "unexplained", "none of the usual causes", "--force-new-deployment",
          [update("service.deployments.0", rolloutState="FAILED", failedTasks=3)]),
]  # fmt: skip

# What looks like a fault and is none.
HARMLESS = {
    "private subnets behind NAT": [NO_PUBLIC_ADDRESS, routes(to_nat("active"))],
    "private subnets with endpoints": [NO_PUBLIC_ADDRESS, routes(), endpoints(*ALL), variable("WEBHOOKS", "off")],
    "private subnets with endpoints, one of them for mail": [
        NO_PUBLIC_ADDRESS, routes(), endpoints(*ALL, "email"), variable("WEBHOOKS", "off"), variable("MAIL_URL", "ses:"), mail(),
    ],
    "tasks that may go to endpoints, and to S3 by its prefix list": [
        out({"UserIdGroupPairs": [{"GroupId": "sg-endpoint"}]}, {"PrefixListIds": [{"PrefixListId": "pl-1"}]}), endpoints(*ALL, groups=["sg-endpoint"]),
    ],
    "tasks that may go to AWS's own addresses": [out(to("172.31.0.0/16"), to("52.78.0.0/15"))],
    "tasks that may go anywhere, half by half": [out(to("0.0.0.0/1"), to("128.0.0.0/1"))],
    "a balancer for everybody, half by half": [of_balancer("IpPermissions.0.IpRanges", [{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}])],
    "a balancer for CloudFront alone": [of_balancer("IpPermissions.0.IpRanges", []), of_balancer("IpPermissions.0.PrefixListIds", [{"PrefixListId": "pl-1"}])],
    "a balancer inside": [put("target_groups.0.LoadBalancers.0.Scheme", "internal"), of_balancer("IpPermissions.0.IpRanges", [{"CidrIp": "10.0.0.0/8"}])],
    "a certificate that holds": [certificate()],
    "a certificate that nobody may read": [certificate(status=None, ends=None, renewal=None)],
    "a listener of several services": [*TO_OTHERS, rules(("5", "/shop/*", False), ("7", "/v1/*", True))],
    "a listener of another service": [lambda facts: secure(facts, forwards(facts)), *TO_OTHERS],
    "rules that may not be read": [put("target_groups.0.LoadBalancers.0.Listeners.0.Rules", None)],
    "targets that may not be asked for": [put("target_groups.0.Health", []), put("target_groups.0.HealthKnown", False)],
    "one task alone": [put("service.deployments", []), put("service.loadBalancers", []), put("target_groups", [])],
    "a copy of the database that is stopped": [add("databases", STOPPED_COPY), put("database.host", None)],
    "mail": [mail()],
    "mail of which nothing is known": [mail(found=None, verified=None, sending=None, production=None)],
    "a task that Spot took back": [stop("Your Spot Task was interrupted.", 0, stop_code="SpotInterruption")],
    "a task whose machine was retired": [stop("Task retired", 0, stop_code="TerminationNotice")],
    "a rollout that an alarm took back, and that is over": [event(STEADY), event("(service blog-api) (deployment ecs-svc/1) deployment failed: alarm detected.")],
    "a service that answers": [put("ready", {"url": "https://blog.example.com/ready", "status": 200, "reason": None})],
    "a key that the role may use": [update("secrets.0", key=KEY, decrypts=True)],
    "media": [media()],
    "media by the distribution's own name": [media(public_url="https://d1.cloudfront.net")],
    "media by a domain whose zone is elsewhere": [media(record=MEDIA["record"] | {"zone": None, "targets": None})],
    "media by a domain for all": [distribution(Aliases={"Items": ["*.example.com"]})],
    "media below a path": [lambda facts: origin(OriginPath="")(facts) or facts["media"].update(public_url="https://media.example.com/media")],
    "media for all distributions of the account": [bucket_policy(READS | {"Condition": {"StringLike": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/*"}}})],
    "media by an access identity": [origin(OriginAccessControlId="", S3OriginConfig={"OriginAccessIdentity": "origin-access-identity/cloudfront/E3"})],
    "a bucket whose key the role may use": [media(key=KEY, may=KEEPS | ENCRYPTS)],
    "a bucket that refuses others": [bucket_policy(
        READS, {"Effect": "Deny", "NotPrincipal": {"AWS": f"{ROLE}-task", "Service": "cloudfront.amazonaws.com"}, "Action": "*", "Resource": "*"})],
    "a bucket that refuses others, and no service": [bucket_policy(
        READS, {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {
            "ArnNotEquals": {"aws:PrincipalArn": f"{ROLE}-task"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}})],
    "a bucket that keeps another folder shut": [bucket_policy(READS, {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": f"arn:aws:s3:::{BUCKET}/private/*"})],
    "an endpoint that lets media through": through({"Effect": "Allow", "Principal": "*", "Action": "s3:*Object", "Resource": f"arn:aws:s3:::{BUCKET}/*"}),
    "a database that is backed up": [put("databases.0.DBInstanceStatus", "backing-up")],
    "a redirect to a listener": [
        add("target_groups.0.LoadBalancers.0.Listeners", {"Port": 81, "Protocol": "HTTP", "DefaultActions": [{"Type": "redirect", "RedirectConfig": {"Port": "80"}}]}),
        lambda facts: of_balancer("IpPermissions.0.FromPort", 80)(facts) or of_balancer("IpPermissions.0.ToPort", 81)(facts),
    ],
    "a domain whose zone is elsewhere": [leads(zone=None)],
    "a domain that leads to the balancer": [lambda facts: leads(f"DualStack.{facts['target_groups'][0]['LoadBalancers'][0]['DNSName']}.")(facts)],
    "tasks that were scaled in": [stop("Scaling activity initiated by deployment", 0, stop_code="ServiceSchedulerInitiated")],
    "a migration that ended well": [stop(EXITED, 0, started_by="deploy")],
    "trouble that is over": [event(STEADY), event(FAILED)],
    "a range instead of a group": [of_tasks("IpPermissions.0.UserIdGroupPairs", []), of_tasks("IpPermissions.0.IpRanges", [{"CidrIp": "172.31.0.0/16"}])],
    "a secret that admits only the task role": [denial([f"{ROLE}-task"])],
    "a log group that the task makes": [put("logs.found", False)],
    "what cannot be known": [
        *(update(f"roles.{role}", found=None, trust=None, may={}) for role in ("execution", "task")), passes(None),
        update("image", tag_found=None, repository_found=None), update("secrets.0", found=None, may=None),
        media(found=None, region=None, policy=None, distributions=None, may={}),
        put("target_groups", []), put("subnets", []), put("security_groups", {}), put("databases", []), put("dns", {}),
        mail(found=None, verified=None, sending=None, production=None), put("alarms", []), put("ready", {"url": "x", "status": None, "reason": None}),
    ],
}  # fmt: skip
