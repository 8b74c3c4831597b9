"""Each rule fires on its faults, and on nothing else."""

import copy
import json
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "diagnosis"))

import faults  # noqa: E402
import report  # noqa: E402
from table import RULES  # noqa: E402

HEALTHY = json.loads((HERE / "healthy.json").read_text())


def causes(change=lambda facts: None):
    facts = copy.deepcopy(HEALTHY)
    change(facts)
    found = report.causes(facts)
    return found, report.text(facts, found)


class Rules(unittest.TestCase):
    def test_healthy_facts_have_no_cause(self):
        found, text = causes()
        self.assertEqual([], found)
        self.assertIn("Nothing is wrong.", text)

    def test_each_fault_fires_its_rule_and_no_other(self):
        for fault in faults.FAULTS:
            with self.subTest(fault.name):
                found, text = causes(fault.change)
                self.assertEqual(fault.rules, {rule.id for rule, _ in found}, text)
                self.assertRegex(text, fault.words.replace("{", r"\{"))
                self.assertIn(fault.mend, "\n".join(cause.mend for _, cause in found))
                for rule, cause in found:
                    self.assertTrue(cause.evidence, f"{rule.id} shows no evidence")

    def test_every_rule_has_a_fault(self):
        self.assertEqual({r.id for r in [*RULES, report.UNEXPLAINED]}, set().union(*(f.rules for f in faults.FAULTS)))

    def test_every_rule_is_in_the_document(self):
        document = (HERE.parents[2] / "docs" / "deploy.md").read_text()
        for rule in [*RULES, report.UNEXPLAINED]:
            self.assertIn(f"`{rule.id}`", document)

    def test_checkpoints_are_told_apart(self):
        change = next(f.change for f in faults.FAULTS if f.name == "check_of_another_path")
        _, text = causes(change)
        self.assertEqual(1, text.count("checkpoint BROKEN"))
        self.assertEqual(4, text.count("checkpoint holds"))

    def test_what_aws_said_is_shown_with_another_cause(self):
        def change(facts):
            faults.no_grace_period(facts)
            faults.cannot_start(facts, "ResourceInitializationError: something new")

        self.assertIn("something new", causes(change)[1])


    def test_trouble_after_a_steady_state(self):
        def change(facts):
            failed = "(service blog-api) (task 1) failed ELB health checks in (target-group tg-blog-api)"
            for message in (failed, "(service blog-api) has reached a steady state."):
                faults.event(facts, message)

        self.assertIn("failed ELB health checks", causes(change)[1])


class Silence(unittest.TestCase):
    """What looks like a fault and is none."""

    def silent(self, change):
        self.assertEqual([], [(r.id, c.words) for r, c in causes(change)[0]])

    def test_private_subnets_behind_nat(self):
        def change(facts):
            faults.private(facts)
            for subnet in facts["subnets"]:
                subnet["Table"]["Routes"].append(
                    {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
                )

        self.silent(change)

    def test_private_subnets_with_endpoints(self):
        def change(facts):
            faults.private(facts)
            faults.endpoints(facts, "ecr.api", "ecr.dkr", "s3", "logs", "secretsmanager")

        self.silent(change)

    def test_tasks_that_were_scaled_in(self):
        self.silent(
            lambda facts: faults.stop(
                facts, "Scaling activity initiated by deployment", 0, stop_code="ServiceSchedulerInitiated"
            )
        )

    def test_a_migration_that_ended_well(self):
        def change(facts):
            faults.stop(facts, "Essential container in task exited", 0)
            facts["stopped"][0]["startedBy"] = "deploy"

        self.silent(change)

    def test_trouble_that_is_over(self):
        def change(facts):
            failed = "(service blog-api) (task 1) failed ELB health checks in (target-group tg-blog-api)"
            for message in ("(service blog-api) has reached a steady state.", failed):
                faults.event(facts, message)

        self.silent(change)

    def test_a_range_instead_of_a_group(self):
        def change(facts):
            faults.security_groups(facts)[0]["IpPermissions"][0] |= {
                "UserIdGroupPairs": [],
                "IpRanges": [{"CidrIp": "172.31.0.0/16"}],
            }

        self.silent(change)

    def test_who_only_looks_needs_no_pass_role(self):
        self.silent(lambda facts: facts["caller"].update(policies=[faults.policy(["ecs:Describe*", "iam:Get*"], "*")]))

    def test_pass_role_limited_to_ecs(self):
        limit = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        passes = faults.policy("iam:PassRole", "arn:aws:iam::123456789012:role/blog-api-*", Condition=limit)
        self.silent(lambda facts: facts["caller"].update(policies=[faults.policy("ecs:*", "*"), passes]))

    def test_a_secret_that_admits_only_the_task_role(self):
        def change(facts):
            only = {"ArnNotEquals": {"aws:PrincipalArn": [facts["roles"]["task"]["arn"]]}}
            facts["secrets"][0]["policy"] = faults.policy(
                "secretsmanager:*", "*", "Deny", Principal="*", Condition=only
            )

        self.silent(change)

    def test_a_log_group_that_the_task_makes(self):
        self.silent(lambda facts: facts["logs"].update(found=False))

    def test_what_cannot_be_known(self):
        def change(facts):
            for role in facts["roles"].values():
                role.update(found=None, trust=None, policies=None)
            facts["image"].update(tag_found=None, repository_found=None)
            facts["secrets"][0].update(found=None)
            facts["target_groups"], facts["subnets"], facts["security_groups"] = [], [], {}

        self.silent(change)


if __name__ == "__main__":
    unittest.main()
