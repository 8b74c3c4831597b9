"""A request that is sent again because its answer was lost is not done again, as AWS does with most: Terraform's SDK gives every
attempt at one call the same id. Without this, a role would be there already that the lost answer was about.
"""

import threading
from collections import OrderedDict

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from patches import patch

KEPT = 2000
calls, lock = OrderedDict(), threading.Lock()


class Call:
    def __init__(self):
        self.lock, self.answer = threading.Lock(), None


@patch(DomainDispatcherApplication, "__call__")
def answer_once(dispatch, self, environ, start_response):
    attempts = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
    if not attempts:
        return dispatch(self, environ, start_response)
    with lock:
        call = calls.setdefault(attempts, Call())
        while len(calls) > KEPT:
            calls.popitem(last=False)
    # The first attempt may be under way still.
    with call.lock:
        if not call.answer:
            said = []
            body = b"".join(dispatch(self, environ, lambda status, headers, *_: said.append((status, headers))))
            status, headers = said[0]
            if not status.startswith("2"):
                start_response(status, headers)
                return [body]
            call.answer = status, headers, body
    status, headers, body = call.answer
    start_response(status, headers)
    return [body]
