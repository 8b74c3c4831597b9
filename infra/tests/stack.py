"""Copies infra/, and reads what `terraform test` and checkov tell of a copy."""

import json
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
# Half of Terraform's time here would go into collecting the garbage of the provider's large schema.
ENVIRONMENT = {**os.environ, "GOGC": "off", "GOMEMLIMIT": "1500MiB"}


class TestsFailed(Exception):
    """What the program said."""


class State:
    """The resources that Terraform has made; each is its values, its address and what it depends on. `plans` has
    what was known of them before, by run and address; `computed` the attributes that only AWS decides, by type."""

    def __init__(self, module, schemas, plans):
        self.resources, self.plans = list(self.managed(module)), plans
        self.computed = {
            kind: {name for name, one in schema["block"]["attributes"].items() if not one.keys() & {"optional", "required"}}
            for provider in schemas.values() for kind, schema in provider.get("resource_schemas", {}).items()
        }  # fmt: skip

    def managed(self, module):
        for one in module.get("resources", []):
            if one["mode"] == "managed":
                values = {**one["values"], "address": one["address"], "depends_on": one.get("depends_on", [])}
                yield one["type"], one["name"], values
        for child in module.get("child_modules", []):
            yield from self.managed(child)

    def of(self, what):
        """Those of a type, or of a type and name: `aws_lb_listener.https`."""
        kind, _, name = what.partition(".")
        return [values for its_kind, its_name, values in self.resources if its_kind == kind and name in ("", its_name)]

    def one(self, what):
        return self.of(what)[0]

    def statements(self, role):
        return json.loads(self.one(f"aws_iam_role_policy.{role}")["policy"])["Statement"]


def copy(to):
    """infra/, what it reads and the workflows, ready to be tested, in the folder `to`."""
    ignore = shutil.ignore_patterns(".terraform*", "*.tfstate*", "terraform.tfvars", "backend.hcl")
    for folder in ("bootstrap", "production", "modules"):
        shutil.copytree(REPOSITORY / "infra" / folder, to / "infra" / folder, ignore=ignore)
    shutil.copytree(REPOSITORY / ".github", to / ".github")
    shutil.copy(REPOSITORY / "task-definition.json", to)
    return to


def validate(folder):
    """What Terraform finds wrong with infra/production as it is written."""
    answer = terraform(folder, "production", "validate", "-json")
    return [one["summary"] + ": " + one["detail"] for one in json.loads(answer)["diagnostics"]]


def apply(folder, root, *more):
    """Runs the test of `root`, and those named beside it: the state of the run `defaults`, and the plans of the others."""
    tests = folder / "infra" / root / "tests"
    shutil.copytree(HERE / "mocks", tests / "mocks")
    for name in (root, *more):
        shutil.copy(HERE / f"{name}.tftest.hcl", tests)
    if root == "production":
        # Terraform's mocks have no ephemeral resources.
        password = folder / "infra/modules/database/password.tf"
        password.write_text('locals {\n  application_password = "mock"\n}\n')
        # Another token each time would be another golden/.
        events = folder / "infra/modules/service/mail_events.tf"
        events.write_text(events.read_text().replace("uuid()", '"mock"'))

    state, plans, failures = None, {}, []
    for line in terraform(folder, root, "test", "-json", "-verbose").splitlines():
        event = json.loads(line)
        if event["type"] == "test_state":
            state = event["test_state"]["root_module"], event["test_state"]["provider_schemas"]
        elif event["type"] == "test_plan":
            plans[event["@testrun"]] = {one["address"]: one["change"]["after"] for one in event["test_plan"].get("resource_changes", [])}
        elif event["@level"] == "error":
            failures.append(event["@message"] + " " + event.get("diagnostic", {}).get("detail", ""))
        elif event["type"] == "test_run" and event["test_run"].get("status") in ("fail", "error"):
            failures.append(event["@message"])
    if failures or state is None:
        raise TestsFailed("\n".join([f"terraform test in {root}:", *failures]))
    return State(*state, plans)


def terraform(folder, root, *arguments):
    cwd = folder / "infra" / root
    if not (cwd / ".terraform").exists() and arguments[0] != "init":
        terraform(folder, root, "init", "-backend=false")
    done = subprocess.run(
        ["terraform", *arguments, "-no-color"], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if arguments[0] == "init" and done.returncode:
        raise TestsFailed(f"terraform init in {root}:\n{done.stdout}{done.stderr}")
    return done.stdout


def checkov(folder):
    """What checkov finds, as (where, rule, why)."""
    done = subprocess.run(
        [os.environ["CHECKOV"], "--directory", "infra", "--framework", "terraform", "--skip-download", "--output", "json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout or "{}")
    # A file that it cannot read is a file that it has not checked.
    if not report.get("summary", {}).get("passed") or report["summary"]["parsing_errors"]:
        raise TestsFailed(f"checkov has not read all of infra/:\n{done.stdout[-2000:]}{done.stderr}")
    return [(one["resource"], one["check_id"], one["check_name"]) for one in report["results"]["failed_checks"]]
