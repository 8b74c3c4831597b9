"""An S3 that checks signatures, the credentials of a task role, and what may stand between the service and both."""

import datetime
import http.client
import http.server
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import boto3
from blog import free_port
from botocore.client import Config
from service import wait

KEY_ID, SECRET, BUCKET, PREFIX = "AKIATESTTESTTESTTEST", "a secret key of a task role", "media-of-blog", "some/prefix"


class S3:
    """Keeps its objects when it is stopped, and starts again where it was."""

    def __init__(self):
        self.port, self.folder = free_port(), Path(tempfile.mkdtemp())
        (self.folder / BUCKET).mkdir()
        self.client = boto3.client(
            "s3", region_name="eu-central-1", endpoint_url=f"http://127.0.0.1:{self.port}", aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )  # fmt: skip
        self.start()

    def start(self):
        command = [os.environ["S3"], "--host", "127.0.0.1", "--port", str(self.port), "--access-key", KEY_ID, "--secret-key", SECRET]
        self.process = subprocess.Popen([*command, self.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(self.answers, "S3 answers")

    def answers(self):
        try:
            return self.client.head_bucket(Bucket=BUCKET)
        except Exception:
            return None

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def keys(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def names(self):
        """The keys without the prefix that each must have."""
        keys = self.keys()
        assert all(key.startswith(f"{PREFIX}/") for key in keys), keys
        return {key.removeprefix(f"{PREFIX}/") for key in keys}


class Answers(http.server.ThreadingHTTPServer):
    """Answers each request by `answer`, which is given the handler, from another thread."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # Whoever asked is dead.


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.answer(self)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = handle_any

    def respond(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Credentials(Answers):
    """Those of a task role, as ECS gives them."""

    def __init__(self, secret=SECRET, minutes=360):
        super().__init__()
        self.secret, self.lifetime = secret, datetime.timedelta(minutes=minutes)

    def answer(self, request):
        expiration = datetime.datetime.now(datetime.UTC) + self.lifetime
        found = {"AccessKeyId": KEY_ID, "SecretAccessKey": self.secret, "Token": "a session's token", "RoleArn": "a role"}
        found["Expiration"] = expiration.strftime("%Y-%m-%dT%H:%M:%SZ")
        request.respond(200, [("Content-Type", "application/json")], json.dumps(found).encode())


class Refusal(Answers):
    """An S3 that answers everything so."""

    def __init__(self, status, code):
        super().__init__()
        self.status, self.code = status, code

    def answer(self, request):
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{self.code}</Code><Message>{request.path}</Message></Error>"
        request.respond(self.status, [("Content-Type", "application/xml")], body.encode())


class Proxy(Answers):
    """Before S3. `before` and `after` are called around each request that has this method."""

    def __init__(self, s3, method, before=lambda: None, after=lambda: None):
        super().__init__()
        self.s3, self.method, self.before, self.after = s3, method, before, after

    def answer(self, request):
        if request.command == self.method:
            self.before()
        connection = http.client.HTTPConnection("127.0.0.1", self.s3.port)
        connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            connection.putheader(name, value)
        connection.endheaders(request.body)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        if request.command == self.method:
            self.after()
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in ("content-length", "transfer-encoding")]
        request.respond(response.status, headers, body)


def variables(endpoint, credentials):
    """The environment of a service that stores there, and has nothing but its role."""
    return {
        "MEDIA_URL": f"s3://{BUCKET}/{PREFIX}", "MEDIA_PUBLIC_URL": "https://media.blog.example", "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": endpoint, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{credentials.url}/credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def kill(service):
    """As the kernel kills a task that has no memory left."""
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
