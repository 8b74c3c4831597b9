"""Before the container runs, and how it ends: roles, image, secrets, logs, exit codes."""

from facts import container
from policies import allowed, denies, trusts
from table import Cause, logged, rule, said

ECS_TASKS = "ecs-tasks.amazonaws.com"
EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
USES = {
    "execution": "ECS itself, to pull the image, write logs and hand over secrets before the container starts",
    "task": "the program in the container, to read the database's secret",
}
EXITS = {
    0: "it ended by itself, as if told to stop; a service must not: look at the container's command",
    1: "requests were cut off after SHUTDOWN_TIMEOUT, or the program failed without saying more",
    2: "the command line cannot be read: look at `command` in the task definition",
    64: "what was typed is not acceptable",
    69: "something outside is not there, which may pass by itself: the database does not answer, or the network to it is closed",
    78: "the configuration is wrong, which will not pass by itself; the log line names the variable and the cause",
    137: "it was killed: out of memory, or it did not stop within `stopTimeout` after SIGTERM",
    139: "it crashed (segmentation fault): most often an image built for another machine",
    143: "it was told to stop (SIGTERM) before it could handle signals",
    255: "it could not be started, or ECS lost it",
}


@rule("execution-role-missing", "`executionRoleArn` in the task definition")
def execution_role_missing(facts):
    return role_missing(facts, "execution")


@rule("task-role-missing", "`taskRoleArn` in the task definition")
def task_role_missing(facts):
    return role_missing(facts, "task")


def role_missing(facts, use):
    if facts["definition"] and not facts["roles"][use]:
        yield Cause(
            f"The task definition has no {use} role. It is used by {USES[use]}.",
            f"put the role's ARN into `{use}RoleArn` of task-definition.json and register it:\n"
            "aws ecs register-task-definition --cli-input-json file://task-definition.json\nscripts/deploy    # rolls it out",
            [f"{facts['definition']['family']}:{facts['definition']['revision']} has no {use}RoleArn"],
        )


def roles(facts):
    return [(use, role) for use, role in facts["roles"].items() if role]


@rule("role-gone", "whether both roles exist")
def role_gone(facts):
    for use, role in roles(facts):
        if role["found"] is False:
            yield Cause(
                f"The {use} role that the task definition names does not exist.",
                f"aws iam create-role --role-name {role['name']} --assume-role-policy-document "
                f'\'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{ECS_TASKS}"}},'
                '"Action":"sts:AssumeRole"}]}\'\nand give it its policies (docs/deploy.md); or correct the ARN in the definition',
                [role["arn"], *said(facts, r"assume")],
            )


@rule("role-not-assumable", "the trust policies of both roles")
def role_not_assumable(facts):
    for use, role in roles(facts):
        if role["trust"] and not trusts(role["trust"], ECS_TASKS):
            yield Cause(
                f"ECS may not assume the {use} role: its trust policy does not name {ECS_TASKS}.",
                f"aws iam update-assume-role-policy --role-name {role['name']} --policy-document "
                f'\'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{ECS_TASKS}"}},'
                '"Action":"sts:AssumeRole"}]}\'',
                [f"{role['arn']} trusts {role['trust'].get('Statement')}", *said(facts, r"assume")],
            )


@rule("pass-role-denied", "the policies of who asks, and errors that name iam:PassRole")
def pass_role_denied(facts):
    words = (
        "Whoever deploys may not hand this role to ECS: iam:PassRole is refused, and so is every new revision or task."
    )
    caller = facts["caller"]
    told = said(facts, r"iam:PassRole")
    policies = caller["policies"]
    # Someone who only looks needs no PassRole.
    deploys = policies and allowed(policies, "ecs:RegisterTaskDefinition", "*")
    for _, role in roles(facts):
        evidence = [t for t in told if role["arn"] in t]
        if deploys and not allowed(policies, "iam:PassRole", role["arn"], {"iam:passedtoservice": ECS_TASKS}):
            evidence.append(f"no policy of {caller['Arn']} allows iam:PassRole on {role['arn']}")
        if evidence:
            yield Cause(words, pass_role_mend(caller, role["arn"]), evidence)
            told = [t for t in told if t not in evidence]
    if told:
        yield Cause(words, pass_role_mend(caller, "ROLE-ARN"), told)


def pass_role_mend(caller, arn):
    kind, *names = caller["Arn"].split(":")[5].split("/")
    owner = (
        f"put-user-policy --user-name {names[-1]}"
        if kind == "user"
        else f"put-role-policy --role-name {names[0] if names else 'ROLE'}"
    )
    return (
        f"aws iam {owner} --policy-name pass-roles-to-ecs --policy-document "
        f'\'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iam:PassRole","Resource":"{arn}",'
        f'"Condition":{{"StringEquals":{{"iam:PassedToService":"{ECS_TASKS}"}}}}}}]}}\''
    )


@rule("image-missing", "whether the image's repository and tag are in ECR")
def image_missing(facts):
    image = facts["image"]
    evidence = [f"image {image['uri']}", *said(facts, r"CannotPullContainer.*not found")]
    if image["repository_found"] is False:
        yield Cause(
            f"There is no ECR repository {image['repository']} in {image['region']}, so the image cannot be pulled.",
            f"aws ecr create-repository --repository-name {image['repository']} --region {image['region']}\nand then scripts/deploy",
            evidence,
        )
    elif image["tag_found"] is False:
        yield Cause(
            f"The repository {image['repository']} has no image {image['tag']}: it was never pushed, or a lifecycle rule removed it.",
            "scripts/deploy    # builds, pushes and rolls out the commit that is checked out\n"
            f"aws ecr describe-images --repository-name {image['repository']} --region {image['region']} "
            "--query 'imageDetails[].imageTags'    # what there is",
            evidence,
        )


@rule("pull-denied", "whether the execution role may pull the image")
def pull_denied(facts):
    image, role = facts["image"], facts["roles"]["execution"]
    if not role or role["policies"] is None or not image.get("repository"):
        return
    repository = f"arn:aws:ecr:{image['region']}:{image['account']}:repository/{image['repository']}"
    needs = {
        "ecr:GetAuthorizationToken": "*",
        "ecr:BatchCheckLayerAvailability": repository,
        "ecr:GetDownloadUrlForLayer": repository,
        "ecr:BatchGetImage": repository,
    }
    lacks = [action for action, on in needs.items() if not allowed(role["policies"], action, on)]
    if lacks:
        yield Cause(
            f"The execution role {role['name']} may not pull the image from ECR.",
            f"aws iam attach-role-policy --role-name {role['name']} --policy-arn {EXECUTION_POLICY}",
            [f"{role['name']} lacks {', '.join(lacks)}", *said(facts, r"CannotPullContainer|ecr:")],
        )


@rule("architecture", "stop reasons and logs that tell of another machine's image")
def architecture(facts):
    signs = r"exec format error|does not contain descriptor matching platform|image manifest does not match"
    evidence = said(facts, signs) + logged(facts, "exec format error")
    if evidence:
        machine = facts["definition"].get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
        platform = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}[machine]
        yield Cause(
            f"The image is built for another kind of processor than the task's, which is {machine}.",
            f"docker build --platform {platform} …    # scripts/deploy does so; push under a new tag, tags are immutable",
            evidence,
        )


@rule("secret-missing", "whether the secrets exist")
def secret_missing(facts):
    for secret in facts["secrets"]:
        evidence = [f"the task definition names {secret['id']}", *said(facts, r"secret"), *logged(facts, "SECRET")]
        if secret["found"] is False:
            yield Cause(
                f"The secret {secret['id']} does not exist in this account and region: a slip in the name, or it was never made.",
                "aws secretsmanager list-secrets --query 'SecretList[].Name'    # then correct the definition, or make it:\n"
                f"aws secretsmanager create-secret --name {secret_name(secret['id'])} --secret-string file://secret.json",
                evidence,
            )
        elif secret["deleted"]:
            yield Cause(
                f"The secret {secret['id']} is marked for deletion and cannot be read.",
                f"aws secretsmanager restore-secret --secret-id {secret['id']}",
                [*evidence, f"deleted {secret['deleted']}"],
            )


def secret_name(identifier):
    """An ARN ends with the name, a hyphen and six characters of Secrets Manager's own."""
    name = identifier.split(":")[-1]
    return name[:-7] if identifier.startswith("arn:") else name


@rule("secret-denied", "the reader's policies, and the policy of the secret")
def secret_denied(facts):
    read = "secretsmanager:GetSecretValue"
    for secret in facts["secrets"]:
        role = facts["roles"][secret["reader"]]
        if not secret["found"] or not role or not role["found"]:
            continue
        evidence = [
            f"{secret['arn']} is read by the {secret['reader']} role",
            *said(facts, r"secret"),
            *logged(facts, "SECRET|denied"),
        ]
        if secret["policy"] and denies(secret["policy"], read, role["arn"]):
            yield Cause(
                f"The policy of the secret {secret['id']} itself refuses the {secret['reader']} role {role['name']}.",
                f"aws secretsmanager get-resource-policy --secret-id {secret['id']}    # take the Deny out, or name the role in it:\n"
                f"aws secretsmanager put-resource-policy --secret-id {secret['id']} --resource-policy file://policy.json",
                [str(secret["policy"]["Statement"]), *evidence],
            )
        elif role["policies"] is not None and not allowed(role["policies"], read, secret["arn"]):
            yield Cause(
                f"The {secret['reader']} role {role['name']} may not read the secret {secret['id']}.",
                f"aws iam put-role-policy --role-name {role['name']} --policy-name read-secret --policy-document "
                f'\'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{read}","Resource":"{secret["arn"]}"}}]}}\'',
                evidence,
            )


@rule("logs-denied", "the log group, and whether the execution role may write and make it")
def logs_denied(facts):
    logs, role = facts["logs"], facts["roles"]["execution"]
    if not logs["group"] or not role or role["policies"] is None:
        return
    options = container(facts["definition"])["logConfiguration"]["options"]
    # arn:aws:ecs:REGION:ACCOUNT:task-definition/…
    place = ":".join(facts["definition"]["taskDefinitionArn"].split(":")[3:5])
    group = f"arn:aws:logs:{place}:log-group:{logs['group']}"
    evidence = said(facts, r"logger|log group|logs:")
    lacks = [
        a
        for a in ("logs:CreateLogStream", "logs:PutLogEvents")
        if not allowed(role["policies"], a, f"{group}:log-stream:x")
    ]
    if lacks:
        yield Cause(
            f"The execution role {role['name']} may not write the logs.",
            f"aws iam attach-role-policy --role-name {role['name']} --policy-arn {EXECUTION_POLICY}",
            [f"{role['name']} lacks {', '.join(lacks)}", *evidence],
        )
    if logs["found"] is False:
        makes = options.get("awslogs-create-group") == "true"
        if not makes or not (
            allowed(role["policies"], "logs:CreateLogGroup", group)
            or allowed(role["policies"], "logs:CreateLogGroup", f"{group}:*")
        ):
            why = "the execution role lacks logs:CreateLogGroup" if makes else "awslogs-create-group is not set"
            yield Cause(
                f"The log group {logs['group']} does not exist, and the task may not make it.",
                f"aws logs create-log-group --log-group-name {logs['group']}",
                [why, *evidence],
            )


@rule("container-exited", "exit codes of stopped tasks, and their last log lines")
def container_exited(facts):
    seen = set()
    for task in facts["stopped"]:
        # What ECS or a person stopped did not stop by itself.
        if task.get("stopCode") in ("ServiceSchedulerInitiated", "UserInitiated"):
            continue
        for box in task.get("containers", []):
            code = box.get("exitCode")
            memory = "OutOfMemory" in (box.get("reason") or "")
            # A task of no service, which was run once and ended well, is no fault.
            ended_well = code == 0 and not task.get("startedBy", "").startswith("ecs-svc/")
            if code is None or ended_well or (box["name"], code) in seen:
                continue
            seen.add((box["name"], code))
            meaning = (
                "it was killed: it ran out of memory"
                if memory
                else EXITS.get(code, "not one of the program's own codes")
            )
            yield Cause(
                f"The container {box['name']} ended with exit code {code}: {meaning}.",
                exit_mend(facts, code),
                [
                    f"task {task['taskArn'].split('/')[-1]}: {task.get('stoppedReason')}",
                    *([box["reason"]] if box.get("reason") else []),
                ]
                + [f"log: {line}" for line in facts["logs"]["lines"][-5:]],
            )


def exit_mend(facts, code):
    if code == 137:
        memory = int(facts["definition"].get("memory", 1024))
        return (
            f"raise `memory` (now {memory} MiB) in the task definition, in step with `cpu`, or lower DB_MAX_CONNECTIONS and\n"
            "CACHE_MAX_BYTES; register it and roll it out: aws ecs register-task-definition …, scripts/deploy"
        )
    if code == 69:
        return "check that the database runs, and that its security group lets port 5432 in from the tasks' group:\naws rds describe-db-instances"
    group = facts["logs"]["group"]
    mend = "correct what the log names, register the definition, and run scripts/deploy"
    return f"aws logs tail {group} --since 30m    # then {mend}" if group else mend
