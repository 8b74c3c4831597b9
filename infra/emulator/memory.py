"""What moto forgets.

Where it forgets what a request said, Terraform would see no difference between what it wrote and what is there, or see
one for ever. Each patch below gives back one such thing.
"""

import json
from types import SimpleNamespace

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
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

# Calls that moto does not have: without them the provider tries again for minutes.
SCALING_TAGS: dict[str, dict[str, str]] = {}


register_scalable_target = ApplicationAutoScalingResponse.register_scalable_target


def register_scalable_target_with_tags(self):
    answer = register_scalable_target(self)
    SCALING_TAGS.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(self._get_param("Tags") or {})
    return answer


def list_scaling_tags(self):
    return json.dumps({"Tags": SCALING_TAGS.get(self._get_param("ResourceARN"), {})})


def tag_scaling(self):
    SCALING_TAGS.setdefault(self._get_param("ResourceARN"), {}).update(self._get_param("Tags"))
    return json.dumps({})


def untag_scaling(self):
    for key in self._get_param("TagKeys"):
        SCALING_TAGS.get(self._get_param("ResourceARN"), {}).pop(key, None)
    return json.dumps({})


ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target_with_tags
ApplicationAutoScalingResponse.list_tags_for_resource = list_scaling_tags
ApplicationAutoScalingResponse.tag_resource = tag_scaling
ApplicationAutoScalingResponse.untag_resource = untag_scaling

# What moto drops of a new service: a lost circuit breaker would be no difference.
SERVICE_SETTINGS = {
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
}
create_service = EC2ContainerServiceResponse.create_service


def create_service_with_settings(self):
    result = create_service(self)
    for parameter, attribute in SERVICE_SETTINGS.items():
        value = self._get_param(parameter)
        if value is not None:
            setattr(result.result["service"], attribute, value)
    return result


EC2ContainerServiceResponse.create_service = create_service_with_settings

# The provider reads back only what a user has set.
update_parameters = DBParameterGroup.update_parameters


def update_parameters_as_user(self, parameters):
    parameters = [{**parameter, "Source": "user"} for parameter in parameters]
    update_parameters(self, parameters)


DBParameterGroup.update_parameters = update_parameters_as_user

DATABASE_SETTINGS = {
    "monitoring_interval": "monitoring_interval",
    "monitoring_role_arn": "monitoring_role_arn",
    "enable_performance_insights": "performance_insights_enabled",
    "performance_insights_kms_key_id": "performance_insights_kms_key_id",
}
create_db_instance = RDSBackend.create_db_instance


def create_db_instance_with_settings(self, settings):
    database = create_db_instance(self, dict(settings))
    for parameter, attribute in DATABASE_SETTINGS.items():
        if parameter in settings:
            setattr(database, attribute, settings[parameter])
    return database


RDSBackend.create_db_instance = create_db_instance_with_settings

SecurityGroupRule.description = property(
    lambda self: self.ip_range.get("Description") or self.source_group.get("Description")
)

# Buckets refuse what does not come over TLS. Moto takes every such condition for true; here plain HTTP stands for TLS.
is_action_permitted = IAMPolicyStatement.is_action_permitted


def is_action_permitted_as_over_tls(self, *arguments):
    if "aws:SecureTransport" in self._statement.get("Condition", {}).get("Bool", {}):
        return PermissionResult.NEUTRAL
    return is_action_permitted(self, *arguments)


IAMPolicyStatement.is_action_permitted = is_action_permitted_as_over_tls

# Secrets Manager answers in JSON, also that something is not allowed; moto says that in XML, which no client of it reads.
raise_access_denied = IAMRequest._raise_access_denied


def raise_access_denied_in_json(self):
    if self._service == "secretsmanager":
        message = f"User: {self._access_key.arn} is not authorized to perform: {self._action}"
        raise JsonRESTError("AccessDeniedException", message)
    raise_access_denied(self)


IAMRequest._raise_access_denied = raise_access_denied_in_json


# Policies name a secret by its ARN; moto holds every secret against "*", which no such policy allows.
def secret_arn(self):
    wanted = self._get_param("SecretId")
    known = self.backend.secrets.values()
    return next((secret.arn for secret in known if wanted in (secret.arn, secret.name)), "*")


SecretsManagerResponse._determine_resource = secret_arn

# A client that loses an answer asks again. The record that it has made is then no mistake of its own.
change_records = Route53Backend.change_resource_record_sets


def change_records_again(self, zone, changes):
    made = self.get_hosted_zone(zone).rr_changes
    for change in changes:
        if change["Action"] == "CREATE" and change in made:
            change["Action"] = "UPSERT"
    change_records(self, zone, changes)


Route53Backend.change_resource_record_sets = change_records_again

# Emptying a bucket with versions stumbles over what deleted objects leave.
FakeDeleteMarker.dispose = lambda self: None


# moto simulates no policies, but weighs them for its own calls. Unlike IAM it knows neither permission boundaries nor the
# policies of an organisation, and takes an unmet condition for a refusal.
def simulate_principal_policy(self):
    kind, _, name = self._get_param("PolicySourceArn").split(":")[5].partition("/")
    holder = SimpleNamespace(backend=self.backend, _owner_role_name=name, _owner_user_name=name)
    policies = (AssumedRoleAccessKey if kind == "role" else IAMUserAccessKey).collect_policies(holder)
    context = {entry["ContextKeyName"]: entry["ContextKeyValues"][0] for entry in self._get_param("ContextEntries", [])}

    def decision(action, resource):
        results = {IAMPolicy(policy).is_action_permitted(action, resource, None, context) for policy in policies}
        if PermissionResult.DENIED in results:
            return "explicitDeny"
        return "allowed" if PermissionResult.PERMITTED in results else "implicitDeny"

    results = [
        {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision(action, resource)}
        for action in self._get_param("ActionNames") for resource in self._get_param("ResourceArns")
    ]  # fmt: skip
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


IamResponse.simulate_principal_policy = simulate_principal_policy
