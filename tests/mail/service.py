"""The service as a process, on a database of its own or of another one's."""

import itertools
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request, urlopen

PASSWORD = "a password for mail"
SERVER = os.environ["DATABASE_URL"]
numbers = itertools.count(1)


def wait(condition, what, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def psql(url, statement):
    """The rows of a statement, each a line."""
    command = ["psql", url, "-qtAXv", "ON_ERROR_STOP=1", "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")[:-1]


def new_database():
    name = f"mail_{next(numbers)}"
    psql(SERVER, f"create database {name}")
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


class Service:
    def __init__(self, database=None, **variables):
        self.database = database or new_database()
        self.log_file = tempfile.NamedTemporaryFile("r+", suffix=".log")
        environment = {"DATABASE_URL": self.database, "PORT": "0", "METRICS_PORT": "0", "ATTEMPT_LIMITS": "off"}
        environment |= {"RATE_LIMIT_ADDRESS": "off", "MAIL_FROM": "Blog <blog@blog.example>"}
        environment |= {"API_URL": "http://localhost:8000", "PATH": os.environ["PATH"]}
        command = [os.environ["BLOG_API"]]
        self.process = subprocess.Popen(command, env=environment | variables, stdout=self.log_file, stderr=self.log_file)
        found = wait(lambda: re.search(r"serving on (http://\S+)", self.log()) or self.ended(), "the service starts")
        self.url = found[1].rstrip('"')

    def ended(self):
        assert self.process.poll() is None, self.log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGTERM)
        self.log_file.close()

    def stop(self, how):
        self.process.send_signal(how)
        return self.process.wait()

    def log(self):
        with open(self.log_file.name, encoding="utf-8") as log:
            return log.read()

    def call(self, path, body=None, token=None, method=None, headers=()):
        """Status and body of an answer."""
        headers = {"Content-Type": "application/json"} | dict(headers)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self.url + path, data, headers, method=method)) as response:
                status, text = response.status, response.read()
        except HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()

    def sign_up(self, name=None, language="en", display_name=None, mailed=False):
        """A new user's address, which is `mailed` that it is to be verified."""
        name = name or f"user{next(numbers)}"
        if not mailed:
            return self.create(name, language, display_name)
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "language": language}
        status, body = self.call("/v1/users", account)
        assert status == 201, body
        return account["email"]

    def create(self, name, language, display_name):
        address = f"{name}@example.com"
        command = [os.environ["BLOG_API"], "users", "create", "--username", name, "--email", address, "--role", "author"]
        environment = {"DATABASE_URL": self.database, "PATH": os.environ["PATH"]}
        subprocess.run(command, check=True, env=environment, input=f"{PASSWORD}\n", text=True, capture_output=True)
        shown = f"'{display_name}'" if display_name else "null"
        psql(self.database, f"update users set language = '{language}', display_name = {shown} where username = '{name}'")
        return address

    def sign_in(self, email, password=PASSWORD):
        """The status, and a token if it is 201."""
        status, body = self.call("/v1/sessions", {"email": email, "password": password})
        return status, body.get("token")

    def admin(self):
        """An admin's token."""
        email = self.sign_up()
        psql(self.database, f"update users set role = 'admin' where email = '{email}'")
        return self.sign_in(email)[1]

    def ask(self, email):
        status, body = self.call("/v1/password-resets", {"email": email})
        assert (status, body) == (202, ""), (status, body)
