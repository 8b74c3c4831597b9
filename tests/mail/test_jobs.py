"""The queue with processes that die."""

import collections
import signal
import time
import unittest

from servers import Mailbox, SmtpServer
from service import Service, psql, wait

JOBS = 1000


class Slow(Mailbox):
    """Takes as long as a real one, so that a process dies with mails in hand."""

    async def handle_DATA(self, server, session, envelope):
        import asyncio

        await asyncio.sleep(0.05)
        return await super().handle_DATA(server, session, envelope)


def ask(database, address):
    """Asks for a thousand mails to a user: the ids of the jobs."""
    return psql(database, f"""
        insert into jobs (id, kind, payload, user_id, due_at, run_at, created_at)
        select gen_random_uuid(), 'mail', '{{"letter": "password_changed"}}', id, now(), now(), now()
        from users, generate_series(1, {JOBS}) where email = '{address}' returning id""")


class Death(unittest.TestCase):
    def test_of_a_thousand_jobs_none_is_lost_when_a_process_is_killed(self):
        mailbox = Slow()
        with SmtpServer(mailbox, encrypted=False) as server, Service(**server.variables()) as survivor:
            victim = Service(survivor.database, **server.variables())
            address = survivor.sign_up()
            jobs = set(ask(survivor.database, address))
            wait(lambda: len(mailbox.to(address)) > 200, "some mails")
            victim.stop(signal.SIGKILL)
            killed = time.monotonic()
            ids = lambda: [mail["Message-ID"].strip("<>").split("@")[0] for mail in mailbox.to(address)]
            wait(lambda: len(set(ids())) == JOBS, "all mails")
            waited = time.monotonic() - killed
            wait(lambda: psql(survivor.database, "select count(*) from jobs where kind = 'mail'") == ["0"], "the end")
            self.assertEqual(set(ids()), jobs)
            repeated = [id for id, times in collections.Counter(ids()).items() if times > 1]
            self.assertLessEqual(len(repeated), 8, "no more than the victim had in hand")
            print(f"\n{JOBS} mails, {len(repeated)} twice, the last {waited:.0f} s after the kill", end=" ")

    def test_a_process_that_is_told_to_stop_gives_back_what_it_has(self):
        mailbox = Slow()
        with SmtpServer(mailbox, encrypted=False) as server, Service(**server.variables()) as survivor:
            other = Service(survivor.database, **server.variables())
            address = survivor.sign_up()
            ask(survivor.database, address)
            wait(lambda: len(mailbox.to(address)) > 200, "some mails")
            self.assertEqual(other.stop(signal.SIGTERM), 0)
            wait(lambda: len(mailbox.to(address)) >= JOBS, "all mails", 60)
            wait(lambda: psql(survivor.database, "select count(*) from jobs where kind = 'mail'") == ["0"], "the end")
            self.assertEqual(len(mailbox.to(address)), JOBS, "none is sent twice")

    def test_five_hundred_that_hang_keep_no_other_kind_waiting(self):
        class Hanging(Mailbox):
            async def handle_DATA(self, server, session, envelope):
                import asyncio

                await asyncio.sleep(3600)

        with SmtpServer(Hanging(), encrypted=False) as server, Service(**server.variables()) as service:
            address = service.sign_up()
            ask(service.database, address)
            wait(lambda: psql(service.database, "select count(*) from jobs where holder is not null and kind = 'mail'") == ["8"], "they hang")
            service.ask("nobody@example.com")
            asked = time.monotonic()
            wait(lambda: psql(service.database, "select count(*) from jobs where kind = 'password_reset'") == ["0"], "it is done", 1)
            print(f"\ndone after {(time.monotonic() - asked) * 1000:.0f} ms", end=" ")
