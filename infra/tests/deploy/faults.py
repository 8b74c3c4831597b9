"""Every fault that scripts/diagnose knows, as a change of healthy facts, and what it must say.

`healthy.json` is what `scripts/diagnose --save` wrote at the end of the walk of docs/deploy.md.
"""

from dataclasses import dataclass

FAULTS = []


@dataclass
class Fault:
    name: str
    change: object
    rules: set
    words: str
    mend: str


def fault(rule, words, mend, also=()):
    """`also`: rules that this fault breaks too, such as the summary of failed health checks."""

    def add(change):
        FAULTS.append(Fault(change.__name__, change, {rule, *also}, words, mend))
        return change

    return add


# Parts of the facts -------------------------------------------------------------------------------------------


def stop(facts, reason, code=None, box_reason=None, stop_code="EssentialContainerExited", log=None):
    box = {"name": "api", "reason": box_reason} | ({} if code is None else {"exitCode": code})
    facts["stopped"].append(
        {
            "taskArn": "arn:aws:ecs:ap-northeast-2:123456789012:task/blog-cluster/0123456789abcdef",
            "taskDefinitionArn": facts["definition"]["taskDefinitionArn"],
            "startedBy": "ecs-svc/1",
            "stopCode": stop_code,
            "stoppedReason": reason,
            "containers": [box],
        }
    )
    facts["logs"]["lines"] += [log] if log else []


def cannot_start(facts, reason):
    stop(facts, reason, stop_code="TaskFailedToStart")


def event(facts, message):
    facts["service"]["events"].append({"id": "1", "createdAt": 0, "message": message})


def target(facts, state, reason, description=""):
    facts["target_groups"][0]["Health"].append(
        {
            "Target": {"Id": "10.0.10.7", "Port": 8000},
            "TargetHealth": {"State": state, "Reason": reason, "Description": description},
        }
    )


def group(facts):
    return facts["target_groups"][0]


def app(facts):
    return facts["definition"]["containerDefinitions"][0]


def security_groups(facts):
    tasks = facts["service"]["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"][0]
    balancer = group(facts)["LoadBalancers"][0]["SecurityGroups"][0]
    return facts["security_groups"][tasks], facts["security_groups"][balancer]


def private(facts):
    """No default route and no public addresses, as in a subnet made for tasks only."""
    facts["service"]["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = "DISABLED"
    for subnet in facts["subnets"]:
        subnet["Table"]["Routes"] = subnet["Table"]["Routes"][:1]


def endpoints(facts, *services):
    for service in services:
        facts["endpoints"].append(
            {
                "VpcEndpointId": f"vpce-{service}",
                "ServiceName": f"com.amazonaws.ap-northeast-2.{service}",
                "VpcEndpointType": "Gateway" if service == "s3" else "Interface",
                "State": "available",
                "RouteTableIds": [facts["subnets"][0]["Table"]["RouteTableId"]] if service == "s3" else [],
                "Groups": [],
            }
        )


def refuse(role, actions):
    role["may"] |= {action: False for action in role["may"] if action.startswith(actions)}


def denial(principals):
    """Of a secret's own policy, for all but these."""
    condition = {"ArnNotEquals": {"aws:PrincipalArn": principals}}
    statement = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*", "Principal": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


# Startup ------------------------------------------------------------------------------------------------------


@fault("pull-denied", "may not pull the image", "attach-role-policy --role-name blog-api-execution")
def pull_without_permission(facts):
    refuse(facts["roles"]["execution"], "ecr:")
    cannot_start(facts, "CannotPullContainerError: … is not authorized to perform: ecr:GetAuthorizationToken")


@fault("image-missing", "has no image", "scripts/deploy")
def no_such_tag(facts):
    facts["image"]["tag_found"] = False
    cannot_start(facts, "CannotPullContainerError: failed to resolve ref …: not found")


@fault("image-missing", "no ECR repository blog-api", "create-repository --repository-name blog-api")
def no_such_repository(facts):
    facts["image"]["tag_found"] = facts["image"]["repository_found"] = False


@fault("secret-missing", "does not exist", "create-secret --name blog-api/database --secret", also={"container-exited"})
def secret_mistyped(facts):
    facts["secrets"][0]["found"] = False
    stop(facts, "Essential container in task exited", 78, log="blog-api: DB_SECRET_ID blog-api/databse: not found")


@fault("secret-missing", "marked for deletion", "restore-secret")
def secret_deleted(facts):
    facts["secrets"][0]["deleted"] = "2026-01-01T00:00:00Z"


@fault("secret-denied", "task role blog-api-task may not read the secret", "put-role-policy --role-name blog-api-task")
def task_role_may_not_read_the_secret(facts):
    facts["secrets"][0]["may"] = False


@fault(
    "secret-denied", "execution role blog-api-execution may not read", "put-role-policy --role-name blog-api-execution"
)
def execution_role_may_not_read_the_secret(facts):
    facts["secrets"][0].update(reader="execution", may=False)
    cannot_start(
        facts,
        "ResourceInitializationError: unable to pull secrets or registry auth: … secretsmanager: AccessDeniedException",
    )


@fault("secret-denied", "policy of the secret", "put-resource-policy")
def secret_refuses_the_role(facts):
    facts["secrets"][0]["policy"] = denial("arn:aws:iam::123456789012:role/another")


@fault("logs-denied", "may not write the logs", "attach-role-policy")
def logs_without_permission(facts):
    refuse(facts["roles"]["execution"], "logs:")
    cannot_start(facts, "ResourceInitializationError: failed to validate logger args: create stream has been retried")


@fault("logs-denied", "may not make it", "create-log-group --log-group-name /ecs/blog-api")
def log_group_without_permission(facts):
    facts["logs"]["found"] = False
    refuse(facts["roles"]["execution"], "logs:CreateLogGroup")


@fault("logs-denied", "may not make it", "create-log-group")
def log_group_missing(facts):
    facts["logs"]["found"] = False
    del app(facts)["logConfiguration"]["options"]["awslogs-create-group"]


@fault("container-exited", "exit code 78: the configuration is wrong", "logs tail /ecs/blog-api")
def exited_78(facts):
    stop(
        facts,
        "Essential container in task exited",
        78,
        log="blog-api: DB_SSL_MODE require: production takes verify-full only",
    )


@fault("container-exited", "exit code 69: something outside is not there", "port 5432")
def exited_69(facts):
    stop(facts, "Essential container in task exited", 69)


@fault("container-exited", "exit code 1: requests were cut off", "logs tail")
def exited_1(facts):
    stop(facts, "Essential container in task exited", 1)


@fault("container-exited", "exit code 137: it was killed: out of memory, or", "memory")
def exited_137(facts):
    stop(facts, "Essential container in task exited", 137)


@fault("container-exited", "ran out of memory", "now 1024 MiB")
def out_of_memory(facts):
    stop(facts, "OutOfMemoryError", 137, "OutOfMemoryError: Container killed due to memory usage")


@fault("container-exited", "exit code 139: it crashed", "logs tail")
def exited_139(facts):
    stop(facts, "Essential container in task exited", 139)


@fault("architecture", "another kind of processor", "--platform linux/amd64", also={"container-exited"})
def built_for_arm(facts):
    stop(facts, "Essential container in task exited", 255, log="exec /app/blog-api: exec format error")


@fault("architecture", "another kind of processor", "--platform linux/amd64")
def no_image_for_the_platform(facts):
    cannot_start(
        facts, "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'"
    )


@fault("execution-role-missing", "has no execution role", "executionRoleArn")
def no_execution_role(facts):
    facts["roles"]["execution"] = None
    del facts["definition"]["executionRoleArn"]


@fault("task-role-missing", "has no task role", "taskRoleArn")
def no_task_role(facts):
    facts["roles"]["task"] = None
    del facts["definition"]["taskRoleArn"]


@fault(
    "role-gone",
    "execution role that the task definition names does not exist",
    "create-role --role-name blog-api-execution",
)
def role_deleted(facts):
    facts["roles"]["execution"] |= {"found": False, "trust": None, "may": {}}
    event(facts, "(service blog-api) failed to launch a task: ECS was unable to assume the role")


@fault("role-not-assumable", "ECS may not assume the task role", "update-assume-role-policy --role-name blog-api-task")
def role_for_another_service(facts):
    facts["roles"]["task"]["trust"]["Statement"][0]["Principal"]["Service"] = "ec2.amazonaws.com"


@fault("pass-role-denied", "iam:PassRole is refused", "put-role-policy --role-name blog-api-deploy")
def pass_role_refused(facts):
    facts["caller"]["Arn"] = "arn:aws:sts::123456789012:assumed-role/blog-api-deploy/github"
    role = facts["roles"]["execution"]["arn"]
    facts["errors"].append(
        f"An error occurred (AccessDeniedException): … not authorized to perform: iam:PassRole on resource: {role}"
    )


@fault("pass-role-denied", "iam:PassRole is refused", "put-user-policy --user-name ada")
def pass_role_not_granted(facts):
    roles = [role["arn"] for role in facts["roles"].values()]
    facts["caller"] |= {"Arn": "arn:aws:iam::123456789012:user/ada", "passes": dict.fromkeys(roles, False)}


# Network ------------------------------------------------------------------------------------------------------


@fault("no-free-address", "has no free address", "describe-network-interfaces")
def subnet_full(facts):
    facts["subnets"][0]["AvailableIpAddressCount"] = 0


@fault("no-way-out", "has no way out", "create-route")
def private_without_nat(facts):
    private(facts)
    cannot_start(
        facts,
        "ResourceInitializationError: unable to pull secrets or registry auth: dial tcp 52.1.1.1:443: i/o timeout",
    )


@fault("no-way-out", "has no way out", "service-name com.amazonaws.ap-northeast-2.secretsmanager")
def private_with_too_few_endpoints(facts):
    private(facts)
    endpoints(facts, "ecr.api", "ecr.dkr", "s3", "logs")


@fault("no-way-out", "no public address", "assignPublicIp=ENABLED")
def public_without_address(facts):
    facts["service"]["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = "DISABLED"


@fault("no-way-out", "has no way out", "replace-route")
def nat_gateway_deleted(facts):
    for subnet in facts["subnets"]:
        subnet["Table"]["Routes"][1] = {
            "DestinationCidrBlock": "0.0.0.0/0",
            "NatGatewayId": "nat-1",
            "State": "blackhole",
        }


@fault("egress-closed", "lets nothing out on port 443", "authorize-security-group-egress")
def tasks_may_not_go_out(facts):
    security_groups(facts)[0]["IpPermissionsEgress"] = []


@fault("endpoint-closed", "does not let the tasks in", "--port 443")
def endpoint_does_not_let_in(facts):
    endpoints(facts, "ecr.api")
    facts["endpoints"][0]["Groups"] = [{"GroupId": "sg-endpoint"}]
    facts["security_groups"]["sg-endpoint"] = {"GroupId": "sg-endpoint", "IpPermissions": []}


# Health -------------------------------------------------------------------------------------------------------


@fault("health-checks-failed", "health checks fail", "every checkpoint holds")
def checks_fail_and_nothing_shows_why(facts):
    event(facts, "(service blog-api) (task 1) failed ELB health checks in (target-group tg-blog-api)")
    target(facts, "unhealthy", "Target.Timeout")


@fault("ports-differ", "ports differ", "modify-target-group", also={"health-checks-failed"})
def check_on_another_port(facts):
    group(facts)["HealthCheckPort"] = "9000"
    target(facts, "unhealthy", "Target.FailedHealthChecks")


@fault("ports-differ", "ports differ", "cannot be changed")
def target_group_on_another_port(facts):
    group(facts)["Port"] = 80


@fault("ports-differ", "ports differ", "correct PORT")
def program_on_another_port(facts):
    app(facts)["environment"].append({"name": "PORT", "value": "8080"})
    group(facts)["Port"] = 8080
    group(facts)["ContainerPort"] = 8080
    # The mapping still says 8000.
    security_groups(facts)[0]["IpPermissions"][0] |= {"FromPort": 8080, "ToPort": 8080}


@fault("ports-differ", "which the task definition does not have", "containerName=api")
def container_of_another_name(facts):
    group(facts)["ContainerName"] = "web"


@fault("health-path", "asks for /", "--health-check-path /health", also={"health-checks-failed"})
def check_of_another_path(facts):
    group(facts)["HealthCheckPath"] = "/"
    target(facts, "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")


@fault("health-path", "takes 204 for healthy", "--matcher HttpCode=200")
def check_for_another_code(facts):
    group(facts)["Matcher"]["HttpCode"] = "204"


@fault("health-path", "does not answer 200", "logs tail", also={"health-checks-failed"})
def health_answers_503(facts):
    target(facts, "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")


@fault("grace-period", "grace period is 0 s", "--health-check-grace-period-seconds 60", also={"health-checks-failed"})
def no_grace_period(facts):
    del facts["service"]["healthCheckGracePeriodSeconds"]
    event(facts, "(service blog-api) (task 1) failed ELB health checks in (target-group tg-blog-api)")


@fault(
    "group-closed",
    "does not let the load balancer in on port 8000",
    "authorize-security-group-ingress",
    also={"health-checks-failed"},
)
def tasks_do_not_let_the_balancer_in(facts):
    security_groups(facts)[0]["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] = "sg-another"
    target(facts, "unhealthy", "Target.Timeout")


@fault("group-closed", "lets nothing out to the tasks", "authorize-security-group-egress")
def balancer_may_not_go_out(facts):
    security_groups(facts)[1]["IpPermissionsEgress"] = []


@fault("other-network", "another VPC", "make a target group")
def balancer_in_another_vpc(facts):
    group(facts)["VpcId"] = "vpc-another"


@fault("other-network", "a zone that the load balancer does not serve", "set-subnets", also={"health-checks-failed"})
def zone_not_served(facts):
    group(facts)["LoadBalancers"][0]["AvailabilityZones"].pop()
    target(facts, "unused", "Target.NotInUse")


@fault("other-network", "No listener", "create-listener")
def no_listener(facts):
    group(facts).update(LoadBalancers=[], LoadBalancerArns=[], LoadBalancerSubnets=[])


@fault("target-type", "of the type instance", "--target-type ip")
def target_type_instance(facts):
    group(facts)["TargetType"] = "instance"


@fault("breaker-off", "circuit breaker off", "deploymentCircuitBreaker={enable=true,rollback=true}")
def stuck_with_the_breaker_off(facts):
    facts["service"]["deploymentConfiguration"]["deploymentCircuitBreaker"] = {"enable": False, "rollback": False}
    facts["service"]["deployments"][0] |= {"rolloutState": "IN_PROGRESS", "runningCount": 0, "createdAt": 0}


@fault("unexplained", "none of the usual causes", "--force-new-deployment")
def rollout_failed_without_a_word(facts):
    facts["service"]["deployments"][0] |= {"rolloutState": "FAILED", "failedTasks": 3}
