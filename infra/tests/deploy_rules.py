"""What must hold of the deploying workflow and its role: it may do what the scripts do, and nothing besides."""

import json
import re

from resource_rules import ROLE, listed
from stack import REPOSITORY

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
SERVICES = "(ec2|ecr|ecs|elbv2|iam|kms|logs|rds|secretsmanager|sts|wafv2)"
# Calls whose right has another name; none is needed to ask who one is.
RIGHTS = {
    "ecr:GetLoginPassword": "ecr:GetAuthorizationToken",
    "rds:DescribeDbInstances": "rds:DescribeDBInstances",
    "sts:GetCallerIdentity": None,
    "wafv2:GetWebAclForResource": "wafv2:GetWebACLForResource",
}
GITHUB = "token.actions.githubusercontent.com"


def calls():
    """The rights for every call to AWS that the scripts make."""
    shell = "".join((REPOSITORY / "infra/deploy" / name).read_text() for name in ("deploy", "rollback", "ecs"))
    made = re.findall(rf"\baws {SERVICES} ([a-z-]+)", shell)
    made += re.findall(rf'"{SERVICES}",\s+"([a-z-]+)"', (REPOSITORY / "infra/diagnosis/facts.py").read_text())
    for service, command in made:
        name = "".join(part.title() for part in command.split("-"))
        right = f"{service.replace('elbv2', 'elasticloadbalancing')}:{name}"
        yield RIGHTS.get(right, right)


def rights(state):
    needed, allowed = {*calls(), *BESIDES} - {None}, allowances(state).keys()
    if needed - allowed:
        yield "deploy-needs", f"the deploy role lacks {sorted(needed - allowed)}"
    if allowed - needed:
        yield "deploy-rights", f"the deploy role may also {sorted(allowed - needed)}"


def allowances(state):
    """The statement that allows each action."""
    return {action: statement for statement in state.statements("deploy") for action in listed(statement["Action"])}


def passes(state):
    return allowances(state)["iam:PassRole"]


def runs(state):
    statement = allowances(state)["ecs:RunTask"]
    in_cluster = {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:ap-northeast-2:123456789012:cluster/blog-cluster"}}
    return statement["Resource"].endswith(":task-definition/blog-api-migrate:*") and statement["Condition"] == in_cluster


def trusted(state):
    return json.loads(state.one("aws_iam_role.deploy")["assume_role_policy"])["Statement"]


ROWS = [
    ("pass-role", None, lambda s: set(listed(passes(s)["Resource"])) == {ROLE + role for role in ("execution", "task", "migrate")}, "the deploy role must pass the three roles of tasks and no other"),
    ("pass-to", None, lambda s: passes(s)["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, "roles are passed to ECS tasks alone"),
    ("deploy-service", None, lambda s: allowances(s)["ecs:UpdateService"]["Resource"].endswith(":service/blog-cluster/blog-api"), "the deploy role rolls another service"),
    ("deploy-runs", None, runs, "the deploy role runs other tasks than migrations, or elsewhere"),
    ("deploy-trust", None, lambda s: [one["Condition"] for one in trusted(s)] == [{"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": "repo:owner/blog-api:environment:production"}}], "workflows of other repositories, environments or audiences may deploy"),
    ("deploy-provider", None, lambda s: [one["Principal"] for one in trusted(s)] == [{"Federated": s.one("aws_iam_openid_connect_provider")["arn"]}], "others than GitHub may assume the deploy role"),
]  # fmt: skip


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
