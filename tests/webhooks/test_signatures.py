"""What we sign is verified by the reference libraries, and by what the documentation says."""

import json
import subprocess
import unittest
from pathlib import Path

import documented
from receiver import Hook, Receiver
from service import Service, psql, wait
from standardwebhooks import Webhook, WebhookVerificationError

ALLOW = {"WEBHOOK_ALLOW": "127.0.0.1, http"}


def by_python(secret, message):
    try:
        return Webhook(secret).verify(message.body, message.headers)
    except WebhookVerificationError:
        return None


def by_node(secret, message):
    line = json.dumps({"secret": secret, "headers": message.headers, "body": message.body.decode()})
    here = Path(__file__).with_name("verify.mjs")
    told = json.loads(subprocess.run(["node", here], input=line, check=True, capture_output=True, text=True).stdout)
    return None if "refused" in told else told


def as_documented(is_valid):
    def verify(secret, message):
        return json.loads(message.body) if is_valid(secret, message) else None

    verify.__name__ = is_valid.__name__
    return verify


DOCUMENTED = [documented.by_python, documented.by_javascript, documented.by_php, documented.by_ruby]
VERIFIERS = [by_python, by_node, *map(as_documented, DOCUMENTED)]


class Signatures(unittest.TestCase):
    def setUp(self):
        self.service = self.enterContext(Service(**ALLOW))
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.hook = Hook(self.service, self.service.admin(), f"{self.receiver.url}/hook")

    def message(self):
        before = len(self.receiver.messages)
        self.hook.test()
        return wait(lambda: self.receiver.messages[before:], "a message")[0]

    def test_the_libraries_verify_what_arrives_and_refuse_what_was_changed(self):
        message = self.message()
        for verify in VERIFIERS:
            with self.subTest(verify.__name__):
                told = verify(self.hook.secret, message)
                self.assertEqual((told["type"], told["data"]), ("webhook.test", {"webhook_id": self.hook.id}))
                self.assertIsNone(verify(self.hook.secret, message._replace(body=message.body + b" ")))
                late = {**message.headers, "webhook-timestamp": str(int(message.headers["webhook-timestamp"]) - 1)}
                self.assertIsNone(verify(self.hook.secret, message._replace(headers=late)))
                self.assertIsNone(verify("whsec_" + "A" * 43 + "=", message))

    def test_while_a_secret_rotates_both_verify_and_after_it_one(self):
        old, (_, rotated) = self.hook.secret, self.hook.call("/secret", method="POST")
        message = self.message()
        for verify in VERIFIERS:
            with self.subTest(verify.__name__):
                self.assertIsNotNone(verify(old, message))
                self.assertIsNotNone(verify(rotated["secret"], message))
        psql(self.service.database, "update webhooks set previous_secret_until = now()")
        message = self.message()
        for verify in VERIFIERS:
            with self.subTest(verify.__name__):
                self.assertIsNone(verify(old, message))
                self.assertIsNotNone(verify(rotated["secret"], message))


if __name__ == "__main__":
    unittest.main()
