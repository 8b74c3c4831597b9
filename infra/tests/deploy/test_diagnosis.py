"""Each rule of scripts/diagnose fires on its faults, and on nothing else. Run by `run`, on $FACTS, which it has gathered.

Every fault goes through the command itself. Each command that it names to mend one must be one that the aws command
understands.
"""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import faults

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "infra/diagnosis"))

import policies  # noqa: E402
import report  # noqa: E402
from table import RULES  # noqa: E402

HEALTHY = json.loads(Path(os.environ["FACTS"]).read_text())
NAMES = {rule.id for rule in [*RULES, report.UNEXPLAINED]}
FAILED = "(service blog-api) (task 1) failed ELB health checks in (target-group tg-blog-api)"
STEADY = "(service blog-api) has reached a steady state."


def causes(change=lambda facts: None):
    facts = copy.deepcopy(HEALTHY)
    change(facts)
    found = report.causes(facts)
    return found, report.text(facts, found)


def events(*newest_first):
    return lambda facts: [faults.event(facts, message) for message in newest_first]


class Faults(unittest.TestCase):
    def test_healthy_facts_have_no_cause(self):
        found, text = causes()
        self.assertEqual([], found)
        self.assertIn("Nothing is wrong.", text)

    def test_each_fault_fires_its_rule_and_no_other(self):
        for fault in faults.FAULTS:
            with self.subTest(fault.name):
                found, text = causes(fault.change)
                self.assertEqual(fault.rules, {rule.id for rule, _ in found}, text)
                self.assertIn(fault.words, text)
                self.assertIn(fault.mend, "\n".join(cause.mend for _, cause in found))
                for rule, cause in found:
                    self.assertTrue(cause.evidence, f"{rule.id} shows no evidence")

    def test_every_rule_has_a_fault_and_is_in_the_document(self):
        self.assertEqual(NAMES, set().union(*(fault.rules for fault in faults.FAULTS)))
        document = (REPOSITORY / "docs/deploy.md").read_text()
        self.assertEqual([], [name for name in NAMES if f"`{name}`" not in document])

    def test_saved_facts_are_judged_by_the_command(self):
        with tempfile.NamedTemporaryFile("w") as saved:
            facts = copy.deepcopy(HEALTHY)
            faults.no_such_tag(facts)
            json.dump(facts, saved)
            saved.flush()
            command = [REPOSITORY / "scripts/diagnose", "--from", saved.name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((1, True), (done.returncode, "[image-missing]" in done.stdout), done.stdout + done.stderr)

    def test_the_aws_command_understands_what_mends(self):
        text = "\n".join(causes(fault.change)[1] for fault in faults.FAULTS)
        mends = set(re.findall(r"^   (?:mend:|     ) .*?\b(aws .+)$", text, re.MULTILINE))
        # Only version 2 of the command, which docs/deploy.md asks for, can tail a log; `…` stands for what cannot be known.
        mends = [mend for mend in mends if not mend.startswith("aws logs tail") and "…" not in mend]
        self.assertGreater(len(mends), 30)
        nowhere = os.environ | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
        for mend in mends:
            # Files of the reader's own.
            line = re.sub(r"file://(secret|policy)\.json", "file://task-definition.json", mend)
            done = subprocess.run(["bash", "-c", line], env=nowhere, cwd=REPOSITORY, capture_output=True, text=True, check=False)
            self.assertIn("Could not connect", done.stderr, mend)

    def test_checkpoints_are_told_apart(self):
        _, text = causes(faults.check_of_another_path)
        self.assertEqual((1, 4), (text.count("checkpoint BROKEN"), text.count("checkpoint holds")))

    def test_what_aws_said_is_shown_with_another_cause(self):
        def change(facts):
            faults.no_grace_period(facts)
            faults.cannot_start(facts, "ResourceInitializationError: something new")

        self.assertIn("something new", causes(change)[1])

    def test_trouble_after_a_steady_state(self):
        self.assertIn("failed ELB health checks", causes(events(FAILED, STEADY))[1])


class Silence(unittest.TestCase):
    """What looks like a fault and is none."""

    def silent(self, change):
        self.assertEqual([], [(rule.id, cause.words) for rule, cause in causes(change)[0]])

    def test_private_subnets_behind_nat(self):
        def change(facts):
            faults.private(facts)
            for subnet in facts["subnets"]:
                nat = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
                subnet["Table"]["Routes"].append(nat)

        self.silent(change)

    def test_private_subnets_with_endpoints(self):
        def change(facts):
            faults.private(facts)
            faults.endpoints(facts, "ecr.api", "ecr.dkr", "s3", "logs", "secretsmanager")

        self.silent(change)

    def test_tasks_that_were_scaled_in(self):
        scaled_in = "Scaling activity initiated by deployment"
        self.silent(lambda facts: faults.stop(facts, scaled_in, 0, stop_code="ServiceSchedulerInitiated"))

    def test_a_migration_that_ended_well(self):
        def change(facts):
            faults.stop(facts, "Essential container in task exited", 0)
            facts["stopped"][0]["startedBy"] = "deploy"

        self.silent(change)

    def test_trouble_that_is_over(self):
        self.silent(events(STEADY, FAILED))

    def test_a_range_instead_of_a_group(self):
        ranges = {"UserIdGroupPairs": [], "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
        self.silent(lambda facts: faults.security_groups(facts)[0]["IpPermissions"][0].update(ranges))

    def test_a_secret_that_admits_only_the_task_role(self):
        self.silent(lambda facts: facts["secrets"][0].update(policy=faults.denial([facts["roles"]["task"]["arn"]])))

    def test_a_log_group_that_the_task_makes(self):
        self.silent(lambda facts: facts["logs"].update(found=False))

    def test_what_cannot_be_known(self):
        def change(facts):
            for role in facts["roles"].values():
                role.update(found=None, trust=None, may={})
            facts["caller"]["passes"] = dict.fromkeys(facts["caller"]["passes"])
            facts["image"].update(tag_found=None, repository_found=None)
            facts["secrets"][0].update(found=None, may=None)
            facts["target_groups"], facts["subnets"], facts["security_groups"] = [], [], {}

        self.silent(change)


class Policies(unittest.TestCase):
    """What IAM does not simulate."""

    role = "arn:aws:iam::123456789012:role/task"

    def test_the_policy_of_a_secret(self):
        for refuses, statement in [
            (True, {"Effect": "Deny", "Action": "*", "Principal": "*"}),
            (True, {"Effect": "Deny", "Action": "SecretsManager:getsecret*", "Principal": {"AWS": [self.role]}}),
            (True, {"Effect": "Deny", "NotAction": "iam:*", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}),
            (False, {"Effect": "Deny", "NotAction": "secretsmanager:*", "Principal": "*"}),
            (False, {"Effect": "Deny", "Action": "secretsmanager:Describe*", "Principal": "*"}),
            (False, {"Effect": "Deny", "Action": "*", "Principal": {"AWS": "arn:other"}}),
            (False, {"Effect": "Deny", "Action": "*", "NotPrincipal": {"AWS": self.role}}),
            (False, {"Effect": "Deny", "Action": "*", "Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
            (False, {"Effect": "Allow", "Action": "*", "Principal": "*"}),
        ]:
            with self.subTest(statement):
                self.assertEqual(refuses, policies.denies({"Statement": [statement]}, "secretsmanager:GetSecretValue", self.role))

    def test_who_may_assume_a_role(self):
        service = "ecs-tasks.amazonaws.com"
        for trusted, statement in [
            (True, {"Action": "sts:AssumeRole", "Principal": {"Service": ["ecs.amazonaws.com", service]}}),
            (False, {"Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}),
            (False, {"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "x"}}),
        ]:
            with self.subTest(statement):
                self.assertEqual(trusted, policies.trusts({"Statement": {"Effect": "Allow", **statement}}, service))


if __name__ == "__main__":
    unittest.main()
