"""Accounts that are made by the link of a mail: of who signs up, and of who is invited."""

import unittest

from chromium import HOST, Page
from servers import Mailbox, SmtpServer, free_port
from service import PASSWORD, Service, wait
from test_pages import open_form, open_mail, show


class SignUps(unittest.TestCase):
    def start(self, mode):
        mailbox, port = Mailbox(), free_port()
        server = self.enterContext(SmtpServer(mailbox, encrypted=False))
        own = {"PORT": str(port), "API_URL": f"http://{HOST}:{port}", "SIGN_UP": mode, "LOG_LEVEL": "trace"}
        return mailbox, self.enterContext(Service(**server.variables(), **own))

    def sign_up(self, service, username, address, language="en"):
        account = {"username": username, "email": address, "password": "of whoever signs up", "language": language}
        self.assertEqual(service.call("/v1/users", account), (202, ""))

    def test_who_signs_up_makes_the_account_on_the_page_of_the_link(self):
        mailbox, service = self.start("verified")
        for language, title in (("en", "Make your account"), ("de", "Konto anlegen")):
            name, address = f"ada-{language}", f"{language}@example.com"
            self.sign_up(service, name, address, language)
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            self.assertEqual(mail.defects, [])
            self.assertIsNone(mail["List-Unsubscribe"])
            # Somebody takes the name meanwhile.
            service.create(name, "en", None)
            with Page() as page:
                link = open_mail(page, mail, f"mail-sign-up-{language}")
                self.assertIn(link, mail.get_body(("plain",)).get_content())
                open_form(page, link, language)
                self.assertEqual(page.run("document.querySelector('h1').innerText"), title)
                self.assertFalse(page.run("!!document.getElementById('username').offsetParent"))
                self.assertEqual(service.sign_in(address)[0], 401, "opening the link is enough")
                page.type("#password", PASSWORD)
                page.click("button")
                page.until("!!document.getElementById('username').offsetParent")
                show(page, f"page-sign-up-{language}")
                self.assertEqual(page.run("document.activeElement.id"), "username")
                page.type("#username", f"{name}-2")
                page.click("button")
                page.until("document.querySelector('form').hidden")
                show(page, f"done-sign-up-{language}")
            status, token = service.sign_in(address)
            self.assertEqual(status, 201)
            account = service.call("/v1/users/me", token=token)[1]
            self.assertEqual((account["username"], account["language"]), (f"{name}-2", language))
            self.assertIsNotNone(account["email_verified_at"])
            # Who tries again is told nothing; the reader of the address is.
            self.sign_up(service, f"{name}-3", address, language)
            refused = wait(lambda: mailbox.to(address)[1:], "the second mail")[0]
            with Page() as page:
                self.assertIsNone(open_mail(page, refused, f"mail-sign-up-refused-{language}"))
            self.assertIn(f"{name}-2", refused.get_body(("plain",)).get_content())
            self.assertNotIn(f"{name}-3", refused.as_string())
            for secret in (address, link.split("#")[1]):
                self.assertNotIn(secret, service.log())

    def test_who_is_invited_makes_the_account_on_the_page_of_the_link(self):
        mailbox, service = self.start("closed")
        admin = service.admin()
        refused = {"username": "eve", "email": "eve@example.com", "password": PASSWORD}
        self.assertEqual(service.call("/v1/users", refused)[1]["code"], "sign_up_closed")
        for language, title in (("en", "Accept the invitation"), ("de", "Einladung annehmen")):
            address = f"{language}@example.com"
            invitation = {"email": address, "role": "editor", "language": language}
            self.assertEqual(service.call("/v1/invitations", invitation, token=admin)[0], 201)
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            self.assertEqual(mail.defects, [])
            with Page() as page:
                link = open_mail(page, mail, f"mail-invitation-{language}")
                open_form(page, link, language)
                self.assertEqual(page.run("document.querySelector('h1').innerText"), title)
                page.type("#username", f"grace-{language}")
                page.type("#password", address)
                page.click("button")
                page.until("document.getElementById('message').innerText")
                show(page, f"page-invitation-{language}")
                page.run("document.getElementById('password').value = ''")
                page.type("#password", PASSWORD)
                page.click("button")
                page.until("document.querySelector('form').hidden")
                show(page, f"done-invitation-{language}")
            account = service.call("/v1/users/me", token=service.sign_in(address)[1])[1]
            self.assertEqual((account["username"], account["role"]), (f"grace-{language}", "editor"))
            for secret in (address, link.split("#")[1]):
                self.assertNotIn(secret, service.log())
