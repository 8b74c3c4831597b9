"""What IAM policies allow, as far as their text says.

Permission boundaries and policies of an organisation are not looked at. A condition counts where its key is
known here; on other keys an Allow is taken to hold and a Deny not to, so that a rule only speaks up when the
text alone refuses.
"""

import re


def allowed(policies, action, resource, context=None):
    """Whether `policies` (documents) let their owner do `action` on `resource` (an ARN)."""
    allow = False
    for statement in (s for policy in policies for s in listed(policy.get("Statement"))):
        if not covers(statement, "Action", action, ignore_case=True) or not covers(statement, "Resource", resource):
            continue
        met = conditions(statement.get("Condition", {}), context or {})
        if statement["Effect"] == "Deny" and met:
            return False
        if statement["Effect"] == "Allow" and met is not False:
            allow = True
    return allow


def denies(policy, action, principal):
    """Whether a resource's policy refuses `action` to the role `principal`, whatever the role's own policies say."""
    context = {"aws:principalarn": principal}
    return any(
        statement["Effect"] == "Deny"
        and covers(statement, "Action", action, ignore_case=True)
        and names(statement, principal)
        and conditions(statement.get("Condition", {}), context)
        for statement in listed(policy.get("Statement"))
    )


def trusts(policy, service):
    """Whether a role's trust policy lets `service` assume the role."""
    return any(
        statement["Effect"] == "Allow"
        and covers(statement, "Action", "sts:AssumeRole", ignore_case=True)
        and service in listed(principals(statement).get("Service"))
        for statement in listed(policy.get("Statement"))
    )


def covers(statement, key, value, ignore_case=False):
    if f"Not{key}" in statement:
        return not any(like(value, p, ignore_case) for p in listed(statement[f"Not{key}"]))
    # The statements of trust policies have no Resource.
    return any(like(value, p, ignore_case) for p in listed(statement.get(key, "*" if key == "Resource" else None)))


def names(statement, principal):
    if "NotPrincipal" in statement:
        return principal not in listed(statement["NotPrincipal"].get("AWS"))
    account = principal.split(":")[4]
    return any(
        p in ("*", principal, account, f"arn:aws:iam::{account}:root") for p in listed(principals(statement).get("AWS"))
    )


def principals(statement):
    principal = statement.get("Principal", {})
    return {"AWS": "*", "Service": "*"} if principal == "*" else principal


def conditions(condition, context):
    """True or False where every key is in `context`, else None: it cannot be known."""
    known = []
    for operator, tests in condition.items():
        for key, patterns in tests.items():
            matches = re.fullmatch(r"(String|Arn)(Not)?(Equals|Like)(IgnoreCase)?", operator)
            if not matches or key.lower() not in context:
                known.append(None)
                continue
            hit = any(like(context[key.lower()], p) for p in listed(patterns))
            known.append(hit != bool(matches[2]))
    return False if False in known else None if None in known else True


def like(value, pattern, ignore_case=False):
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.IGNORECASE if ignore_case else 0) is not None


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]
