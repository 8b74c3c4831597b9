"""Mail by Amazon SES, as moto emulates it."""

import base64
import email
import email.policy
import re
import unittest

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from service import Service, wait


class Ses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        cls.server.start()
        host, port = cls.server.get_host_and_port()
        cls.variables = {
            "MAIL_URL": "ses:", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL_SESV2": f"http://{host}:{port}",
        }
        cls.backend = get_backend("ses")[DEFAULT_ACCOUNT_ID]["eu-central-1"]

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_a_mail_is_handed_over_whole(self):
        self.backend.create_email_identity_v2("blog.example", None, None, None)
        with Service(**self.variables, LOG_LEVEL="trace") as service:
            address = service.sign_up(language="de")
            service.ask(address)
            mail = wait(lambda: self.backend.sent_messages, "the mail")[0]
            mail = email.message_from_string(mail.raw_data, policy=email.policy.default)
            self.assertEqual((mail["To"].addresses[0].addr_spec, mail.defects), (address, []))
            self.assertEqual(mail["Subject"], "Neues Passwort für Blog")
            self.assertEqual(mail["Message-ID"].split("@")[0][1:], mail["X-Entity-Ref-ID"])
            token = re.search(r"blog_[\w-]{43}", mail.get_body(("plain",)).get_content())[0]
            log = service.log()
            # As the request has it, too.
            log += "".join(base64.b64decode(text + "==").decode("latin-1") for text in re.findall(r"[A-Za-z0-9+/]{64,}", log))
            # Whole requests and responses are what the AWS SDK writes at that level, unless it is named.
            for secret in (address, token, "transmitting request"):
                self.assertNotIn(secret, log)
