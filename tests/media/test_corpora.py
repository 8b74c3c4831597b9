"""Every file that others test with is taken or refused clearly, and what is taken is clean."""

import collections
import os
import unittest
from pathlib import Path

import browser
import metadata
from blog import Blog, copies, faults, is_problem

CORPORA = Path(os.environ["CORPORA"])
FILES = sorted(path for path in CORPORA.rglob("*") if path.is_file())
MEMORY_MIB = 512
# Of 255: as pictures differ whose colours are stored more coarsely, and are encoded anew.
ALIKE = 24
# Of one the copy has its colours at other edges, since it has four pixels a side; the other one's data are damaged.
UNLIKE = {"pillow/app13.jpg", "pillow/hopper_bad_exif.jpg"}
# Beginnings of the four formats.
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")


def kind(data):
    return "image/" + next(kind for start, kind in zip(PICTURES, ("jpeg", "png", "gif", "webp")) if data.startswith(start))


class Corpora(unittest.TestCase):
    def test_each_file_is_taken_clean_or_refused_clearly(self):
        taken, refused, wrong = {}, [], []
        statuses = collections.Counter()
        with Blog() as blog, browser.open_page() as page:
            for path in FILES:
                name, data = str(path.relative_to(CORPORA)), path.read_bytes()
                answer = blog.upload(data)
                statuses[answer.status] += 1
                if answer.status == 201:
                    taken[name] = answer.body
                elif not is_problem(answer):
                    wrong.append(f"{name}: {answer.status} {answer.body}")
                elif data.startswith(PICTURES):
                    refused.append(f"{name}: {answer.body['detail']}")
                wrong += [f"{name}: {fault}" for fault in faults(blog, answer.body)] if answer.status == 201 else []
            memory = blog.memory_mib()
            wrong += self.unseen(page, taken)
            wrong += self.unlike(blog, page, taken)
            wrong += metadata.surplus(blog.folder)
            log = blog.log()
        print(f"\n{len(FILES)} files: {dict(statuses)}, {memory} MiB", end=" ")
        if "SHOW_REFUSED" in os.environ:
            print("", *refused, sep="\n")
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertGreater(len(taken), 400, "the corpora are not what they were")
        self.assertGreater(len(refused), 10, "the corpora have nothing broken")
        self.assertLess(memory, MEMORY_MIB)
        self.assertNotIn("panicked", log)

    def unseen(self, page, taken):
        """What Chromium shows otherwise than the answers say."""
        shown = [(name, copy) for name, media in taken.items() for copy in copies(media)]
        sizes = browser.sizes(page, [copy["url"] for _, copy in shown])
        for (name, copy), size in zip(shown, sizes):
            if size != [copy["width"], copy["height"]]:
                yield f"{name}: Chromium sees {size} in {copy['url']}"

    def unlike(self, blog, page, taken):
        """What looks in Chromium otherwise than what was uploaded, where that is shown at all."""
        for name, media in taken.items():
            data = (CORPORA / name).read_bytes()
            if name in UNLIKE:
                continue
            was = browser.pixels(page, data, kind(data))
            now = browser.pixels(page, blog.stored(media["url"]).body, media["content_type"])
            if was and now and any(alpha for *_, alpha in was[2]):
                off = max(browser.difference(*pair) for pair in zip(was[2], now[2]))
                if off > ALIKE:
                    yield f"{name}: looks otherwise, by {off:.0f}"

    def test_the_corpora_have_what_is_taken_away(self):
        found = " ".join(tag for file in metadata.read(CORPORA) for tag in file)
        for tag in ("GPSLatitude", "IFD0:Model", "File:Comment", "XMP-", "IPTC:", "ThumbnailImage"):
            self.assertIn(tag, found)
