"""The mix for ten minutes: no error, and memory that does not grow."""

import re
import threading
import time
import urllib.request

from . import load, postgres, servers
from .machine import say, store

POSTS = 10_000
CONNECTIONS = 16
METRICS = 8198


class Sampler(threading.Thread):
    """Memory and requests of the service, every five seconds."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.samples, self.going = server, [], True

    def run(self):
        begin, before = time.monotonic(), self.requests()
        while self.going:
            time.sleep(5)
            requests = self.requests()
            self.samples.append(
                {
                    "second": round(time.monotonic() - begin),
                    "rss_mib": self.server.memory_mib(),
                    "rps": round((requests - before) / 5),
                }
            )
            before = requests
            if len(self.samples) % 12 == 0:
                say(f"  {self.samples[-1]}")

    def requests(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=5) as response:
            return sum(
                float(count)
                for count in re.findall(r"^http_requests_total\{.*\} (\S+)$", response.read().decode(), re.MULTILINE)
            )


def growth(samples):
    """How many MiB a minute the second half of the run adds, by least squares."""
    half = [(sample["second"] / 60, sample["rss_mib"]) for sample in samples[len(samples) // 2 :]]
    x, y = (sum(column) / len(half) for column in zip(*half))
    spread = sum((at - x) ** 2 for at, _ in half)
    return round(sum((at - x) * (value - y) for at, value in half) / spread, 3) if spread else 0.0


def soak(options):
    program = servers.binary()
    data_set = postgres.data_set(POSTS, program)
    ids = postgres.ids(data_set)
    with servers.service("soak", program, postgres.clone(data_set), METRICS_PORT=str(METRICS)) as server:
        sampler = Sampler(server)
        sampler.start()
        figures = load.wrk(server.url, "mix", ids, options.soak, CONNECTIONS)
        sampler.going = False
        sampler.join()
    slope = growth(sampler.samples)
    say(f"{figures['requests']:,} requests, {figures['errors']} errors, {slope} MiB a minute in the second half")
    store(
        "soak",
        {
            **figures,
            "seconds": options.soak,
            "connections": CONNECTIONS,
            "samples": sampler.samples,
            "growth_mib_a_minute": slope,
        },
    )
