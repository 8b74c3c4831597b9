"""usage: binary.py FOLDER BINARY POSTGRES-BINDIR: runs the program as the tasks that `apply FOLDER` has made."""

import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from account import enforced_policies, keys_of, outputs
from database import Database, free_port

TOKEN = "of-this-run"


class Credentials(http.server.ThreadingHTTPServer):
    """What ECS serves to each task: the keys of its role, to whoever has the token."""

    def __init__(self, keys):
        super().__init__(("127.0.0.1", 0), Answer)
        self.keys = keys
        self.answered = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        task = self.path.strip("/")
        allowed = self.headers["Authorization"] == TOKEN and task in self.server.keys
        self.send_response(200 if allowed else 403)
        self.end_headers()
        if allowed:
            keys = self.server.keys[task]
            self.server.answered.add(task)
            self.wfile.write(
                json.dumps(
                    {
                        "AccessKeyId": keys["AccessKeyId"],
                        "SecretAccessKey": keys["SecretAccessKey"],
                        "Token": keys["SessionToken"],
                        "Expiration": keys["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                    }
                ).encode()
            )

    def log_message(self, *_):
        pass


class Task:
    """The program in the environment of a task definition, and nothing else of this machine's environment."""

    def __init__(self, name, definition, credentials, database):
        self.command = definition["containerDefinitions"][0].get("command", ["serve"])
        self.port = free_port()
        self.environment = environment_of(definition)
        # What ECS adds, and where AWS is.
        self.environment |= {
            "AWS_REGION": os.environ["AWS_REGION"],
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{credentials.server_port}/{name}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN,
            "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        # What is local: the database, and ports that are free here. No balancer has to be waited for at the end.
        self.environment |= {
            "DB_HOST": "localhost",
            "DB_PORT": str(database.port),
            "DB_SSL_ROOT_CERT": str(database.root_certificate),
            "PORT": str(self.port),
            "METRICS_PORT": str(free_port()),
            "DRAIN_DELAY": "0",
        }

    def start(self, binary, log, **changes):
        with open(log, "ab") as file:
            return subprocess.Popen(
                [binary, *self.command],
                env=self.environment | changes,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None


def environment_of(definition):
    return {pair["name"]: pair["value"] for pair in definition["containerDefinitions"][0]["environment"]}


def check(words, right, evidence=""):
    if not right:
        sys.exit(f"FAILED: {words}: {evidence}")
    print(words)


def secret(arn):
    return json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def newest(family):
    return boto3.client("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]


def prove(folder, binary, bindir, work):
    made = outputs(folder)
    application, master = secret(made["application_secret_arn"]), secret(made["master_secret_arn"])
    definitions = {"migrate": newest(made["migrate_family"]), "serve": newest(made["service"])}
    credentials = Credentials({name: keys_of(definition["taskRoleArn"]) for name, definition in definitions.items()})
    name = environment_of(definitions["migrate"])["DB_NAME"]
    database = Database(work, bindir, name, master["username"], master["password"])
    log = work / "program.log"
    try:
        tasks = {name: Task(name, definition, credentials, database) for name, definition in definitions.items()}
        with enforced_policies():
            run(binary, log, tasks, made, database, application, master)
        check("the keys came from the credentials endpoint", credentials.answered == set(tasks), credentials.answered)
        said = log.read_text()
        for name, values in measured(said, made["log_group"]).items():
            check(f"the metric {name} counts {len(values)} of the program's lines", values and all(value > 0 for value in values), values)
        told = application["password"] in said or master["password"] in said
        check(f"no password is in {len(said.splitlines())} lines of log", said and not told)
    finally:
        database.stop()


def measured(log, group):
    """What CloudWatch counts in the program's log: the values of each metric, by Terraform's filters."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    values = {}
    for one in boto3.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"]:
        field, wanted = re.fullmatch(r'{ \$\.(\w+) = ("\w+"|\*) }', one["filterPattern"]).groups()
        transformation = one["metricTransformations"][0]
        value = transformation["metricValue"]
        values[transformation["metricName"]] = [
            line[value.removeprefix("$.")] if value.startswith("$.") else float(value)
            for line in lines if field in line and wanted in ("*", json.dumps(line[field]))
        ]  # fmt: skip
    return values


def run(binary, log, tasks, made, database, application, master):
    migrate, serve = tasks["migrate"], tasks["serve"]

    # The role that the service signs in with is not there before the migration.
    code = serve.start(binary, log).wait(60)
    check("before the migration, serve ends with 78", code == 78, last(log, code))
    code = migrate.start(binary, log).wait(60)
    check("migrate reads both secrets and ends with 0", code == 0, last(log, code))

    process = serve.start(binary, log)
    try:
        began = time.monotonic()
        while serve.get("/ready") != 200 and process.poll() is None and time.monotonic() - began < 30:
            time.sleep(0.1)
        check("serve reads its secret, and /ready is 200", serve.get("/ready") == 200, last(log, process.poll()))
        check("/v1/posts is 200", serve.get("/v1/posts") == 200, last(log, process.poll()))
        # A fault of ours, for the log.
        database.ask(master["username"], master["password"], "alter table posts rename to away")
        # Not the page above, which is kept in memory.
        check("without its table, /v1/posts is 500", serve.get("/v1/posts?limit=1") == 500, last(log, process.poll()))
        database.ask(master["username"], master["password"], "alter table away rename to posts")
    finally:
        process.terminate()
        code = process.wait(30)
    check("told to stop, it ends with 0", code == 0, last(log, code))

    user = application["username"], application["password"]
    done, said = database.ask(*user, "select count(*) from posts")
    check("its database role reads rows", done, said)
    for statement in ("create table mine (id int)", "drop table posts", "delete from _sqlx_migrations"):
        done, said = database.ask(*user, statement)
        check(
            f"its database role may not: {statement}", not done and ("denied" in said or "must be owner" in said), said
        )

    code = serve.start(binary, log, DB_SECRET_ID=made["master_secret_arn"]).wait(60)
    said = last(log, code)
    check(f"with the master secret, serve ends with 78: {said[1]}", code == 78 and "access denied" in said[1], said)


def last(log, code):
    return code, (log.read_text().splitlines() or [""])[-1]


def main():
    folder, binary, bindir = sys.argv[1:]
    # Where the user that PostgreSQL runs as can get to.
    with tempfile.TemporaryDirectory() as work:
        prove(folder, binary, Path(bindir), Path(work))


main()
