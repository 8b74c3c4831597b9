"""Runs `terraform test` on a copy of infra/ and reads what it would have made."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from resource_rules import REPOSITORY

HERE = Path(__file__).parent
# Half of Terraform's time here would go into collecting the garbage of the provider's large schema.
ENVIRONMENT = {**os.environ, "GOGC": "off", "GOMEMLIMIT": "1500MiB"}


class TestsFailed(Exception):
    """What Terraform said."""


def copy(to):
    """infra/, what it reads and the workflows, ready to be tested, in the folder `to`."""
    ignore = shutil.ignore_patterns(".terraform*", "*.tfstate*", "terraform.tfvars", "backend.hcl", "emulator")
    shutil.copytree(REPOSITORY / "infra", to / "infra", ignore=ignore)
    shutil.copytree(REPOSITORY / ".github", to / ".github")
    shutil.copy(REPOSITORY / "task-definition.json", to)
    return to


def validate(folder):
    """What Terraform finds wrong with infra/production as it is written."""
    answer = terraform(folder, "production", "validate", "-json", check=False)
    return [one["summary"] + ": " + one["detail"] for one in json.loads(answer)["diagnostics"]]


def apply(folder, root, *more):
    """Runs the test of `root`, and those named beside it: every resource of the run `defaults`, by address."""
    tests = folder / "infra" / root / "tests"
    tests.mkdir()
    for name in (root, *more):
        shutil.copy(HERE / f"{name}.tftest.hcl", tests)
    shutil.copytree(HERE / "mocks", tests / "mocks")
    if root == "production":
        # Terraform's mocks have no ephemeral resources.
        password = folder / "infra/modules/database/password.tf"
        password.write_text('locals {\n  application_password = "mock"\n}\n')

    state, failures = None, []
    for line in terraform(folder, root, "test", "-json", "-verbose", check=False).splitlines():
        event = json.loads(line)
        if event["type"] == "test_state":
            state = event["test_state"]["root_module"]
        elif event["@level"] == "error":
            failures.append(event["@message"] + " " + event.get("diagnostic", {}).get("detail", ""))
        elif event["type"] == "test_run" and event["test_run"].get("status") in ("fail", "error"):
            failures.append(event["@message"])
    if failures or state is None:
        raise TestsFailed("\n".join([f"terraform test in {root}:", *failures]))
    return {one["address"]: one for one in resources(state)}


def resources(module):
    yield from (one for one in module.get("resources", []) if one["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from resources(child)


def terraform(folder, root, *arguments, check=True):
    cwd = folder / "infra" / root
    if not (cwd / ".terraform").exists() and arguments[0] != "init":
        terraform(folder, root, "init", "-backend=false")
    done = subprocess.run(
        ["terraform", *arguments, "-no-color"], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True
    )
    if check and done.returncode:
        raise TestsFailed(f"terraform {' '.join(arguments)} in {root}:\n{done.stdout}{done.stderr}")
    return done.stdout
