"""Before the container runs, and how it ends: roles, image, secrets, logs, exit codes."""

import json

from facts import DECRYPT, ECS_TASKS, PULL, READ, container
from policies import denies, trusts
from table import Cause, logged, rule, said

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
    70: "a background task of the program ended, which is a defect of the program; the log names it",
    78: "the configuration is wrong, which will not pass by itself; the log line names the variable and the cause",
    137: "it was killed: out of memory, or it did not stop within `stopTimeout` after SIGTERM",
    139: "it crashed (segmentation fault): most often an image built for another machine",
    143: "it was told to stop (SIGTERM) before it could handle signals",
    255: "it could not be started, or ECS lost it",
}
# What ECS or a person stopped did not stop by itself; nor what AWS took back: Spot's capacity, or the machine below.
TAKEN_BACK = {"SpotInterruption": "AWS took the Spot capacity back", "TerminationNotice": "AWS retired the machine below"}
STOPPED = ("ServiceSchedulerInitiated", "UserInitiated", *TAKEN_BACK)
REGISTER = "aws ecs register-task-definition --cli-input-json file://task-definition.json\nscripts/deploy    # rolls it out"


def document(action, **more):
    """A policy, quoted for the shell."""
    statement = {"Effect": "Allow", "Action": action, **more}
    return "'" + json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":")) + "'"


TRUST = document("sts:AssumeRole", Principal={"Service": ECS_TASKS})


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
            f"put the role's ARN into `{use}RoleArn` of task-definition.json and register it:\n{REGISTER}",
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
                f"aws iam create-role --role-name {role['name']} --assume-role-policy-document {TRUST}\n"
                "and give it its policies (docs/deploy.md); or correct the ARN in the definition",
                [role["arn"], *said(facts, r"assume")],
            )


@rule("role-not-assumable", "the trust policies of both roles")
def role_not_assumable(facts):
    for use, role in roles(facts):
        if role["trust"] and not trusts(role["trust"], ECS_TASKS, role["arn"]):
            yield Cause(
                f"ECS may not assume the {use} role: its trust policy does not name {ECS_TASKS}, or not for this account.",
                f"aws iam update-assume-role-policy --role-name {role['name']} --policy-document {TRUST}",
                [f"{role['arn']} trusts {role['trust'].get('Statement')}", *said(facts, r"assume")],
            )


@rule("pass-role-denied", "what IAM says of who asks, and errors that name iam:PassRole")
def pass_role_denied(facts):
    caller, told = facts["caller"], said(facts, r"iam:PassRole")
    refused = {}
    for _, role in roles(facts):
        evidence = [t for t in told if role["arn"] in t]
        if caller["passes"].get(role["arn"]) is False:
            evidence.append(f"no policy of {caller['Arn']} allows iam:PassRole on {role['arn']}")
        if evidence:
            refused[role["arn"]] = evidence
            told = [t for t in told if t not in evidence]
    if told:
        refused["ROLE-ARN"] = told
    for arn, evidence in refused.items():
        yield Cause(
            "Whoever deploys may not hand this role to ECS: iam:PassRole is refused, and so is every new revision or task.",
            pass_role_mend(caller, arn),
            evidence,
        )


def pass_role_mend(caller, arn):
    kind, *names = caller["Arn"].split(":")[5].split("/")
    role = f"put-role-policy --role-name {names[0] if names else 'ROLE'}"
    owner = f"put-user-policy --user-name {names[-1]}" if kind == "user" else role
    to_ecs = {"StringEquals": {"iam:PassedToService": ECS_TASKS}}
    policy = document("iam:PassRole", Resource=arn, Condition=to_ecs)
    return f"aws iam {owner} --policy-name pass-roles-to-ecs --policy-document {policy}"


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


def lacking(facts, actions):
    """Those that IAM refuses to the execution role."""
    role = facts["roles"]["execution"] or {"may": {}}
    return [action for action in actions if role["may"].get(action) is False]


def give_execution_policy(facts, words, lacks, evidence):
    name = facts["roles"]["execution"]["name"]
    mend = f"aws iam attach-role-policy --role-name {name} --policy-arn {EXECUTION_POLICY}"
    return Cause(f"The execution role {name} may not {words}.", mend, [f"{name} lacks {', '.join(lacks)}", *evidence])


@rule("pull-denied", "whether the execution role may pull the image")
def pull_denied(facts):
    lacks = lacking(facts, ("ecr:GetAuthorizationToken", *PULL))
    if lacks:
        yield give_execution_policy(facts, "pull the image from ECR", lacks, said(facts, r"CannotPullContainer|ecr:"))


@rule("repository-denied", "the policy of the image's repository")
def repository_denied(facts):
    image, role = facts["image"], facts["roles"]["execution"]
    if image["policy"] and role and any(denies(image["policy"], action, role["arn"]) for action in PULL):
        yield Cause(
            f"The policy of the repository {image['repository']} itself refuses the execution role {role['name']}.",
            f"aws ecr get-repository-policy --repository-name {image['repository']}    # take the Deny out, or name the role in it:\n"
            f"aws ecr set-repository-policy --repository-name {image['repository']} --policy-text file://policy.json",
            [str(image["policy"]["Statement"]), *said(facts, r"CannotPullContainer|ecr:")],
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


@rule("secret-denied", "whether the reader may read the secrets, and the policies of the secrets")
def secret_denied(facts):
    for secret in facts["secrets"]:
        which, role = secret["id"], facts["roles"][secret["reader"]]
        if not secret["found"] or not role or not role["found"]:
            continue
        reader = f"{secret['reader']} role {role['name']}"
        evidence = [f"{secret['arn']} is read by the {secret['reader']} role"]
        evidence += [*said(facts, r"secret"), *logged(facts, "SECRET|denied")]
        if secret["policy"] and denies(secret["policy"], READ, role["arn"]):
            yield Cause(
                f"The policy of the secret {which} itself refuses the {reader}.",
                f"aws secretsmanager get-resource-policy --secret-id {which}    # take the Deny out, or name the role in it:\n"
                f"aws secretsmanager put-resource-policy --secret-id {which} --resource-policy file://policy.json",
                [str(secret["policy"]["Statement"]), *evidence],
            )
        elif secret["may"] is False:
            yield Cause(
                f"The {reader} may not read the secret {which}.",
                f"aws iam put-role-policy --role-name {role['name']} --policy-name read-secret "
                f"--policy-document {document(READ, Resource=secret['arn'])}",
                evidence,
            )


@rule("secret-key", "the state of the secrets' keys, and whether the reader may decrypt with them")
def secret_key(facts):
    for secret in facts["secrets"]:
        key, role = secret.get("key"), facts["roles"][secret["reader"]]
        evidence = [f"{secret['id']} is encrypted with {key and key['id']}", *logged(facts, "SECRET|decrypt|KMS")]
        if key and key["state"] not in (None, "Enabled"):
            mend = f"aws kms enable-key --key-id {key['id']}"
            if key["state"] == "PendingDeletion":
                mend = f"aws kms cancel-key-deletion --key-id {key['id']}\n{mend}"
            yield Cause(f"The key of the secret {secret['id']} cannot be used: it is {key['state']}.", mend, evidence)
        elif key and secret["decrypts"] is False:
            yield Cause(
                f"The {secret['reader']} role {role['name']} may read the secret {secret['id']}, but not decrypt it.",
                f"aws iam put-role-policy --role-name {role['name']} --policy-name decrypt-secret "
                f"--policy-document {document(DECRYPT, Resource=key['arn'])}",
                evidence,
            )


@rule("secret-content", "the task's exit code and log line about its secret, which is not read")
def secret_content(facts):
    evidence = logged(facts, r"SECRET_ID .*(is not JSON|has no `|is binary|must be text|is empty)")
    if evidence:
        which = facts["secrets"][0]["id"] if facts["secrets"] else "SECRET"
        yield Cause(
            f"The secret {which} does not hold what the program reads: JSON with `username` and `password`, as RDS writes it.",
            f"aws secretsmanager put-secret-value --secret-id {which} --secret-string file://secret.json\nscripts/deploy",
            evidence,
        )


@rule("logs-denied", "the log group, and whether the execution role may write and make it")
def logs_denied(facts):
    logs, evidence = facts["logs"], said(facts, r"logger|log group|logs:")
    lacks = lacking(facts, ("logs:CreateLogStream", "logs:PutLogEvents"))
    if lacks:
        yield give_execution_policy(facts, "write the logs", lacks, evidence)
    if logs["found"] is False:
        makes = container(facts["definition"])["logConfiguration"]["options"].get("awslogs-create-group") == "true"
        if not makes or lacking(facts, ["logs:CreateLogGroup"]):
            why = "the execution role lacks logs:CreateLogGroup" if makes else "awslogs-create-group is not set"
            yield Cause(
                f"The log group {logs['group']} does not exist, and the task may not make it.",
                f"aws logs create-log-group --log-group-name {logs['group']}",
                [why, *evidence],
            )


@rule("container-exited", "exit codes of stopped tasks, and their last log lines")
def container_exited(facts):
    seen = set()
    stopped = [t for t in facts["stopped"] if t.get("stopCode") not in STOPPED]
    for task, box in ((task, box) for task in stopped for box in task.get("containers", [])):
        code, reason = box.get("exitCode"), box.get("reason") or ""
        # A task of no service, which was run once and ended well, is no fault.
        ended_well = code == 0 and not task.get("startedBy", "").startswith("ecs-svc/")
        if code is None or ended_well or (box["name"], code) in seen:
            continue
        seen.add((box["name"], code))
        meaning = EXITS.get(code, "not one of the program's own codes")
        if "OutOfMemory" in reason:
            meaning = "it was killed: it ran out of memory"
        evidence = [f"task {task['taskArn'].split('/')[-1]}: {task.get('stoppedReason')}", *([reason] if reason else [])]
        yield Cause(
            f"The container {box['name']} ended with exit code {code}: {meaning}.",
            exit_mend(facts, code),
            evidence + [f"log: {line}" for line in facts["logs"]["lines"][-5:]],
        )


@rule("killed-at-stop", "tasks that ECS stopped and that did not end")
def killed_at_stop(facts):
    for task in facts["stopped"]:
        killed = [c["name"] for c in task.get("containers", []) if c.get("exitCode") == 137]
        if killed and task.get("stopCode") in STOPPED:
            timeout = container(facts["definition"]).get("stopTimeout", 30)
            who = TAKEN_BACK.get(task["stopCode"], "ECS stopped a task")
            yield Cause(
                f"{who}, and its container {killed[0]} was killed since it did not end within {timeout} s: requests were cut off.",
                "make `stopTimeout` in task-definition.json longer than DRAIN_DELAY and SHUTDOWN_TIMEOUT together, at most 120:\n"
                + REGISTER,
                [f"task {task['taskArn'].split('/')[-1]}: {task.get('stoppedReason')}, exit code 137"],
            )
            return


def taken_back(facts):
    """Tasks that ended for no fault of theirs, and that ECS replaces."""
    for task in facts["stopped"]:
        if task.get("stopCode") in TAKEN_BACK:
            yield f"task {task['taskArn'].split('/')[-1]}: {TAKEN_BACK[task['stopCode']]}, which is no fault; ECS starts another one ({task.get('stoppedReason')})"


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
