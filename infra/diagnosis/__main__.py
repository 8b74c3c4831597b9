"""The body of scripts/diagnose: facts are gathered first, rules judge them, a report says the causes."""

import argparse
import json
import os
import sys
from pathlib import Path

import facts
import report


def main():
    parser = argparse.ArgumentParser(
        prog="diagnose", description="Says why a service does not come up, and the command that mends it."
    )
    option = parser.add_argument
    option("--task-definition", metavar="FAMILY:N", help="look at this revision instead of the one being rolled out")
    option("--task", metavar="ARN", help="look at this one task instead of the service's stopped tasks")
    option("--error", metavar="TEXT", action="append", default=[], help="what a failed aws command has said")
    option("--save", metavar="FILE", help="also write the facts, as JSON")
    option("--from", metavar="FILE", dest="source", help="judge facts that were saved, and ask nobody")
    option("--rules", action="store_true", help="list the rules and what each looks at")
    options = parser.parse_args()
    if os.environ.get("AWS_REGION"):
        # Version 1 of the aws command knows the region by this name only.
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
    if options.rules:
        print(report.table())
        return 0
    if options.source:
        known = json.loads(Path(options.source).read_text())
    else:
        known = facts.Gatherer().gather(
            cluster=os.environ.get("CLUSTER") or "blog-cluster",
            service_name=os.environ.get("SERVICE") or "blog-api",
            definition=options.task_definition,
            task=options.task,
            errors=options.error,
            url=os.environ.get("URL"),
        )
    if options.save:
        Path(options.save).write_text(json.dumps(known, indent=1) + "\n")
    found = report.causes(known)
    print(report.text(known, found))
    return 1 if found else 0 if report.is_well(known) else 2


try:
    sys.exit(main())
except facts.CannotAsk as reason:
    print(f"diagnose: {reason}", file=sys.stderr)
    sys.exit(2)
