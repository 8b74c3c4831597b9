"""Mail by SMTP, and what a mail server can do to it."""

import email
import email.policy
import re
import statistics
import time
import unittest
from email.header import decode_header, make_header

from servers import LOGIN, Mailbox, Silent, SmtpServer, free_port
from service import PASSWORD, Service, wait

NEW_PASSWORD = "another password for mail"
LINK = re.compile(r"http://localhost:8000/account/password-reset#(blog_[\w-]{43})")


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def token_of(mail):
    return LINK.search(text_of(mail))[1]


class Delivery(unittest.TestCase):
    def test_a_mail_is_whole_and_its_link_works(self):
        mailbox = Mailbox()
        with SmtpServer(mailbox) as server, Service(**server.variables()) as service:
            name = "สมชาย ใจดี, “Grüße” 张伟"
            address = service.sign_up(language="de", display_name=name)
            service.ask(address.upper())
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            self.assertEqual(mail.defects, [])
            self.assertEqual(mail["From"], "Blog <blog@blog.example>")
            self.assertEqual(mail["To"].addresses[0].addr_spec, address)
            # The new parser of Python leaves blanks between encoded words.
            to = email.message_from_bytes(bytes(mail), policy=email.policy.compat32)["To"]
            self.assertIn(name, str(make_header(decode_header(to))))
            self.assertEqual(mail["Subject"], "Neues Passwort für Blog")
            self.assertEqual(mail["Auto-Submitted"], "auto-generated")
            self.assertRegex(mail["Message-ID"], r"^<[0-9a-f-]{36}@blog\.example>$")
            self.assertLess(abs(mail["Date"].datetime.timestamp() - time.time()), 60)
            self.assertNotIn("List-Unsubscribe", mail)
            html = mail.get_body(("html",)).get_content()
            self.assertEqual(mail.get_content_type(), "multipart/alternative")
            token = token_of(mail)
            for part in (text_of(mail), html):
                self.assertIn(name, part)
                self.assertIn(f"#{token}", part)
            # Nobody is told when a mail is read.
            self.assertEqual(re.findall(r"<img|src=|@import|url\(", html), [])

            status, body = service.call("/v1/password-resets/confirmation", {"token": token, "password": NEW_PASSWORD})
            self.assertEqual((status, body), (204, ""))
            self.assertEqual(service.sign_in(address, NEW_PASSWORD)[0], 201)
            told = wait(lambda: mailbox.to(address)[1:], "the notice")[0]
            self.assertEqual(told["Subject"], "Ihr Passwort für Blog wurde geändert")
            self.assertNotEqual(told["Message-ID"], mail["Message-ID"])

    def test_a_connection_that_is_encrypted_from_its_first_byte(self):
        mailbox = Mailbox()
        with SmtpServer(mailbox, from_the_first_byte=True) as server, Service(**server.variables()) as service:
            address = service.sign_up()
            service.ask(address)
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            self.assertEqual(mail["Message-ID"].split("@")[0][1:], mail["X-Entity-Ref-ID"])

    def test_greylisting_delays_a_mail(self):
        mailbox = Mailbox(lambda _, tries: "451 4.7.1 Later" if tries == 1 else None)
        with SmtpServer(mailbox) as server, Service(**server.variables()) as service:
            address = service.sign_up()
            service.ask(address)
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            self.assertEqual(mailbox.tries[address], 2)
            body = {"token": token_of(mail), "password": NEW_PASSWORD}
            self.assertEqual(service.call("/v1/password-resets/confirmation", body)[0], 204)

    def test_a_mailbox_that_does_not_exist_is_given_up_and_can_be_tried_anew(self):
        gone = {"yes": True}
        mailbox = Mailbox(lambda address, _: f"550 5.1.1 <{address}> unknown" if gone["yes"] else None)
        with SmtpServer(mailbox) as server, Service(**server.variables()) as service:
            admin, address = service.admin(), service.sign_up()
            service.ask(address)
            jobs = wait(lambda: service.call("/v1/jobs", token=admin)[1]["items"], "the failed job")
            self.assertEqual((jobs[0]["kind"], jobs[0]["attempts"]), ("mail", 1))
            self.assertEqual(jobs[0]["error"], "the mail server answered 550")
            gone["yes"] = False
            self.assertEqual(service.call(f"/v1/jobs/{jobs[0]['id']}/retry", token=admin, method="POST")[0], 200)
            wait(lambda: mailbox.to(address), "the mail")

    def test_a_server_that_hangs_or_is_away_delays_mail_and_nothing_else(self):
        port = free_port()
        silent = Silent(port)
        with Service(MAIL_URL=f"smtp://localhost:{port}?tls=none") as service:
            address = service.sign_up()
            for _ in range(30):
                service.ask(address)
            waiting = lambda: service.call("/v1/jobs?status=running", token=admin)[1]["items"]
            admin = service.admin()
            wait(lambda: len(waiting()) == 5, "the mails, as many as one account gets")
            self.assertEqual(service.call("/ready")[0], 200)
            self.assertEqual(service.sign_in(address)[0], 201)
            silent.close()
            mailbox = Mailbox()
            server = SmtpServer(mailbox, encrypted=False)
            server._port = server.port = port
            with server:
                wait(lambda: len(mailbox.to(address)) == 5, "all of them", 120)

    def test_a_wrong_password_or_certificate_keeps_the_mail(self):
        mailbox = Mailbox()
        with SmtpServer(mailbox) as server:
            wrong = server.variables("blog:wrong")
            untrusted = {"MAIL_URL": server.variables()["MAIL_URL"]}
            for variables, error in [(wrong, "the mail server answered 535"), (untrusted, "cannot be reached")]:
                with Service(**variables) as service:
                    admin, address = service.admin(), service.sign_up()
                    service.ask(address)
                    failed = lambda: [job for job in service.call("/v1/jobs?status=waiting", token=admin)[1]["items"] if job["error"]]
                    job = wait(failed, "the error")[0]
                    self.assertIn(error, job["error"])
                    self.assertIsNone(job["failed_at"])
            self.assertEqual(mailbox.mails, [])

    def test_a_server_without_starttls_gets_nothing(self):
        mailbox = Mailbox()
        with SmtpServer(mailbox, encrypted=False) as server:
            with Service(MAIL_URL=f"smtp://{LOGIN}@localhost:{server.port}") as service:
                admin, address = service.admin(), service.sign_up()
                service.ask(address)
                failed = lambda: [job for job in service.call("/v1/jobs?status=waiting", token=admin)[1]["items"] if job["error"]]
                wait(failed, "the error")
        self.assertEqual(mailbox.mails, [])


class Secrecy(unittest.TestCase):
    def test_no_log_has_an_address_or_a_token_at_any_level(self):
        mailbox = Mailbox(lambda address, tries: f"451 <{address}> later" if tries == 1 else None)
        with SmtpServer(mailbox) as server, Service(**server.variables(), LOG_LEVEL="trace") as service:
            address = service.sign_up()
            service.ask(address)
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            token = token_of(mail)
            service.call("/v1/password-resets/confirmation", {"token": token, "password": NEW_PASSWORD})
            wait(lambda: mailbox.to(address)[1:], "the notice")
            log = service.log()
            self.assertIn("a job failed", log)
            for secret in (address, token, NEW_PASSWORD, "p:ss/w@rd", LOGIN):
                lines = [line for line in log.splitlines() if secret in line]
                self.assertEqual(lines, [], secret)

    def test_an_answer_that_is_not_understood_is_not_quoted(self):
        mailbox = Mailbox(lambda address, tries: f"<{address}> is unknown" if tries == 1 else None)
        with SmtpServer(mailbox) as server, Service(**server.variables(), LOG_LEVEL="trace") as service:
            address = service.sign_up()
            service.ask(address)
            wait(lambda: mailbox.to(address), "the mail")
            self.assertIn("the mail server's answer was not understood", service.log())
            self.assertNotIn(address, service.log())

    def test_a_verification_is_in_no_log_at_any_level(self):
        mailbox = Mailbox()
        with SmtpServer(mailbox) as server, Service(**server.variables(), LOG_LEVEL="trace") as service:
            address = service.sign_up(mailed=True)
            session = service.sign_in(address)[1]
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            token = re.search(r"email-verification#(blog_[\w-]{43})", text_of(mail))[1]
            code = re.search(r"\b\d{6}\b", text_of(mail))[0]
            other = "other@example.com"
            change = {"email": other, "current_password": PASSWORD}
            status, body = service.call("/v1/email-verifications/confirmation", {"code": code}, token=session)
            self.assertEqual(status, 204, body)
            identity = service.call("/v1/users/me", token=session)[1]["id"]
            status, body = service.call(f"/v1/users/{identity}", change, token=session, method="PATCH")
            self.assertEqual(status, 200, body)
            mail = wait(lambda: mailbox.to(other), "the second mail")[0]
            second = re.search(r"email-verification#(blog_[\w-]{43})", text_of(mail))[1]
            self.assertEqual(service.call("/v1/email-verifications/confirmation", {"token": second})[0], 204)
            undo = wait(lambda: mailbox.to(address)[1:], "the notice")[0]
            undo = re.search(r"email-undo#(blog_[\w-]{43})", text_of(undo))[1]
            self.assertEqual(service.call("/v1/email-verifications/undo", {"token": undo})[0], 204)
            log = service.log()
            for secret in (address, other, token, second, undo, session, PASSWORD):
                self.assertEqual([line for line in log.splitlines() if secret in line], [], secret)
            # Six digits stand in many numbers.
            self.assertEqual([line for line in log.splitlines() if re.search(rf"\b{code}\b", line)], [], code)

    def test_a_known_address_takes_as_long_as_an_unknown_one(self):
        mailbox = Mailbox()
        with SmtpServer(mailbox, encrypted=False) as server, Service(**server.variables()) as service:
            known = service.sign_up()
            times = {"known": [], "unknown": []}
            for number in range(200):
                for who, address in (("known", known), ("unknown", f"nobody{number}@example.com")):
                    begun = time.perf_counter()
                    service.ask(address)
                    times[who].append(time.perf_counter() - begun)
            known, unknown = (statistics.median(times[who]) for who in ("known", "unknown"))
            noise = statistics.quantiles(times["unknown"], n=4)
            print(f"\nmedians of 200: known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms", end=" ")
            # The half in the middle of one has the median of the other.
            self.assertTrue(noise[0] < known < noise[2], (known, noise))
