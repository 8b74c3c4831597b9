"""The command finds the version before, in every state that a clone can be in, and takes what is meant."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
REMOVED = "BREAKING  GET /b: removed"


def document(*paths):
    return {"openapi": "3.1.0", "paths": {path: {"get": {"responses": {}}} for path in paths}}


class Clone:
    def __init__(self, folder):
        self.folder = Path(folder)
        command = self.folder / "tests" / "openapi"
        command.mkdir(parents=True)
        for file in ("breaking", "changes.py"):
            shutil.copy(HERE / file, command / file)
        self.git("init", "-q")
        self.write(document("/a", "/b"))

    def git(self, *arguments):
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True)

    def write(self, document, changelog="# Changelog\n"):
        (self.folder / "openapi.json").write_text(json.dumps(document))
        (self.folder / "CHANGELOG.md").write_text(changelog)

    def commit(self, message="Change"):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def breaking(self, **environment):
        environment = {**{k: v for k, v in os.environ.items() if k != "API_BASE"}, **environment}
        command = ["python3", "-B", "tests/openapi/breaking"]
        run = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr


class Breaking(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.clone = Clone(folder.name)
        self.clone.commit()

    def fails(self, **environment):
        code, said = self.clone.breaking(**environment)
        self.assertEqual(1, code, said)
        self.assertIn(REMOVED, said)

    def passes(self, words):
        code, said = self.clone.breaking()
        self.assertEqual(0, code, said)
        self.assertIn(words, said)

    def test_what_is_not_committed_is_compared_with_what_is(self):
        self.clone.write(document("/a", "/c"))
        self.fails()

    def test_what_is_committed_is_compared_with_what_was_before_also_after_other_commits(self):
        self.clone.write(document("/a"))
        self.clone.commit()
        self.fails()
        self.clone.commit("Something else")
        self.fails()

    def test_a_release_is_compared_with_all_that_came_after(self):
        self.clone.git("tag", "v1.0.0")
        self.clone.write(document("/a"))
        self.clone.commit()
        self.clone.write(document("/a", "/c"))
        self.clone.commit()
        self.fails()

    def test_another_commit_can_be_asked_for(self):
        self.clone.write(document("/a"))
        self.clone.commit()
        self.clone.write(document("/a", "/c"))
        self.clone.commit()
        self.passes("0 breaking changes")
        self.fails(API_BASE="HEAD~2")

    def test_a_break_passes_once_the_changelog_says_it_in_the_section_on_breaking_changes(self):
        line = "- There is no b any more: `GET /b: removed`\n"
        self.clone.write(document("/a"), f"## Unreleased\n\n### Added\n\n{line}")
        self.fails()
        self.clone.write(document("/a"), f"## Unreleased\n\n### Breaking\n\n{line}\n### Added\n")
        self.passes("accepted  GET /b: removed")

    def test_the_first_version_and_a_shallow_clone_have_nothing_to_compare_and_say_so(self):
        self.passes("NOT COMPARED: there is no version before this one")
        self.clone.commit("Something else")
        (self.clone.folder / ".git" / "shallow").write_text(self.head() + "\n")
        self.passes("NOT COMPARED: this clone is shallow")

    def head(self):
        run = subprocess.run(["git", "rev-parse", "HEAD"], cwd=self.clone.folder, capture_output=True, text=True)
        return run.stdout.strip()


if __name__ == "__main__":
    unittest.main()
