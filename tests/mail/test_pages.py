"""What people see: the mails, and the page that their link opens."""

import os
import unittest
from pathlib import Path

from chromium import HOST, Page
from servers import Mailbox, SmtpServer, free_port
from service import Service, wait

PICTURES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "blog-api", "mail")
NEW_PASSWORD = "another password for mail"


def show(page, name):
    """Pictures at two widths, light and dark; nothing may be wider than the window."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for width in (400, 1000):
            page.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
            assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width}"
            page.picture(PICTURES / f"{name}-{scheme}-{width}.png")


def open_mail(page, mail, name):
    """Shows a mail, and gives the address of its button."""
    frame = page.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
    page.call("Page.setDocumentContent", frameId=frame, html=mail.get_body(("html",)).get_content())
    show(page, name)
    return page.run("document.querySelector('.button')?.href")


def open_form(page, link, language="en"):
    page.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
    page.call("Page.navigate", url=link)
    page.until("document.querySelector('form') && !document.querySelector('form').hidden")


class Pages(unittest.TestCase):
    def test_an_address_is_verified_on_the_page_of_the_link(self):
        mailbox, port = Mailbox(), free_port()
        own = {"PORT": str(port), "API_URL": f"http://{HOST}:{port}"}
        with SmtpServer(mailbox, encrypted=False) as server, Service(**server.variables(), **own) as service:
            address = service.sign_up(mailed=True)
            token = service.sign_in(address)[1]
            verified = lambda: service.call("/v1/users/me", token=token)[1]["email_verified_at"]
            mail = wait(lambda: mailbox.to(address), "the mail")[0]
            with Page() as page:
                link = open_mail(page, mail, "mail-verification")
                open_form(page, link)
                self.assertIsNone(verified(), "opening the link is enough")
                show(page, "page-verification")
                page.click("button")
                page.until("document.querySelector('form').hidden")
                self.assertIsNotNone(verified())

    def test_a_new_password_is_chosen_on_the_page_of_the_link(self):
        mailbox, port = Mailbox(), free_port()
        own = {"PORT": str(port), "API_URL": f"http://{HOST}:{port}"}
        with SmtpServer(mailbox, encrypted=False) as server, Service(**server.variables(), **own) as service:
            for language, words in (("en", "Choose a new password"), ("de", "Neues Passwort wählen")):
                address = service.sign_up(language=language, display_name="สมชาย ใจดี")
                service.ask(address)
                mail = wait(lambda: mailbox.to(address), "the mail")[0]
                with Page() as page:
                    link = open_mail(page, mail, f"mail-{language}")
                    self.assertEqual(page.run("document.querySelector('.button').innerText"), words)
                    self.assertEqual(page.run("document.documentElement.lang"), language)
                with Page() as page:
                    open_form(page, link, language)
                    self.assertEqual(page.run("document.querySelector('h1').innerText"), words)
                    self.assertEqual(page.run("location.hash"), "", "the token is in the history")
                    show(page, f"page-{language}")
                    page.type("#password", address)
                    page.click("button")
                    page.until("document.getElementById('message').innerText")
                    self.assertEqual(service.sign_in(address, NEW_PASSWORD)[0], 401)
                    page.run("document.getElementById('password').value = ''")
                    page.type("#password", NEW_PASSWORD)
                    page.click("button")
                    page.until("document.querySelector('form').hidden")
                    show(page, f"done-{language}")
                    self.assertEqual(service.sign_in(address, NEW_PASSWORD)[0], 201)
                    self.assertEqual(page.hosts(), {f"{HOST}:{port}"})
                    # A used link says so.
                    page.call("Page.navigate", url="about:blank")
                    open_form(page, link, language)
                    page.type("#password", NEW_PASSWORD)
                    page.click("button")
                    page.until("document.getElementById('message').innerText")
                    show(page, f"used-{language}")
