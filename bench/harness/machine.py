"""The machine that measures: its tools, what it is, and what is said while it works."""

import datetime
import fcntl
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
# What is built, installed and loaded is kept here between runs. PostgreSQL's user must reach it: it is not in a home.
STATE = pathlib.Path(os.environ.get("BENCH_DIR", "/var/tmp/blog-api-bench"))
BEGIN = time.monotonic()


def say(text):
    minutes, seconds = divmod(int(time.monotonic() - BEGIN), 60)
    print(f"{minutes:3}:{seconds:02}  {text}", flush=True)


def run(*command, quiet=True, **options):
    """Runs a command to its end and gives its standard output; what it said is shown if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        **options,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed with {done.returncode}:\n{done.stdout}{done.stderr or ''}")
    return done.stdout


def install(command, *packages):
    """Installs Debian packages unless their command is here."""
    if shutil.which(command):
        return
    if not shutil.which("apt-get"):
        sys.exit(f"bench: install {command}; there is no apt-get here to do it")
    root = [] if os.geteuid() == 0 else ["sudo"]
    say(f"installing {' '.join(packages)}")
    run(*root, "apt-get", "update", "-q")
    run(
        *root,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-yq",
        "--no-install-recommends",
        *packages,
    )


def prepare():
    """Makes ready what every part needs; what it gives is to be kept for as long as the run lasts."""
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    STATE.mkdir(parents=True, exist_ok=True)
    STATE.chmod(0o755)
    lock = (STATE / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"bench: another run is at work in {STATE}")
    install("wrk", "wrk")
    install("psql", "postgresql-client")
    run(ROOT / "scripts/install-postgres", env={**os.environ, "DATABASE_URL": ""})
    return lock


def commit():
    sha = run("git", "-C", ROOT, "rev-parse", "--short=10", "HEAD").strip()
    changed = run(
        "git", "-C", ROOT, "status", "--porcelain", "--", "src", "migrations", "Cargo.toml", "Cargo.lock"
    ).strip()
    given = ", a binary that was given" if os.environ.get("BINARY") else ""
    return f"{sha} with changes{given}" if changed else f"{sha}{given}"


def describe():
    """What the figures depend on, beside the commit."""
    cpu = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    kib = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(kib / 1048576),
        "kernel": platform.release(),
        "postgres": run(bindir() / "postgres", "--version").split()[2],
        "wrk": re.search(r"[\d.]+", run_any("wrk", "-v"))[0],
    }


def bindir():
    return pathlib.Path(run(ROOT / "scripts/postgres-bindir").strip())


def run_any(*command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout


def today():
    return datetime.date.today().isoformat()


RESULTS = BENCH / "results.json"


def results():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def store(part, figures):
    """Puts the figures of a part in the place of those of an earlier run; the other parts stay."""
    stored = results()
    stored[part] = {"commit": commit(), "date": today(), "machine": describe(), **figures}
    RESULTS.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
