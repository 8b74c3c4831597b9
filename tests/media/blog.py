"""The service with a place for media, and what is uploaded to it."""

import hashlib
import json
import shutil
import socket
import tempfile
from collections import namedtuple
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from chromium import HOST
from service import Service

# What is served is an image and nothing else, whoever opens it.
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
UNLIMITED = {"RATE_LIMIT_ACCOUNT": "off", "RATE_LIMIT_ACCOUNT_KIB": "off", "MEDIA_QUOTA_FILES": "100000", "MEDIA_QUOTA_MIB": "100000"}
# As the image has it.
MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}

Answer = namedtuple("Answer", "status headers body")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Blog(Service):
    """Stores in a folder of its own, unless MEDIA_URL names another place."""

    def __init__(self, database=None, **variables):
        self.folder = Path(tempfile.mkdtemp())
        port = str(free_port())
        own = UNLIMITED | MEMORY | {"PORT": port, "API_URL": f"http://{HOST}:{port}", "MEDIA_URL": f"file:{self.folder}"}
        super().__init__(database, **(own | variables))
        self.token = self.sign_in(self.sign_up())[1]

    def __exit__(self, *error):
        if self.process.poll() is None:
            super().__exit__(*error)
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method, path, body=None, headers=()):
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        try:
            connection.request(method, path, body, dict(headers))
        except (BrokenPipeError, ConnectionResetError):
            pass  # It has answered before it has read everything.
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def upload(self, data, kind="application/octet-stream", tries=5):
        """Tries again what a busy machine gives up."""
        headers = {"Content-Type": kind, "Authorization": f"Bearer {self.token}"}
        answer = self.request("POST", "/v1/media", data, headers)
        answer = answer._replace(body=json.loads(answer.body))
        if tries > 1 and answer.body.get("code") in ("timeout", "overloaded"):
            return self.upload(data, kind, tries - 1)
        return answer

    def stored(self, url):
        """An object as everybody reads it."""
        return self.request("GET", urlsplit(url).path)

    def memory_mib(self, field="VmHWM"):
        """What the process has taken at most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{field}:")[1].split()[0]) // 1024


def copies(media):
    """All that is stored of a picture."""
    return [media, *media["variants"]]


def faults(blog, media):
    """What is wrong with the objects of a picture that was taken."""
    for copy in copies(media):
        answer = blog.stored(copy["url"])
        name = copy["url"].rsplit("/", 1)[1]
        digest, extension = name.split(".")
        headers = answer.headers
        rules = {
            "it is not served": answer.status == 200,
            "its name is not its SHA-256": digest == hashlib.sha256(answer.body).hexdigest(),
            "it has another length": len(answer.body) == copy["bytes"],
            "it has another type": headers["Content-Type"] == media["content_type"] == TYPES[extension],
            "it has no nosniff": headers["X-Content-Type-Options"] == "nosniff",
            "it has no sandbox": headers["Content-Security-Policy"] == POLICY,
            "it is not kept for a year": "max-age=31536000" in headers["Cache-Control"],
            "it is too large": max(copy["width"], copy["height"]) <= 4096,
        }
        yield from (f"{name}: {fault}" for fault, holds in rules.items() if not holds)


def is_problem(answer):
    """Whether a refusal is clear: a status that says whose fault it is, and a document that says which."""
    has_type = answer.headers["Content-Type"] == "application/problem+json"
    return has_type and answer.status in (413, 415, 422) and {"code", "detail", "request_id"} <= answer.body.keys()
