"""A PostgreSQL of the benchmark's own, and its data sets."""

import hashlib
import os
import pathlib
import pwd
import shutil

from .machine import BENCH, ROOT, STATE, bindir, describe, run, say

PORT = 5590
DATA = STATE / "postgres"


def _as_server(*command):
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return run(*command, cwd=STATE)
    names = [user.pw_name for user in pwd.getpwall()]
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return run("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command, cwd=DATA)


def settings():
    """Nothing waits for the disk: what is compared is the work, not the disk of this machine."""
    gib = describe()["memory_gib"]
    return {
        "listen_addresses": "127.0.0.1",
        "port": PORT,
        "unix_socket_directories": DATA,
        "max_connections": 300,
        "shared_buffers": f"{max(1, min(4, gib // 6))}GB",
        "effective_cache_size": f"{max(1, gib // 2)}GB",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_wal_size": "2GB",
        "wal_recycle": "off",
        "checkpoint_timeout": "30min",
        "random_page_cost": "1.1",
        "jit": "off",
        "track_functions": "none",
    }


def url(database="postgres"):
    return f"postgres://blog@127.0.0.1:{PORT}/{database}"


def start():
    if not (DATA / "data/PG_VERSION").exists():
        say("making a PostgreSQL cluster")
        shutil.rmtree(DATA, ignore_errors=True)
        DATA.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(DATA, "postgres" if pathlib.Path("/etc/passwd").read_text().count("postgres:") else "nobody")
        _as_server(
            bindir() / "initdb",
            "-D",
            DATA / "data",
            "-U",
            "blog",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
    options = " ".join(f"-c {name}={value}" for name, value in settings().items())
    if (DATA / "data/postmaster.pid").exists():
        stop()
    _as_server(bindir() / "pg_ctl", "-D", DATA / "data", "-l", DATA / "log", "-w", "-t", "300", "-o", options, "start")


def stop():
    try:
        _as_server(bindir() / "pg_ctl", "-D", DATA / "data", "-m", "fast", "-t", "300", "stop")
    except SystemExit as left:  # a pid file that a crash left behind
        if "No such process" not in str(left) and "not exist" not in str(left):
            raise
        (DATA / "data/postmaster.pid").unlink(missing_ok=True)


def sql(statement, database="postgres"):
    """Runs a statement and gives its rows, with a tab between columns."""
    out = run("psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", statement, url(database))
    return [line.split("\t") for line in out.splitlines()]


def value(statement, database="postgres"):
    return sql(statement, database)[0][0]


def data_set(posts, binary, tree=ROOT):
    """The name of a database with so many posts, in the schema of `binary`, which was built from `tree`. It is kept
    until the schema or the data set changes; whoever writes works on a `clone`."""
    files = sorted(
        [
            *(pathlib.Path(tree) / "migrations").glob("*.sql"),
            *(BENCH / "dataset").iterdir(),
            pathlib.Path(tree) / "src/markdown/mod.rs",
        ]
    )
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]
    name = f"posts_{posts}_{digest}"
    if sql(f"select 1 from pg_database where datname = '{name}'"):
        return name
    for (stale,) in sql(
        f"select datname from pg_database where datname like 'posts\\_{posts}\\_%' or datname like 'loading%'"
    ):
        if tree == ROOT or stale.startswith("loading"):
            sql(f'drop database "{stale}" with (force)')
    say(
        f"loading {posts:,} posts and {posts * 10:,} comments"
        + (", which takes some ten minutes" if posts > 500_000 else "")
    )
    sql("create database loading")
    environment = {**os.environ, "DATABASE_URL": url("loading")}
    run(binary, "migrate", env=environment)
    run(BENCH / "dataset/load", posts, tree, env=environment)
    sql(f'alter database loading rename to "{name}"')
    return name


def clone(name, copy="run"):
    """A copy to write into."""
    sql(f"drop database if exists {copy} with (force)")
    sql(f'create database {copy} template "{name}" strategy file_copy')
    return copy


def drop_clones():
    for (copy,) in sql("select datname from pg_database where datname like 'run%'"):
        sql(f"drop database {copy} with (force)")
    sql("checkpoint")


def ids(database):
    """A file with the ids of the published posts, oldest first."""
    file = STATE / f"ids-{database}"
    run(
        "psql",
        "-XqAt",
        "-o",
        file,
        "-c",
        "select bench.post_id(n) from bench.size, generate_series(1, posts) n",
        url(database),
    )
    return file


def cpu_seconds():
    """The processor time that the server has taken, with its processes that have ended."""
    pid = (DATA / "data/postmaster.pid").read_text().split()[0]
    ticks = sum(map(int, _times(pid)))
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            ticks += sum(map(int, _times(child)[:2]))
        except OSError:  # ended meanwhile
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def _times(pid):
    """User and system time of a process, and of those of its children that have ended."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:15]
