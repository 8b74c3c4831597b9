"""What moto lacks of CloudFront: access control of an origin, policies of caches and of headers; and of buckets: statements that are
about a service."""

from moto.cloudfront import urls
from moto.cloudfront.models import DefaultCacheBehaviour, Distribution, Origin, ViewerCertificate, random_id
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores, utcnow
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from patches import patch

KEPT = {}


@patch(Origin, "__init__")
def make_origin_with_access_control(make, self, origin):
    make(self, origin)
    self.origin_access_control_id = origin.get("OriginAccessControlId") or ""


@patch(Distribution, "__init__")
def make_distribution_with_its_arn(make, self, account, *rest):
    make(self, account, *rest)
    # Of a service without regions, which moto's has no place for.
    self.arn = f"arn:aws:cloudfront::{account}:distribution/{self.id}"


# A list of distributions tells what is in their configurations, too.
@patch(Distribution, "__getattr__")
def of_its_configuration(_, self, name):
    try:
        return vars(vars(self)["distribution_config"])[name]
    except KeyError:
        raise AttributeError(name) from None


@patch(DefaultCacheBehaviour, "__init__")
def make_behaviour_by_policy(make, self, config):
    make(self, config)
    if self.cache_policy_id:
        # Which is the other way to say it.
        del self.forwarded_values


@patch(ViewerCertificate, "__init__")
def make_certificate_of_what_is_said(make, self, config):
    # What is empty would be something else than what Terraform has left out; and of two certificates, one is served.
    make(self, config)
    self.cloud_front_default_certificate = not self.acm_certificate_arn
    self.__dict__ = {key: value for key, value in vars(self).items() if value not in ("", None)}
    if self.cloud_front_default_certificate:
        del self.ssl_support_method


def keep(kind, path):
    """Makes, changes, reads and forgets policies of a kind."""

    def answer(identifier, config):
        KEPT[identifier] = config
        policy = {"Id": identifier, "LastModifiedTime": utcnow(), f"{kind}Config": config}
        return ActionResult({kind: policy, "ETag": identifier, "Location": f"https://cloudfront.amazonaws.com/2020-05-31/{path}/{identifier}"})

    def forget(self):
        KEPT.pop(self._get_param("Id"), None)
        return EmptyResult()

    actions = {
        "Create": lambda self: answer(random_id(), self._get_param(f"{kind}Config")),
        "Update": lambda self: answer(self._get_param("Id"), self._get_param(f"{kind}Config")),
        "Get": lambda self: answer(self._get_param("Id"), KEPT[self._get_param("Id")]),
        "Delete": forget,
    }
    for action, act in actions.items():
        setattr(CloudFrontResponse, camelcase_to_underscores(f"{action}{kind}"), act)
    for rest in ("", "/(?P<policy_id>[^/]+)"):
        urls.url_paths[f"{{0}}/2020-05-31/{path}{rest}$"] = CloudFrontResponse.dispatch


keep("CachePolicy", "cache-policy")
keep("ResponseHeadersPolicy", "response-headers-policy")


@patch(IAMPolicyStatement, "is_action_permitted")
def is_action_permitted_but_to_services(is_permitted, self, action, *more):
    # In the policy of a bucket, moto takes a service for everybody, and a condition about its request for one that does not hold.
    if action.startswith("s3:") and "Service" in (self._statement.get("Principal") or {}):
        return PermissionResult.NEUTRAL
    return is_permitted(self, action, *more)
