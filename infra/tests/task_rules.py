"""usage: task_rules.py REGION FILE: what must hold of a task definition, in the shape of ECS's RegisterTaskDefinition.

botocore knows the keys and types, cfn-lint the values that Fargate takes. What neither knows stands in `own`.
"""

import json
import re
import sys
from pathlib import Path

import botocore.session
import botocore.validate
import cfnlint.api
from stack import REPOSITORY

SHAPE = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
# How many seconds the service accepts requests after SIGTERM, and then finishes them: its own defaults in production.
STOPPING = {
    name: int(re.search(rf'"{name}"\)\.unwrap_or\(by_environment\((\d+),', (REPOSITORY / "src/config/mod.rs").read_text())[1])
    for name in ("DRAIN_DELAY", "SHUTDOWN_TIMEOUT")
}
# Keys below these are the user's, not CloudFormation's.
FREE_KEYS = {"options", "dockerLabels"}
# Of a health check: the least, the most, and what ECS takes where nothing is said.
HEALTH = {"interval": (5, 300, 30), "timeout": (2, 60, 5), "retries": (1, 10, 3), "startPeriod": (0, 300, 0)}


def findings(definitions, region="ap-northeast-2"):
    """(name, rule, message) for each task definition in a dict of them."""
    found = [(name, rule, why) for name, one in definitions.items() for rule, why in [*shape(one), *own(one)]]
    return found + cloudformation(definitions, region)


def shape(definition):
    report = botocore.validate.ParamValidator().validate(definition, SHAPE)
    if report.has_errors():
        yield "botocore", report.generate_report()


def cloudformation(definitions, region):
    """All of them in one template: cfn-lint starts slowly."""
    names = list(definitions)
    resources = {
        f"Task{number}": {"Type": "AWS::ECS::TaskDefinition", "Properties": capitalised(definitions[name])}
        for number, name in enumerate(names)
    }
    found = []
    for match in cfnlint.api.lint(json.dumps({"Resources": resources}), None, [region]):
        resource = next(str(part) for part in match.path if str(part).startswith("Task"))
        found.append((names[int(resource.removeprefix("Task"))], match.rule.id, match.message))
    return found


def capitalised(value, free=False):
    if isinstance(value, dict):
        return {
            key if free else key[0].upper() + key[1:]: capitalised(inner, key in FREE_KEYS)
            for key, inner in value.items()
        }
    return [capitalised(inner) for inner in value] if isinstance(value, list) else value


def own(definition):
    containers = definition.get("containerDefinitions", [])
    execution, task = definition.get("executionRoleArn"), definition.get("taskRoleArn")
    yield from broken({
        "fargate": ("FARGATE" in definition.get("requiresCompatibilities", []) and definition.get("networkMode") == "awsvpc", "must require FARGATE and use awsvpc"),
        "execution-role": (execution, "without it no image is pulled and no log written"),
        "task-role": (task, "without it the service has no credentials to read its secret with"),
        "one-role-for-both": (execution != task, "what starts the task and what runs in it need different rights"),
        "architecture": (definition.get("runtimePlatform", {}).get("cpuArchitecture") in ("X86_64", "ARM64"), "scripts/deploy builds for the processor that is named"),
        "essential": (any(one.get("essential", True) for one in containers), "the only container is not essential"),
    })  # fmt: skip
    for one in containers:
        yield from own_container(one)


def own_container(container):
    names = [variable["name"] for variable in container.get("environment", [])]
    values = {variable["name"]: variable["value"] for variable in container.get("environment", [])}
    tag = container.get("image", "").rpartition("/")[2].partition(":")[2]
    ports = [mapping["containerPort"] for mapping in container.get("portMappings", [])]
    check = container.get("healthCheck")
    log = container.get("logConfiguration", {})
    stop = sum(int(values.get(name, default)) for name, default in STOPPING.items())
    yield from broken({
        "environment-twice": (len(names) == len(set(names)), "a variable is set twice"),
        "environment": (values.get("ENVIRONMENT") == "production", "ENVIRONMENT is not production"),
        "password-in-environment": (not any("PASSWORD" in name or name == "DATABASE_URL" for name in names), "passwords belong into Secrets Manager"),
        "secret-id": (values.get("DB_SECRET_ID"), "the service does not know its secret"),
        "proxy-hops": (values.get("TRUSTED_PROXY_HOPS") == "1", "one load balancer stands in front: fewer limits all clients as one, more lets them choose their address"),
        "image-tag": (tag not in ("", "latest"), "the image does not name one image for good"),
        "user": (container.get("user", "0").split(":")[0] not in ("0", "root"), "the container runs as root"),
        "readonly": (container.get("readonlyRootFilesystem"), "the root file system can be written to"),
        "capabilities": (not container.get("privileged") and container.get("linuxParameters", {}).get("capabilities", {}).get("drop") == ["ALL"], "the container keeps capabilities that it does not need"),
        "stop-timeout": (stop < container.get("stopTimeout", 30) <= 120, f"stopTimeout must be more than {stop} s, which a stop may take, and at most Fargate's 120 s"),
        "port": (set(ports) <= {int(values.get("PORT", 8000))}, "the mapped port is not the one that the service listens on"),
        "health-check": (check or not ports, "nothing notices a container that hangs"),
        "logs": (log.get("logDriver") == "awslogs" and log.get("options", {}).get("awslogs-group"), "logs go nowhere"),
        "log-mode": (log.get("options", {}).get("mode") == "non-blocking", "a slow CloudWatch would stop the service"),
    })  # fmt: skip
    if check:
        values = {key: check.get(key, default) for key, (_, _, default) in HEALTH.items()}
        yield from broken({
            "health-command": (check["command"][:1] == ["CMD"] and "curl" not in check["command"], "the image has neither a shell nor curl"),
            "health-range": (all(low <= values[key] <= high for key, (low, high, _) in HEALTH.items()), f"must be within {HEALTH}"),
            "health-overlap": (values["timeout"] < values["interval"], "a check must end before the next"),
        })  # fmt: skip


def broken(rules):
    return [(rule, why) for rule, (holds, why) in rules.items() if not holds]


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    found = findings({given["family"]: given}, sys.argv[1])
    for where, name, why in found:
        print(f"{where}: {name}: {why}")
    print(f"{sys.argv[2]} in {sys.argv[1]}: {len(found)} findings")
    sys.exit(bool(found))
