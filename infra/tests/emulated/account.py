"""The account that `apply FOLDER` has made: what Terraform tells of it, keys of its roles, and policies that count."""

import contextlib
import json
import os
import subprocess
import urllib.request

import boto3


def outputs(folder):
    told = subprocess.run(
        ["terraform", f"-chdir={folder}/infra/production", "output", "-json"], check=True, capture_output=True
    ).stdout
    return {name: output["value"] for name, output in json.loads(told).items()}


def keys_of(role):
    return boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]


@contextlib.contextmanager
def enforced_policies():
    """Until the end of the block every call needs a policy that allows it."""
    enforce_after("0")
    try:
        yield
    finally:
        enforce_after("inf")


def enforce_after(requests):
    url = os.environ["AWS_ENDPOINT_URL"] + "/moto-api/reset-auth"
    urllib.request.urlopen(urllib.request.Request(url, requests.encode(), {"Content-Type": "text/plain"})).read()
