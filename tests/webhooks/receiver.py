"""Receivers that keep what they get, and behave as they are told."""

import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from service import psql

EVENTS = ["post.published", "post.updated", "post.unpublished", "post.deleted", "user.created", "site.updated"]
Message = namedtuple("Message", "path headers body")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class Receiver:
    """A server; `behave` answers a message by the handler of its request."""

    def __init__(self, behave=lambda handler: handler.answer(204)):
        self.messages, self.behave = [], behave
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.messages.append(Message(self.path, headers, body))
                receiver.behave(self)

            def answer(self, status, **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Hook:
    """A webhook of `service` that posts to `url`."""

    def __init__(self, service, token, url, events=EVENTS):
        self.service, self.token = service, token
        status, body = service.call("/v1/webhooks", {"url": url, "events": events}, token)
        assert status == 201, body
        self.id, self.secret = body["id"], body["secret"]

    def call(self, path="", body=None, method=None):
        return self.service.call(f"/v1/webhooks/{self.id}{path}", body, self.token, method)

    def test(self):
        status, body = self.call("/test", method="POST")
        assert status == 202, body
        return body["id"]

    def delivery(self, id):
        return next(one for one in self.call("/deliveries")[1]["items"] if one["id"] == id)


def hurry(service):
    """Has what waits for another attempt tried now."""
    psql(service.database, "update webhook_deliveries set next_attempt_at = now() where status = 'pending'")
    psql(service.database, "update jobs set run_at = now() where kind = 'webhook_delivery' and holder is null")
