"""What moto lacks of SES: keys that sign, MAIL FROM domains, where events go, and that policies count for a mail."""

import base64
import email
import json
from email.utils import parseaddr

import moto.ses.models
import moto.sesv2.models
from memory import decision
from moto.iam.access_control import IAMRequest
from moto.ses.models import ConfigurationSet, EmailIdentity, ses_backends
from moto.sesv2 import urls
from moto.sesv2.responses import SESV2Response
from outside import outside
from patches import patch
from rollouts import ACCOUNT

MAIL_FROM, DESTINATIONS = {}, {}

# moto keeps the tags of an identity under an ARN that no client asks for.
for models in (moto.ses.models, moto.sesv2.models):
    models.get_arn = lambda backend, service, what, arn=models.get_arn: arn(backend, service, what.removeprefix("email-"))
urls.url_paths |= {
    "{0}/v2/email/account$": SESV2Response.dispatch,
    "{0}/v2/email/identities/(?P<EmailIdentity>[^/]+)/mail-from$": SESV2Response.dispatch,
    "{0}/v2/email/configuration-sets/(?P<ConfigurationSetName>[^/]+)/event-destinations$": SESV2Response.dispatch,
    "{0}/v2/email/configuration-sets/(?P<ConfigurationSetName>[^/]+)/event-destinations/(?P<Name>[^/]+)$": SESV2Response.dispatch,
}


@patch(EmailIdentity, "__init__")
def make_identity_with_keys(make, self, *args, **kwargs):
    make(self, *args, **kwargs)
    self.dkim_attributes.pop("LastKeyGenerationTimestamp", None)  # which is a word where clients want a number
    self.verified_for_sending_status = True
    self.dkim_attributes["Tokens"] = [f"token{number}" for number in (1, 2, 3)]


@patch(SESV2Response, "get_email_identity")
def get_identity_with_mail_from(get, self):
    return json.dumps(json.loads(get(self)) | {"MailFromAttributes": MAIL_FROM.get(self._get_param("EmailIdentity"))})


@patch(SESV2Response, "put_email_identity_mail_from_attributes")
def put_mail_from(_, self):
    MAIL_FROM[self._get_param("EmailIdentity")] = json.loads(self.body) | {"MailFromDomainStatus": "SUCCESS"}
    return "{}"


@patch(SESV2Response, "get_account")
def get_account(_, self):
    return json.dumps({"SendingEnabled": True, "ProductionAccessEnabled": True})


@patch(ConfigurationSet, "to_dict_v2")
def describe_what_is_set(describe, self):
    return {key: value for key, value in describe(self).items() if value} | {"SendingOptions": {"SendingEnabled": True}}


@patch(SESV2Response, "create_configuration_set_event_destination")
def create_destination(_, self):
    asked = json.loads(self.body)
    DESTINATIONS[self._get_param("ConfigurationSetName")] = asked["EventDestination"] | {"Name": asked["EventDestinationName"]}
    return "{}"


@patch(SESV2Response, "get_configuration_set_event_destinations")
def get_destination(_, self):
    return json.dumps({"EventDestinations": [DESTINATIONS[self._get_param("ConfigurationSetName")]]})


patch(SESV2Response, "delete_configuration_set_event_destination")(lambda _, self: "{}")


@patch(IAMRequest, "check_action_permitted")
def check_sender(check, self, resource):
    """IAM asks for the identity and for the configuration set, and knows a mail that is put together as SendRawEmail."""
    if self._action != "ses:SendEmail":
        return check(self, resource)
    asked = json.loads(self._body)
    sender = parseaddr(email.message_from_bytes(base64.b64decode(asked["Content"]["Raw"]["Data"]))["From"])[1]
    self._action = "ses:SendRawEmail"
    for name in (f"identity/{sender.partition('@')[2]}", f"configuration-set/{asked.get('ConfigurationSetName')}"):
        arn = f"arn:aws:ses:{self._region}:{self.account_id}:{name}"
        if decision(self._access_key.collect_policies(), self._action, arn, {"ses:FromAddress": sender}) != "allowed":
            self._raise_access_denied()


@outside.get("/mails")
def mails():
    """What was sent."""
    return "\n".join(mail.raw_data for region in ses_backends[ACCOUNT].values() for mail in region.sent_messages)
