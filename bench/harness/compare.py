"""Every work, of this service and of what it is held against, in turn."""

import contextlib

from . import load, postgres, servers, wordpress
from .machine import BENCH, run, say, store
from .works import DATABASE, LIMIT, PEERS, WORDPRESS, WORKS, connections

POSTS = 10_000


class Database:
    """PostgreSQL with nothing around it, as pgbench asks it."""

    name = "PostgreSQL"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def sizes(program, database, ids):
    """How many bytes we answer a list, a post and its comments with."""
    post = ids.read_text().splitlines()[-100]
    with servers.service("cached", program, database) as ours:
        return [
            load.alone(ours.url, path, {}, 1)["bytes"]
            for path in ("/v1/posts", f"/v1/posts/{post}", f"/v1/posts/{post}/comments")
        ]


def subjects(program, data_set, bytes_of, wanted):
    """Those to be measured: how each is started on a database, and its works."""
    cacheable = [work for work, (_, cacheable) in WORKS.items() if cacheable]
    known = {
        "limit": (lambda _: servers.http_limit(bytes_of), LIMIT),
        "database": (lambda _: Database(), list(DATABASE)),
        "cached": (lambda database: servers.service("cached", program, database), list(WORKS)),
        "uncached": (
            lambda database: servers.service("uncached", program, database, port=8191, CACHE_MAX_BYTES="0"),
            cacheable,
        ),
        "fastapi": (servers.fastapi, PEERS),
        "django": (servers.django, PEERS),
        "wordpress": (lambda _: wordpress.wordpress(data_set), WORDPRESS),
    }
    if not wordpress.available():
        known.pop("wordpress")
    return {name: known[name] for name in wanted or known}


def measure(server, work, database, ids, options):
    if isinstance(server, Database):
        return load.pgbench(DATABASE[work], database, POSTS, options.duration)
    ids, clients = getattr(server, "ids", ids), getattr(server, "connections", connections(work))
    load.wrk(server.url, work, ids, 1, clients)
    return load.wrk(server.url, work, ids, options.duration, clients)


def with_peers_tables(database):
    """The same rows in plain tables, for the peers."""
    run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", BENCH / "peers/schema.sql", postgres.url(database))


def one_run(chosen, data_set, ids, options, runs):
    """Every work of all subjects, work by work, so that what is compared is measured within a minute. All of them run,
    each on a database of its own; those that are not asked take nothing."""
    with contextlib.ExitStack() as stack:
        running = {}
        for name, (start, _) in chosen.items():
            database = postgres.clone(data_set, f"run_{name}")
            if name in ("fastapi", "django"):
                with_peers_tables(database)
            running[name] = stack.enter_context(start(database)), database
        for work in WORKS:
            for name, (_, works) in chosen.items():
                if work in works and work in (options.works or works):
                    server, database = running[name]
                    figures = measure(server, work, database, ids, options)
                    runs.setdefault(work, {}).setdefault(name, []).append(figures)
                    say(f"{name:9} {work:14} {line(figures)}")
        return {name: server.memory_mib("VmHWM") for name, (server, _) in running.items() if name != "database"}


def compare(options):
    program = servers.binary()
    data_set = postgres.data_set(POSTS, program)
    ids = postgres.ids(data_set)
    bytes_of = sizes(program, postgres.clone(data_set), ids)
    chosen, runs = subjects(program, data_set, bytes_of, options.subjects), {}
    for count in range(options.runs):
        say(f"run {count + 1} of {options.runs}")
        memory = one_run(chosen, data_set, ids, options, runs)
    store(
        "compare",
        {
            "posts": POSTS,
            "duration": options.duration,
            "memory_mib": memory,
            "bytes": bytes_of,
            "works": {
                work: {name: load.median_of(measured) for name, measured in of.items()} for work, of in runs.items()
            },
        },
    )


def line(figures):
    errors = f"  {figures['errors']} ERRORS" if figures["errors"] else ""
    return f"{figures['rps']:9,.0f}/s  p50 {figures['p50']:7.2f} ms  p99 {figures['p99']:7.2f} ms{errors}"


def against_base(options):
    """The works of this commit and of another one's, one after the other, each pair at once."""
    sha, tree = servers.base(options.base)
    programs = {"base": servers.binary(tree), "new": servers.binary()}
    # This commit's first, which takes the place of every other.
    new = postgres.data_set(POSTS, programs["new"])
    data_sets = {"base": postgres.data_set(POSTS, programs["base"], tree), "new": new}
    ids = postgres.ids(data_sets["new"])
    pairs = {}
    for cached in (True, False):
        mode = {} if cached else {"CACHE_MAX_BYTES": "0"}
        for count in range(options.runs):
            databases = {name: postgres.clone(data_sets[name], f"run_{name}") for name in programs}
            with (
                servers.service("base", programs["base"], databases["base"], port=8190, **mode) as base,
                servers.service("new", programs["new"], databases["new"], port=8191, **mode) as new,
            ):
                for work, (_, cacheable) in WORKS.items():
                    if (options.works and work not in options.works) or not (cached or cacheable):
                        continue
                    before, after = (measure(server, work, None, ids, options) for server in (base, new))
                    pairs.setdefault((work, cached), []).append((before, after))
                    say(
                        f"{count + 1}/{options.runs}  {'cached' if cached else 'uncached':9} {work:14} "
                        f"{before['rps']:9,.0f} → {after['rps']:9,.0f}/s  × {after['rps'] / max(before['rps'], 0.1):.2f}"
                    )
    store(
        "base",
        {
            "base": sha,
            "duration": options.duration,
            "works": [
                {
                    "work": work,
                    "cached": cached,
                    "before": load.median_of([before for before, _ in measured]),
                    "after": load.median_of([after for _, after in measured]),
                    "ratios": sorted(round(after["rps"] / max(before["rps"], 0.1), 3) for before, after in measured),
                }
                for (work, cached), measured in pairs.items()
            ],
        },
    )
