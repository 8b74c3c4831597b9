"""A PostgreSQL as RDS runs one: TLS with a certificate of its own authority, passwords, an owner who is no superuser."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess


class Database:
    def __init__(self, folder, bindir, name, owner, password):
        self.folder, self.bindir, self.name = folder, bindir, name
        self.port = free_port()
        # PostgreSQL refuses to run as root.
        self.user = None
        if os.getuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(folder, self.user)
        self.root_certificate = folder / "root.crt"
        self.make_certificates()
        self.run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        (folder / "data/pg_hba.conf").write_text("local all postgres trust\nhostssl all all samehost scram-sha-256\n")
        settings = f"-k {folder} -p {self.port} -c listen_addresses=localhost -c ssl=on -F"
        settings += f" -c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key"
        self.run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", settings, "start")
        for statement in (
            f"create role {owner} login createrole createdb password '{password.replace(chr(39), chr(39) * 2)}'",
            f"create database {name} owner {owner}",
        ):
            self.run("psql", "-h", str(folder), "-p", str(self.port), "-U", "postgres", "-qc", statement)

    def make_certificates(self):
        names = self.folder / "names"
        names.write_text("subjectAltName=DNS:localhost\n")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for command in (
            ["req", "-x509", *key, "-days", "1", "-subj", "/CN=Test authority", "-keyout", "root.key", "-out", "root.crt"],
            ["req", *key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"],
            ["x509", "-req", "-in", "server.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial",
             "-days", "1", "-extfile", "names", "-out", "server.crt"],
        ):  # fmt: skip
            self.run("openssl", *command)

    def run(self, command, *arguments):
        path = self.bindir / command
        done = subprocess.run(
            [str(path) if path.exists() else command, *arguments],
            cwd=self.folder, user=self.user, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{command} failed: {done.stdout}")

    def ask(self, user, password, statement):
        """`(whether it was done, what the server said)`, over TLS, as the program connects."""
        target = f"host=localhost port={self.port} dbname={self.name} user={user}"
        target += f" sslmode=verify-full sslrootcert={self.root_certificate}"
        done = subprocess.run(
            [self.bindir / "psql", target, "-qAtc", statement],
            env={"PGPASSWORD": password}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode == 0, (done.stdout + done.stderr).strip()

    def stop(self):
        with contextlib.suppress(SystemExit):
            self.run("pg_ctl", "-D", "data", "-m", "immediate", "stop")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
