"""A PostgreSQL as RDS runs one: TLS with a certificate of its own authority, passwords, an owner who is no superuser."""

import os
import pwd
import shutil
import socket
import subprocess

KEY = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"


class Database:
    def __init__(self, folder, bindir, name, owner, password):
        self.folder, self.bindir, self.name, self.port = folder, bindir, name, free_port()
        # PostgreSQL refuses to run as root.
        self.user = None
        if os.getuid() == 0:
            self.user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
            shutil.chown(folder, self.user)
        self.root_certificate = folder / "root.crt"
        self.run(f"{KEY} -subj '/CN=Test authority' -keyout root.key -out root.crt")
        self.run(
            f"{KEY} -CA root.crt -CAkey root.key -subj /CN=localhost -addext subjectAltName=DNS:localhost"
            " -addext basicConstraints=critical,CA:FALSE -keyout server.key -out server.crt"
        )
        self.run(f"{bindir}/initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync")
        (folder / "data/pg_hba.conf").write_text("local all postgres trust\nhostssl all all samehost scram-sha-256\n")
        settings = f"-k {folder} -p {self.port} -c listen_addresses=localhost -F"
        settings += f" -c ssl=on -c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key"
        self.run(f"{bindir}/pg_ctl -D data -l log -w -o '{settings}' start")
        quoted = password.replace("'", "''")
        self.run(f"{bindir}/psql -h {folder} -p {self.port} -U postgres -q", (
            f"create role {owner} login createrole createdb password '{quoted}';\ncreate database {name} owner {owner};\n"
        ))  # fmt: skip

    def run(self, command, given=""):
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, user=self.user, input=given, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
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
        self.run(f"{self.bindir}/pg_ctl -D data -m immediate stop")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
