"""usage: permissions.py FOLDER: with policies enforced, sees what the roles that `apply FOLDER` has made may do and what not."""

import json
import os
import subprocess
import sys
import urllib.request

import boto3
from botocore.exceptions import ClientError

# Each role, and the calls it may make; all others of the table are refused.
MAY = {
    "task_role_arn": {"read application_secret_arn"},
    "migrate_role_arn": {"read application_secret_arn", "read master_secret_arn"},
}


def calls(secrets, outputs):
    for name in ("application_secret_arn", "master_secret_arn"):
        arn = outputs[name]
        yield f"read {name}", lambda arn=arn: secrets.get_secret_value(SecretId=arn)
        yield f"describe {name}", lambda arn=arn: secrets.describe_secret(SecretId=arn)
        yield f"write {name}", lambda arn=arn: secrets.put_secret_value(SecretId=arn, SecretString="{}")
        yield f"delete {name}", lambda arn=arn: secrets.delete_secret(SecretId=arn)
    yield "list secrets", secrets.list_secrets


def allowed(call):
    try:
        call()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        return False
    return True


def enforce_after(requests):
    """Policies count after so many requests."""
    url = os.environ["AWS_ENDPOINT_URL"] + "/moto-api/reset-auth"
    urllib.request.urlopen(urllib.request.Request(url, requests.encode(), {"Content-Type": "text/plain"})).read()


def client_of(role):
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="permissions")["Credentials"]
    return boto3.client(
        "secretsmanager",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def main():
    root = f"-chdir={sys.argv[1]}/infra/production"
    told = subprocess.run(["terraform", root, "output", "-json"], check=True, capture_output=True).stdout
    outputs = {name: output["value"] for name, output in json.loads(told).items()}

    clients = {role: client_of(outputs[role]) for role in MAY}
    enforce_after("0")
    try:
        wrong = []
        for role, client in clients.items():
            for name, call in calls(client, outputs):
                yes = allowed(call)
                print(f"{role.removesuffix('_arn'):13} {'may' if yes else 'may not':8} {name.removesuffix('_arn')}")
                if yes != (name in MAY[role]):
                    wrong.append(f"{role}: {name}")
    finally:
        enforce_after("inf")
    if wrong:
        sys.exit("not as meant: " + ", ".join(wrong))


main()
