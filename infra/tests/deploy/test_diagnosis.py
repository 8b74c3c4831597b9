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
import unittest.mock
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path += [str(REPOSITORY / "infra/diagnosis"), str(REPOSITORY / "infra/tests")]

import facts  # noqa: E402
import faults  # noqa: E402
import policies  # noqa: E402
import report  # noqa: E402
from table import RULES  # noqa: E402

HEALTHY = json.loads(Path(os.environ["FACTS"]).read_text())
NAMES = {rule.id for rule in [*RULES, report.UNEXPLAINED]}


def causes(*changes):
    known = copy.deepcopy(HEALTHY)
    for change in changes:
        change(known)
    found = report.causes(known)
    return found, report.text(known, found)


def of(name):
    return next(fault.change for fault in faults.FAULTS if fault.name == name)


class Faults(unittest.TestCase):
    def test_healthy_facts_have_no_cause(self):
        found, text = causes()
        self.assertEqual([], found)
        self.assertIn("Nothing is wrong.", text)

    def test_only_a_steady_service_that_was_seen_is_well(self):
        _, text = causes(faults.put("service.deployments.0.rolloutState", "IN_PROGRESS"))
        self.assertIn("not steady yet", text)
        _, text = causes(faults.add("unknown", "aws rds describe-db-instances: AccessDenied"))
        for each in (text, causes(faults.put("service.deployments.0.rolloutState", "IN_PROGRESS"))[1]):
            self.assertNotIn("Nothing is wrong", each)
            self.assertIn("Not looked at: network ACLs", each)

    def test_a_record_that_is_not_read_is_named(self):
        for read, change in [(False, faults.leads(zone=None)), (True, faults.leads(HEALTHY["target_groups"][0]["LoadBalancers"][0]["DNSName"]))]:
            self.assertEqual(read, "the domain's record" not in causes(change)[1])

    def test_a_mail_server_is_named(self):
        self.assertIn(report.MAIL, causes(faults.variable("MAIL_URL", "smtps://mail.example.com"))[1])
        self.assertNotIn(report.MAIL, causes(faults.variable("MAIL_URL", "ses:"))[1])

    def test_where_ready_was_not_asked_is_named(self):
        self.assertIn(report.READY, causes(faults.put("ready", None))[1])
        self.assertNotIn(report.READY, causes()[1])

    def test_what_is_over_is_shown(self):
        for name, words in [
            ("a task that Spot took back", "AWS took the Spot capacity back, which is no fault"),
            ("a task whose machine was retired", "AWS retired the machine below, which is no fault"),
            ("a rollout that an alarm took back, and that is over", "an alarm has taken a rollout back"),
        ]:
            self.assertIn(words, causes(*faults.HARMLESS[name])[1])

    def test_each_fault_fires_its_rule_and_no_other(self):
        for fault in faults.FAULTS:
            with self.subTest(fault.name):
                found, text = causes(fault.change)
                self.assertEqual(set(fault.rules.split()), {rule.id for rule, _ in found}, text)
                self.assertIn(fault.words, text)
                self.assertIn(fault.mend, "\n".join(cause.mend for _, cause in found))
                for rule, cause in found:
                    self.assertTrue(cause.evidence, f"{rule.id} shows no evidence")

    def test_every_rule_has_a_fault_and_is_in_the_document(self):
        self.assertEqual(NAMES, {name for fault in faults.FAULTS for name in fault.rules.split()})
        document = (REPOSITORY / "docs/deploy.md").read_text()
        self.assertEqual([], [name for name in NAMES if f"`{name}`" not in document])

    def test_saved_facts_are_judged_by_the_command(self):
        with tempfile.NamedTemporaryFile("w") as saved:
            known = copy.deepcopy(HEALTHY)
            of("no such tag")(known)
            json.dump(known, saved)
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
        _, text = causes(of("check of another path"))
        self.assertEqual((1, 4), (text.count("checkpoint BROKEN"), text.count("checkpoint holds")))

    def test_what_aws_said_is_shown_with_another_cause(self):
        new = "ResourceInitializationError: something new"
        self.assertIn(new, causes(of("no grace period"), faults.cannot_start(new))[1])

    def test_trouble_after_a_steady_state(self):
        trouble = faults.event(faults.FAILED), faults.event(faults.STEADY)
        self.assertIn("failed ELB health checks", causes(*trouble)[1])

    def test_what_is_harmless_has_no_cause(self):
        for name, changes in faults.HARMLESS.items():
            with self.subTest(name):
                self.assertEqual([], [(rule.id, cause.words) for rule, cause in causes(*changes)[0]])


class Asking(unittest.TestCase):
    """What the answers of AWS are taken for."""

    definition = {"family": "blog-api", "taskDefinitionArn": "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/blog-api:1", "containerDefinitions": [{}]}
    service = {"serviceArn": "arn:aws:ecs:ap-northeast-2:123456789012:service/blog-cluster/blog-api", "taskDefinition": "blog-api:1"}

    def test_an_answer_that_does_not_come_is_unknown(self):
        gatherer = facts.Gatherer()
        with unittest.mock.patch.object(facts.subprocess, "run", side_effect=subprocess.TimeoutExpired("aws", 60)):
            self.assertEqual((None, {}), gatherer.look("rds", "describe-db-instances"))
        self.assertEqual(["aws rds describe-db-instances: no answer in 60 s"], gatherer.unknown)

    def test_which_database_is_the_service_s(self):
        def instance(name):
            return {"DBInstanceIdentifier": name, "Endpoint": {"Address": f"{name}.abc.ap-northeast-2.rds.amazonaws.com"}}

        blog, old = instance("blog"), instance("blog-old")
        for host, asked, known, expected, gone in [
            (faults.HOST, True, [old, blog], ["blog"], False),
            (faults.HOST, True, [old], [], True),
            (faults.HOST, None, [], [], False),
            (None, True, [old, blog], ["blog-old", "blog"], False),
            (None, True, [], [], True),
            # Of clusters, of proxies and of other places RDS tells elsewhere, or not at all.
            ("blog.cluster-abc.ap-northeast-2.rds.amazonaws.com", True, [old], ["blog-old"], False),
            ("blog.proxy-abc.ap-northeast-2.rds.amazonaws.com", True, [], [], False),
            ("blog.abc.eu-west-1.rds.amazonaws.com", True, [], [], False),
            ("database.example.com", True, [], [], False),
        ]:
            migrates = {"taskDefinition": {"containerDefinitions": [{"environment": [{"name": "DB_HOST", "value": host}] if host else []}]}}
            gatherer = facts.Gatherer()
            gatherer.look = lambda *words, asked=asked, known=known, migrates=migrates, **_: (
                (True, migrates) if words[0] == "ecs" else (asked, {"DBInstances": known} if asked else {})
            )
            with self.subTest(host=host, known=known):
                found = gatherer.databases(self.service, self.definition, [])
                self.assertEqual((expected, gone), ([d["DBInstanceIdentifier"] for d in found["databases"]], found["database"]["gone"]))

    def test_whose_identity_sends(self):
        settings = [{"name": "MAIL_URL", "value": "ses:"}, {"name": "MAIL_FROM", "value": "My blog <blog@example.com>"}]
        definition = self.definition | {"containerDefinitions": [{"environment": settings}]}
        for address, domain, identity, found in [
            (False, True, "example.com", True), (True, False, "blog@example.com", True), (False, False, "example.com", False), (False, None, "example.com", None),
        ]:  # fmt: skip
            gatherer = facts.Gatherer()
            gatherer.look = lambda *words, address=address, domain=domain, **_: (address if "blog@example.com" in words else domain, {})
            known = gatherer.mail(definition)
            self.assertEqual((identity, found, "blog@example.com"), (known["identity"], known["found"], known["sender"]))
        self.assertIsNone(facts.Gatherer().mail(self.definition))

    def test_ready_is_asked_where_it_is_known_how(self):
        self.assertIsNone(facts.Gatherer().ready(None))
        gatherer = facts.Gatherer()
        self.assertEqual(None, gatherer.ready("http://127.0.0.1:9")["reason"])
        self.assertEqual(1, len(gatherer.unknown))


class Rights(unittest.TestCase):
    def test_what_iam_answers(self):
        denied = {"EvalActionName": "a", "EvalDecision": "implicitDeny"}
        allowed, unclear = denied | {"EvalDecision": "allowed"}, denied | {"MissingContextValues": ["aws:SourceIp"]}
        for may, results in [(True, [denied, allowed]), (False, [denied, denied]), (None, [denied, unclear]), (None, [])]:
            gatherer = facts.Gatherer()
            # An answer for each resource.
            answers = iter(results)
            gatherer.look = lambda *_, answers=answers, **__: (True, {"EvaluationResults": [next(answers)]})
            with self.subTest(results):
                self.assertEqual({"a": may}, gatherer.may("role", ["a"], *(f"resource-{n}" for n in range(len(results)))))


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

    def test_the_policy_of_an_endpoint(self):
        everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
        for admits, *statements in [
            (True, everything),
            (True, everything | {"Principal": {"AWS": self.role}, "Action": "s3:*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}),
            (False, everything | {"Action": "s3:GetObject"}),
            (False, everything | {"Resource": "arn:aws:s3:::other/*"}),
            (False, everything | {"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}),
            (False, everything, everything | {"Effect": "Deny"}),
            (True, everything, everything | {"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}),
            (True, everything, {"Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": "arn:aws:s3:::media/*"}),
        ]:
            with self.subTest(statements):
                self.assertEqual(admits, policies.admits({"Statement": statements}, "s3:PutObject", self.role, "arn:aws:s3:::media/*"))

    def test_who_may_assume_a_role(self):
        service = "ecs-tasks.amazonaws.com"
        for trusted, statement in [
            (True, {"Action": "sts:AssumeRole", "Principal": {"Service": ["ecs.amazonaws.com", service]}}),
            (False, {"Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}),
            (False, {"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "x"}}),
            *((trusted, {"Action": "sts:AssumeRole", "Principal": {"Service": service}, "Condition": condition}) for trusted, condition in [
                (True, {"StringEquals": {"aws:SourceAccount": "123456789012"}}),
                (False, {"StringEquals": {"AWS:SourceAccount": ["210987654321"]}}),
                (True, {"ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:123456789012:*"}}),
                (True, {"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:*:*"}}),
                (False, {"ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:210987654321:*"}}),
                (True, {"StringNotEquals": {"aws:SourceAccount": "210987654321"}}),
                (True, {"StringEquals": {"aws:SourceOrgID": "o-1"}}),
            ]),
        ]:
            with self.subTest(statement):
                self.assertEqual(trusted, policies.trusts({"Statement": {"Effect": "Allow", **statement}}, service, self.role))


if __name__ == "__main__":
    unittest.main()
