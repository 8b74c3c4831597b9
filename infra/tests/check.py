"""usage: check.py [--golden]: holds infra/, the workflows and task-definition.json against the rules and against golden/,
then sees that each mistake is caught. With --golden it writes golden/ anew instead.
"""

import json
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import golden
import mutations
import resource_rules
import rules
import stack
import task_rules


def files(folder, *patterns):
    """Text by path, of what stands in a copy and fits a pattern."""
    found = [path for pattern in patterns for path in folder.rglob(pattern) if ".terraform" not in path.parts]
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def production(folder, *more_tests):
    source = files(folder / "infra", "*.tf", "*.tfvars.example")
    state = stack.apply(folder, "production", *more_tests)
    reviewed = {"production": golden.made(state), "profiles": golden.profiles(state)}
    return [*rules.production(state, source), *(one for which, lines in reviewed.items() for one in golden.compare(which, lines))]


def sound_production(folder):
    wrong = [("infra", "validate", error) for error in stack.validate(folder)]
    return wrong or production(folder, "variants")


def bootstrap(folder):
    state, source = stack.apply(folder, "bootstrap"), files(folder / ".github", "*.yml")
    found = [*golden.compare("bootstrap", golden.made(state)), *golden.compare("workflows", golden.workflows(source))]
    return [*rules.bootstrap(state, source), *found]


def caught(findings, expected):
    rule, _, where = expected.partition("@")
    return any(name == rule and where in f"{address} {why}" for address, name, why in findings)


def unproven(expected):
    """Rules that no mistake is for. They are named in tables, where findings are yielded and, in task_rules, as keys."""
    names = {row[0] for row in resource_rules.PRODUCTION}
    names |= set(re.findall(r'^ +"([a-z-]+)": \(', (stack.HERE / "task_rules.py").read_text(), re.MULTILINE)) - {*task_rules.HEALTH}
    for path in [*stack.HERE.glob("*_rules.py"), stack.HERE / "rules.py"]:
        names |= set(re.findall(r'yield "([a-z-]+)"', path.read_text()))
    return sorted(names - expected)


def write_golden():
    with tempfile.TemporaryDirectory() as work:
        folder = stack.copy(Path(work) / "base")
        state = stack.apply(folder, "production")
        golden.write("production", golden.made(state))
        golden.write("profiles", golden.profiles(state))
        golden.write("bootstrap", golden.made(stack.apply(folder, "bootstrap")))
        golden.write("workflows", golden.workflows(files(folder / ".github", "*.yml")))


def main():
    definition = json.loads((stack.REPOSITORY / "task-definition.json").read_text())

    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(2) as threads:
        base, mistaken, refused = (stack.copy(Path(work) / name) for name in ("base", "mistaken", "refused"))
        # Copies that no test of Terraform changes while they are read.
        base_read, mistaken_read = (stack.copy(Path(work) / name) for name in ("base-read", "mistaken-read"))
        mutations.make([one for one in mutations.TERRAFORM if one[-1].startswith("CKV")], mistaken_read / "infra")
        mutations.make([one for one in mutations.TERRAFORM if not one[-1].startswith("CKV")], mistaken / "infra")
        mutations.make(mutations.REFUSED, refused / "infra")
        sound, wrong = ([threads.submit(stack.checkov, folder)] for folder in (base_read, mistaken_read))
        sound += [threads.submit(sound_production, base), threads.submit(bootstrap, base)]
        wrong += [threads.submit(production, mistaken), threads.submit(bootstrap, mistaken)]
        refused_run = threads.submit(stack.validate, refused)

        tasks = task_rules.findings({"task-definition.json": definition})
        mistaken_tasks = task_rules.findings(mutations.mutated(definition))
        try:
            findings = tasks + [finding for run in sound for finding in run.result()]
            mistaken_findings = [finding for run in wrong for finding in run.result()]
            refusals = refused_run.result()
        except stack.TestsFailed as failure:
            sys.exit(str(failure))

    for where, rule, why in findings:
        print(f"{where}: {rule}: {why}")
    if findings:
        sys.exit(f"{len(findings)} findings")
    print("no finding")

    results = [(name, rule, caught(mistaken_findings, rule)) for name, _, _, _, rule in mutations.TERRAFORM]
    results += [(name, said, any(said in refusal for refusal in refusals)) for name, _, _, _, said in mutations.REFUSED]
    results += [
        (name, rule, caught([one for one in mistaken_tasks if one[0] == name], rule)) for name, _, rule in mutations.TASK
    ]
    print("\ndeliberate mistakes, and what catches each:")
    for name, rule, yes in results:
        print(f"  {'caught  ' if yes else 'SURVIVES'}  {name:44} {rule}")
    idle = unproven({rule.partition("@")[0] for _, rule, _ in results})
    if idle:
        sys.exit(f"no mistake shows that these rules catch any: {idle}")
    survivors = [name for name, _, yes in results if not yes]
    if survivors:
        sys.exit(f"{len(survivors)} of {len(results)} mistakes survive")
    print(f"{len(results)} of {len(results)} caught")


if __name__ == "__main__":
    write_golden() if sys.argv[1:] == ["--golden"] else main()
