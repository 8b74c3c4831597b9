"""Twice as many requests as a task can answer: what it still answers, and how it refuses the rest."""

import threading
import time
import urllib.error
import urllib.request

from . import container, load, postgres, servers
from .machine import say, store

POSTS = 10_000
CPUS, MEMORY = 0.5, 1024
# More than are served at once, so that a full task is full for good.
MANY = 3000


class Prober(threading.Thread):
    """Asks `/health` ten times a second, each time over a new connection, as a load balancer does."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.times, self.failed, self.going = url, [], 0, True

    def run(self):
        while self.going:
            begin = time.monotonic()
            try:
                urllib.request.urlopen(self.url + "/health", timeout=5).read()
            except (urllib.error.URLError, OSError):
                self.failed += 1
            self.times.append((time.monotonic() - begin) * 1000)
            time.sleep(max(0.0, begin + 0.1 - time.monotonic()))


def good(figures):
    """Responses a second that are no refusal and no fault."""
    return figures["rps"] * (1 - figures["errors"] / figures["requests"])


def at_rate(task, ids, rate, seconds):
    """Requests of the mix at a rate, whatever becomes of those before: what was answered well, and how the rest."""
    prober = Prober(task.url)
    prober.start()
    figures = load.wrk(task.url, "mix", ids, seconds, MANY, rate=rate, statuses=True)
    prober.going = False
    prober.join()
    counted = {int(status): count for status, count in figures["statuses"].items() if status != "untold"}
    answered = sum(counted.values())
    good = sum(count for status, count in counted.items() if status < 400)
    return {
        "rate": round(rate),
        "answered": round(answered / seconds, 1),
        "goodput": round(good / seconds, 1),
        "statuses": counted,
        "without_retry_after": figures["statuses"].get("untold", 0),
        "failed": figures["errors"] - figures["refused"],
        "p50": figures["p50"],
        "p99": figures["p99"],
        "health_p99": load.percentile(prober.times, 99),
        "health_max": max(prober.times),
        "health_failed": prober.failed,
        "memory_mib": task.memory_mib("VmHWM"),
    }


def overload(options):
    container.image()
    data_set = postgres.data_set(POSTS, servers.binary())
    ids = postgres.ids(data_set)
    with container.Task(CPUS, MEMORY, postgres.clone(data_set)) as task:
        load.wrk(task.url, "mix", ids, 3, 16)
        runs = [
            load.wrk(task.url, "mix", ids, options.duration, connections) for connections in (4, 8, 12, 16, 32, 64, 128)
        ]
        # Where more is refused, what is left of the mix is its cheap requests, of which more are answered.
        best = max(
            good(figures) for figures in runs if figures["errors"] <= figures["requests"] / 100 or figures is runs[0]
        )
        say(f"at most {best:,.0f}/s")
        steps = {}
        for factor in (0.5, 0.9, 1.2, 2, 4):
            steps[str(factor)] = step = at_rate(task, ids, best * factor, max(20, options.duration))
            say(
                f"× {factor}: {step['goodput']:,.0f}/s good, statuses {step['statuses']}, /health p99 {step['health_p99']:.0f} ms"
            )
        time.sleep(3)
        after = good(load.wrk(task.url, "mix", ids, options.duration, 16))
        say(f"afterwards {after:,.0f}/s")
    store(
        "overload",
        {"cpus": CPUS, "memory": MEMORY, "best": best, "steps": steps, "afterwards": after, "connections": MANY},
    )
