"""What a task carries, what that costs, and what grows with the number of tasks."""

import time

from . import container, load, postgres, servers
from .machine import say, store

POSTS = 10_000
# vCPU: MiB, as Fargate pairs them.
SIZES = {0.25: 512, 0.5: 1024, 1: 2048}
P99_MS = 100
SHARES = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]


def carried(task, ids, options):
    """The most requests of the mix a second, asked evenly, that are answered with a p99 below 100 ms. Shares of what is
    answered at most are tried from above."""
    most = load.median_of([load.wrk(task.url, "mix", ids, options.duration, 16) for _ in range(options.runs)])
    say(f"  at most {most['rps']:,.0f}/s, p99 {most['p99']:.0f} ms")
    for share in SHARES:
        runs = [
            load.wrk(task.url, "mix", ids, options.duration, 64, rate=most["rps"] * share) for _ in range(options.runs)
        ]
        figures = {**load.median_of(runs), "most": most["rps"]}
        say(f"  {share:.0%} of it: {figures['rps']:7,.0f}/s  p99 {figures['p99']:.0f} ms  {figures['errors']} errors")
        if figures["p99"] < P99_MS:
            return figures
    return None


def transactions(database):
    return int(postgres.value(f"select xact_commit + xact_rollback from pg_stat_database where datname = '{database}'"))


def costs(task, database, ids, seconds):
    """What a request of the mix takes of the task, of PostgreSQL, and of the cache bus."""
    metrics, own, server, queries = task.metrics(), task.cpu_seconds(), postgres.cpu_seconds(), transactions(database)
    figures = load.wrk(task.url, "mix", ids, seconds, 8)
    time.sleep(1.5)  # PostgreSQL counts a session's transactions at most once a second
    after, requests = task.metrics(), figures["requests"]
    grown = {name: after.get(name, 0) - metrics.get(name, 0) for name in after}
    reads = [grown.get(f'cache_requests_total{{result="{result}"}}', 0) for result in ("hit", "miss", "bypass")]
    return {
        "requests": requests,
        "cpu_ms": round((task.cpu_seconds() - own) / requests * 1000, 4),
        "database_cpu_ms": round((postgres.cpu_seconds() - server) / requests * 1000, 4),
        "transactions": round((transactions(database) - queries) / requests, 4),
        "messages": round(grown.get('cache_changes_total{source="self"}', 0) / requests, 5),
        "hits": round(reads[0] / max(1, sum(reads)), 4),
    }


def bus(program, database, ids, seconds):
    """What a message of the cache bus costs a task that does nothing else: another one writes comments."""
    with (
        servers.service("writer", program, database, port=8190) as writer,
        servers.service("reader", program, database, port=8191, METRICS_PORT="8192") as reader,
    ):
        time.sleep(1)
        idle = servers.cpu_seconds(reader.process.pid)
        time.sleep(seconds)
        begin = servers.cpu_seconds(reader.process.pid)
        written = load.wrk(writer.url, "comment", ids, seconds, 16)["requests"]
        time.sleep(0.5)
        taken = servers.cpu_seconds(reader.process.pid) - begin - (begin - idle)
        return {"written": written, "cpu_ms": round(max(0.0, taken) / written * 1000, 4)}


def one_size(cpus, memory, data_set, ids, options):
    database = postgres.clone(data_set)
    with container.Task(cpus, memory, database) as task:
        say(f"{cpus} vCPU, {memory} MiB: ready after {task.boot_seconds} s")
        idle = task.memory_mib()
        load.wrk(task.url, "mix", ids, 2, 8)
        figures = {
            "boot_seconds": task.boot_seconds,
            "idle_mib": idle,
            "mix": carried(task, ids, options),
            "costs": costs(task, database, ids, options.duration),
        }
        figures["sign_in"] = load.median_of(
            [load.wrk(task.url, "sign_in", ids, options.duration, 4) for _ in range(options.runs)]
        )
        figures["connections"] = int(
            postgres.value(
                f"select count(*) from pg_stat_activity where datname = '{database}' and pid <> pg_backend_pid()"
            )
        )
        figures["peak_mib"] = task.memory_mib("VmHWM")
        say(
            f"  {figures['sign_in']['rps']:.1f} sign-ins/s, {figures['peak_mib']} MiB at most, {figures['connections']} connections"
        )
    return figures


def task(options):
    image_bytes = container.image()
    program = servers.binary()
    data_set = postgres.data_set(POSTS, program)
    ids = postgres.ids(data_set)
    with container.Task(0.5, SIZES[0.5], database := postgres.clone(data_set), CACHE_MAX_BYTES="0") as bare:
        load.wrk(bare.url, "mix", ids, 2, 8)
        uncached = costs(bare, database, ids, options.duration)
    sizes = {str(cpus): one_size(cpus, memory, data_set, ids, options) for cpus, memory in SIZES.items()}
    store(
        "task",
        {
            "duration": options.duration,
            "image_bytes": image_bytes,
            "sizes": sizes,
            "uncached": uncached,
            "memory": {str(cpus): memory for cpus, memory in SIZES.items()},
            "bus": bus(program, postgres.clone(data_set), ids, options.duration),
        },
    )
