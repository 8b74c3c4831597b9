"""What must hold of the deploying workflow and its role: it may do what the scripts do, and nothing besides."""

import json
import re

from resource_rules import REPOSITORY, listed, of, one, statements

ROLE = "arn:aws:iam::123456789012:role/blog-api-"
# What no line of a script shows: docker pushes layers, and ECS asks who may pass the roles of a task.
BESIDES = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
    "iam:PassRole",
}
SERVICES = "(ec2|ecr|ecs|elbv2|iam|logs|secretsmanager|sts)"
# Calls whose right has another name; none is needed to ask who one is.
RIGHTS = {
    "ecr:GetLoginPassword": "ecr:GetAuthorizationToken",
    "sts:GetCallerIdentity": None,
    # Of users, who are not this role.
    "iam:ListGroupsForUser": None,
}


def calls():
    """The rights for every call to AWS that the scripts make."""
    shell = "".join((REPOSITORY / "infra/deploy" / name).read_text() for name in ("deploy", "rollback", "ecs"))
    facts = (REPOSITORY / "infra/diagnosis/facts.py").read_text()
    made = re.findall(rf"\baws {SERVICES} ([a-z-]+)", shell)
    made += re.findall(rf'"{SERVICES}",\s+f?"([a-z{{}}-]+)"', facts)
    for service, command in made:
        name = "".join(part.title() for part in command.replace("{kind}", "role").split("-"))
        right = f"{service.replace('elbv2', 'elasticloadbalancing')}:{name}"
        right = RIGHTS.get(right, right)
        if right:
            yield right


def role(state):
    allowed = {action: statement for statement in statements(state, "deploy") for action in listed(statement["Action"])}
    needed = set(calls()) | BESIDES
    if needed - allowed.keys():
        yield "deploy-needs", f"the deploy role lacks {sorted(needed - allowed.keys())}"
    if allowed.keys() - needed:
        yield "deploy-rights", f"the deploy role may also {sorted(allowed.keys() - needed)}"

    def statement(action):
        return allowed.get(action, {"Resource": ""})

    if set(listed(statement("iam:PassRole")["Resource"])) != {ROLE + role for role in ("execution", "task", "migrate")}:
        yield "pass-role", "the deploy role must pass the three roles of tasks and no other"
    if statement("iam:PassRole").get("Condition") != {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}:
        yield "pass-to", "roles are passed to ECS tasks alone"
    if not statement("ecs:UpdateService")["Resource"].endswith(":service/blog-cluster/blog-api"):
        yield "deploy-service", "the deploy role rolls another service"
    run = statement("ecs:RunTask")
    in_cluster = {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:ap-northeast-2:123456789012:cluster/blog-cluster"}}
    if not run["Resource"].endswith(":task-definition/blog-api-migrate:*") or run.get("Condition") != in_cluster:
        yield "deploy-runs", "the deploy role runs other tasks than migrations, or elsewhere"


def trust(state):
    trusted = json.loads(one(state, "aws_iam_role", "deploy")["values"]["assume_role_policy"])["Statement"]
    github = "token.actions.githubusercontent.com"
    provider = of(state, "aws_iam_openid_connect_provider")[0]["values"]["arn"]
    wanted = {f"{github}:aud": "sts.amazonaws.com", f"{github}:sub": "repo:owner/blog-api:environment:production"}
    if [one["Condition"] for one in trusted] != [{"StringEquals": wanted}]:
        yield "deploy-trust", "workflows of other repositories, environments or audiences may deploy"
    if [one["Principal"] for one in trusted] != [{"Federated": provider}]:
        yield "deploy-provider", "others than GitHub may assume the deploy role"


def workflows(source):
    """Of the files in .github/workflows, by path."""
    deploying = next(text for path, text in source.items() if path.endswith("deploy.yml"))
    if not re.search(r"^    environment: production\b", deploying, re.MULTILINE):
        yield "workflow-environment", "the deploy role trusts the environment production alone"
    if "  id-token: write" not in deploying:
        yield "workflow-token", "without it GitHub gives the job no identity to exchange for the role"
    for path, text in source.items():
        for action in re.findall(r"uses: (\S+)", text):
            if not re.search(r"@[0-9a-f]{40}$", action):
                yield "actions-pinned", f"{path}: whoever moves the tag of {action} runs in our job"
