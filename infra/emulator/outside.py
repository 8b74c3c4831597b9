"""What stands before the account and beside it: the load balancer (/health) and ECR's registry (docker push)."""

import hashlib
import json
import os
import sys
import time

from flask import Flask, Response, request
from moto.ecr.models import Repository, ecr_backends
from moto.ecs.models import ecs_backends
from patches import patch
from rollouts import ACCOUNT, behaviour

PORT = int(sys.argv[1]) + 1

outside = Flask("outside")
blobs, uploads = {}, {}


@outside.get("/health")
def health():
    """What a task of the running deployment answers, with its commit."""
    return answer("health", {"status": "ok"})


@outside.get("/ready")
def ready():
    """Whether it can serve: of an image whose `ready` is 503, the database is away."""
    return answer("ready", {"status": "unavailable", "reason": "database_unreachable"})


def answer(path, body):
    for region in ecs_backends[ACCOUNT].values():
        for service in region.services.values():
            running = [d for d in service.deployments if d["runningCount"]]
            if running:
                image = region.describe_task_definition(running[0]["taskDefinition"]).container_definitions[0]["image"]
                said = Response(json.dumps(body), status=behaviour(image).get(path, 200), mimetype="application/json")
                said.headers["x-blog-api-version"] = image.rpartition(":")[2]
                return said
    return Response("no task runs", status=503)


@patch(Repository, "__init__")
def make_near_repository(make, self, *args, **kwargs):
    make(self, *args, **kwargs)
    # Docker would look for the real name on the internet.
    if self.name.startswith("here/"):
        self.uri = f"127.0.0.1:{PORT}/{self.name}"


@outside.get("/v2/")
def registry():
    return {}


@outside.route("/v2/<path:name>/blobs/<digest>", methods=["HEAD", "GET"])
def blob(name, digest):
    return Response(blobs[digest]) if digest in blobs else Response(status=404)


@outside.post("/v2/<path:name>/blobs/uploads/")
def start_upload(name):
    upload = str(time.time_ns())
    uploads[upload] = b""
    return Response(
        status=202, headers={"Location": f"/v2/{name}/blobs/uploads/{upload}", "Docker-Upload-UUID": upload}
    )


@outside.route("/v2/<path:name>/blobs/uploads/<upload>", methods=["PATCH", "PUT"])
def continue_upload(name, upload):
    uploads[upload] += request.get_data()
    if request.method == "PATCH":
        return Response(status=202, headers={"Location": request.path, "Range": f"0-{len(uploads[upload]) - 1}"})
    digest = request.args["digest"]
    content = uploads.pop(upload)
    if digest != "sha256:" + hashlib.sha256(content).hexdigest():
        return Response(status=400)
    blobs[digest] = content
    return Response(status=201, headers={"Docker-Content-Digest": digest})


@outside.route("/v2/<path:name>/manifests/<tag>", methods=["HEAD", "GET", "PUT"])
def manifest(name, tag):
    if request.method != "PUT":
        return Response(status=404)
    content = request.get_data()
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    region = ecr_backends[ACCOUNT][os.environ["AWS_REGION"]]
    region.put_image(name, content.decode(), tag, request.content_type, digest)
    return Response(status=201, headers={"Docker-Content-Digest": digest})
