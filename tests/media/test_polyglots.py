"""What is something else besides a picture is stored without that; what is no picture is not stored."""

import http.server
import threading
import unittest

import browser
import metadata
import polyglots
from blog import Blog, faults, is_problem
from chromium import HOST
from pictures import animation, corners, saved

OPENED = "[document.contentType, document.scripts.length, document.title === 'ran' || window.ran === 1]"
# A script of that address, and whether it ran.
RUN = """new Promise(resolve => {
  const script = document.createElement("script");
  script.src = %r;
  script.onload = script.onerror = () => resolve(window.ran === 1);
  document.head.append(script);
})"""


class Careless(http.server.BaseHTTPRequestHandler):
    """Serves the file as a script, as no one should."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript; charset=latin1")
        self.end_headers()
        self.wfile.write(polyglots.gif_of_javascript())

    def log_message(self, *_):
        pass


class Polyglots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.blog = Blog()

    @classmethod
    def tearDownClass(cls):
        cls.blog.__exit__()

    def test_nothing_else_is_stored(self):
        urls = {}
        for name, data in (polyglots.TAKEN | polyglots.KEPT | polyglots.DAMAGED).items():
            with self.subTest(name):
                self.assertIn(polyglots.MARK, data)
                answer = self.blog.upload(data, "image/png")
                if name in polyglots.DAMAGED and is_problem(answer):
                    continue
                self.assertEqual(answer.status, 201, answer.body)
                self.assertEqual(list(faults(self.blog, answer.body)), [])
                urls[name] = answer.body["url"]
                stored = self.blog.stored(urls[name]).body
                if name in polyglots.KEPT:
                    continue
                found = [trace for trace in (polyglots.MARK, b"script", b"PK\x03\x04") if trace in stored]
                self.assertEqual(found, [], "it is stored with what is no picture")
        self.assertEqual(metadata.surplus(self.blog.folder), [])
        with browser.open_page() as page:
            for (name, url), size in zip(urls.items(), browser.sizes(page, list(urls.values()))):
                with self.subTest(name):
                    self.assertIsNotNone(size, "Chromium does not show it")
            for name, url in urls.items():
                with self.subTest(name):
                    page.call("Page.navigate", url=url)
                    page.until(f"location.href === {url!r} && document.readyState === 'complete'")
                    kind, scripts, ran = page.run(OPENED)
                    self.assertEqual((kind.split("/")[0], scripts, ran), ("image", 0, False))

    def test_a_stored_object_is_no_script(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Careless)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = self.blog.upload(polyglots.gif_of_javascript()).body["url"]
        with browser.open_page() as page:
            self.assertFalse(browser.evaluate(page, RUN % url))
        with browser.open_page() as page:
            self.assertTrue(browser.evaluate(page, RUN % f"http://{HOST}:{server.server_port}/"), "the test does not notice a script")
        server.shutdown()

    def test_what_is_no_picture_is_refused(self):
        for name, (data, kind) in polyglots.REFUSED.items():
            with self.subTest(name):
                answer = self.blog.upload(data, kind)
                self.assertIn(answer.status, (415, 422), answer.body)
                self.assertTrue(is_problem(answer), answer)

    def test_the_bytes_say_the_type(self):
        files = {"image/jpeg": saved(corners(), "JPEG"), "image/png": saved(corners(), "PNG")}
        files |= {"image/gif": animation("GIF"), "image/webp": animation("WEBP")}
        for kind, data in files.items():
            for said in (*files, "image/x-icon", "application/octet-stream", "IMAGE/PNG; charset=utf-8"):
                with self.subTest(kind, said=said):
                    answer = self.blog.upload(data, said)
                    self.assertEqual((answer.status, answer.body.get("content_type")), (201, kind))

    def test_a_form_says_nothing_of_the_type(self):
        part = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n'
        file = part % (b"file", b'; filename="../x.html"', b"Content-Type: text/html\r\n", saved(corners(), "PNG"))
        alt = part % (b"alt", b"", b"", b"<script>window.ran=1</script>")
        answer = self.blog.upload(file + alt + b"--b--\r\n", "multipart/form-data; boundary=b")
        self.assertEqual((answer.status, answer.body["content_type"]), (201, "image/png"))
        self.assertEqual(answer.body["alt"], "<script>window.ran=1</script>")
        self.assertEqual(list(faults(self.blog, answer.body)), [])

    def test_other_names_are_not_served(self):
        for name in ("..%2f..%2fetc%2fpasswd", "x.png", "%2e%2e", f"{'0' * 64}.png", f"{'0' * 64}.html", f"{'0' * 64}", f"{'0' * 64}.png%00"):
            with self.subTest(name):
                answer = self.blog.request("GET", f"/media/{name}")
                self.assertIn(answer.status, (400, 404))
                self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
