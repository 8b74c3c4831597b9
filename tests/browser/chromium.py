"""A headless Chromium that only knows this machine, driven over its DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import websocket

# This machine, by a name that pages do not know as such: some behave differently on localhost.
HOST = "blog.test"
NAMES = ["chromium", "chromium-browser", "google-chrome"]


class Page:
    """One page, and everything that went wrong in it."""

    def __init__(self, width=1280, height=1000):
        binary = next((path for path in map(shutil.which, NAMES) if path), None)
        assert binary, f"none of {', '.join(NAMES)} is installed: apt-get install chromium"
        self.profile = tempfile.mkdtemp()
        options = ["--headless", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
        options += [f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]
        options += [f"--host-resolver-rules=MAP {HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost"]
        # Chromium has no sandbox for root, and a container's /dev/shm is small.
        options += ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen([binary, *options, "about:blank"], stderr=subprocess.DEVNULL)
        port_file = Path(self.profile, "DevToolsActivePort")
        wait(lambda: port_file.exists() and port_file.read_text().count("\n") >= 1, "Chromium starts")
        port = port_file.read_text().split("\n")[0]
        with urlopen(Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")) as response:
            target = json.load(response)["webSocketDebuggerUrl"]
        self.socket = websocket.create_connection(target, timeout=30, suppress_origin=True)
        self.calls = 0
        self.problems, self.requests = [], []
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **parameters):
        self.calls += 1
        self.socket.send(json.dumps({"id": self.calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.calls:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self.hear(message.get("method"), message.get("params", {}))

    def hear(self, event, about):
        if event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(about["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            self.problems.append(json.dumps(about["args"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.problems.append(json.dumps(about["entry"]))
        elif event == "Network.loadingFailed" and not about.get("canceled"):
            self.problems.append(json.dumps(about))
        elif event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])

    def hosts(self):
        """The hosts that the page asked for anything."""
        return {urlsplit(url).netloc for url in self.requests if url.startswith("http")}

    def run(self, script):
        """The value of `script`, run in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in result, f"{script}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def until(self, script):
        return wait(lambda: self.run(script), script)

    def click(self, selector):
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector, text):
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def picture(self, path):
        """Writes what is seen to `path`, as PNG."""
        image = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        Path(path).write_bytes(image)
        return image


def wait(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")
