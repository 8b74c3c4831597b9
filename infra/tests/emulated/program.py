"""usage: program.py FOLDER BINARY POSTGRES-BINDIR: with policies enforced, runs the program with the roles and task
definitions that Terraform has made from FOLDER, on a PostgreSQL of its own that demands TLS and passwords, and sees that
it gets in where it should and nowhere else."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from database import Database, free_port


class Task:
    """The program in the environment of a task definition, and nothing else of this machine's environment."""

    def __init__(self, family, database):
        definition = boto3.client("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]
        keys = boto3.client("sts").assume_role(RoleArn=definition["taskRoleArn"], RoleSessionName="test")["Credentials"]
        box = definition["containerDefinitions"][0]
        self.command, self.port = box.get("command", ["serve"]), free_port()
        self.environment = {pair["name"]: pair["value"] for pair in box["environment"]}
        # What stands for what ECS adds, and where AWS is.
        self.environment |= {name: os.environ[name] for name in ("AWS_REGION", "AWS_ENDPOINT_URL")} | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        # What is local: the database, and ports that are free here. No balancer has to be waited for at the end.
        self.environment |= {
            "DB_HOST": "localhost", "DB_PORT": str(database.port), "DB_SSL_ROOT_CERT": str(database.root_certificate),
            "PORT": str(self.port), "METRICS_PORT": str(free_port()), "DRAIN_DELAY": "0",
        }  # fmt: skip

    def start(self, binary, log, **changes):
        with open(log, "ab") as file:
            environment = self.environment | changes
            return subprocess.Popen([binary, *self.command], env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None


@contextlib.contextmanager
def enforced_policies():
    """Until the end of the block every call needs a policy that allows it."""
    url = os.environ["AWS_ENDPOINT_URL"] + "/moto-api/reset-auth"

    def enforce_after(requests):
        urllib.request.urlopen(urllib.request.Request(url, requests, {"Content-Type": "text/plain"})).read()

    enforce_after(b"0")
    try:
        yield
    finally:
        enforce_after(b"inf")


def check(words, right, evidence=""):
    if not right:
        sys.exit(f"FAILED: {words}: {evidence}")
    print(words)


def secret(arn):
    return json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def measured(log, group):
    """What CloudWatch counts in the program's log: the values of each metric, by Terraform's filters."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    for one in boto3.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"]:
        field, wanted = re.fullmatch(r'{ \$\.(\w+) = ("\w+"|\*) }', one["filterPattern"]).groups()
        metric = one["metricTransformations"][0]
        counted = [line for line in lines if field in line and wanted in ("*", json.dumps(line[field]))]
        value = metric["metricValue"]
        yield metric["metricName"], [line[value[2:]] if value.startswith("$.") else float(value) for line in counted]


def run(binary, log, migrate, serve, made, database, application, master):
    def ends(task, **changes):
        return last(task.start(binary, log, **changes).wait(60))

    def last(code):
        return code, (log.read_text().splitlines() or [""])[-1]

    # The role that the service signs in with is not there before the migration.
    code, said = ends(serve)
    check("before the migration, serve ends with 78", code == 78, said)
    code, said = ends(migrate)
    check("migrate reads both secrets and ends with 0", code == 0, said)

    owner = master["username"], master["password"]
    process = serve.start(binary, log)
    try:
        began = time.monotonic()
        while serve.get("/ready") != 200 and process.poll() is None and time.monotonic() - began < 30:
            time.sleep(0.1)
        check("serve reads its secret, and /ready is 200", serve.get("/ready") == 200, last(process.poll()))
        check("/v1/posts is 200", serve.get("/v1/posts") == 200, last(process.poll()))
        # A fault of ours, for the log.
        database.ask(*owner, "alter table posts rename to away")
        # Not the page above, which is kept in memory.
        check("without its table, /v1/posts is 500", serve.get("/v1/posts?limit=1") == 500, last(process.poll()))
        database.ask(*owner, "alter table away rename to posts")
    finally:
        process.terminate()
        code = process.wait(30)
    check("told to stop, it ends with 0", code == 0, last(code))

    user = application["username"], application["password"]
    done, said = database.ask(*user, "select count(*) from posts")
    check("its database role reads rows", done, said)
    for statement in ("create table mine (id int)", "drop table posts", "delete from _sqlx_migrations"):
        done, said = database.ask(*user, statement)
        check(f"its database role may not: {statement}", not done and ("denied" in said or "must be owner" in said), said)

    code, said = ends(serve, DB_SECRET_ID=made["master_secret_arn"])
    check(f"with the master secret, serve ends with 78: {said}", code == 78 and "access denied" in said, said)


def main():
    folder, binary, bindir = sys.argv[1:]
    told = subprocess.check_output(["terraform", f"-chdir={folder}/infra/production", "output", "-json"])
    made = {name: output["value"] for name, output in json.loads(told).items()}
    application, master = secret(made["application_secret_arn"]), secret(made["master_secret_arn"])
    # Where the user that PostgreSQL runs as can get to.
    with tempfile.TemporaryDirectory() as work:
        log = Path(work) / "program.log"
        database = Database(Path(work), Path(bindir), application["dbname"], master["username"], master["password"])
        try:
            migrate, serve = Task(made["migrate_family"], database), Task(made["service"], database)
            with enforced_policies():
                run(binary, log, migrate, serve, made, database, application, master)
        finally:
            database.stop()
        said = log.read_text()
        for name, values in measured(said, made["log_group"]):
            check(f"the metric {name} counts {len(values)} of the program's lines", values and all(value > 0 for value in values), values)
        told = application["password"] in said or master["password"] in said
        check(f"no password is in {len(said.splitlines())} lines of log", said and not told)


main()
