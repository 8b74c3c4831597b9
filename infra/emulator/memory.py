"""What moto forgets, and calls that it does not have.

Where it forgets what a request said, Terraform would see no difference between what it wrote and what is there, or see
one for ever. Each patch below gives back one such thing.
"""

import hashlib
import json
from types import SimpleNamespace

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.iam.access_control import (
    AssumedRoleAccessKey,
    IAMPolicy,
    IAMPolicyStatement,
    IAMRequest,
    IAMUserAccessKey,
    PermissionResult,
)
from moto.iam.responses import IamResponse
from moto.rds.models import DBParameterGroup, RDSBackend
from moto.route53.models import Route53Backend
from moto.s3.models import FakeDeleteMarker
from moto.secretsmanager.responses import SecretsManagerResponse
from patches import patch

# Tags of autoscaling: without these calls the provider tries again for minutes.
SCALING_TAGS: dict[str, dict[str, str]] = {}


@patch(ApplicationAutoScalingResponse, "register_scalable_target")
def register_with_tags(register, self):
    answer = register(self)
    SCALING_TAGS.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(self._get_param("Tags") or {})
    return answer


@patch(ApplicationAutoScalingResponse, "list_tags_for_resource")
def list_tags(_, self):
    return json.dumps({"Tags": SCALING_TAGS.get(self._get_param("ResourceARN"), {})})


@patch(ApplicationAutoScalingResponse, "tag_resource")
def tag(_, self):
    SCALING_TAGS.setdefault(self._get_param("ResourceARN"), {}).update(self._get_param("Tags"))
    return json.dumps({})


@patch(ApplicationAutoScalingResponse, "untag_resource")
def untag(_, self):
    for key in self._get_param("TagKeys"):
        SCALING_TAGS.get(self._get_param("ResourceARN"), {}).pop(key, None)
    return json.dumps({})


# What moto drops of a new service: a lost circuit breaker would be no difference.
SERVICE_SETTINGS = {
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
}


@patch(EC2ContainerServiceResponse, "create_service")
def create_service_with_settings(create, self):
    result = create(self)
    for parameter, attribute in SERVICE_SETTINGS.items():
        if self._get_param(parameter) is not None:
            setattr(result.result["service"], attribute, self._get_param(parameter))
    if self._get_param("capacityProviderStrategy"):
        result.result["service"].launch_type = None
    return result


@patch(DBParameterGroup, "update_parameters")
def update_parameters_as_user(update, self, parameters):
    # The provider reads back only what a user has set.
    update(self, [{**parameter, "Source": "user"} for parameter in parameters])


DATABASE_SETTINGS = {
    "monitoring_interval": "monitoring_interval",
    "monitoring_role_arn": "monitoring_role_arn",
    "enable_performance_insights": "performance_insights_enabled",
    "performance_insights_kms_key_id": "performance_insights_kms_key_id",
}


@patch(RDSBackend, "create_db_instance")
def create_database_with_settings(create, self, settings):
    settings = dict(settings)
    if not settings.get("db_subnet_group_name"):
        # Where none is named, RDS takes a group of the default VPC's subnets.
        if "default" not in self.subnet_groups:
            subnets = ec2_backends[self.account_id][self.region_name].get_default_subnets().values()
            self.create_subnet_group("default", "default", list(subnets), [])
        settings["db_subnet_group_name"] = "default"
    database = create(self, dict(settings))
    for parameter, attribute in DATABASE_SETTINGS.items():
        if parameter in settings:
            setattr(database, attribute, settings[parameter])
    # moto gives all the same, by which the provider then finds several.
    database.dbi_resource_id = "db-" + hashlib.sha256(database.db_instance_identifier.encode()).hexdigest()[:26].upper()
    return database


SecurityGroupRule.description = property(
    lambda self: self.ip_range.get("Description") or self.source_group.get("Description")
)


@patch(IAMPolicyStatement, "is_action_permitted")
def is_action_permitted_as_over_tls(is_permitted, self, *arguments):
    # Buckets refuse what does not come over TLS. Moto takes every such condition for true; here plain HTTP stands for TLS.
    if "aws:SecureTransport" in self._statement.get("Condition", {}).get("Bool", {}):
        return PermissionResult.NEUTRAL
    return is_permitted(self, *arguments)


@patch(IAMRequest, "_raise_access_denied")
def raise_access_denied_in_json(raise_access_denied, self):
    # These answer in JSON, also that something is not allowed; moto says that in XML, which no client of theirs reads.
    if self._service in ("secretsmanager", "ses"):
        message = f"User: {self._access_key.arn} is not authorized to perform: {self._action}"
        raise JsonRESTError("AccessDeniedException", message)
    raise_access_denied(self)


@patch(SecretsManagerResponse, "_determine_resource")
def secret_arn(_, self):
    # Policies name a secret by its ARN; moto holds every secret against "*", which no such policy allows.
    wanted = self._get_param("SecretId")
    known = self.backend.secrets.values()
    return next((secret.arn for secret in known if wanted in (secret.arn, secret.name)), "*")


@patch(Route53Backend, "change_resource_record_sets")
def change_records_again(change_records, self, zone, changes):
    # A client that loses an answer asks again. The record that it has made is then no mistake of its own.
    made = self.get_hosted_zone(zone).rr_changes
    for change in changes:
        if change["Action"] == "CREATE" and change in made:
            change["Action"] = "UPSERT"
    change_records(self, zone, changes)


# Emptying a bucket with versions stumbles over what deleted objects leave.
FakeDeleteMarker.dispose = lambda self: None


def decision(policies, action, resource, context):
    results = {IAMPolicy(policy).is_action_permitted(action, resource, None, context) for policy in policies}
    if PermissionResult.DENIED in results:
        return "explicitDeny"
    return "allowed" if PermissionResult.PERMITTED in results else "implicitDeny"


@patch(IamResponse, "simulate_principal_policy")
def simulate_principal_policy(_, self):
    # moto simulates no policies, but weighs them for its own calls. Unlike IAM it knows neither permission boundaries nor
    # the policies of an organisation, and takes an unmet condition for a refusal.
    kind, _, name = self._get_param("PolicySourceArn").split(":")[5].partition("/")
    holder = SimpleNamespace(backend=self.backend, _owner_role_name=name, _owner_user_name=name)
    policies = (AssumedRoleAccessKey if kind == "role" else IAMUserAccessKey).collect_policies(holder)
    context = {entry["ContextKeyName"]: entry["ContextKeyValues"][0] for entry in self._get_param("ContextEntries", [])}
    results = [
        {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision(policies, action, resource, context)}
        for action in self._get_param("ActionNames") for resource in self._get_param("ResourceArns")
    ]  # fmt: skip
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})
