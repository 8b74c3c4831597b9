"""Whether ECS wants tasks and finds place for them, and what ends a rollout that is none of the tasks' fault."""

import re

from facts import steady
from table import ROLLING, Cause, rule, runs, said, update


@rule("no-tasks-wanted", "the desired count")
def no_tasks_wanted(facts):
    if facts["service"]["desiredCount"] == 0 and facts["service"].get("deployments"):
        yield Cause(
            "The service is told to run no task at all.",
            update(facts, "--desired-count 2") + "\n# and raise the least of autoscaling, if that is 0: aws application-autoscaling describe-scalable-targets --service-namespace ecs",
            ["desired count 0"],
        )


# What ECS says when it starts no task, what that means, and what mends it.
REFUSALS = [
    ("no-capacity", r"capacity is unavailable|unable to place a task because .*capacity", "AWS has no room for the tasks in these zones now.",
     "wait, or add subnets of other zones, or take FARGATE where only FARGATE_SPOT is asked for\naws ecs describe-capacity-providers"),
    ("quota", r"reached the limit on the number of (vCPUs|tasks)|vcpu.*limit|limit.*vcpu|quota", "The account's quota of Fargate is used up.",
     "aws service-quotas list-service-quotas --service-code fargate    # ask for more, or end other tasks"),
    ("service-linked-role", r"service.linked role", "ECS has no service-linked role in this account, so it cannot make network interfaces.",
     "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"),
]  # fmt: skip


def refusal(identifier, pattern, words, mend):
    @rule(identifier, "events, and errors of commands")
    def judge(facts):
        evidence = said(facts, pattern)
        if evidence:
            yield Cause(words, mend, evidence)


for row in REFUSALS:
    refusal(*row)


@rule("no-room-to-roll", "how many tasks a rollout may start and stop")
def no_room_to_roll(facts):
    service = facts["service"]
    configuration, wanted = service.get("deploymentConfiguration", {}), service["desiredCount"]
    least, most = configuration.get("minimumHealthyPercent", 100), configuration.get("maximumPercent", 200)
    # ECS rounds the least up and the most down.
    may_stop, may_start = wanted - -(-wanted * least // 100), wanted * most // 100 - wanted
    if wanted and may_stop <= 0 and may_start <= 0:
        yield Cause(
            f"No rollout can begin: of {wanted} tasks none may be stopped before a new one runs, and none started beside them.",
            update(facts, ROLLING),
            [f"minimumHealthyPercent {least}, maximumPercent {most}"],
        )


ALARMED = r"alarm.*(detected|breach|state)|because of .*alarm"


@rule("rolled-back-by-alarm", "what ECS says of the deployments, and the service's alarms")
def rolled_back_by_alarm(facts):
    evidence = said(facts, ALARMED)
    if evidence and not (steady(facts["service"]) and runs(facts)):
        names = facts["service"].get("deploymentConfiguration", {}).get("alarms", {}).get("alarmNames", [])
        yield Cause(
            "An alarm went off during the rollout, which was therefore taken back: the new tasks run, but answer badly or slowly.",
            f"aws cloudwatch describe-alarm-history --alarm-name {names[0] if names else 'ALARM'} --max-items 5\n"
            "# then look at the log of the new revision's tasks at that time",
            evidence,
        )


def alarmed(facts):
    """The rollouts that an alarm has taken back, and that are over."""
    said_now = said(facts, ALARMED)
    for event in facts["service"]["events"]:
        if re.search(ALARMED, event["message"], re.IGNORECASE) and f"event: {event['message']}" not in said_now:
            yield f"an alarm has taken a rollout back ({event['message']}): scripts/diagnose --task-definition FAMILY:N looks at its revision"
