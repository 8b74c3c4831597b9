"""Verifies messages by the code that docs/api.md has for receivers."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from service import wait


def code(language):
    text = Path("docs/api.md").read_text(encoding="utf-8").split("### Verifying a message")[1]
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


def by_python(secret, message):
    names = {"secret": secret, "headers": message.headers, "body": message.body}
    exec("import base64, hmac, time\n" + code("py"), names)
    return names["valid"]


def by_javascript(secret, message):
    return run(["node"], ".mjs", secret, message, f"""
      import {{ createHmac, timingSafeEqual }} from "node:crypto";
      import {{ readFileSync }} from "node:fs";
      const {{ secret, headers, body }} = JSON.parse(readFileSync(0)), request = {{ headers }};
      {code("js")}
      console.log(valid);""")


def by_ruby(secret, message):
    return run(["ruby", "-rbase64", "-ropenssl", "-rjson"], ".rb", secret, message, f"""
      secret, headers, body = JSON.parse($stdin.read).values_at("secret", "headers", "body")
      {code("rb")}
      puts valid""")


def run(command, suffix, secret, message, script):
    given = json.dumps({"secret": secret, "headers": message.headers, "body": message.body.decode()})
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as file:
        file.write(script)
        file.flush()
        return json.loads(subprocess.run([*command, file.name], input=given, check=True, capture_output=True, text=True).stdout)


def by_php(secret, message):
    """By a server, since the code reads the request itself."""
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+", encoding="utf-8") as log:
        Path(folder, "receiver.php").write_text(f"<?php $secret = '{secret}';\n{code('php')}\necho json_encode($valid);")
        server = subprocess.Popen(["php", "-S", "127.0.0.1:0", f"{folder}/receiver.php"], stderr=log)
        try:
            read = lambda: re.search(r"\((http://\S+)\) started", Path(log.name).read_text(encoding="utf-8"))
            url = wait(read, "PHP listens")[1]
            headers = {name: value for name, value in message.headers.items() if name.startswith("webhook-")}
            with urlopen(Request(f"{url}/hook", message.body, headers)) as answer:
                return json.load(answer)
        finally:
            server.kill()
            server.wait()
