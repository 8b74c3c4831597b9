"""What moto does not have of ECS: services that roll out, fail and are rolled back by the circuit breaker, and tasks that
end with a code and a log.

What an image's tasks do is read from $IMAGES, a JSON file: {TAG: {COMMAND, such as "serve": [EXIT CODE, LOG LINE],
"stop": the same when ECS stops one, "health": STATUS, "ready": STATUS, "register": ERROR, "update": ERROR, "start": WHY NO CONTAINER RUNS,
"event": WHAT ECS SAYS INSTEAD OF STARTING A TASK}}. An image that it does not name works. Every second look at a service
is a step of its rollout.
"""

import json
import os
import time
from pathlib import Path

from moto.core.exceptions import JsonRESTError
from moto.core.utils import utcnow
from moto.ecr.models import ecr_backends
from moto.ecs.models import EC2ContainerServiceBackend as Ecs
from moto.ecs.models import Task, ecs_backends
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus
from moto.logs.models import logs_backends
from patches import patch

ACCOUNT = "123456789012"


def behaviour(image):
    table = Path(os.environ["IMAGES"])
    behaviours = json.loads(table.read_text()) if table.exists() else {}
    return behaviours.get(image.rpartition(":")[2], {})


def in_ecr(backend, image):
    name, _, tag = image.partition("/")[2].rpartition(":")
    repository = ecr_backends[ACCOUNT][backend.region_name].repositories.get(name)
    return repository is not None and any(tag in i.image_tags for i in repository.images)


# Tasks ------------------------------------------------------------------------------------------------------


def end(backend, task, definition, command):
    """The task runs `command` and stops; ECR, the image and the log group decide how."""
    container = definition.container_definitions[0]
    box = task.containers[0]
    task.status = task.desired_status = box.last_status = "STOPPED"
    task.stopped_at = utcnow()
    reason = behaviour(container["image"]).get("start")
    if not in_ecr(backend, container["image"]):
        reason = f"CannotPullContainerError: ref pull has been retried 1 time(s): failed to resolve ref {container['image']}: not found"
    if reason:
        task.stop_code, task.stopped_reason, box.exitCode = "TaskFailedToStart", reason, None
        return
    box.exitCode, line = behaviour(container["image"]).get(command, [0, ""])
    task.stop_code = "EssentialContainerExited"
    task.stopped_reason = "Essential container in task exited"
    options = container["logConfiguration"]["options"]
    logs = logs_backends[ACCOUNT][backend.region_name]
    group = options["awslogs-group"]
    if group not in logs.groups and options.get("awslogs-create-group") == "true":
        logs.create_log_group(group, {})
    if line and group in logs.groups:
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task.id}"
        logs.create_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": line}])


@patch(Ecs, "register_task_definition")
def register_or_refuse(register, self, family, container_definitions, *rest, **more):
    error = behaviour(container_definitions[0]["image"]).get("register")
    if error:
        raise JsonRESTError("AccessDeniedException", error)
    return register(self, family, container_definitions, *rest, **more)


@patch(Ecs, "run_task")
def run_one_off(run_task, self, cluster_str, task_definition_str, count, overrides, *rest, **more):
    tasks = run_task(self, cluster_str, task_definition_str, count, overrides, *rest, **more)
    definition = self.describe_task_definition(task_definition_str)
    own = definition.container_definitions[0].get("command") or ["serve"]
    command = ((overrides or {}).get("containerOverrides") or [{}])[0].get("command", own)
    for task in tasks:
        end(self, task, definition, command[0])
    return tasks


@patch(Ecs, "list_tasks")
def list_tasks_of(list_tasks, self, *args, **kwargs):
    # moto does not know which service a task is of.
    service = kwargs.get("service_name") or (args[4] if len(args) > 4 else None)
    return [t for t in list_tasks(self, *args, **kwargs) if not service or t.group == f"service:{service}"]


# moto counts the room on container instances, which Fargate has none of.
Ecs._calculate_task_resource_requirements = lambda self, definition: {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}


@patch(ELBv2Backend, "describe_target_health")
def describe_health_of_tasks(describe, self, target_group_arn, targets):
    # moto registers no tasks. Those that a service counts are healthy.
    known = describe(self, target_group_arn, targets)
    for service in ecs_backends[ACCOUNT][self.region_name].services.values():
        for attachment in service.load_balancers or []:
            if attachment["targetGroupArn"] == target_group_arn:
                running = sum(deployment["runningCount"] for deployment in service.deployments)
                known += [FakeHealthStatus(f"10.0.10.{7 + number}", attachment["containerPort"], "traffic-port", "healthy") for number in range(running)]
    return known


# Services ---------------------------------------------------------------------------------------------------


@patch(Ecs, "update_service")
def update_and_roll_out(update_service, self, properties):
    wanted = properties.pop("task_definition", None)
    if wanted:
        image = self.describe_task_definition(wanted).container_definitions[0]["image"]
        if error := behaviour(image).get("update"):
            raise JsonRESTError("AccessDeniedException", error)
    before = self._get_service(properties["cluster"], properties["service"]).desired_count
    service = update_service(self, properties)
    if service.desired_count < before:
        scale_in(self, service)
    if service.deployments and service.deployments[0]["rolloutState"] == "COMPLETED":
        service.deployments[0] |= {"desiredCount": service.desired_count, "runningCount": service.desired_count}
    if wanted:
        definition = self.describe_task_definition(wanted).arn
        roll_out(self, service, definition, f"(service {service.name}) has begun a deployment.")
    return service


def roll_out(backend, service, definition, why):
    now = utcnow()
    old = [d | {"status": "ACTIVE"} for d in service.deployments if d["status"] == "PRIMARY"]
    new = old[0] | {
        "id": f"ecs-svc/{time.time_ns()}", "status": "PRIMARY", "taskDefinition": definition, "createdAt": now, "updatedAt": now,
        "rolloutState": "IN_PROGRESS", "rolloutStateReason": "in progress", "runningCount": 0, "failedTasks": 0,
    }  # fmt: skip
    service.deployments = [new, *old]
    service.task_definition = definition
    say(service, why)


def run_and_end(backend, service, definition, command):
    task = Task(
        cluster=backend._get_cluster(service.cluster_name), task_definition=definition, container_instance_arn=None, resource_requirements=None,
        backend=backend, group=f"service:{service.name}", launch_type="FARGATE", started_by=service.deployments[0]["id"],
        networking_configuration=service.network_configuration,
    )  # fmt: skip
    backend.tasks.setdefault(service.cluster_name, {})[task.task_arn] = task
    end(backend, task, definition, command)
    return task


def scale_in(backend, service):
    task = run_and_end(backend, service, backend.describe_task_definition(service.task_definition), "stop")
    task.stop_code = "ServiceSchedulerInitiated"
    task.stopped_reason = f"Scaling activity initiated by (deployment {service.deployments[0]['id']})"


def say(service, message):
    service.events.insert(0, {"id": str(time.time_ns()), "createdAt": utcnow(), "message": message})


@patch(Ecs, "describe_services")
def describe_and_advance(describe_services, self, cluster_str, names):
    services, failures = describe_services(self, cluster_str, names)
    for service in services:
        if service.deployments and service.deployments[0]["rolloutState"] == "IN_PROGRESS":
            service.seen = getattr(service, "seen", 0) + 1
            if service.seen >= 2:
                service.seen = 0
                advance(self, service)
    return services, failures


def advance(backend, service):
    new = service.deployments[0]
    definition = backend.describe_task_definition(new["taskDefinition"])
    image = definition.container_definitions[0]["image"]
    if event := behaviour(image).get("event"):
        # No task starts, and nothing else happens.
        say(service, f"(service {service.name}) {event}")
        return
    code, _ = behaviour(image).get("serve", [None, ""])
    if in_ecr(backend, image) and code is None:
        why = f"ECS deployment {new['id']} completed."
        new |= {"rolloutState": "COMPLETED", "rolloutStateReason": why, "runningCount": service.desired_count}
        service.deployments = [new]
        say(service, f"(service {service.name}) has reached a steady state.")
        return
    task = run_and_end(backend, service, definition, "serve")
    new["failedTasks"] += 1
    say(service, f"(service {service.name}) was unable to start tasks: {task.stopped_reason}")
    breaker = (getattr(service, "deployment_configuration", None) or {}).get("deploymentCircuitBreaker", {})
    if breaker.get("enable") and new["failedTasks"] >= 2:
        new |= {"rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."}
        old = [d for d in service.deployments if d["status"] == "ACTIVE"]
        if breaker.get("rollback") and old:
            service.deployments = [old[0] | {"status": "PRIMARY"}]
            roll_out(backend, service, old[0]["taskDefinition"], f"(service {service.name}) rolling back to {old[0]['id']}.")
            service.deployments = service.deployments[:1]
