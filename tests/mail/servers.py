"""Counterparts that take mail: an SMTP server with STARTTLS and passwords that can refuse, put off and hang."""

import email
import email.policy
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

USER, SECRET = b"blog", b"p:ss/w@rd"
# As it is written in a URL.
LOGIN = "blog:p%3Ass%2Fw%40rd"


def certificate():
    """A folder with a certificate of localhost that nobody has signed: to trust it, it is a root."""
    folder = Path(tempfile.mkdtemp())
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "key.pem", "-out", folder / "root.pem"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


CERTIFICATE = certificate()


class Mailbox:
    """Takes mail, or does what `refusal` says to each recipient: given the address and how often it was tried."""

    def __init__(self, refusal=lambda address, tries: None):
        self.refusal, self.tries, self.mails, self.lock = refusal, {}, [], threading.Lock()

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tries[address] = self.tries.get(address, 0) + 1
        if refusal := self.refusal(address, self.tries[address]):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self.lock:
            self.mails.append((envelope.rcpt_tos[0], mail))
        return "250 OK"

    def to(self, address):
        """The mails to an address, oldest first."""
        with self.lock:
            return [mail for recipient, mail in self.mails if recipient == address]


class SmtpServer(Controller):
    """With STARTTLS and a password, with neither, or with TLS `from_the_first_byte` and a password."""

    def __init__(self, mailbox, encrypted=True, from_the_first_byte=False):
        self.encrypted, self.from_the_first_byte = encrypted, from_the_first_byte
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(CERTIFICATE / "root.pem", CERTIFICATE / "key.pem")
        implicit = self.context if from_the_first_byte else None
        super().__init__(mailbox, hostname="127.0.0.1", port=free_port(), ssl_context=implicit)

    def factory(self):
        if not self.encrypted:
            return SMTP(self.handler, hostname="localhost")
        login = {"auth_required": True, "authenticator": authenticate}
        if self.from_the_first_byte:
            return SMTP(self.handler, hostname="localhost", auth_require_tls=False, **login)
        return SMTP(self.handler, hostname="localhost", tls_context=self.context, require_starttls=True, **login)

    def variables(self, login=LOGIN):
        """The environment of a service that sends here."""
        if not self.encrypted:
            return {"MAIL_URL": f"smtp://localhost:{self.port}?tls=none"}
        url = f"{'smtps' if self.from_the_first_byte else 'smtp'}://{login}@localhost:{self.port}"
        return {"MAIL_URL": url, "MAIL_SSL_ROOT_CERT": str(CERTIFICATE / "root.pem")}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER, SECRET), handled=False)


class Silent:
    """Accepts connections and says nothing."""

    def __init__(self, port):
        self.socket = socket.create_server(("127.0.0.1", port), backlog=200)

    def close(self):
        self.socket.close()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
