"""What everybody else notices of ten pictures of 40 megapixels that are uploaded to one task.

The image runs with half a processor and 512 MiB, beside the S3 and the PostgreSQL of this machine. Printed are the
latencies of GET /v1/posts, from the cache and from the database, alone and beside the uploads, and the most memory that
the task has had. Nothing is asserted: the numbers are those of a machine. Not beside a benchmark, whose PostgreSQL it uses.

    make image && tests/media/run Storage.test_objects     # builds the S3 and installs what this needs
    PYTHONPATH=bench:tests/browser:tests/mail S3=~/.cache/blog-api/s3s-fs-0.14.1/bin/s3s-fs \\
      ~/.cache/blog-api/python-media/bin/python tests/media/load.py

IMAGE names another image than blog-api:latest.
"""

import http.client
import io
import json
import os
import pathlib
import statistics
import subprocess
import threading
import time

os.environ.setdefault("IMAGE", "blog-api:latest")
os.environ["S3"] = os.path.expanduser(os.environ["S3"])
os.environ.setdefault("DATABASE_URL", "")  # Of the tests beside this.

from harness import container, postgres
from PIL import Image
from s3 import S3, Credentials, variables

CPUS, MEMORY_MIB = "0.5", 512
PICTURES, POSTS, SECONDS, PAUSE = 10, 100, 30, 0.05
TRIES = 100
SIZE = (7744, 5165)
PASSWORD = "a password for load"


def photograph(number):
    """Noise of several sizes, which compresses like a photograph: some 10 MB."""
    noise = Image.effect_noise((SIZE[0] // 3, SIZE[1] // 3), 40 + number).resize(SIZE, Image.Resampling.BILINEAR)
    colours = Image.merge("RGB", [noise, noise.transpose(Image.Transpose.ROTATE_180), Image.linear_gradient("L").resize(SIZE)])
    file = io.BytesIO()
    colours.save(file, "JPEG", quality=88)
    return file.getvalue()


def command(database, *arguments, text=None):
    """A command of the image."""
    docker = ["docker", "run", "--rm", "-i", "--network", "host", "-e", f"DATABASE_URL={postgres.url(database)}", container.IMAGE]
    subprocess.run([*docker, *arguments], check=True, input=text, text=True, stdout=subprocess.DEVNULL)


class Client:
    def __init__(self, task, token=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", task.port, timeout=180)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method, path, body=None, kind="application/json"):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        self.connection.request(method, path, data, self.headers | {"Content-Type": kind})
        response = self.connection.getresponse()
        return response.status, response.read()


def sign_in(task, database, name):
    email = f"{name}@example.com"
    command(database, "users", "create", "--username", name, "--email", email, "--role", "author", text=f"{PASSWORD}\n")
    status, body = Client(task).call("POST", "/v1/sessions", {"email": email, "password": PASSWORD})
    assert status == 201, body
    return json.loads(body)["token"]


def latencies(task, token, until):
    """Milliseconds of each request, and how many were not answered with 200."""
    client, found, failed = Client(task, token), [], 0
    while not until():
        began = time.monotonic()
        status, _ = client.call("GET", "/v1/posts")
        found.append((time.monotonic() - began) * 1000)
        failed += status != 200
        time.sleep(PAUSE)
    return found, failed


def measure(task, token, what, until):
    """From the cache, as everybody reads, and past it, as those do who are signed in."""
    results = {}
    readers = {"from the cache": None, "from the database": token}
    threads = [
        threading.Thread(target=lambda name=name, token=token: results.update({name: latencies(task, token, until)}))
        for name, token in readers.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, (found, failed) in results.items():
        parts = statistics.quantiles(found, n=100)
        print(f"{what}, {name}: p50 {parts[49]:.1f} ms, p99 {parts[98]:.1f} ms, {max(found):.0f} ms at most, {len(found)} requests, {failed} failed")


def upload(task, token, pictures, statuses):
    """Each until it is taken, as a client does that is told to come back."""
    client = Client(task, token)
    for data in pictures:
        for _ in range(TRIES):
            status, body = client.call("POST", "/v1/media", data, "image/jpeg")
            statuses.append(status)
            assert status in (201, 429, 503), body
            if status == 201:
                break
            time.sleep(2)


def peak_mib(task):
    """Of the whole container, if its control group can be read; and of its process."""
    group = pathlib.Path(f"/proc/{task.pid}/cgroup").read_text().strip().rsplit(":", 1)[1]
    for file in (f"/sys/fs/cgroup{group}/memory.peak", f"/sys/fs/cgroup/memory{group}/memory.max_usage_in_bytes"):
        if pathlib.Path(file).exists():
            return f"{int(pathlib.Path(file).read_text()) >> 20} MiB, "
    return ""


def main():
    postgres.start()
    postgres.sql("drop database if exists media_load with (force)")
    postgres.sql("create database media_load")
    command("media_load", "migrate")
    pictures = [photograph(number) for number in range(PICTURES)]
    print(f"{PICTURES} pictures of {SIZE[0]} × {SIZE[1]}, {sum(map(len, pictures)) // PICTURES >> 10} KiB each")
    with S3() as s3, Credentials() as credentials:
        settings = variables(f"http://127.0.0.1:{s3.port}", credentials)
        with container.Task(CPUS, MEMORY_MIB, "media_load", **settings) as task:
            authors = [sign_in(task, "media_load", f"author{number}") for number in range(3)]
            for number in range(POSTS):
                post = {"title": f"Post {number}", "body": "Some **words**. " * 200, "status": "published"}
                assert Client(task, authors[0]).call("POST", "/v1/posts", post)[0] == 201
            end = time.monotonic() + SECONDS
            measure(task, authors[0], "alone", lambda: time.monotonic() > end)
            statuses, began = [], time.monotonic()
            uploads = [threading.Thread(target=upload, args=(task, token, pictures[at::3], statuses)) for at, token in enumerate(authors)]
            for thread in uploads:
                thread.start()
            measure(task, authors[0], "beside uploads", lambda: not any(thread.is_alive() for thread in uploads))
            taken = f"{statuses.count(201)} taken, {len(statuses) - statuses.count(201)} put off"
            print(f"uploads: {taken}, in {time.monotonic() - began:.0f} s")
            print(f"memory: {peak_mib(task)}process {task.memory_mib('VmHWM')} MiB at most, of {MEMORY_MIB}")
    postgres.sql("drop database media_load with (force)")
    postgres.stop()


main()
