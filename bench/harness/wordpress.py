"""WordPress from Debian's packages: nginx, php-fpm and MariaDB, with the same posts, comments and tags."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import time

from . import postgres
from .machine import BENCH, STATE, install, run, say
from .servers import Server

FILES = BENCH / "peers/wordpress"
FOLDER = STATE / "wordpress"
PORT = 8183
PACKAGES = [
    "wordpress",
    "wordpress-theme-twentytwentythree",
    "php-fpm",
    "php-mysql",
    "php-xml",
    "php-mbstring",
    "mariadb-server",
    "nginx-light",
]


def available():
    """Whether this is a Debian that has it, and we may install it."""
    if os.geteuid() != 0 or not shutil.which("apt-cache"):
        return False
    return (
        subprocess.run(
            ["apt-cache", "show", "wordpress"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
        == 0
    )


def configured(name):
    file = FOLDER / name
    file.write_text((FILES / name).read_text().replace("@STATE@", str(FOLDER)).replace("@PORT@", str(PORT)))
    return file


def sql(statements, *more):
    run(
        "mariadb",
        "--no-defaults",
        "--local-infile=1",
        "-S",
        FOLDER / "mysql.sock",
        "-u",
        "root",
        *more,
        input=statements,
        cwd=FOLDER,
    )


class Database(Server):
    """MariaDB, which answers on a socket."""

    def __enter__(self):
        self.log = (STATE / "mariadb.log").open("wb")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        while subprocess.run(
            ["mariadb-admin", "--no-defaults", "-S", FOLDER / "mysql.sock", "-u", "root", "ping"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode:
            if self.process.poll() is not None:
                raise SystemExit(f"bench: MariaDB does not start, see {FOLDER}/mysql.log")
            time.sleep(0.2)
        return self


def mariadb():
    return Database("MariaDB", ["mariadbd", f"--defaults-file={configured('mariadb.cnf')}"], 0)


def php(*arguments):
    run("php", *arguments, env={**os.environ, "HTTP_HOST": "127.0.0.1"})


def set_up(data_set):
    """Installs the packages and the site, and loads the data set; once for each data set."""
    done = FOLDER / "data-set"
    if done.exists() and done.read_text() == data_set:
        return
    say("installing WordPress")
    if not pathlib.Path("/usr/share/wordpress").exists():
        # No server of the distribution's own.
        policy = pathlib.Path("/usr/sbin/policy-rc.d")
        ours = not policy.exists()
        if ours:
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        install("/usr/share/wordpress/wp-load.php", *PACKAGES)
        if ours:
            policy.unlink()
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "mysql").mkdir(parents=True)
    shutil.chown(FOLDER, "mysql")
    shutil.chown(FOLDER / "mysql", "mysql")
    run(
        "mariadb-install-db",
        f"--defaults-file={configured('mariadb.cnf')}",
        "--auth-root-authentication-method=socket",
        "--skip-test-db",
    )
    shutil.copy(configured("config.php"), "/etc/wordpress/config-127.0.0.1.php")
    with mariadb():
        sql(
            "create database wordpress character set utf8mb4; grant all on wordpress.* to wordpress@localhost identified by 'wordpress'"
        )
        php(FILES / "install.php")
        run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", FILES / "export.sql", postgres.url(data_set), cwd=FOLDER)
        sql((FILES / "load.sql").read_text(), "wordpress")
    (FOLDER / "ids").write_text(
        "".join(f"{10000 + n}\n" for n in range(1, int(postgres.value("select posts from bench.size", data_set)) + 1))
    )
    done.write_text(data_set)


class WordPress(Server):
    """nginx, once php-fpm and MariaDB run."""

    ids = FOLDER / "ids"
    # Twice as many as it works on: of 64, each waits longer than a run lasts.
    connections = 8

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(mariadb())
        fpm = next(pathlib.Path("/usr/sbin").glob("php-fpm*"))
        self.fpm = subprocess.Popen(
            [fpm, "--nodaemonize", "-y", configured("php-fpm.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.stack.callback(self.fpm.wait)
        self.stack.callback(self.fpm.terminate)
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        self.stack.close()


def wordpress(data_set):
    set_up(data_set)
    return WordPress(
        "WordPress",
        ["nginx", "-c", configured("nginx.conf"), "-e", FOLDER / "nginx.log"],
        PORT,
        ready="/wp-json/wp/v2/posts/10001",
    )
