"""usage: guide.py PAGE: runs the ```sh blocks of a page, in order and in one shell, and holds what comes back against the
comments below each command.

    # 201 {"slug": "hello", "items": [{"id": "…"}]}    a status, and of the body: these fields, all the items of a list
    # ETag: "…"                                        a header of the answer before

`…` is anything in a text. Every answer that a command shows has its comment: none goes unchecked. The page names
http://localhost:8000 and `cargo run -q --`; for them stand BASE_URL and BLOG_API.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

STATUS = re.compile(r"# (\d{3})(?: (.*))?$")
HEADER = re.compile(r"# ([A-Z][A-Za-z-]+): (.+)$")


class Claim:
    """What the page says of one answer."""

    def __init__(self, status, body, line):
        self.status, self.line = int(status), line
        self.body = json.loads(body) if body else None
        self.headers = {}


def steps(page):
    """The page's commands: where each begins, its text, and what is claimed of its answers."""
    step, in_block = None, False
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("```"):
            if step:
                yield step
            step, in_block = None, line == "```sh"
        elif in_block:
            status, header = STATUS.match(line), HEADER.match(line)
            if status:
                step[2].append(Claim(*status.groups(), number))
            elif header:
                step[2][-1].headers[header[1]] = header[2]
            else:
                if step and step[2]:  # What follows a claim is another command.
                    yield step
                    step = None
                step = step or (number, [], [])
                step[1].append(line)


def answers(output):
    """The HTTP answers in what was shown: status, headers, body."""
    for text in re.split(r"^(?=HTTP/)", output.replace("\r\n", "\n"), flags=re.MULTILINE)[1:]:
        head, _, body = text.partition("\n\n")
        first, *lines = head.split("\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        yield int(first.split()[1]), headers, body.strip()


def is_like(claimed, text):
    return re.fullmatch(".*".join(re.escape(part) for part in claimed.split("…")), text, re.DOTALL)


def differences(claimed, found, where="body"):
    """Where `found` is not what is claimed of it."""
    if isinstance(claimed, dict) and isinstance(found, dict):
        for key, value in claimed.items():
            if key in found:
                yield from differences(value, found[key], f"{where}.{key}")
            else:
                yield f"{where}.{key} is missing"
    elif isinstance(claimed, list) and isinstance(found, list):
        if len(claimed) != len(found):
            yield f"{where} has {len(found)} items, not {len(claimed)}"
        for index, pair in enumerate(zip(claimed, found)):
            yield from differences(*pair, f"{where}[{index}]")
    elif isinstance(claimed, str) and isinstance(found, str):
        if not is_like(claimed, found):
            yield f"{where} is {found!r}, not {claimed!r}"
    elif type(claimed) is not type(found) or claimed != found:
        yield f"{where} is {found!r}, not {claimed!r}"


def faults(output, claims):
    """Where the answers in `output` are not what is claimed of them."""
    found = list(answers(output))
    if len(found) != len(claims):
        yield f"{len(found)} answers, {len(claims)} claims"
    for claim, (status, headers, body) in zip(claims, found):
        wrong = []
        if status != claim.status:
            wrong.append(f"the status is {status}, not {claim.status}")
        for name, value in claim.headers.items():
            if not is_like(value, headers.get(name.lower(), "")):
                wrong.append(f"{name} is {headers.get(name.lower())!r}, not {value!r}")
        if claim.body is not None:
            try:
                wrong += differences(claim.body, json.loads(body))
            except ValueError:
                wrong.append("the body is not JSON")
        yield from (f"line {claim.line}: {fault}" for fault in wrong)


class Shell:
    """One bash for the whole page, as a reader has one terminal."""

    END = "end of the step"

    def __init__(self, folder):
        pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        environment = {**os.environ, "TMPDIR": folder}
        self.bash = subprocess.Popen(["bash"], cwd=folder, env=environment, text=True, **pipe)

    def run(self, command):
        """What a command shows, and how it ends."""
        self.bash.stdin.write(f"{command}\nprintf '\\n%s %s\\n' '{self.END}' $?\n")
        self.bash.stdin.flush()
        shown = []
        for line in self.bash.stdout:
            if line.startswith(self.END):
                return "".join(shown), int(line.split()[-1])
            shown.append(line)
        return "".join(shown), self.bash.wait()


def main():
    page = Path(sys.argv[1]).read_text()
    failed = ran = 0
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(folder)
        for line, command, claims in steps(page):
            command = "\n".join(command)
            real = command.replace("http://localhost:8000", os.environ["BASE_URL"])
            output, code = shell.run(real.replace("cargo run -q --", os.environ["BLOG_API"]))
            wrong = list(faults(output, claims)) + ([f"it ends with {code}"] if code else [])
            ran += len(claims)
            if wrong:
                failed += 1
                print(f"\n{sys.argv[1]}:{line}\n{command}\n--\n{output.strip()}\n--", *wrong, sep="\n")
    if not ran:
        sys.exit(f"{sys.argv[1]} claims nothing")
    print(f"{sys.argv[1]}: {ran} answers, {failed} commands that are not as it says")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
