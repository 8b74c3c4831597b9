"""Everything that the rules look at, asked of AWS through its command line, in one JSON-able table."""

import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor


DAY = 24 * 60 * 60


class CannotAsk(Exception):
    """There is nothing to diagnose: no credentials, no such service, no aws command."""


class Refused(Exception):
    def __init__(self, command, answer):
        super().__init__(f"{command}: {answer}")
        code = re.search(r"\((\w+)\) when calling", answer)
        self.code = code[1] if code else ""
        # Without these there is no point in asking further.
        self.fatal = not code or self.code in (
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
        )


def aws(*words):
    command = ["aws", *words, "--output", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise CannotAsk("the aws command is missing: install the AWS command line interface") from None
    except subprocess.TimeoutExpired:
        raise CannotAsk(f"{' '.join(command)}: no answer in 60 s") from None
    if done.returncode:
        raise Refused(" ".join(command[:3]), " ".join(done.stderr.split()))
    return json.loads(done.stdout or "{}")


class Gatherer:
    def __init__(self):
        self.unknown = []

    def look(self, *words, missing=()):
        """`(found, answer)`: True with the answer, False if it is not there, None if that cannot be known."""
        try:
            return True, aws(*words)
        except Refused as refused:
            if refused.code in missing:
                return False, {}
            self.unknown.append(str(refused))
            return None, {}

    def answer(self, *words, missing=()):
        return self.look(*words, missing=missing)[1]

    def gather(self, cluster, service_name, definition=None, task=None, errors=()):
        try:
            caller = aws("sts", "get-caller-identity")
            answer = aws("ecs", "describe-services", "--cluster", cluster, "--services", service_name)
        except Refused as refused:
            raise CannotAsk(str(refused)) from None
        services = [s for s in answer["services"] if s["status"] != "INACTIVE"]
        if not services:
            raise CannotAsk(f"no service {service_name} in cluster {cluster}: set CLUSTER, SERVICE and AWS_REGION")
        service = services[0]
        service["events"] = service.get("events", [])[:20]
        if task:
            # It runs in the service's network, and has no part in its deployments and its load balancer.
            service |= {"events": [], "deployments": [], "loadBalancers": []}
        stopped = self.stopped(cluster, service_name, task)
        if not task and not steady(service):
            known = {t["taskArn"] for t in stopped}
            stopped += [t for t in self.remembered(service_name) if t["taskArn"] not in known]
        definition = definition or (stopped[0]["taskDefinitionArn"] if task and stopped else subject(service, stopped))
        stopped = [t for t in stopped if t["taskDefinitionArn"].endswith(definition.split("/")[-1])]
        definition = self.answer("ecs", "describe-task-definition", "--task-definition", definition).get(
            "taskDefinition", {}
        )

        with ThreadPoolExecutor(4) as pool:
            parts = {
                "caller": pool.submit(self.caller, caller),
                "roles": pool.submit(self.roles, definition),
                "image": pool.submit(self.image, definition),
                "target_groups": pool.submit(self.target_groups, service),
                "network": pool.submit(self.network, service),
                "secrets": pool.submit(self.secrets, definition),
                "logs": pool.submit(self.logs, definition, stopped),
            }
            parts = {name: part.result() for name, part in parts.items()}
        network = parts.pop("network")
        balancers = [b for g in parts["target_groups"] for b in g["LoadBalancers"]]
        groups = {g for b in balancers for g in b.get("SecurityGroups", [])}
        groups |= set(vpc_configuration(service).get("securityGroups", []))
        groups |= {g["GroupId"] for e in network["endpoints"] for g in e.get("Groups", [])}
        return {
            "cluster": cluster,
            "service": service,
            "definition": definition,
            "stopped": stopped,
            "errors": list(errors),
            **parts,
            **network,
            "security_groups": self.security_groups(sorted(groups)),
            "unknown": self.unknown,
        }

    def stopped(self, cluster, service, task):
        if task:
            arns = [task]
        else:
            arns = self.answer(
                "ecs", "list-tasks", "--cluster", cluster, "--service-name", service, "--desired-status", "STOPPED"
            ).get("taskArns", [])[:20]
        tasks = (
            self.answer("ecs", "describe-tasks", "--cluster", cluster, "--tasks", *arns).get("tasks", [])
            if arns
            else []
        )
        return sorted(tasks, key=lambda t: str(t.get("stoppedAt", "")), reverse=True)

    def remembered(self, service):
        """The tasks that stopped on the last day, newest first. ECS forgets them after an hour; Terraform keeps the events."""
        group = f"/aws/events/{service}-stopped-tasks"
        since = str(int((time.time() - DAY) * 1000))
        events = self.answer(
            "logs", "filter-log-events", "--log-group-name", group, "--start-time", since,
            missing=["ResourceNotFoundException"],
        )  # fmt: skip
        tasks = [json.loads(event["message"])["detail"] for event in events.get("events", [])]
        return sorted(tasks, key=lambda t: str(t.get("stoppedAt", "")), reverse=True)[:20]

    def caller(self, identity):
        arn = identity["Arn"]
        # arn:aws:sts::1:assumed-role/NAME/SESSION, arn:aws:iam::1:user/PATH/NAME, arn:aws:iam::1:root
        kind, *names = arn.split(":")[5].split("/")
        policies = None
        if kind == "assumed-role":
            policies = self.role_policies(names[0])
        elif kind == "user":
            policies = self.user_policies(names[-1])
        return {"Account": identity["Account"], "Arn": arn, "policies": policies}

    def user_policies(self, name):
        found, groups = self.look("iam", "list-groups-for-user", "--user-name", name, missing=["NoSuchEntity"])
        if not found:
            return None
        owners = [("user", name)] + [("group", g["GroupName"]) for g in groups["Groups"]]
        policies = [self.policies_of(*owner) for owner in owners]
        return None if None in policies else sum(policies, [])

    def role_policies(self, name):
        return self.policies_of("role", name)

    def policies_of(self, kind, name):
        """The documents of its inline and attached policies; None if they cannot be read."""
        owner = [f"--{kind}-name", name]
        found, inline = self.look("iam", f"list-{kind}-policies", *owner)
        also_found, attached = self.look("iam", f"list-attached-{kind}-policies", *owner)
        if not (found and also_found):
            return None
        documents = [
            self.answer("iam", f"get-{kind}-policy", *owner, "--policy-name", p).get("PolicyDocument")
            for p in inline["PolicyNames"]
        ]
        for policy in attached["AttachedPolicies"]:
            arn = policy["PolicyArn"]
            version = self.answer("iam", "get-policy", "--policy-arn", arn).get("Policy", {}).get("DefaultVersionId")
            document = version and self.answer(
                "iam", "get-policy-version", "--policy-arn", arn, "--version-id", version
            )
            documents.append(document and document.get("PolicyVersion", {}).get("Document"))
        return documents if all(documents) else None

    def roles(self, definition):
        roles = {}
        for use in ("execution", "task"):
            arn = definition.get(f"{use}RoleArn")
            if not arn:
                roles[use] = None
                continue
            name = arn.split("/")[-1]
            found, answer = self.look("iam", "get-role", "--role-name", name, missing=["NoSuchEntity"])
            roles[use] = {
                "arn": arn,
                "name": name,
                "found": found,
                "trust": answer.get("Role", {}).get("AssumeRolePolicyDocument"),
                "policies": self.role_policies(name) if found else None,
            }
        return roles

    def image(self, definition):
        uri = container(definition).get("image", "")
        ecr = re.fullmatch(
            r"(?P<account>\d+)\.dkr\.ecr\.(?P<region>[^.]+)\.[^/]+/(?P<repository>[^:@]+)([:@](?P<tag>.+))?", uri
        )
        image = {"uri": uri, "repository_found": None, "tag_found": None}
        if not ecr:
            return image
        image |= ecr.groupdict()
        tag = image["tag"] = image["tag"] or "latest"
        here = ["--region", image["region"], "--repository-name", image["repository"]]
        identifier = f"imageDigest={tag}" if tag.startswith("sha256:") else f"imageTag={tag}"
        found, _ = self.look(
            "ecr", "describe-images", *here, "--image-ids", identifier,
            missing=["ImageNotFoundException", "RepositoryNotFoundException"],
        )  # fmt: skip
        image["tag_found"] = found
        image["repository_found"] = found
        if found is False:
            place = ["--region", image["region"], "--repository-names", image["repository"]]
            image["repository_found"], _ = self.look(
                "ecr", "describe-repositories", *place, missing=["RepositoryNotFoundException"]
            )
        return image

    def target_groups(self, service):
        groups = []
        for attachment in service.get("loadBalancers", []):
            arn = attachment.get("targetGroupArn")
            if not arn:
                continue
            answer = self.answer("elbv2", "describe-target-groups", "--target-group-arns", arn)
            for group in answer.get("TargetGroups", []):
                health = self.answer("elbv2", "describe-target-health", "--target-group-arn", arn)
                group["Health"] = health.get("TargetHealthDescriptions", [])
                balancers = group.get("LoadBalancerArns", [])
                described = balancers and self.answer(
                    "elbv2", "describe-load-balancers", "--load-balancer-arns", *balancers
                )
                group["LoadBalancers"] = described.get("LoadBalancers", []) if described else []
                at = [z["SubnetId"] for b in group["LoadBalancers"] for z in b["AvailabilityZones"]]
                group["LoadBalancerSubnets"] = (
                    self.answer("ec2", "describe-subnets", "--subnet-ids", *at).get("Subnets", []) if at else []
                )
                group["ContainerName"] = attachment.get("containerName")
                group["ContainerPort"] = attachment.get("containerPort")
                groups.append(group)
        return groups

    def network(self, service):
        ids = vpc_configuration(service).get("subnets", [])
        subnets = self.answer("ec2", "describe-subnets", "--subnet-ids", *ids).get("Subnets", []) if ids else []
        if not subnets:
            return {"subnets": [], "endpoints": []}
        vpc = f"Name=vpc-id,Values={subnets[0]['VpcId']}"
        found, tables = self.look("ec2", "describe-route-tables", "--filters", vpc)
        for subnet in subnets:
            subnet["Table"] = route_table(tables["RouteTables"], subnet["SubnetId"]) if found else None
        endpoints = self.answer("ec2", "describe-vpc-endpoints", "--filters", vpc).get("VpcEndpoints", [])
        return {"subnets": subnets, "endpoints": endpoints}

    def security_groups(self, ids):
        answer = self.answer("ec2", "describe-security-groups", "--group-ids", *ids) if ids else {}
        return {g["GroupId"]: g for g in answer.get("SecurityGroups", [])}

    def secrets(self, definition):
        """The secrets that the container reads by itself (task role) or gets from ECS (execution role). Never their values."""
        app = container(definition)
        wanted = [
            (e["value"], "task")
            for e in app.get("environment", [])
            if re.fullmatch(r"DB(_APP)?_SECRET_ID", e["name"]) and e.get("value")
        ]
        # arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME:JSON-KEY:STAGE:VERSION
        wanted += [
            (":".join(s["valueFrom"].split(":")[:7]), "execution")
            for s in app.get("secrets", [])
            if ":secretsmanager:" in s["valueFrom"]
        ]
        secrets = []
        for identifier, reader in wanted:
            found, answer = self.look(
                "secretsmanager", "describe-secret", "--secret-id", identifier, missing=["ResourceNotFoundException"]
            )
            policy = found and self.answer("secretsmanager", "get-resource-policy", "--secret-id", identifier).get(
                "ResourcePolicy"
            )
            secrets.append(
                {
                    "id": identifier,
                    "reader": reader,
                    "found": found,
                    "arn": answer.get("ARN"),
                    "deleted": answer.get("DeletedDate"),
                    "key": answer.get("KmsKeyId"),
                    "policy": json.loads(policy) if policy else None,
                }
            )
        return secrets

    def logs(self, definition, stopped):
        options = container(definition).get("logConfiguration", {}).get("options", {})
        group = options.get("awslogs-group")
        logs = {"group": group, "found": None, "lines": []}
        if not group:
            return logs
        found, answer = self.look("logs", "describe-log-groups", "--log-group-name-prefix", group)
        logs["found"] = found and any(g["logGroupName"] == group for g in answer["logGroups"])
        if not logs["found"]:
            return logs
        streams = [
            f"{options.get('awslogs-stream-prefix')}/{container(definition)['name']}/{t['taskArn'].split('/')[-1]}"
            for t in stopped[:2]
        ]
        for stream in streams:
            events = self.answer(
                "logs", "get-log-events", "--log-group-name", group, "--log-stream-name", stream, "--limit", "20",
                missing=["ResourceNotFoundException"],
            )  # fmt: skip
            logs["lines"] += [e["message"] for e in events.get("events", [])]
        return logs


def gather(**what):
    return Gatherer().gather(**what)


def steady(service):
    """Whether one deployment, completed, has all its tasks."""
    deployments = service.get("deployments", [])
    return (
        len(deployments) == 1
        and deployments[0].get("rolloutState", "COMPLETED") == "COMPLETED"
        and service["runningCount"] >= service["desiredCount"]
    )


def subject(service, stopped):
    """The definition to look at: what the service rolls out, or what it has just rolled back from."""
    primary = next((d["taskDefinition"] for d in service.get("deployments", []) if d["status"] == "PRIMARY"), None)
    current = primary or service["taskDefinition"]
    failed = [
        t["taskDefinitionArn"]
        for t in stopped
        if t.get("stopCode") in ("TaskFailedToStart", "EssentialContainerExited")
    ]
    return max([current, *failed[:1]], key=revision)


def revision(definition):
    number = definition.split(":")[-1]
    return int(number) if number.isdigit() else 0


def container(definition):
    """The one that matters: the first essential container."""
    return next((c for c in definition.get("containerDefinitions", []) if c.get("essential", True)), {})


def vpc_configuration(service):
    return service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})


def route_table(tables, subnet):
    main = None
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == subnet:
                return table
            if association.get("Main"):
                main = table
    return main
