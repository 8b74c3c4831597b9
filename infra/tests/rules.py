"""What must hold of everything that Terraform makes. A finding is (where, rule, why)."""

import json
import re

import alarm_rules
import deploy_rules
import network_rules
import task_rules
from resource_rules import EACH, EACH_OF_BOOTSTRAP, each, listed, of, one, statements

# Actions that AWS does not limit to a resource.
UNLIMITED = re.compile(
    r"ecr:GetAuthorizationToken|ecs:(RegisterTaskDefinition|DescribeTaskDefinition|ListTaskDefinitions|ListTasks)"
    r"|ec2:Describe\w+|elasticloadbalancing:Describe\w+|logs:DescribeLogGroups"
)

# All that AWS's two groups have about bodies.
COUNTED = {
    "SizeRestrictions_BODY", "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY",
    "JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY",
}  # fmt: skip

APPLICATION_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/database-AbCdEf"
MASTER_SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds!db-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/blog-api-"


def production(state, source):
    """Findings in what infra/production makes (resources by address) and in its files (text by path)."""
    found = each(EACH, state)
    rules = [network_rules.findings(state), alarm_rules.findings(state), roles(state), service(state), edge(state), keys(state), written(source)]
    found += [("infra", rule, why) for some in rules for rule, why in some]
    found += [*wildcards(state)]
    definitions = {one["name"]: registered(one["values"]) for one in of(state, "aws_ecs_task_definition")}
    return found + task_rules.findings(definitions)


def bootstrap(state, workflows):
    """Findings in what infra/bootstrap makes, and in the workflows (text by path) that use its role."""
    found = each(EACH_OF_BOOTSTRAP, state) + [*wildcards(state)]
    rules = [deploy_rules.role(state), deploy_rules.trust(state), deploy_rules.workflows(workflows)]
    return found + [("infra", rule, why) for some in rules for rule, why in some]


def service(state):
    running = one(state, "aws_ecs_service", "this")
    values = running["values"]
    container = json.loads(one(state, "aws_ecs_task_definition", "serve")["values"]["container_definitions"])[0]
    balanced = values["load_balancer"][0]
    ports = {
        balanced["container_port"],
        container["portMappings"][0]["containerPort"],
        of(state, "aws_lb_target_group")[0]["values"]["port"],
    }
    if ports != {8000} or balanced["container_name"] != container["name"]:
        yield "ports", "container, target group and service do not agree on name and port"
    if "module.service.aws_lb_listener.https" not in running["depends_on"]:
        yield "listener-first", "ECS refuses a service whose target group has no listener"
    if container["logConfiguration"]["options"]["awslogs-group"] != state["module.service.aws_cloudwatch_log_group.this"]["values"]["name"]:
        yield "log-group", "the tasks write to another log group than the one with retention"


def edge(state):
    balancer = of(state, "aws_lb")[0]["values"]
    record = one(state, "aws_route53_record", "this")["values"]
    if (record["name"], record["type"], [alias["name"] for alias in record["alias"]]) != ("blog.example.com", "A", [balancer["dns_name"]]):
        yield "alias", "the domain does not lead to the load balancer"
    if "module.service.aws_acm_certificate_validation.this" not in one(state, "aws_lb_listener", "https")["depends_on"]:
        yield "certificate-issued", "a listener takes no certificate that is not issued yet"

    firewall = of(state, "aws_wafv2_web_acl")[0]["values"]["rule"]
    managed = {group["name"] for rule in firewall for group in rule["statement"][0]["managed_rule_group_statement"]}
    if not {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= managed:
        yield "managed-rules", "the firewall lacks a managed rule group"
    overrides = [
        one for rule in firewall for group in rule["statement"][0]["managed_rule_group_statement"] for one in group["rule_action_override"]
    ]
    if {one["name"] for one in overrides if one["action_to_use"][0]["count"]} != COUNTED:
        yield "bodies-counted", "a post about code or an attack is refused, or more than bodies is let through"
    rate = [rule for rule in firewall if rule["statement"][0]["rate_based_statement"]]
    if not rate or not rate[0]["action"][0]["block"]:
        yield "rate-rule", "nothing stops a flood from one address"
    if not of(state, "aws_wafv2_web_acl_association"):
        yield "firewall", "the firewall stands before nothing"


def keys(state):
    """Who may use the key, beside the roles of the account."""
    policy = json.loads(of(state, "aws_kms_key")[0]["values"]["policy"])["Statement"]
    services = {service: statement for statement in policy for service in listed(statement["Principal"].get("Service", []))}
    for service, what in {"logs.ap-northeast-2.amazonaws.com": "log groups", "cloudwatch.amazonaws.com": "alarms"}.items():
        if service not in services:
            yield "key-users", f"{what} cannot be encrypted: {service} may not use the key"
        elif "123456789012" not in json.dumps(services[service].get("Condition", {})):
            yield "key-users", f"{service} may use the key for any account"


def roles(state):
    for role, secrets in {"task": {APPLICATION_SECRET}, "migrate": {APPLICATION_SECRET, MASTER_SECRET}}.items():
        allowed = {}
        for statement in statements(state, role):
            for action in listed(statement["Action"]):
                allowed.setdefault(action, set()).update(listed(statement["Resource"]))
        if allowed.pop("secretsmanager:GetSecretValue", None) != secrets:
            yield f"{role}-secrets", f"the {role} role must read {sorted(secrets)} and no other secret"
        if allowed.pop("kms:Decrypt", None) is None:
            yield f"{role}-key", f"the {role} role cannot decrypt what it reads"
        if allowed:
            yield f"{role}-rights", f"the {role} role may also {sorted(allowed)}"

    execution = {action for statement in statements(state, "execution") for action in listed(statement["Action"])}
    needed = {"ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"}
    needed |= {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    if execution != needed:
        yield "execution-rights", f"the execution role differs by {sorted(execution ^ needed)}"

    for definition, role in {"serve": "task", "migrate": "migrate"}.items():
        values = one(state, "aws_ecs_task_definition", definition)["values"]
        if (values["execution_role_arn"], values["task_role_arn"]) != (ROLE + "execution", ROLE + role):
            yield f"{definition}-roles", "a role in the wrong place"
        container = json.loads(values["container_definitions"])[0]
        environment = {variable["name"]: variable["value"] for variable in container["environment"]}
        secrets = environment.get("DB_SECRET_ID"), environment.get("DB_APP_SECRET_ID")
        if definition == "serve" and secrets != (APPLICATION_SECRET, None):
            yield "serve-environment", "the service reads another secret than its own"
        if definition == "migrate" and (
            secrets != (MASTER_SECRET, APPLICATION_SECRET)
            or not {"DB_HOST", "DB_PORT", "DB_NAME"} <= set(environment)
            or container["command"] != ["migrate"]
        ):
            yield "migrate-environment", "migrations lack the master secret, the application secret, the address or the command"


def wildcards(state):
    """Policies of roles and who may assume them; in a key's policy `*` is the key, in a bucket's the bucket is named."""
    for resource in of(state, "aws_iam_role_policy"):
        for statement in json.loads(resource["values"]["policy"])["Statement"]:
            for action in listed(statement["Action"]):
                if "*" in action or "*" in listed(statement["Resource"]) and not UNLIMITED.fullmatch(action):
                    yield resource["address"], "wildcard", f"{action} on {statement['Resource']}"
    for resource in of(state, "aws_iam_role"):
        trusted = json.loads(resource["values"]["assume_role_policy"])["Statement"]
        if any("*" in json.dumps(statement["Principal"]) for statement in trusted):
            yield resource["address"], "trust", "anybody may assume the role"
        account = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
        if any("Service" in statement["Principal"] and statement.get("Condition") != account for statement in trusted):
            yield resource["address"], "trust-account", "a service may assume the role for another account's sake"


def written(source):
    """What no state shows."""
    everything = "\n".join(source.values())
    service_file = source["modules/service/service.tf"]
    if not re.search(r"ignore_changes\s*=\s*\[task_definition, desired_count\]", service_file):
        yield "ignore-changes", "Terraform would undo deployments and scaling"
    if not re.search(r"use_lockfile\s*=\s*true", source["production/versions.tf"]):
        yield "lockfile", "two applies at once would break the state"
    if re.search(r"^\s*ca_cert_identifier\s*=", everything, re.MULTILINE):
        yield "certificate-authority", "a named authority runs out; RDS's own does not"
    if "secret_string_wo " not in source["modules/database/secret.tf"] or re.search(r"secret_string\s*=", everything):
        yield "password-in-state", "the password must not be in the state"
    for path in ("production/versions.tf", "bootstrap/versions.tf"):
        if not re.search(r'version\s*=\s*"\d+\.\d+\.\d+"', source[path]):
            yield "pinned", f"{path} does not pin the provider"
    for path in ("bootstrap", "production"):
        example = source[f"{path}/terraform.tfvars.example"]
        shown = set(re.findall(r"^(?:# )?(\w+) +=", example, re.MULTILINE))
        blocks = re.findall(r'^variable "(\w+)" {\n(.*?)^}', source[f"{path}/variables.tf"], re.MULTILINE | re.DOTALL)
        if shown - {name for name, _ in blocks}:
            yield "examples", f"{path} has no variable {sorted(shown - {name for name, _ in blocks})}"
        required = {name for name, block in blocks if not re.search(r"^  default +=", block, re.MULTILINE)}
        if required - set(re.findall(r"^(\w+) +=", example, re.MULTILINE)):
            yield "examples", f"{path}'s example does not set all of {sorted(required)}"
    if re.search(r'\bsource\s*=\s*"(?!\.\./modules/\w+"|hashicorp/aws")', everything):
        yield "local-modules", "a module or provider comes from elsewhere"


def registered(values):
    """A resource aws_ecs_task_definition as RegisterTaskDefinition takes it."""
    platform = values["runtime_platform"][0]
    definition = {
        "family": values["family"],
        "networkMode": values["network_mode"],
        "requiresCompatibilities": values["requires_compatibilities"],
        "runtimePlatform": {
            "operatingSystemFamily": platform["operating_system_family"],
            "cpuArchitecture": platform["cpu_architecture"],
        },
        "cpu": values["cpu"],
        "memory": values["memory"],
        "executionRoleArn": values["execution_role_arn"],
        "taskRoleArn": values["task_role_arn"],
        "containerDefinitions": json.loads(values["container_definitions"]),
    }
    return {key: value for key, value in definition.items() if value is not None}
