"""What must hold of a task definition, in the shape of ECS's RegisterTaskDefinition.

botocore knows the keys and types, cfn-lint the values that Fargate takes. What neither knows stands in `own`.
"""

import json
import re

import botocore.session
import botocore.validate
import cfnlint.api
from resource_rules import REPOSITORY

SHAPE = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
# How many seconds the service accepts requests after SIGTERM, and then finishes them: its own defaults in production.
STOPPING = {
    name: int(re.search(rf'"{name}"\)\.unwrap_or\(by_environment\((\d+),', (REPOSITORY / "src/config/mod.rs").read_text())[1])
    for name in ("DRAIN_DELAY", "SHUTDOWN_TIMEOUT")
}
# Keys below these are the user's, not CloudFormation's.
FREE_KEYS = {"options", "dockerLabels"}


def findings(definitions):
    """(name, rule, message) for each task definition in a dict of them."""
    found = [(name, rule, why) for name, one in definitions.items() for rule, why in [*shape(one), *own(one)]]
    return found + cloudformation(definitions)


def shape(definition):
    report = botocore.validate.ParamValidator().validate(definition, SHAPE)
    if report.has_errors():
        yield "botocore", report.generate_report()


def cloudformation(definitions):
    """All of them in one template: cfn-lint starts slowly."""
    names = list(definitions)
    template = {
        "Resources": {
            f"Task{number}": {"Type": "AWS::ECS::TaskDefinition", "Properties": capitalised(definitions[name])}
            for number, name in enumerate(names)
        }
    }
    found = []
    for match in cfnlint.api.lint(json.dumps(template), None, ["ap-northeast-2"]):
        resource = next(str(part) for part in match.path if str(part).startswith("Task"))
        found.append((names[int(resource.removeprefix("Task"))], match.rule.id, match.message))
    return found


def capitalised(value, free=False):
    if isinstance(value, dict):
        return {
            key if free else key[0].upper() + key[1:]: capitalised(inner, key in FREE_KEYS)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [capitalised(inner) for inner in value]
    return value


def own(definition):
    containers = definition.get("containerDefinitions", [])
    if "FARGATE" not in definition.get("requiresCompatibilities", []) or definition.get("networkMode") != "awsvpc":
        yield "fargate", "must require FARGATE and use awsvpc"
    if not definition.get("executionRoleArn"):
        yield "execution-role", "without it no image is pulled and no log written"
    if not definition.get("taskRoleArn"):
        yield "task-role", "without it the service has no credentials to read its secret with"
    if definition.get("executionRoleArn") == definition.get("taskRoleArn"):
        yield "one-role-for-both", "what starts the task and what runs in it need different rights"
    if definition.get("runtimePlatform", {}).get("cpuArchitecture") != "X86_64":
        yield "architecture", "images are built for linux/amd64"
    if not any(container.get("essential", True) for container in containers):
        yield "essential", "the only container is not essential"
    for container in containers:
        yield from own_container(container)


def own_container(container):
    environment = [variable["name"] for variable in container.get("environment", [])]
    values = {variable["name"]: variable["value"] for variable in container.get("environment", [])}
    if len(environment) != len(set(environment)):
        yield "environment-twice", "a variable is set twice"
    if values.get("ENVIRONMENT") != "production":
        yield "environment", "ENVIRONMENT is not production"
    if any("PASSWORD" in name or name == "DATABASE_URL" for name in environment):
        yield "password-in-environment", "passwords belong into Secrets Manager"
    if not values.get("DB_SECRET_ID"):
        yield "secret-id", "the service does not know its secret"

    image = container.get("image", "")
    tag = image.rpartition("/")[2].partition(":")[2]
    if not tag or tag == "latest":
        yield "image-tag", f"{image} does not name one image for good"

    if container.get("user", "0").split(":")[0] in ("0", "root"):
        yield "user", "the container runs as root"
    if not container.get("readonlyRootFilesystem"):
        yield "readonly", "the root file system can be written to"
    if container.get("privileged") or container.get("linuxParameters", {}).get("capabilities", {}).get("drop") != ["ALL"]:
        yield "capabilities", "the container keeps capabilities that it does not need"

    stop = sum(int(values.get(name, default)) for name, default in STOPPING.items())
    if not stop < container.get("stopTimeout", 30) <= 120:
        yield "stop-timeout", f"stopTimeout must be more than {stop} s, which a stop may take, and at most Fargate's 120 s"
    if values.get("TRUSTED_PROXY_HOPS") != "1":
        yield "proxy-hops", "one load balancer stands in front: fewer limits all clients as one, more lets them choose their address"

    for mapping in container.get("portMappings", []):
        if mapping["containerPort"] != int(values.get("PORT", 8000)):
            yield "port", "the mapped port is not the one that the service listens on"

    check = container.get("healthCheck")
    if check:
        if check["command"][:1] != ["CMD"] or "curl" in check["command"]:
            yield "health-command", "the image has neither a shell nor curl"
        ranges = {"interval": (5, 300, 30), "timeout": (2, 60, 5), "retries": (1, 10, 3), "startPeriod": (0, 300, 0)}
        for key, (low, high, default) in ranges.items():
            if not low <= check.get(key, default) <= high:
                yield "health-range", f"{key} must be {low} to {high}"
        if check.get("timeout", 5) >= check.get("interval", 30):
            yield "health-overlap", "a check must end before the next"
    elif container.get("portMappings"):
        yield "health-check", "nothing notices a container that hangs"

    options = container.get("logConfiguration", {}).get("options", {})
    if container.get("logConfiguration", {}).get("logDriver") != "awslogs" or not options.get("awslogs-group"):
        yield "logs", "logs go nowhere"
    if options.get("mode") != "non-blocking":
        yield "log-mode", "a slow CloudWatch would stop the service"
