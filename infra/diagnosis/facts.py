"""Everything that the rules look at, asked of AWS through its command line, in one JSON-able table."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.utils import parseaddr
from http.client import HTTPException
from urllib.parse import parse_qs, urlsplit

DAY = 24 * 60 * 60
ECS_TASKS = "ecs-tasks.amazonaws.com"
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
PASS, READ, DECRYPT = "iam:PassRole", "secretsmanager:GetSecretValue", "kms:Decrypt"
KEEP, LIST = ("s3:PutObject", "s3:GetObject", "s3:DeleteObject"), "s3:ListBucket"
ENCRYPT = ("kms:GenerateDataKey", DECRYPT)


def bucket_of(objects):
    """The ARN of the bucket of some objects."""
    return objects.split("/")[0]


class CannotAsk(Exception):
    """There is nothing to diagnose: no credentials, no such service, no aws command."""


class Refused(Exception):
    def __init__(self, command, answer):
        super().__init__(f"{command}: {answer}")
        code = re.search(r"\((\w+)\) when calling", answer)
        self.code = code[1] if code else ""


def aws(*words):
    command = ["aws", *words, "--output", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise CannotAsk("the aws command is missing: install the AWS command line interface") from None
    except subprocess.TimeoutExpired:
        raise Refused(" ".join(command[:3]), "no answer in 60 s") from None
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

    def gather(self, cluster, service_name, definition=None, task=None, errors=(), url=None):
        try:
            identity = aws("sts", "get-caller-identity")
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
        described = self.answer("ecs", "describe-task-definition", "--task-definition", definition)
        definition = described.get("taskDefinition", {})

        parts = self.at_once(
            caller=lambda: self.caller(identity, definition),
            roles=lambda: self.roles(definition),
            image=lambda: self.image(definition),
            target_groups=lambda: self.target_groups(service),
            network=lambda: self.network(service),
            secrets=lambda: self.secrets(definition),
            media=lambda: self.media(definition),
            mail=lambda: self.mail(definition),
            alarms=lambda: self.alarms(service_name),
            # A task that is run once answers nobody.
            ready=lambda: None if task else self.ready(url),
            logs=lambda: self.logs(definition, stopped),
        )
        network = parts.pop("network")
        tables = network.pop("tables")
        for group in parts["target_groups"]:
            for subnet in group["LoadBalancerSubnets"]:
                subnet["Table"] = route_table(tables, subnet["SubnetId"]) if tables is not None else None
        network |= self.databases(service, definition, network["subnets"])
        balancers = [b for g in parts["target_groups"] for b in g["LoadBalancers"]]
        groups = {g for b in balancers for g in b.get("SecurityGroups", [])}
        groups |= {g["VpcSecurityGroupId"] for d in network["databases"] for g in d["VpcSecurityGroups"]}
        groups |= set(vpc_configuration(service).get("securityGroups", []))
        groups |= {g["GroupId"] for e in network["endpoints"] for g in e.get("Groups", [])}
        parts["security_groups"] = self.security_groups(sorted(groups))
        self.rights(definition, parts)
        return {
            "cluster": cluster, "service": service, "definition": definition, "stopped": stopped, "errors": list(errors),
            **parts, **network, "unknown": self.unknown,
        }  # fmt: skip

    def at_once(self, **parts):
        with ThreadPoolExecutor(4) as pool:
            parts = {name: pool.submit(part) for name, part in parts.items()}
            return {name: part.result() for name, part in parts.items()}

    def stopped(self, cluster, service, task):
        listing = ("--cluster", cluster, "--service-name", service, "--desired-status", "STOPPED")
        arns = [task] if task else self.answer("ecs", "list-tasks", *listing).get("taskArns", [])[:20]
        described = self.answer("ecs", "describe-tasks", "--cluster", cluster, "--tasks", *arns) if arns else {}
        return newest_first(described.get("tasks", []))

    def remembered(self, service):
        """The tasks that stopped on the last day. ECS forgets them after an hour; Terraform keeps the events."""
        group, since = f"/aws/events/{service}-stopped-tasks", str(int((time.time() - DAY) * 1000))
        events = self.answer(
            "logs", "filter-log-events", "--log-group-name", group, "--start-time", since,
            missing=["ResourceNotFoundException"],
        )  # fmt: skip
        return newest_first(json.loads(event["message"])["detail"] for event in events.get("events", []))[:20]

    def may(self, source, actions, *resources, context=()):
        """Whether a user or role may do each action on one of the resources, as IAM simulates it; None if unknown."""
        answers = {action: [] for action in actions}
        for resource in resources:
            found, answer = self.look(
                "iam", "simulate-principal-policy", "--policy-source-arn", source,
                "--action-names", *actions, "--resource-arns", resource, *context, missing=["NoSuchEntity"],
            )  # fmt: skip
            for result in answer["EvaluationResults"] if found else []:
                allowed = result["EvalDecision"] == "allowed"
                # What depends on a condition whose value is not known here is not known.
                unknown = not allowed and result.get("MissingContextValues")
                answers[result["EvalActionName"]].append(None if unknown else allowed)
        return {
            action: True if True in of_action else None if None in of_action or not of_action else False
            for action, of_action in answers.items()
        }

    def caller(self, identity, definition):
        """Who asks, and whether they may hand the definition's roles to ECS, if they may deploy at all."""
        arn = identity["Arn"]
        # arn:aws:sts::1:assumed-role/NAME/SESSION, arn:aws:iam::1:user/PATH/NAME, arn:aws:iam::1:root
        kind, *names = arn.split(":")[5].split("/")
        source = arn if kind == "user" else None
        if kind == "assumed-role":
            source = self.answer("iam", "get-role", "--role-name", names[0]).get("Role", {}).get("Arn")
        passes = {}
        register = "ecs:RegisterTaskDefinition"
        # Someone who only looks needs no PassRole.
        if source and self.may(source, [register], "*")[register]:
            to_ecs = f"ContextKeyName=iam:PassedToService,ContextKeyValues={ECS_TASKS},ContextKeyType=string"
            for role in (definition.get("executionRoleArn"), definition.get("taskRoleArn")):
                if role:
                    passes[role] = self.may(source, [PASS], role, context=["--context-entries", to_ecs])[PASS]
        return {"Account": identity["Account"], "Arn": arn, "passes": passes}

    def roles(self, definition):
        roles = {}
        for use in ("execution", "task"):
            arn = definition.get(f"{use}RoleArn")
            roles[use] = None
            if arn:
                name = arn.split("/")[-1]
                found, answer = self.look("iam", "get-role", "--role-name", name, missing=["NoSuchEntity"])
                trust = answer.get("Role", {}).get("AssumeRolePolicyDocument")
                roles[use] = {"arn": arn, "name": name, "found": found, "trust": trust, "may": {}}
        return roles

    def rights(self, definition, parts):
        """What the roles may do of what a task needs, as `may` of each role and of each secret."""
        image, logs, roles = parts["image"], parts["logs"], parts["roles"]
        execution = roles["execution"]
        if execution and execution["found"]:
            arn, may = execution["arn"], execution["may"]
            if "repository" in image:
                repository = f"arn:aws:ecr:{image['region']}:{image['account']}:repository/{image['repository']}"
                may |= self.may(arn, ["ecr:GetAuthorizationToken"], "*") | self.may(arn, PULL, repository)
            if logs["group"]:
                # arn:aws:ecs:REGION:ACCOUNT:task-definition/…
                place = ":".join(definition["taskDefinitionArn"].split(":")[3:5])
                group = f"arn:aws:logs:{place}:log-group:{logs['group']}"
                may |= self.may(arn, ["logs:CreateLogGroup"], group, f"{group}:*")
                may |= self.may(arn, ["logs:CreateLogStream", "logs:PutLogEvents"], f"{group}:log-stream:x")
        media, task = parts["media"], roles["task"]
        if media and media["found"] and task and task["found"]:
            media["may"] = self.may(task["arn"], KEEP, media["objects"]) | self.may(task["arn"], [LIST], bucket_of(media["objects"]))
            if media["key"] and media["key"]["arn"]:
                via = f"ContextKeyName=kms:ViaService,ContextKeyValues=s3.{media['region']}.amazonaws.com,ContextKeyType=string"
                media["may"] |= self.may(task["arn"], ENCRYPT, media["key"]["arn"], context=["--context-entries", via])
        for secret in parts["secrets"]:
            reader = roles[secret["reader"]]
            known = secret["found"] and reader and reader["found"]
            secret["may"] = self.may(reader["arn"], [READ], secret["arn"])[READ] if known else None
            secret["decrypts"] = None
            if known and secret["key"] and secret["key"]["arn"]:
                region = secret["arn"].split(":")[3]
                # What Secrets Manager says when it uses the key for the reader.
                values = {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com", "kms:EncryptionContext:SecretARN": secret["arn"]}
                entries = [f"ContextKeyName={k},ContextKeyValues={v},ContextKeyType=string" for k, v in values.items()]
                which = secret["key"]["arn"]
                secret["decrypts"] = self.may(reader["arn"], [DECRYPT], which, context=["--context-entries", *entries])[DECRYPT]

    def image(self, definition):
        uri = container(definition).get("image", "")
        ecr = re.fullmatch(
            r"(?P<account>\d+)\.dkr\.ecr\.(?P<region>[^.]+)\.[^/]+/(?P<repository>[^:@]+)([:@](?P<tag>.+))?", uri
        )
        image = {"uri": uri, "repository_found": None, "tag_found": None, "policy": None}
        if not ecr:
            return image
        image |= ecr.groupdict()
        tag = image["tag"] = image["tag"] or "latest"
        place = ["--region", image["region"]]
        image["tag_found"], _ = self.look(
            "ecr", "describe-images", *place, "--repository-name", image["repository"],
            "--image-ids", f"imageDigest={tag}" if tag.startswith("sha256:") else f"imageTag={tag}",
            missing=["ImageNotFoundException", "RepositoryNotFoundException"],
        )  # fmt: skip
        image["repository_found"] = image["tag_found"]
        if image["tag_found"] is False:
            image["repository_found"], _ = self.look(
                "ecr", "describe-repositories", *place, "--repository-names", image["repository"],
                missing=["RepositoryNotFoundException"],
            )  # fmt: skip
        if image["repository_found"]:
            policy = self.answer(
                "ecr", "get-repository-policy", *place, "--repository-name", image["repository"],
                missing=["RepositoryPolicyNotFoundException"],
            )  # fmt: skip
            image["policy"] = json.loads(policy["policyText"]) if policy else None
        return image

    def target_groups(self, service):
        groups = []
        for attachment in (a for a in service.get("loadBalancers", []) if a.get("targetGroupArn")):
            arn = attachment["targetGroupArn"]
            for group in self.answer("elbv2", "describe-target-groups", "--target-group-arns", arn).get("TargetGroups", []):
                found, health = self.look("elbv2", "describe-target-health", "--target-group-arn", arn)
                arns = group.get("LoadBalancerArns", [])
                described = self.answer("elbv2", "describe-load-balancers", "--load-balancer-arns", *arns) if arns else {}
                balancers = described.get("LoadBalancers", [])
                for balancer in balancers:
                    balancer |= self.edge(balancer["LoadBalancerArn"])
                groups.append(group | {
                    "Health": health.get("TargetHealthDescriptions", []),
                    "HealthKnown": bool(found),
                    "LoadBalancers": balancers,
                    "LoadBalancerSubnets": self.subnets(z["SubnetId"] for b in balancers for z in b["AvailabilityZones"]),
                    "ContainerName": attachment.get("containerName"),
                    "ContainerPort": attachment.get("containerPort"),
                })  # fmt: skip
        return groups

    def edge(self, balancer):
        """What stands before a load balancer: its listeners, their rules and domains, and the firewall's default action."""
        listeners = self.answer("elbv2", "describe-listeners", "--load-balancer-arn", balancer).get("Listeners", [])
        for listener in listeners:
            found, answer = self.look("elbv2", "describe-rules", "--listener-arn", listener["ListenerArn"])
            listener["Rules"] = answer.get("Rules", []) if found else None
        _, firewall = self.look(
            "wafv2", "get-web-acl-for-resource", "--resource-arn", balancer, missing=["WAFNonexistentItemException"]
        )
        certificates = {c["CertificateArn"] for listener in listeners for c in listener.get("Certificates", [])}
        return {"Listeners": listeners, "Domains": [self.domain(arn) for arn in sorted(certificates)], "WebAcl": firewall.get("WebACL")}

    def domain(self, certificate):
        """What a certificate is for, whether it holds, and where its name leads."""
        named = self.answer("acm", "describe-certificate", "--certificate-arn", certificate).get("Certificate", {})
        return self.record(named.get("DomainName", "*")) | {
            "certificate": certificate, "status": named.get("Status"), "ends": named.get("NotAfter"),
            "renewal": named.get("RenewalSummary", {}).get("RenewalStatus"),
        }  # fmt: skip

    def record(self, name):
        """Where Route 53 leads a name: `targets` is None if no zone here says so or may be read."""
        # A wildcard is no name that has a record.
        zones = [] if "*" in name else self.answer("route53", "list-hosted-zones-by-name").get("HostedZones", [])
        zones = [z for z in zones if f".{name}.".endswith(f".{z['Name']}") and not z.get("Config", {}).get("PrivateZone")]
        if not zones:
            return {"name": name, "zone": None, "targets": None}
        zone = max(zones, key=lambda z: len(z["Name"]))["Id"].split("/")[-1]
        found, records = self.look(
            "route53", "list-resource-record-sets", "--hosted-zone-id", zone, "--query", f"ResourceRecordSets[?Name=='{name}.']"
        )
        records = [r for r in records or [] if r["Type"] in ("A", "AAAA", "CNAME")]
        values = [v["Value"] for r in records for v in r.get("ResourceRecords", [])]
        targets = [*values, *(r["AliasTarget"]["DNSName"] for r in records if "AliasTarget" in r)]
        return {"name": name, "zone": zone, "targets": targets if found else None}

    def databases(self, service, definition, subnets):
        """The instances that may be the service's: that of DB_HOST, else those in its network, else all. A task that serves has
        its host from the secret, and the one that migrates names it."""
        migrates = service["taskDefinition"].split("/")[-1].split(":")[0] + "-migrate"
        host = environment(definition).get("DB_HOST")
        if not host:
            _, answer = self.look("ecs", "describe-task-definition", "--task-definition", migrates, missing=["ClientException"])
            host = environment(answer.get("taskDefinition", {})).get("DB_HOST")
        asked, answer = self.look("rds", "describe-db-instances")
        known = answer.get("DBInstances", [])
        named = [d for d in known if host and d.get("Endpoint", {}).get("Address") == host]
        near = [d for d in known if d.get("DBSubnetGroup", {}).get("VpcId") in {s["VpcId"] for s in subnets}]
        keys = ("DBInstanceIdentifier", "DBInstanceStatus", "Endpoint", "DbInstancePort", "VpcSecurityGroups", "DBSubnetGroup")
        gone = bool(asked and not named and (of_an_instance(host, service) if host else not known))
        found = [{key: d[key] for key in keys if key in d} for d in ([] if gone else named or near or known)]
        for database in found:
            its = database.get("DBSubnetGroup", {}).get("Subnets", [])
            database["Cidrs"] = [s["CidrBlock"] for s in self.subnets(one["SubnetIdentifier"] for one in its)]
        return {"databases": found, "database": {"host": host, "gone": gone}}

    def subnets(self, ids):
        ids = list(ids)
        return self.answer("ec2", "describe-subnets", "--subnet-ids", *ids).get("Subnets", []) if ids else []

    def network(self, service):
        subnets = self.subnets(vpc_configuration(service).get("subnets", []))
        if not subnets:
            return {"subnets": [], "endpoints": [], "tables": None, "dns": {}}
        vpc = f"Name=vpc-id,Values={subnets[0]['VpcId']}"
        found, tables = self.look("ec2", "describe-route-tables", "--filters", vpc)
        tables = tables["RouteTables"] if found else None
        for subnet in subnets:
            subnet["Table"] = route_table(tables, subnet["SubnetId"]) if found else None
        dns = {}
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            which = ("--vpc-id", subnets[0]["VpcId"], "--attribute", attribute)
            answer = self.answer("ec2", "describe-vpc-attribute", *which)
            dns[attribute] = answer.get(attribute[0].upper() + attribute[1:], {}).get("Value")
        # AWS still tells of those that are deleted.
        usable = (vpc, "Name=vpc-endpoint-state,Values=available")
        endpoints = self.answer("ec2", "describe-vpc-endpoints", "--filters", *usable).get("VpcEndpoints", [])
        return {"subnets": subnets, "endpoints": endpoints, "tables": tables, "dns": dns}

    def security_groups(self, ids):
        answer = self.answer("ec2", "describe-security-groups", "--group-ids", *ids) if ids else {}
        return {g["GroupId"]: g for g in answer.get("SecurityGroups", [])}

    def secrets(self, definition):
        """The secrets that the container reads by itself (task role) or gets from ECS (execution role). Never their values."""
        app, secrets = container(definition), []
        names = [value for name, value in environment(definition).items() if re.fullmatch(r"DB(_APP)?_SECRET_ID", name)]
        # arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME:JSON-KEY:STAGE:VERSION
        given = [s["valueFrom"] for s in app.get("secrets", []) if ":secretsmanager:" in s["valueFrom"]]
        wanted = [(name, "task") for name in names if name]
        wanted += [(":".join(arn.split(":")[:7]), "execution") for arn in given]
        for identifier, reader in wanted:
            which = ("--secret-id", identifier)
            found, answer = self.look("secretsmanager", "describe-secret", *which, missing=["ResourceNotFoundException"])
            policy = found and self.answer("secretsmanager", "get-resource-policy", *which).get("ResourcePolicy")
            secrets.append({
                "id": identifier, "reader": reader, "found": found, "arn": answer.get("ARN"),
                "deleted": answer.get("DeletedDate"), "policy": json.loads(policy) if policy else None,
                "key": self.key(answer.get("KmsKeyId")),
            })  # fmt: skip
        return secrets

    def key(self, identifier):
        """The key of a secret or a bucket, unless it is AWS's own, which everybody may use who may read what it encrypts."""
        if not identifier or identifier.startswith("alias/aws/"):
            return None
        _, answer = self.look("kms", "describe-key", "--key-id", identifier, missing=["NotFoundException"])
        metadata = answer.get("KeyMetadata", {})
        return {"id": identifier, "arn": metadata.get("Arn"), "state": metadata.get("KeyState")}

    def media(self, definition):
        """What keeps and delivers uploads: the bucket of MEDIA_URL, and the distributions of the account."""
        settings = environment(definition)
        url = urlsplit(settings.get("MEDIA_URL", ""))
        if url.scheme != "s3":
            return None
        path, own_region = url.path.rstrip("/"), definition["taskDefinitionArn"].split(":")[3]
        found, listing = self.look("cloudfront", "list-distributions")
        keys = ("Id", "ARN", "DomainName", "Enabled", "Aliases", "Origins")
        distributions = [{key: d.get(key) for key in keys} for d in listing.get("DistributionList", {}).get("Items") or []]
        return self.bucket(url.netloc) | {
            "path": path, "objects": f"arn:aws:s3:::{url.netloc}{path}/*", "expected": parse_qs(url.query).get("region", [own_region])[0],
            "public_url": settings.get("MEDIA_PUBLIC_URL", ""), "distributions": distributions if found else None, "may": {},
            "record": self.record(urlsplit(settings.get("MEDIA_PUBLIC_URL", "")).hostname or "*"),
        }  # fmt: skip

    def bucket(self, name):
        """Where a bucket is, its policy (without a statement if there is none, None if unknown) and its key."""
        which, bucket = ("--bucket", name), {"bucket": name, "region": None, "policy": None, "key": None}
        bucket["found"], place = self.look("s3api", "get-bucket-location", *which, missing=["NoSuchBucket"])
        if bucket["found"]:
            bucket["region"] = place.get("LocationConstraint") or "us-east-1"
            read, answer = self.look("s3api", "get-bucket-policy", *which, missing=["NoSuchBucketPolicy"])
            bucket["policy"] = json.loads(answer["Policy"]) if read else None if read is None else {}
            none = "ServerSideEncryptionConfigurationNotFoundError"
            rules = self.answer("s3api", "get-bucket-encryption", *which, missing=[none]).get("ServerSideEncryptionConfiguration", {})
            default = rules.get("Rules", [{}])[0].get("ApplyServerSideEncryptionByDefault", {})
            bucket["key"] = self.key(default.get("KMSMasterKeyID"))
        return bucket

    def mail(self, definition):
        """What SES says of the sender, if mail leaves by SES: that of its address, or else that of its domain."""
        settings = environment(definition)
        if not settings.get("MAIL_URL", "").startswith("ses:"):
            return None
        sender = parseaddr(settings.get("MAIL_FROM", ""))[1]
        names = (sender, sender.partition("@")[2])
        asked = [(name, *self.look("sesv2", "get-email-identity", "--email-identity", name, missing=["NotFoundException"])) for name in names]
        identity, found, answer = next((one for one in asked if one[1]), (names[1], None if None in (one[1] for one in asked) else False, {}))
        mail = {"sender": sender, "identity": identity, "found": found, "verified": answer.get("VerifiedForSendingStatus")}
        account = self.answer("sesv2", "get-account")
        return mail | {"sending": account.get("SendingEnabled"), "production": account.get("ProductionAccessEnabled")}

    def alarms(self, service):
        """Those of the service's stack that are on."""
        answer = self.answer("cloudwatch", "describe-alarms", "--alarm-name-prefix", f"{service}-")
        keys = ("AlarmName", "AlarmDescription", "StateReason", "StateUpdatedTimestamp")
        return [{key: alarm.get(key) for key in keys} for alarm in answer.get("MetricAlarms", []) if alarm["StateValue"] == "ALARM"]

    def ready(self, url):
        """What a task answers to /ready, where it is known how the service is reached."""
        if not url:
            return None
        url = f"{url.rstrip('/')}/ready"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return {"url": url, "status": answer.status, "reason": None}
        except urllib.error.HTTPError as answer:
            try:
                return {"url": url, "status": answer.code, "reason": json.loads(answer.read())["reason"]}
            except (ValueError, LookupError, TypeError):
                self.unknown.append(f"{url}: it answers {answer.code}, and no task says so")
        except (OSError, ValueError, HTTPException) as error:
            self.unknown.append(f"{url}: {error}")
        return {"url": url, "status": None, "reason": None}

    def logs(self, definition, stopped):
        options = container(definition).get("logConfiguration", {}).get("options", {})
        group = options.get("awslogs-group")
        logs = {"group": group, "found": None, "lines": []}
        if group:
            found, answer = self.look("logs", "describe-log-groups", "--log-group-name-prefix", group)
            logs["found"] = found and any(g["logGroupName"] == group for g in answer["logGroups"])
        for task in stopped[:2] if logs["found"] else []:
            stream = f"{options.get('awslogs-stream-prefix')}/{container(definition)['name']}/{task['taskArn'].split('/')[-1]}"
            events = self.answer(
                "logs", "get-log-events", "--log-group-name", group, "--log-stream-name", stream, "--limit", "20",
                missing=["ResourceNotFoundException"],
            )  # fmt: skip
            logs["lines"] += [e["message"] for e in events.get("events", [])]
        return logs


def of_an_instance(host, service):
    """Whether an address is one that RDS gives to an instance in the tasks' region, and not to a cluster or a proxy."""
    region = service["serviceArn"].split(":")[3]
    return re.fullmatch(rf"[^.]+\.(?!cluster-|proxy-)[^.]+\.{region}\.rds\.amazonaws\.com(\.cn)?", host) is not None


def newest_first(tasks):
    return sorted(tasks, key=lambda t: str(t.get("stoppedAt", "")), reverse=True)


def steady(service):
    """Whether one deployment, completed, has all its tasks."""
    states = [d.get("rolloutState", "COMPLETED") for d in service.get("deployments", [])]
    return states == ["COMPLETED"] and service["runningCount"] >= service["desiredCount"]


def failed_by_itself(task):
    """Not stopped by ECS or a person."""
    return task.get("stopCode") in ("TaskFailedToStart", "EssentialContainerExited")


def subject(service, stopped):
    """The definition to look at: what the service rolls out, or what it has just rolled back from."""
    primary = next((d["taskDefinition"] for d in service.get("deployments", []) if d["status"] == "PRIMARY"), None)
    failed = [t["taskDefinitionArn"] for t in stopped if failed_by_itself(t)]
    return max([primary or service["taskDefinition"], *failed[:1]], key=revision)


def revision(definition):
    number = definition.split(":")[-1]
    return int(number) if number.isdigit() else 0


def container(definition):
    """The one that matters: the first essential container."""
    return next((c for c in definition.get("containerDefinitions", []) if c.get("essential", True)), {})


def environment(definition):
    return {variable["name"]: variable["value"] for variable in container(definition).get("environment", [])}


def vpc_configuration(service):
    return service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})


def route_table(tables, subnet):
    """The subnet's own, or the main one."""
    associated = [(table, association) for table in tables for association in table.get("Associations", [])]
    own = [table for table, association in associated if association.get("SubnetId") == subnet]
    return next(iter(own + [table for table, association in associated if association.get("Main")]), None)
