"""Signs in as an admin. The tests delete, demote and sign out users, this one too: a new one every second."""

import json
import os
import subprocess
import uuid
from urllib.request import Request, urlopen

import schemathesis

PASSWORD = "a password for schemathesis"

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
