"""Ten thousand messages through two processes, one of which is killed: none is lost, and none is unsigned."""

import signal
import unittest

from receiver import Hook, Receiver
from service import Service, psql, wait
from standardwebhooks import Webhook

HOOKS, ACTS, EVENTS_OF_ACT = 5, 200, 10


class Killed(unittest.TestCase):
    def test_what_a_killed_process_had_is_sent_by_the_other(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        allow = {"WEBHOOK_ALLOW": "127.0.0.1, http"}
        with Service(**allow) as one, Service(one.database, **allow) as other:
            token = one.admin()
            hooks = [Hook(one, token, f"{receiver.url}/{n}") for n in range(HOOKS)]
            for act in range(ACTS):
                psql(
                    one.database,
                    f"""select webhook_emit(array_agg('site.updated'::text), array_agg(jsonb_build_object('version', n)), now())
                        from generate_series({act * EVENTS_OF_ACT + 1}, {(act + 1) * EVENTS_OF_ACT}) n""",
                )
            wait(lambda: len(receiver.messages) > 1500, "some have arrived")
            held = "select count(*) from jobs where kind = 'webhook_delivery' and holder is not null and run_at > now()"
            self.assertGreater(int(psql(one.database, held)[0]), 0)
            other.process.send_signal(signal.SIGKILL)
            other.process.wait()
            delivered = "select count(*) from webhook_deliveries where status = 'delivered'"
            every = [str(HOOKS * ACTS * EVENTS_OF_ACT)]
            wait(lambda: psql(one.database, delivered) == every, "all are delivered", 300)
            wait(lambda: psql(one.database, "select count(*) from jobs where kind like 'webhook%'") == ["0"], "no job is left")
        expected = ACTS * EVENTS_OF_ACT
        for n, hook in enumerate(hooks):
            of_hook = [message for message in receiver.messages if message.path == f"/{n}"]
            webhook = Webhook(hook.secret)
            told = [webhook.verify(message.body, message.headers) for message in of_hook]
            self.assertEqual({one["data"]["version"] for one in told}, set(range(1, expected + 1)))
            # Again only what was in hand: four at a time.
            self.assertLessEqual(len(told) - expected, 4)
            ids = {message.headers["webhook-id"] for message in of_hook}
            self.assertEqual(len(ids), expected)


if __name__ == "__main__":
    unittest.main()
