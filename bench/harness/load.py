"""Load: wrk for HTTP, pgbench for the database, and one request at a time."""

import http.client
import json
import os
import pathlib
import statistics
import tempfile
import time
import urllib.parse

from . import postgres
from .machine import BENCH, run
from .works import COSTLY

SCRIPT = BENCH / "lua/works.lua"
# wrk hangs up on what is in flight at its end, and a task keeps the place of a search or a feed that was given up for
# as long as PostgreSQL may work on it, which is a second: the next run begins after that.
REST = 1.2


def wrk(url, work, file_of_ids, seconds, connections=64, rate=None, statuses=False):
    """One run of wrk. `errors` counts responses of 400 and more, and what failed on the way. At `rate`, so many
    requests are begun in a second, as long as a connection is free."""
    threads = 1 if connections < 1000 else 2
    environment = {
        **os.environ,
        "WORK": work,
        "IDS": str(file_of_ids),
        "RATE": str(rate or 0),
        "CONNECTIONS": str(connections),
        "STATUSES": "1" if statuses else "",
    }
    out = run(
        "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}", "--timeout", "20", "-s", SCRIPT, url, env=environment
    )
    if work in COSTLY or work == "mix":
        time.sleep(REST)
    figures = json.loads(out[out.index("JSON") + 4 :].splitlines()[0])
    if statuses:
        figures["statuses"] = merged(line[8:] for line in out.splitlines() if line.startswith("STATUSES"))
    return figures


def merged(lines):
    total = {}
    for line in lines:
        for status, count in json.loads(line).items():
            total[status] = total.get(status, 0) + count
    return total


def pgbench(script, database, posts, seconds):
    """One run of pgbench: what the database does of the same work with nothing around it."""
    with tempfile.TemporaryDirectory() as folder:
        out = run(
            "pgbench",
            "-n",
            "-M",
            "prepared",
            "-c",
            "10",
            "-j",
            "2",
            "-T",
            seconds,
            "-D",
            f"posts={posts}",
            "-l",
            "--sampling-rate=0.05",
            "-f",
            BENCH / f"pgbench/{script}.sql",
            postgres.url(database),
            cwd=folder,
        )
        times = [
            int(line.split()[2]) / 1000
            for log in pathlib.Path(folder).iterdir()
            for line in log.read_text().splitlines()
        ]
    tps = next(float(line.split()[2]) for line in out.splitlines() if line.startswith("tps"))
    failed = next((int(line.split(":")[1].split()[0]) for line in out.splitlines() if "failed transactions" in line), 0)
    return {"rps": tps, "p50": percentile(times, 50), "p99": percentile(times, 99), "errors": failed}


def percentile(values, percent):
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median_of(runs):
    """The run whose requests a second are the median, and the errors of all."""
    ordered = sorted(runs, key=lambda run: run["rps"])
    middle = dict(ordered[(len(ordered) - 1) // 2])
    middle["errors"] = sum(run["errors"] for run in runs)
    middle["runs"] = [round(run["rps"], 1) for run in runs]
    return middle


def alone(url, path, headers, times=5):
    """The median time in milliseconds of a request that has the server for itself, after one that is not counted."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    taken, size, status = [], 0, 0
    for count in range(times + 1):
        begin = time.perf_counter()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        size, status = len(response.read()), response.status
        if count:
            taken.append((time.perf_counter() - begin) * 1000)
        if status >= 400 and taken:
            break
    connection.close()
    return {"ms": round(statistics.median(taken), 2), "bytes": size, "status": status}
