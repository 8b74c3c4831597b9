"""What must hold of the deploying workflow and its role: it may do what the scripts do, and nothing besides."""

import re

from resource_rules import listed
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
SERVICES = "(acm|cloudfront|cloudwatch|ec2|ecr|ecs|elbv2|iam|kms|logs|rds|route53|s3api|secretsmanager|sesv2|sts|wafv2)"
# Commands whose rights have another prefix.
PREFIXES = {"elbv2": "elasticloadbalancing", "s3api": "s3", "sesv2": "ses"}
# Calls whose right has another name; none is needed to ask who one is.
RIGHTS = {
    "ecr:GetLoginPassword": "ecr:GetAuthorizationToken",
    "rds:DescribeDbInstances": "rds:DescribeDBInstances",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "sts:GetCallerIdentity": None,
    "wafv2:GetWebAclForResource": "wafv2:GetWebACLForResource",
}


def calls():
    """The rights for every call to AWS that the scripts make."""
    shell = "".join((REPOSITORY / "infra/deploy" / name).read_text() for name in ("deploy", "rollback", "ecs"))
    made = re.findall(rf"\baws {SERVICES} ([a-z-]+)", shell)
    made += re.findall(rf'"{SERVICES}",\s+"([a-z-]+)"', (REPOSITORY / "infra/diagnosis/facts.py").read_text())
    for service, command in made:
        name = "".join(part.title() for part in command.split("-"))
        right = f"{PREFIXES.get(service, service)}:{name}"
        yield RIGHTS.get(right, right)


def rights(state):
    needed = {*calls(), *BESIDES} - {None}
    allowed = {action for statement in state.statements("deploy") for action in listed(statement["Action"])}
    if needed - allowed:
        yield "deploy-needs", f"the deploy role lacks {sorted(needed - allowed)}"
    if allowed - needed:
        yield "deploy-rights", f"the deploy role may also {sorted(allowed - needed)}"


def workflows(source):
    """Of the files in .github/workflows, by path."""
    for path, text in source.items():
        for action in re.findall(r"uses: (\S+)", text):
            if not re.search(r"@[0-9a-f]{40}$", action):
                yield "actions-pinned", f"{path}: whoever moves the tag of {action} runs in our job"
