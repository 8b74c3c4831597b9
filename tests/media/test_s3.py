"""Media in an S3 that checks signatures, which refuses, hangs, goes away and comes back."""

import base64
import hashlib
import json
import re
import signal
import socket
import threading
import time
import unittest
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from blog import Blog, copies
from pictures import corners, saved
from s3 import BUCKET, KEY_ID, PREFIX, S3, SECRET, Credentials, Proxy, Refusal, kill, variables
from service import psql, wait

COUNT_SWEEPS = "select count(*) from jobs where kind = 'media_sweep' and holder is null and run_at > now() + interval '30 minutes'"
STORED = "select name from media_objects"
SHOWN = "select object from media union select object from media_variants"


def picture(number=0, width=600):
    """A picture with a variant, different for each number."""
    return saved(corners(size=(width, 300 + number)), "JPEG")


def put(url, headers, data):
    """The status of a request that uploads a file."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request("PUT", f"{parts.path}?{parts.query}", data, headers)
    except (BrokenPipeError, ConnectionResetError):
        pass  # It has answered before it has read everything.
    status = connection.getresponse().status
    connection.close()
    return status


def make_due(database, hours=2):
    """What was announced or begun is hours older, and a sweep is due."""
    older = f"interval '{hours} hours'"
    psql(database, f"update media_objects set announced_at = announced_at - {older}, deleting_at = deleting_at - {older}")
    psql(database, "update jobs set run_at = now(), holder = null where kind = 'media_sweep'")


def sweep(database, hours=2):
    make_due(database, hours)
    wait(lambda: psql(database, COUNT_SWEEPS) == ["1"], "the sweep")


class Storage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s3, cls.credentials = S3(), Credentials().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.s3.__exit__()
        cls.credentials.__exit__()

    def setUp(self):
        for key in self.s3.keys():
            self.s3.client.delete_object(Bucket=BUCKET, Key=key)

    def blog(self, database=None, endpoint=None, credentials=None):
        endpoint = endpoint or f"http://127.0.0.1:{self.s3.port}"
        return Blog(database, **variables(endpoint, credentials or self.credentials), LOG_LEVEL="info")

    def assert_refused(self, blog, number=1):
        answer = blog.upload(picture(number), tries=1)
        self.assertEqual((answer.status, answer.body["code"]), (503, "storage_unavailable"), answer.body)
        self.assertEqual(psql(blog.database, "select count(*) from media"), ["0"])
        self.assert_works(blog)

    def assert_works(self, blog):
        for path in ("/v1/posts", "/ready"):
            self.assertEqual(blog.request("GET", path).status, 200, path)

    def assert_quiet(self, blog, pattern):
        """The log has one line about it for each request, with the cause, and nothing that is secret."""
        lines = [line for line in blog.log().splitlines() if "storage of media unavailable" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], pattern)
        for secret in (SECRET, KEY_ID, "a session's token", "Signature="):
            self.assertNotIn(secret, blog.log())
        self.assertIsNone(re.search("[0-9a-f]{64}", lines[0]), lines[0])

    def assert_consistent(self, database):
        """Each object has a row that something shows, and each row has its object."""
        shown = set(psql(database, SHOWN))
        self.assertEqual(set(psql(database, STORED)), shown)
        self.assertEqual(self.s3.names(), shown)

    def test_objects_are_stored_as_they_are_delivered(self):
        with self.blog() as blog:
            answer = blog.upload(picture(width=2100))
            self.assertEqual(answer.status, 201, answer.body)
            self.assertEqual(len(answer.body["variants"]), 3)
            for copy in copies(answer.body):
                name = copy["url"].removeprefix("https://media.blog.example/")
                found = self.s3.client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}")
                data = found["Body"].read()
                self.assertEqual((found["ContentType"], len(data)), ("image/jpeg", copy["bytes"]))
                self.assertEqual(found["CacheControl"], "public, max-age=31536000, immutable")
                self.assertEqual(name, f"{hashlib.sha256(data).hexdigest()}.jpg")
                self.assertEqual(blog.request("GET", f"/media/{name}").status, 404)
            self.assert_consistent(blog.database)
            headers = {"Authorization": f"Bearer {blog.token}"}
            self.assertEqual(blog.request("DELETE", f"/v1/media/{answer.body['id']}", headers=headers).status, 204)
            sweep(blog.database)
            self.assertEqual(self.s3.keys(), set())
            self.assert_consistent(blog.database)

    def test_a_file_goes_to_s3_as_it_was_announced_and_not_otherwise(self):
        data = b"%PDF-1.7 " + bytes(range(256)) * 4096
        with self.blog() as blog:
            call = {"Authorization": f"Bearer {blog.token}", "Content-Type": "application/json"}
            body = {"filename": "Protokoll für März.pdf", "content_type": "application/pdf", "bytes": len(data)}
            body["sha256"] = hashlib.sha256(data).hexdigest()
            answer = blog.request("POST", "/v1/media/uploads", json.dumps(body), call)
            self.assertEqual(answer.status, 201, answer.body)
            upload = json.loads(answer.body)
            headers = upload["headers"]
            self.assertEqual((upload["method"], headers["content-disposition"]), ("PUT", "attachment"))
            completion = f"/v1/media/uploads/{upload['id']}/completion"
            changed = bytes(reversed(data))
            for fault, other, sent in (
                ("another file", headers, changed),
                ("another length", headers | {"content-length": "3"}, data[:3]),
                ("another type", headers | {"content-type": "text/html"}, data),
                ("another encoding", headers | {"content-encoding": "br"}, data),
                ("not as an attachment", headers | {"content-disposition": "inline"}, data),
                ("another checksum", headers | {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(changed).digest()).decode()}, changed),
                ("no checksum", {name: value for name, value in headers.items() if "checksum" not in name}, changed),
            ):  # fmt: skip
                with self.subTest(fault):
                    self.assertIn(put(upload["url"], other, sent), (400, 403))
                    self.assertEqual(blog.request("POST", completion, headers=call).status, 409)
            self.assertEqual(put(upload["url"].replace("protokoll", "another"), headers, data), 403)
            self.assertEqual(put(upload["url"], headers, data), 200)
            answer = blog.request("POST", completion, headers=call)
            self.assertEqual(answer.status, 201, answer.body)
            name = f"{body['sha256']}/protokoll-fur-marz.pdf"
            self.assertEqual(json.loads(answer.body)["url"], f"https://media.blog.example/{name}")
            found = self.s3.client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}")
            self.assertEqual((found["ContentType"], found["ContentDisposition"]), ("application/pdf", "attachment"))
            self.assertEqual(found["CacheControl"], "public, max-age=31536000, immutable")
            self.assertEqual(found["Body"].read(), data)
            self.assert_consistent(blog.database)
            self.assertEqual(blog.request("DELETE", f"/v1/media/{upload['id']}", headers=call).status, 204)
            sweep(blog.database, hours=3)
            self.assertEqual(self.s3.keys(), set())

    def test_a_signed_request_ends_with_the_credentials_it_is_signed_with(self):
        body = {"filename": "a.pdf", "content_type": "application/pdf", "bytes": 1, "sha256": "0" * 64}
        for minutes, expected in ((5, 5), (360, 60)):
            with Credentials(minutes=minutes) as credentials, self.blog(credentials=credentials) as blog:
                call = {"Authorization": f"Bearer {blog.token}", "Content-Type": "application/json"}
                answer = json.loads(blog.request("POST", "/v1/media/uploads", json.dumps(body), call).body)
                left = datetime.fromisoformat(answer["expires_at"]) - datetime.now(UTC)
                self.assertTrue(expected - 1 < left.total_seconds() / 60 <= expected, left)

    def test_a_wrong_secret_is_named_by_its_code(self):
        with Credentials("another secret") as credentials, self.blog(credentials=credentials) as blog:
            self.assert_refused(blog)
            self.assert_quiet(blog, "403 SignatureDoesNotMatch")

    def test_a_refusal_is_named_by_its_code(self):
        # Those that the S3 of these tests does not give.
        for status, code in ((404, "NoSuchBucket"), (403, "AccessDenied"), (503, "SlowDown"), (301, "PermanentRedirect")):
            with self.subTest(code), Refusal(status, code) as refusal, self.blog(endpoint=refusal.url) as blog:
                self.assert_refused(blog)
                self.assert_quiet(blog, f"{status} {code}")

    def test_without_credentials_the_blog_works(self):
        with Credentials() as gone:
            pass
        with self.blog(credentials=gone) as blog:
            self.assert_refused(blog)
            self.assert_quiet(blog, "(?i)credentials")

    def test_an_s3_that_goes_and_comes_back(self):
        with self.blog() as blog:
            self.s3.stop()
            try:
                self.assert_refused(blog)
                self.assert_quiet(blog, "cannot be reached")
            finally:
                self.s3.start()
            self.assertEqual(blog.upload(picture(1)).status, 201)
            sweep(blog.database)
            self.assert_consistent(blog.database)

    def test_an_s3_that_hangs_keeps_nobody_else(self):
        with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
            with self.blog(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}") as blog:
                uploads = [threading.Thread(target=blog.upload, args=(picture(number),), kwargs={"tries": 1}) for number in range(3)]
                for upload in uploads:
                    upload.start()
                slowest, end = 0, time.monotonic() + 5
                while time.monotonic() < end:
                    began = time.monotonic()
                    self.assert_works(blog)
                    slowest = max(slowest, time.monotonic() - began)
                for upload in uploads:
                    upload.join()
                print(f"\nslowest beside uploads that hang: {slowest * 1000:.0f} ms", end=" ")
                self.assert_refused(blog)

    def test_a_process_killed_between_object_and_row_leaves_nothing(self):
        for after in (True, False):
            with self.subTest(after_the_object=after):
                victims = []
                when = {"after" if after else "before": lambda: kill(victims[0])}
                with Proxy(self.s3, "PUT", **when) as proxy, self.blog(endpoint=proxy.url) as victim:
                    victims.append(victim)
                    with self.assertRaises((OSError, HTTPException)):
                        victim.upload(picture())
                    # What S3 was sent, it stores all the same.
                    wait(self.s3.keys, "an object")
                    self.assertEqual(psql(victim.database, "select count(*) from media"), ["0"])
                    with self.blog(victim.database) as survivor:
                        kept = survivor.upload(picture(7))
                        self.assertEqual(kept.status, 201)
                        sweep(survivor.database)
                        self.assert_consistent(survivor.database)
                        # And what was swept can be uploaded again.
                        self.assertEqual(survivor.upload(picture()).status, 201)
                        self.assert_consistent(survivor.database)
                self.setUp()

    def test_a_process_killed_while_it_deletes_leaves_nothing(self):
        victims = []
        with Proxy(self.s3, "DELETE", after=lambda: kill(victims[0])) as proxy, self.blog(endpoint=proxy.url) as victim:
            media = [victim.upload(picture(number)).body for number in range(5)]
            psql(victim.database, f"delete from media where id <> '{media[0]['id']}'; update media_objects set unused = true")
            victims.append(victim)
            make_due(victim.database)
            wait(lambda: victim.process.poll() == -signal.SIGKILL, "its death")
            with self.blog(victim.database) as survivor:
                sweep(survivor.database)
                self.assert_consistent(survivor.database)
                self.assertEqual(survivor.upload(picture(2)).status, 201)
                self.assert_consistent(survivor.database)

    def test_uploads_and_sweeps_of_the_same_picture_lose_nothing(self):
        with self.blog() as blog:
            statuses = []
            stop = threading.Event()

            def upload():
                while not stop.is_set():
                    answer = blog.upload(picture(width=481), tries=1)
                    statuses.append(answer.status)
                    if answer.status == 201:
                        headers = {"Authorization": f"Bearer {blog.token}"}
                        blog.request("DELETE", f"/v1/media/{answer.body['id']}", headers=headers)

            uploads = [threading.Thread(target=upload) for _ in range(2)]
            for thread in uploads:
                thread.start()
            for _ in range(6):
                sweep(blog.database)
            stop.set()
            for thread in uploads:
                thread.join()
            self.assertEqual(set(statuses) - {201, 503}, set())
            self.assertIn(201, statuses)
            last = wait(lambda: (answer := blog.upload(picture(width=481))).status == 201 and answer, "it is taken again")
            self.assertTrue(self.s3.names() >= {copy["url"].rsplit("/", 1)[1] for copy in copies(last.body)})
            sweep(blog.database)
            self.assert_consistent(blog.database)
