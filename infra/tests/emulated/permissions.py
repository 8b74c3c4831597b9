"""usage: permissions.py FOLDER: with policies enforced, sees what the roles that `apply FOLDER` has made may do and what not."""

import sys

import boto3
from account import enforced_policies, keys_of, outputs
from botocore.exceptions import ClientError

# Each role, and the calls it may make; all others of the table are refused.
MAY = {
    "task_role_arn": {"read application_secret_arn"},
    "migrate_role_arn": {"read application_secret_arn", "read master_secret_arn"},
}


def calls(secrets, made):
    for name in ("application_secret_arn", "master_secret_arn"):
        arn = made[name]
        yield f"read {name}", lambda arn=arn: secrets.get_secret_value(SecretId=arn)
        yield f"describe {name}", lambda arn=arn: secrets.describe_secret(SecretId=arn)
        yield f"write {name}", lambda arn=arn: secrets.put_secret_value(SecretId=arn, SecretString="{}")
        yield f"delete {name}", lambda arn=arn: secrets.delete_secret(SecretId=arn)
    yield "list secrets", secrets.list_secrets


def allowed(call):
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def client_of(role):
    keys = keys_of(role)
    return boto3.client(
        "secretsmanager",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def main():
    made = outputs(sys.argv[1])
    clients = {role: client_of(made[role]) for role in MAY}
    wrong = []
    with enforced_policies():
        for role, client in clients.items():
            for name, call in calls(client, made):
                yes = allowed(call)
                print(f"{role.removesuffix('_arn'):13} {'may' if yes else 'may not':8} {name.removesuffix('_arn')}")
                if yes != (name in MAY[role]):
                    wrong.append(f"{role}: {name}")
    if wrong:
        sys.exit("not as meant: " + ", ".join(wrong))


main()
