"""The image as a Fargate task runs it: so much of a processor, and the memory that goes with it."""

import os
import subprocess
import time
import urllib.request

from . import postgres, servers
from .machine import ROOT, commit, run, say

IMAGE = os.environ.get("IMAGE", "blog-api:bench")


def image():
    """Builds the image of this commit; IMAGE names one that is built already."""
    if "IMAGE" not in os.environ:
        say("building the image")
        run("docker", "build", "-q", "-t", IMAGE, "--build-arg", f"GIT_SHA={commit().split()[0]}", ROOT)
    return int(run("docker", "image", "inspect", "-f", "{{.Size}}", IMAGE))


class Task:
    """A container on the host's network, where PostgreSQL and the load are."""

    def __init__(self, cpus, limit_mib, database, port=8195, **environment):
        self.cpus, self.limit_mib, self.port = cpus, limit_mib, port
        self.url, self.name = f"http://127.0.0.1:{port}", "blog-api-bench"
        self.environment = {
            **servers.UNLIMITED,
            "DATABASE_URL": postgres.url(database),
            "PORT": str(port),
            "METRICS_PORT": str(port + 1),
            **environment,
        }

    def __enter__(self):
        subprocess.run(["docker", "rm", "-f", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        variables = [word for name, value in self.environment.items() for word in ("-e", f"{name}={value}")]
        run(
            "docker",
            "create",
            "--name",
            self.name,
            "--network",
            "host",
            "--cpus",
            self.cpus,
            "--memory",
            f"{self.limit_mib}m",
            "--read-only",
            "--cap-drop",
            "ALL",
            *variables,
            IMAGE,
            "serve",
        )
        begin = time.monotonic()
        run("docker", "start", self.name)
        servers.await_answer(self.url + "/ready", self.lives, f"docker logs {self.name}")
        self.boot_seconds = round(time.monotonic() - begin, 2)
        self.pid = int(run("docker", "inspect", "-f", "{{.State.Pid}}", self.name))
        return self

    def __exit__(self, *_):
        run("docker", "rm", "-f", self.name)

    def lives(self):
        return run("docker", "inspect", "-f", "{{.State.Running}}", self.name).strip() == "true"

    def memory_mib(self, field="VmRSS"):
        return round(servers.status_kib(self.pid, field) / 1024, 1)

    def cpu_seconds(self):
        return servers.cpu_seconds(self.pid)

    def metrics(self):
        """The task's counters, summed over their labels, and by each label."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port + 1}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        found = {}
        for line in lines:
            if line and not line.startswith("#"):
                series, number = line.rsplit(" ", 1)
                found[series] = float(number)
                name = series.split("{")[0]
                if name != series:
                    found[name] = found.get(name, 0) + float(number)
        return found
