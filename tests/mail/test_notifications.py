"""Mails about what happens: their headers, what people see of them, and how they end."""

import re
import unittest
from urllib.request import Request, urlopen

from chromium import HOST, Page
from servers import Mailbox, SmtpServer, free_port
from service import Service, psql, wait
from test_pages import open_form, open_mail, show


def tell(service, mailbox, language="en"):
    """An author's address and token, and the mail that tells them of a comment."""
    author, reader = service.sign_up(language=language), service.sign_up(display_name="سارة “張偉” ใจดี")
    psql(service.database, f"update users set email_verified_at = now() where email = '{author}'")
    token, other = service.sign_in(author)[1], service.sign_in(reader)[1]
    post = {"title": "Größe & <Maß>: 大小, ขนาด", "body": "x", "status": "published"}
    status, post = service.call("/v1/posts", post, token=token)
    assert status == 201, post
    status, comment = service.call(f"/v1/posts/{post['id']}/comments", {"body": "Hm."}, token=other)
    assert status == 201, comment
    return token, wait(lambda: mailbox.to(author), "the mail")[0]


class Notifications(unittest.TestCase):
    def test_a_program_ends_them_by_the_headers(self):
        mailbox, port = Mailbox(), free_port()
        own = {"PORT": str(port), "API_URL": f"http://localhost:{port}", "PUBLIC_URL": "https://blog.example", "LOG_LEVEL": "trace"}
        with SmtpServer(mailbox) as server, Service(**server.variables(), **own) as service:
            token, mail = tell(service, mailbox)
            self.assertEqual(mail.defects, [])
            self.assertEqual(mail["Auto-Submitted"], "auto-generated")
            self.assertEqual(mail["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
            address = re.fullmatch(rf"<(http://localhost:{port}/v1/unsubscriptions\?token=\S+)>", mail["List-Unsubscribe"])[1]
            for part in ("plain", "html"):
                content = mail.get_body((part,)).get_content()
                self.assertIn("سارة “張偉” ใจดี", content)
                self.assertIn("https://blog.example/posts/", content)
            self.assertNotIn("<Maß>", mail.get_body(("html",)).get_content())
            settings = lambda: service.call("/v1/users/me/notifications", token=token)[1]
            with urlopen(address) as opened:
                self.assertIn("/account/unsubscribe", opened.url)
            self.assertEqual(settings()["comment"], "at_once")
            # As RFC 8058 has it.
            with urlopen(Request(address, b"List-Unsubscribe=One-Click", method="POST")) as ended:
                self.assertEqual(ended.status, 204)
            self.assertEqual((settings()["comment"], settings()["reply"]), ("never", "at_once"))
            # The address is in headers of mails and nowhere else.
            self.assertNotIn(address.split("=")[1], service.log())

    def test_people_end_them_by_the_link(self):
        mailbox, port = Mailbox(), free_port()
        own = {"PORT": str(port), "API_URL": f"http://{HOST}:{port}"}
        with SmtpServer(mailbox, encrypted=False) as server, Service(**server.variables(), **own) as service:
            for language, words in (("en", "No more mails like this one?"), ("de", "Keine solchen E-Mails mehr?")):
                token, mail = tell(service, mailbox, language)
                settings = lambda: service.call("/v1/users/me/notifications", token=token)[1]
                with Page() as page:
                    open_mail(page, mail, f"mail-notification-{language}")
                    open_form(page, page.run("document.querySelector('footer a').href"), language)
                    self.assertEqual(page.run("document.querySelector('h1').innerText"), words)
                    self.assertEqual(settings()["comment"], "at_once", "opening the link is enough")
                    page.click("button")
                    page.until("document.querySelector('form').hidden")
                    show(page, f"page-unsubscribed-{language}")
                    self.assertEqual(settings()["comment"], "never")
