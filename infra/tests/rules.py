"""What must hold of everything that Terraform makes, beside what checkov looks for. A finding is (where, rule, why)."""

import json
import re

import alarm_rules
import deploy_rules
import network_rules
import task_rules
from resource_rules import BOOTSTRAP, PRODUCTION


def production(state, source):
    """Findings in what infra/production makes and in its files (text by path)."""
    found = [*each(PRODUCTION, state)]
    for rules in (network_rules.packets(state), alarm_rules.findings(state), written(source)):
        found += [("infra", rule, why) for rule, why in rules]
    definitions = {name: registered(state.one(f"aws_ecs_task_definition.{name}")) for name in ("serve", "migrate", "admin")}
    return found + task_rules.findings(definitions)


def bootstrap(state, workflows):
    """Findings in what infra/bootstrap makes, and in the workflows (text by path) that use its role."""
    found = [*each(BOOTSTRAP, state)]
    rules = [*deploy_rules.rights(state), *deploy_rules.workflows(workflows)]
    return found + [("infra", rule, why) for rule, why in rules]


def each(rows, state):
    """Findings by rows of (rule, what, holds, why): `what` names resources, or is None for a rule about the whole state."""
    for rule, what, holds, why in rows:
        matching = [state] if what is None else state.of(what)
        if not matching:
            yield what, rule, "there is none"
        for one in matching:
            if not sound(holds, one):
                where = "infra" if what is None else one["address"]
                yield where, rule, why


def sound(holds, one):
    try:
        return holds(one)
    except (IndexError, KeyError, TypeError):
        return False  # what it looks at is not there


def written(source):
    """What no state shows."""
    everything = "\n".join(source.values())
    if not re.search(r"ignore_changes\s*=\s*\[task_definition, desired_count\]", source["modules/service/service.tf"]):
        yield "ignore-changes", "Terraform would undo deployments and scaling"
    if not re.search(r"use_lockfile\s*=\s*true", source["production/versions.tf"]):
        yield "lockfile", "two applies at once would break the state"
    if re.search(r"^\s*ca_cert_identifier\s*=", everything, re.MULTILINE):
        yield "certificate-authority", "a named authority runs out; RDS's own does not"
    if "secret_string_wo " not in source["modules/database/secret.tf"] or re.search(r"secret_string\s*=", everything):
        yield "password-in-state", "the password must not be in the state"
    if "triggers_replace = sensitive(" not in source["modules/service/mail_events.tf"]:
        yield "token-in-plan", "plans must not show the token of mail events"
    if re.search(r'\bsource\s*=\s*"(?!\.\./modules/\w+"|hashicorp/aws")', everything):
        yield "local-modules", "a module or provider comes from elsewhere"
    for path in ("bootstrap", "production"):
        if not re.search(r'version\s*=\s*"\d+\.\d+\.\d+"', source[f"{path}/versions.tf"]):
            yield "pinned", f"{path} does not pin the provider"
        example = source[f"{path}/terraform.tfvars.example"]
        shown = set(re.findall(r"^(?:# )?(\w+) +=", example, re.MULTILINE))
        blocks = re.findall(r'^variable "(\w+)" {\n(.*?)^}', source[f"{path}/variables.tf"], re.MULTILINE | re.DOTALL)
        if shown - {name for name, _ in blocks}:
            yield "examples", f"{path} has no variable {sorted(shown - {name for name, _ in blocks})}"
        required = {name for name, block in blocks if not re.search(r"^  default +=", block, re.MULTILINE)}
        if required - set(re.findall(r"^(\w+) +=", example, re.MULTILINE)):
            yield "examples", f"{path}'s example does not set all of {sorted(required)}"


def registered(values):
    """A resource aws_ecs_task_definition as RegisterTaskDefinition takes it."""
    keys = ("family", "network_mode", "requires_compatibilities", "cpu", "memory", "execution_role_arn", "task_role_arn")
    definition = camel_case({key: values[key] for key in keys if values[key] is not None})
    definition["runtimePlatform"] = camel_case(values["runtime_platform"][0])
    definition["containerDefinitions"] = json.loads(values["container_definitions"])
    return definition


def camel_case(values):
    return {re.sub(r"_(\w)", lambda found: found[1].upper(), key): value for key, value in values.items()}
