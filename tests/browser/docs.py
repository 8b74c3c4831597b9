"""Opens /docs, reads it, signs in on it and tries a route out, with no error and no other host asked."""

import json
import os
import struct
import uuid
import zlib
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from chromium import HOST, Page

BASE_URL = os.environ["BASE_URL"].rstrip("/")
SHOWN_URL = f"http://{HOST}:{urlsplit(BASE_URL).port}"
PICTURES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "blog-api", "browser")
PASSWORD = "a password for browsers"
ME = "#operations-users-users_me"


def call(path, body=None):
    data = json.dumps(body).encode() if body else None
    with urlopen(Request(BASE_URL + path, data, {"Content-Type": "application/json"})) as response:
        return json.load(response)


def sign_up():
    """A new user's name and token."""
    name = f"browser-{uuid.uuid4().hex[:12]}"
    account = {"email": f"{name}@example.com", "password": PASSWORD}
    call("/v1/users", {"username": name} | account)
    return name, call("/v1/sessions", account)["token"]


def check_operations(page):
    """Every tag and every operation of the document is on the page."""
    document = call("/openapi.json")
    operations = {
        f"operations-{operation['tags'][0]}-{operation['operationId']}"
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert len(operations) > 40, operations
    page.until(f"document.querySelectorAll('.opblock').length >= {len(operations)}")
    shown = page.run("[...document.querySelectorAll('.opblock')].map(block => block.id)")
    assert set(shown) == operations, set(shown) ^ operations
    tags = page.run("[...document.querySelectorAll('.opblock-tag')].map(tag => tag.dataset.tag)")
    assert tags == [tag["name"] for tag in document["tags"]], tags
    assert document["info"]["title"] in page.run("document.querySelector('.info .title').innerText")


def check_picture(image):
    """It has something on it: a blank page is of one colour, whatever its size."""
    at, data = 8, b""
    while at < len(image):
        length, kind = struct.unpack(">I4s", image[at : at + 8])
        data += image[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    assert len(set(zlib.decompress(data))) > 100, "the picture is blank"


def authorize(page, token):
    page.click(".auth-wrapper .authorize")
    page.type(".modal-ux input", token)
    page.click(".modal-ux .modal-btn.auth.authorize")
    page.until("document.querySelector('.modal-ux').innerText.includes('Logout')")
    page.click(".modal-ux .btn-done")


def try_out(page, name):
    page.click(f"{ME} .opblock-summary-control")
    page.click(f"{ME} .try-out__btn")
    page.click(f"{ME} .execute")
    answer = f"{ME} .live-responses-table tbody"
    page.until(f"!!document.querySelector('{answer}')")
    assert page.run(f"document.querySelector('{answer} .response-col_status').innerText").startswith("200")
    assert name in page.run(f"document.querySelector('{answer}').innerText")
    page.run(f"document.querySelector('{ME}').scrollIntoView()")


name, token = sign_up()
PICTURES.mkdir(parents=True, exist_ok=True)
with Page() as page:
    page.call("Page.navigate", url=f"{SHOWN_URL}/docs")
    check_operations(page)
    check_picture(page.picture(PICTURES / "docs.png"))
    authorize(page, token)
    try_out(page, name)
    check_picture(page.picture(PICTURES / "docs-tried-out.png"))
    assert page.problems == [], "\n".join(page.problems)
    assert page.hosts() == {urlsplit(SHOWN_URL).netloc}, page.hosts()
    assert any(url.endswith("/v1/users/me") for url in page.requests), page.requests
print("docs: every operation is shown, and one was tried out")
