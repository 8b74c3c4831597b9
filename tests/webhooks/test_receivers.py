"""Receivers that fail, hang, drip, redirect, put off and are gone, while another works."""

import time
import unittest

from receiver import Hook, Receiver, hurry
from service import Service, wait


def hang(_):
    time.sleep(60)


def drip(handler):
    """A head that never ends, a byte at a time."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"x" * 1000:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.5)
    except OSError:
        handler.close_connection = True


def cut(handler):
    handler.connection.close()
    handler.close_connection = True


class Receivers(unittest.TestCase):
    def setUp(self):
        self.service = self.enterContext(Service(WEBHOOK_ALLOW="127.0.0.1, http"))
        self.token = self.service.admin()

    def hook(self, behave=lambda handler: handler.answer(204)):
        receiver = Receiver(behave)
        self.addCleanup(receiver.close)
        hook = Hook(self.service, self.token, f"{receiver.url}/hook?token=hidden")
        hook.receiver = receiver
        return hook

    def attempted(self, hook, id, number=1):
        attempts = wait(lambda: (found := hook.delivery(id)["attempts"]) and len(found) >= number and found, "an attempt")
        return attempts[-1]

    def test_why_a_message_did_not_arrive_is_said(self):
        elsewhere = self.hook()
        redirect = lambda handler: handler.answer(307, location=elsewhere.receiver.url)
        for behave, status, error in [
            (lambda handler: handler.answer(500), 500, "status"),
            (redirect, 307, "status"),
            (cut, None, "connection_closed"),
            (hang, None, "timeout"),
            (drip, None, "timeout"),
        ]:
            hook = self.hook(behave)
            attempt = self.attempted(hook, hook.test())
            self.assertEqual((attempt["status"], attempt["error"]), (status, error))
            self.assertLess(attempt["milliseconds"], 20_000)
        self.assertEqual(elsewhere.receiver.messages, [])
        self.assertNotIn("hidden", self.service.log())

    def test_a_message_is_tried_again_until_it_arrives(self):
        hook = self.hook(lambda handler: handler.answer(503))
        id = hook.test()
        self.attempted(hook, id)
        hook.receiver.behave = lambda handler: handler.answer(200)
        # By itself, after five seconds.
        wait(lambda: hook.delivery(id)["status"] == "delivered", "it arrives", 30)
        ids = {message.headers["webhook-id"] for message in hook.receiver.messages}
        self.assertEqual((len(hook.receiver.messages), ids), (2, {"msg_" + id.replace("-", "")}))

    def test_who_asks_for_time_has_it(self):
        hook = self.hook(lambda handler: handler.answer(429, retry_after="3600"))
        id = hook.test()
        at = self.attempted(hook, id)["at"]
        self.assertGreater(hook.delivery(id)["next_attempt_at"][:13], at[:13])
        hurry(self.service)
        self.attempted(hook, id, 2)

    def test_who_is_gone_gets_nothing_more(self):
        hook = self.hook(lambda handler: handler.answer(410))
        id = hook.test()
        wait(lambda: hook.delivery(id)["status"] == "failed", "it is given up")
        shown = hook.call()[1]
        self.assertEqual((shown["enabled"], shown["disabled_reason"]), (False, "gone"))
        self.assertEqual(hook.call("/test", method="POST")[0], 409)
        self.assertEqual(len(hook.receiver.messages), 1)

    def test_a_hundred_messages_to_who_hangs_keep_no_other_waiting(self):
        slow, quick = self.hook(hang), self.hook()
        for _ in range(100):
            slow.test()
        wait(lambda: slow.receiver.messages, "it hangs")
        ids = [quick.test() for _ in range(20)]
        wait(lambda: len(quick.receiver.messages) == len(ids), "all of the other's", 12)
        self.assertEqual(slow.call("/deliveries?status=delivered")[1]["items"], [])


if __name__ == "__main__":
    unittest.main()
