"""Puts the database's two secrets into the emulator of Secrets Manager, in the shapes that RDS gives them, the sender of mails
into that of SES, and a bucket into that of S3."""

import json
import pathlib
import urllib.error
import urllib.request

# The emulator reads the service from the signature and does not check it.
SIGNATURE = "AWS4-HMAC-SHA256 Credential=compose/20260101/ap-northeast-2/{}/aws4_request"


def call(service, path="/", action="", **parameters):
    headers = {"Authorization": SIGNATURE.format(service), "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": action}
    body = json.dumps(parameters).encode()
    with urllib.request.urlopen(urllib.request.Request(f"http://aws:5000{path}", body, headers), timeout=10) as answer:
        return json.load(answer)


def put(path, body):
    headers = {"Authorization": SIGNATURE.format("s3"), "Content-Type": "application/xml"}
    request = urllib.request.Request(f"http://aws:5000{path}", body.encode(), headers, method="PUT")
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        # Another start has made it.
        if b"BucketAlreadyOwnedByYou" not in error.read():
            raise


def create(name, role, **where):
    password = pathlib.Path(f"/credentials/{role}-password").read_text().strip()
    secret = json.dumps({"username": f"blog_{role}", "password": password, **where})
    try:
        call("secretsmanager", action="secretsmanager.CreateSecret", Name=name, SecretString=secret)
    except urllib.error.HTTPError as error:
        # Another start has made it; since then it may have been rotated.
        if b"ResourceExistsException" not in error.read():
            raise


# One that RDS manages holds no more than these two; one that its rotation function made, all of it.
create("blog-api/database-master", "master")
create("blog-api/database", "application", engine="postgres", host="postgres", port=5432, dbname="blog")
call("ses", "/v2/email/identities", EmailIdentity="example.com")
put("/blog-api-media", "<CreateBucketConfiguration><LocationConstraint>ap-northeast-2</LocationConstraint></CreateBucketConfiguration>")
# Pages of any site on this machine may upload.
put("/blog-api-media?cors", """<CORSConfiguration><CORSRule>
<AllowedMethod>PUT</AllowedMethod><AllowedOrigin>*</AllowedOrigin><AllowedHeader>*</AllowedHeader>
</CORSRule></CORSConfiguration>""")
