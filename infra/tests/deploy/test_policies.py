"""What the text of IAM policies allows."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "diagnosis"))

from policies import allowed, denies, trusts  # noqa: E402

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:blog-AbCdEf"
READ = "secretsmanager:GetSecretValue"


def policy(effect="Allow", **parts):
    return {"Statement": [{"Effect": effect, **parts}]}


class Allowed(unittest.TestCase):
    def test_by_name_wildcard_and_case(self):
        for action in (
            READ,
            "secretsmanager:Get*",
            "SecretsManager:getsecretvalue",
            "*",
            "secretsmanager:GetSecretValu?",
        ):
            self.assertTrue(allowed([policy(Action=action, Resource="*")], READ, SECRET), action)
        self.assertFalse(allowed([policy(Action="secretsmanager:Describe*", Resource="*")], READ, SECRET))

    def test_resources(self):
        self.assertTrue(allowed([policy(Action=READ, Resource=["arn:x", SECRET[:-6] + "??????"])], READ, SECRET))
        self.assertFalse(allowed([policy(Action=READ, Resource=SECRET[:-7])], READ, SECRET))
        self.assertFalse(allowed([policy(Action=READ, NotResource=SECRET)], READ, SECRET))

    def test_not_action(self):
        self.assertTrue(allowed([policy(NotAction="iam:*", Resource="*")], READ, SECRET))
        self.assertFalse(allowed([policy(NotAction="secretsmanager:*", Resource="*")], READ, SECRET))

    def test_deny_wins(self):
        both = [policy(Action="*", Resource="*"), policy("Deny", Action=READ, Resource="*")]
        self.assertFalse(allowed(both, READ, SECRET))

    def test_conditions(self):
        only_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        passes = [policy(Action="iam:PassRole", Resource="*", Condition=only_ecs)]
        self.assertTrue(allowed(passes, "iam:PassRole", "arn:r", {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}))
        self.assertFalse(allowed(passes, "iam:PassRole", "arn:r", {"iam:passedtoservice": "lambda.amazonaws.com"}))
        # Not known: an Allow holds, a Deny does not.
        other = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
        self.assertTrue(allowed([policy(Action="*", Resource="*", Condition=other)], READ, SECRET))
        both = [policy(Action="*", Resource="*"), policy("Deny", Action="*", Resource="*", Condition=other)]
        self.assertTrue(allowed(both, READ, SECRET))

    def test_nothing_is_allowed_without_a_word(self):
        self.assertFalse(allowed([], READ, SECRET))


class Others(unittest.TestCase):
    role = "arn:aws:iam::123456789012:role/task"

    def test_denies(self):
        self.assertTrue(denies(policy("Deny", Action="*", Resource="*", Principal="*"), READ, self.role))
        self.assertTrue(
            denies(policy("Deny", Action=READ, Resource="*", Principal={"AWS": [self.role]}), READ, self.role)
        )
        self.assertFalse(
            denies(policy("Deny", Action=READ, Resource="*", Principal={"AWS": "arn:other"}), READ, self.role)
        )
        self.assertFalse(
            denies(policy("Deny", Action="*", Resource="*", NotPrincipal={"AWS": self.role}), READ, self.role)
        )
        self.assertFalse(denies(policy(Action="*", Resource="*", Principal="*"), READ, self.role))

    def test_trusts(self):
        service = "ecs-tasks.amazonaws.com"
        self.assertTrue(
            trusts(policy(Action="sts:AssumeRole", Principal={"Service": ["ecs.amazonaws.com", service]}), service)
        )
        self.assertFalse(trusts(policy(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"}), service))
        self.assertFalse(trusts(policy(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "x"}), service))


if __name__ == "__main__":
    unittest.main()
