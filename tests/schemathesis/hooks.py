"""Signs in as an admin. The tests delete, demote and sign out users, this one too: a new one every second. Uploads pictures
beside what is none."""

import base64
import json
import os
import subprocess
import uuid
from urllib.request import Request, urlopen

import schemathesis
from hypothesis import strategies

PASSWORD = "a password for schemathesis"

# A pixel, as PNG and as GIF. What a file is, its first bytes say, whatever its type.
PICTURES = [
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mPomjwHAANkAbqdds3cAAAAAElFTkSuQmCC",
    "R0lGODlhAQABAIAAAIqTnAAAACwAAAAAAQABAAACAkQBADs=",
]

files = strategies.sampled_from([base64.b64decode(picture) for picture in PICTURES]) | strategies.binary(max_size=64)
for media_type in ["image/jpeg", "image/png", "image/gif", "image/webp"]:
    schemathesis.openapi.media_type(media_type, files)

if "BLOG_API" in os.environ:

    @schemathesis.auth(refresh_interval=1)
    class Admin:
        def get(self, case, context):
            name = f"admin-{uuid.uuid4().hex[:16]}"
            email = f"{name}@example.com"
            command = [os.environ["BLOG_API"], "users", "create", "--username", name, "--email", email, "--role", "admin"]
            subprocess.run(command, input=PASSWORD, text=True, check=True, capture_output=True)
            body = json.dumps({"email": email, "password": PASSWORD}).encode()
            request = Request(os.environ["BASE_URL"] + "/v1/sessions", body, {"Content-Type": "application/json"})
            with urlopen(request) as response:
                return json.load(response)["token"]

        def set(self, case, data, context):
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {data}"
