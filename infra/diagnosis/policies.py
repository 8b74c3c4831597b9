"""What the policies of a secret, a bucket, an endpoint and of a role's trust say. IAM's simulator, which is asked for everything
that a role's own policies allow, takes none of them: it has no trust policies, and policies of resources not for roles.

A condition counts where it is about the principal; another one is taken not to hold, so that a rule only speaks up when
the text alone refuses.
"""

import re


def denies(policy, action, principal, resource=None):
    """Whether a resource's policy refuses `action` to the role `principal`, whatever the role's own policies say."""
    return any(
        names(statement, principal) and about(statement.get("Condition", {}), principal)
        for statement in statements(policy, "Deny", action, resource)
    )


def admits(policy, action, principal, resource):
    """Whether an endpoint's policy lets the role `principal` through: conditions are taken to hold, as long as they only allow."""
    return not denies(policy, action, principal, resource) and any(
        names(statement, principal) for statement in statements(policy, "Allow", action, resource)
    )


def serves(policy, action, service, source, resource):
    """Whether a resource's policy allows `action` to `service` for the sake of the resource `source`."""
    return any(
        not {"*", service}.isdisjoint(listed(principals(statement).get("Service")))
        and not excludes(statement.get("Condition", {}), source.split(":")[4], source)
        for statement in statements(policy, "Allow", action, resource)
    )


def shuts_out(policy, action, service, source, resource):
    """Whether a resource's policy refuses `action` to `service`, whatever else it allows."""
    return any(
        names_service(statement, service) and about_service(statement.get("Condition", {}), source)
        for statement in statements(policy, "Deny", action, resource)
    )


def names_service(statement, service):
    if "NotPrincipal" in statement:
        return service not in listed(statement["NotPrincipal"].get("Service"))
    named = principals(statement)
    return "*" in listed(named.get("AWS")) or not {"*", service}.isdisjoint(listed(named.get("Service")))


def about_service(condition, source):
    """Whether a condition is about the principal or the source alone, and holds of a service: that has no ARN of its own, and
    what must not be a certain one is therefore another."""
    for operator, tests in condition.items():
        for key, patterns in tests.items():
            kind, key = re.fullmatch(r"(String|Arn)(Not)?(Equals|Like)(IgnoreCase)?(IfExists)?", operator), key.lower()
            if kind and key == "aws:principalarn":
                if not (kind[2] or kind[5]):
                    return False
            elif kind and key == "aws:sourcearn":
                if any(like(source, p) for p in listed(patterns)) == bool(kind[2]):
                    return False
            elif operator in ("Bool", "BoolIfExists") and key == "aws:principalisawsservice":
                if [str(p).lower() for p in listed(patterns)] != ["true"]:
                    return False
            else:
                return False
    return True


def trusts(policy, service, role):
    """Whether a role's trust policy lets `service` assume the role, for tasks of the role's own account."""
    return any(
        service in listed(principals(statement).get("Service"))
        and not excludes(statement.get("Condition", {}), role.split(":")[4])
        for statement in statements(policy, "Allow", "sts:AssumeRole")
    )


def excludes(condition, account, source=None):
    """Whether a condition admits services for other accounts alone, or for other resources than `source`."""
    for operator, tests in condition.items():
        for key, patterns in tests.items():
            if source and key.lower() == "aws:sourcearn" and "Not" not in operator:
                if not any(like(source, pattern) for pattern in listed(patterns)):
                    return True
                continue
            # arn:aws:ecs:REGION:ACCOUNT:*
            field = {"aws:sourceaccount": 0, "aws:sourcearn": 4}.get(key.lower())
            if field is None or "Not" in operator:
                continue
            if not any(like(account, pattern.split(":")[field]) for pattern in listed(patterns) if pattern.count(":") >= field):
                return True
    return False


def statements(policy, effect, action, resource=None):
    """Those with this effect on `action`, and on `resource`, which is None where a policy is about one thing."""
    found = listed(policy.get("Statement"))
    return [one for one in found if one["Effect"] == effect and covers(one, action) and reaches(one, resource)]


def covers(statement, action):
    if "NotAction" in statement:
        return not any(like(action.lower(), p.lower()) for p in listed(statement["NotAction"]))
    return any(like(action.lower(), p.lower()) for p in listed(statement.get("Action")))


def reaches(statement, resource):
    """Where a policy is about one thing, as that of a secret is, `resource` is None."""
    if resource is None:
        return True
    if "NotResource" in statement:
        return not any(like(resource, p) for p in listed(statement["NotResource"]))
    return any(like(resource, p) for p in listed(statement.get("Resource")))


def names(statement, principal):
    if "NotPrincipal" in statement:
        return principal not in listed(statement["NotPrincipal"].get("AWS"))
    account = principal.split(":")[4]
    everyone = {"*", principal, account, f"arn:aws:iam::{account}:root"}
    return not everyone.isdisjoint(listed(principals(statement).get("AWS")))


def principals(statement):
    principal = statement.get("Principal", {})
    return {"AWS": "*", "Service": "*"} if principal == "*" else principal


def about(condition, principal):
    """Whether a condition is about the principal alone and holds of it."""
    for operator, tests in condition.items():
        for key, patterns in tests.items():
            kind = re.fullmatch(r"(String|Arn)(Not)?(Equals|Like)(IgnoreCase)?", operator)
            if not kind or key.lower() != "aws:principalarn":
                return False
            if any(like(principal, p) for p in listed(patterns)) == bool(kind[2]):
                return False
    return True


def like(value, pattern):
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value) is not None


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]
