"""The way from a task to its database."""

from network import closed, known_groups, opening, task_groups
from table import Cause, logged, rule

# In these it answers, if slowly.
SERVING = {
    "available", "backing-up", "configuring-enhanced-monitoring", "configuring-iam-database-auth", "configuring-log-exports",
    "maintenance", "modifying", "storage-config-upgrade", "storage-optimization", "upgrading",
}  # fmt: skip


def port(database):
    return database.get("Endpoint", {}).get("Port") or database.get("DbInstancePort") or 5432


def candidates(facts):
    """Those that may be the service's. Where none is named, one that serves is; others in the network may be copies."""
    known = facts["databases"]
    if not facts.get("database", {}).get("host"):
        known = [d for d in known if d["DBInstanceStatus"] in SERVING] or known
    return known


def near(facts):
    """Those in the tasks' network."""
    vpcs = {s["VpcId"] for s in facts["subnets"]}
    return [d for d in candidates(facts) if d.get("DBSubnetGroup", {}).get("VpcId") in vpcs]


@rule("database-away", "whether there is the database, its state and its network")
def database_away(facts):
    host = facts.get("database", {}).get("host")
    if facts.get("database", {}).get("gone"):
        yield Cause(
            "The database is gone: " + (f"no instance of this account has the address {host}." if host else "there is no instance in this account and region."),
            "aws rds describe-db-snapshots --query 'DBSnapshots[].[DBSnapshotIdentifier,SnapshotCreateTime]'\n"
            "aws rds describe-db-instance-automated-backups    # then bring it back: docs/runbooks.md",
            [f"DB_HOST is {host}" if host else "no task definition names a DB_HOST", *logged(facts, "database")],
        )
    for database in candidates(facts):
        name, status = database["DBInstanceIdentifier"], database["DBInstanceStatus"]
        evidence = [f"{name} is {status}", *logged(facts, "database")]
        if status not in SERVING:
            mend = f"aws rds start-db-instance --db-instance-identifier {name}"
            if status != "stopped":
                mend = f"aws rds describe-events --source-type db-instance --source-identifier {name} --duration 1440"
            yield Cause(f"The database {name} does not serve: it is {status}.", mend, evidence)
    elsewhere = [d for d in candidates(facts) if d.get("DBSubnetGroup")]
    if elsewhere and facts["subnets"] and not near(facts):
        name, vpc = elsewhere[0]["DBInstanceIdentifier"], elsewhere[0]["DBSubnetGroup"].get("VpcId")
        yield Cause(
            f"The database {name} is in another VPC than the tasks, which therefore have no route to it.",
            "aws ec2 create-vpc-peering-connection --vpc-id "
            f"{facts['subnets'][0]['VpcId']} --peer-vpc-id {vpc}    # with routes, or move one of the two",
            [f"{name} in {vpc}, tasks in {facts['subnets'][0]['VpcId']}"],
        )


@rule("database-closed", "the security groups between the tasks and the database")
def database_closed(facts):
    tasks, cidrs = task_groups(facts), [s["CidrBlock"] for s in facts["subnets"]]
    for database in near(facts) if tasks else []:
        own, number = known_groups(facts, [g["VpcSecurityGroupId"] for g in database["VpcSecurityGroups"]]), port(database)
        if own and closed(own, "IpPermissions", number, tasks, cidrs):
            yield Cause(
                f"The security group of the database {database['DBInstanceIdentifier']} does not let the tasks in on port {number}.",
                opening("ingress", number, own, tasks),
                [f"{g['GroupId']} ingress: {g['IpPermissions']}" for g in own],
            )
        if own and database["Cidrs"] and closed(tasks, "IpPermissionsEgress", number, own, database["Cidrs"]):
            yield Cause(
                f"The tasks' security group lets nothing out to the database on port {number}.",
                opening("egress", number, tasks, own),
                [f"{g['GroupId']} egress: {g['IpPermissionsEgress']}" for g in tasks],
            )
