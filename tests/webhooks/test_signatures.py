"""What we sign is verified by the reference libraries, and by what the documentation says."""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

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


def documented(language):
    """The lines of docs/api.md that verify a message in a language."""
    text = Path("docs/api.md").read_text(encoding="utf-8").split("### Verifying a message")[1]
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


def by_documented_python(secret, message):
    names = {"secret": secret, "headers": message.headers, "body": message.body}
    exec("import base64, hmac, time\n" + documented("py"), names)
    return json.loads(message.body) if names["valid"] else None


def by_documented_javascript(secret, message):
    given = json.dumps({"secret": secret, "headers": message.headers, "body": message.body.decode()})
    script = f"""import {{ createHmac, timingSafeEqual }} from "node:crypto";
      const {{ secret, headers, body }} = {given}; const request = {{ headers }};
      {documented("js")}
      console.log(valid);"""
    with tempfile.NamedTemporaryFile("w", suffix=".mjs") as file:
        file.write(script)
        file.flush()
        valid = subprocess.run(["node", file.name], check=True, capture_output=True, text=True).stdout.strip()
    return json.loads(message.body) if valid == "true" else None


VERIFIERS = [by_python, by_node, by_documented_python, by_documented_javascript]


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
