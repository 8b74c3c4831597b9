"""What is measured: this service, an earlier one, the HTTP limit, the peers. Each starts, answers and stops."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from . import postgres
from .machine import BENCH, ROOT, STATE, install, run, say

# Nobody is held back, and nothing is said: a benchmark has one address, and 1,000 accounts that never rest.
UNLIMITED = {
    "RATE_LIMIT_ADDRESS": "off",
    "RATE_LIMIT_ACCOUNT": "off",
    "RATE_LIMIT_ACCOUNT_KIB": "off",
    "ATTEMPT_LIMITS": "off",
    "ADDRESS_CONCURRENCY": "off",
    "LOG_LEVEL": "warn",
    "METRICS_PORT": "0",
    "MIGRATE_ON_START": "false",
}


def binary(tree=ROOT):
    """The release binary of a checkout, as the image has it. BINARY and BASE_BINARY name those already built."""
    built = os.environ.get("BINARY" if tree == ROOT else "BASE_BINARY")
    if built:
        return pathlib.Path(built).resolve()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", STATE / "target"))
    say(f"building {tree.name}")
    run(
        "cargo",
        "rustc",
        "--release",
        "--locked",
        "--no-default-features",
        "--package",
        "blog-api",
        "--bin",
        "blog-api",
        "--",
        "-C",
        "llvm-args=-inline-threshold=25",
        cwd=tree,
        quiet=False,
        env={**os.environ, "CARGO_TARGET_DIR": str(target), "SQLX_OFFLINE": "true"},
    )
    copy = STATE / f"blog-api-{tree.name}"
    shutil.copy2(target / "release/blog-api", copy)
    return copy


def base(commit):
    """A checkout of another commit."""
    sha = run("git", "-C", ROOT, "rev-parse", "--short=10", f"{commit}^{{commit}}").strip()
    tree = STATE / f"base-{sha}"
    if not tree.exists():
        run("git", "-C", ROOT, "worktree", "prune")
        run("git", "-C", ROOT, "worktree", "add", "--detach", tree, sha)
    return sha, tree


class Server:
    """A process that answers HTTP."""

    def __init__(self, name, command, port, environment=None, cwd=None, ready="/health"):
        self.name, self.command, self.port, self.ready = name, [str(word) for word in command], port, ready
        self.environment, self.cwd, self.process = environment or {}, cwd, None
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self):
        # Or another one would be measured, such as that of a run that was killed.
        with socket.socket() as other:
            if other.connect_ex(("127.0.0.1", self.port)) == 0:
                sys.exit(f"bench: something answers on port {self.port} already")
        self.log = (STATE / f"{self.name.replace(' ', '-')}.log").open("wb")
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            cwd=self.cwd,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        await_answer(self.url + self.ready, lambda: self.process.poll() is None, self.log.name)
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()

    def memory_mib(self, field="VmRSS"):
        """What the process has, or had at most (`VmHWM`), with its children."""
        pids = [self.process.pid, *map(int, run_children(self.process.pid))]
        return round(sum(status_kib(pid, field) for pid in pids) / 1024, 1)


def run_children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], text=True, stdout=subprocess.PIPE)
    return found.stdout.split()


def status_kib(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def await_answer(url, lives, log, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end and lives():
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.02)
    sys.exit(f"bench: {url} does not answer, see {log}")


def service(name, program, database, port=8190, **environment):
    return Server(
        name,
        [program, "serve"],
        port,
        ready="/ready",
        environment={**UNLIMITED, "DATABASE_URL": postgres.url(database), "PORT": str(port), **environment},
    )


def http_limit(sizes, port=8180):
    """Bare axum that answers from memory, with bodies as long as ours of a list, a post and its comments."""
    target = STATE / "target-limit"
    run(
        "cargo",
        "build",
        "--release",
        "--locked",
        cwd=BENCH / "limit",
        env={**os.environ, "CARGO_TARGET_DIR": str(target)},
    )
    return Server("HTTP limit", [target / "release/limit", port, *sizes], port)


def _venv(peer):
    """The peer's packages, installed once for each version of its list."""
    requirements = BENCH / "peers" / peer / "requirements.txt"
    folder = STATE / f"venv-{peer}"
    installed = folder / "requirements.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        say(f"installing the packages of {peer}")
        shutil.rmtree(folder, ignore_errors=True)
        install("pip3", "python3-venv", "python3-pip")
        run(sys.executable, "-m", "venv", folder)
        run(folder / "bin/pip", "install", "-q", "-r", requirements)
        shutil.copy(requirements, installed)
    return folder / "bin"


def fastapi(database, port=8181):
    url = postgres.url(database).replace("postgres://", "postgresql+asyncpg://")
    return Server(
        "FastAPI",
        [
            _venv("fastapi") / "uvicorn",
            "main:app",
            "--port",
            port,
            "--workers",
            "2",
            "--no-access-log",
            "--log-level",
            "warning",
        ],
        port,
        cwd=BENCH / "peers/fastapi",
        environment={"DATABASE_URL": url},
    )


def django(database, port=8182):
    # Threads: the fastest of those that were tried, with as many processes as the other peer has.
    return Server(
        "Django REST",
        [
            _venv("django") / "gunicorn",
            "blog:application",
            "-b",
            f"127.0.0.1:{port}",
            "-w",
            "2",
            "-k",
            "gthread",
            "--threads",
            "4",
            "--keep-alive",
            "30",
            "--log-level",
            "warning",
        ],
        port,
        cwd=BENCH / "peers/django",
        environment={"PGPORT": str(postgres.PORT), "PGDATABASE": database},
    )
