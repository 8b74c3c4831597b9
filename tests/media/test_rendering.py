"""What is stored looks in Chromium like what was uploaded."""

import io
import unittest

import browser
import pictures
from blog import Blog, copies, faults
from browser import difference, pixels
from PIL import Image, ImageOps
from pictures import animation, corners, oriented, saved, with_alpha

LOSSY, LOSSLESS = 14, 1
P3 = pictures.display_p3()

STILL = {
    "16 bits": pictures.deep_png(),
    "interlaced": pictures.interlaced_png(),
    "one bit": saved(corners("1"), "PNG"),
    "grey": saved(corners("L"), "PNG"),
    "grey of 16 bits": saved(corners("L").convert("I;16").point(lambda value: value * 257), "PNG"),
    "grey with alpha": saved(with_alpha("LA"), "PNG"),
    "alpha": saved(with_alpha(), "PNG"),
    "palette": saved(corners("P"), "PNG"),
    "palette with a transparent colour": saved(corners("P"), "PNG", transparency=corners("P").getpixel((0, 0))),
    "colour that is transparent": saved(corners(), "PNG", transparency=pictures.BLUE),
    "JPEG": saved(corners(), "JPEG", quality=95),
    "grey JPEG": saved(corners("L"), "JPEG", quality=95),
    "progressive": saved(corners(), "JPEG", quality=95, progressive=True),
    "CMYK": saved(corners("CMYK"), "JPEG", quality=95),
    "progressive CMYK": saved(corners("CMYK"), "JPEG", quality=95, progressive=True),
    "RGB in a JPEG": saved(corners(), "JPEG", quality=95, keep_rgb=True),
    "Display P3 in a JPEG": saved(corners(), "JPEG", quality=95, icc_profile=P3),
    "Display P3 in a PNG": saved(corners(), "PNG", icc_profile=P3),
    "Display P3 with alpha": saved(with_alpha(), "PNG", icc_profile=P3),
    "Display P3 in a WebP": saved(corners(), "WEBP", quality=95, icc_profile=P3),
    "PNG with a gamma": pictures.png_with(pictures.GAMMA),
    "PNG with colours of its own": pictures.png_with(pictures.GAMMA, pictures.CHROMATICITIES),
    "PNG with code points": pictures.png_with(pictures.CODE_POINTS),
    "grey with a profile of colours": saved(corners("L"), "PNG", icc_profile=P3),
    "GIF": saved(corners("P"), "GIF"),
    "GIF with a transparent colour": saved(corners("P"), "GIF", transparency=corners("P").getpixel((0, 0))),
    "WebP": saved(corners(), "WEBP", quality=95),
    "lossless WebP": saved(corners(), "WEBP", lossless=True),
    "WebP with alpha": saved(with_alpha(), "WEBP", quality=95),
    "one pixel": saved(corners(size=(1, 1)), "PNG"),
    "one pixel of JPEG": saved(corners(size=(1, 1)), "JPEG"),
    "high": saved(corners(size=(1, 5000)), "PNG"),
    "wide": saved(corners(size=(5000, 1)), "PNG"),
    "high JPEG": saved(corners(size=(1, 5000)), "JPEG"),
    "wide JPEG": saved(corners(size=(5000, 1)), "JPEG"),
    "large": saved(corners(size=(5000, 3000)), "JPEG"),
    "large with alpha": saved(with_alpha().resize((5000, 200), Image.Resampling.NEAREST), "PNG"),
}
ORIENTED = {
    f"orientation {number} of {kind}": oriented(number, kind, **options)
    for kind, options in (("JPEG", {"quality": 95}), ("PNG", {}), ("WEBP", {"quality": 95}))
    for number in pictures.STORED
}
ANIMATED = {
    "GIF": animation("GIF"),
    "interlaced GIF": pictures.interlaced_gif(),
    "GIF whose frames are put back": animation("GIF", disposal=2),
    "PNG": animation("PNG"),
    "PNG whose frames are put back": animation("PNG", disposal=1, blend=1),
    "PNG with a still picture of its own": animation("PNG", default_image=True),
    "PNG with a palette": pictures.animated_palette(),
    "WebP": animation("WEBP", quality=90),
    "lossless WebP": animation("WEBP", lossless=True),
    "WebP with a profile": animation("WEBP", lossless=True, icc_profile=P3),
}


def kind(data):
    return Image.MIME[Image.open(io.BytesIO(data)).format]


def shown(data):
    """Every frame of an animation, as it is seen, and for how long."""
    image = Image.open(io.BytesIO(data))
    found = []
    for number in range(image.n_frames):
        image.seek(number)
        found.append((image.convert("RGBA").tobytes(), image.info.get("duration")))
    return found, image.info.get("loop")


class Rendering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.blog = Blog()
        cls.page = browser.open_page()

    @classmethod
    def tearDownClass(cls):
        cls.page.__exit__()
        cls.blog.__exit__()

    def take(self, data):
        answer = self.blog.upload(data)
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(list(faults(self.blog, answer.body)), [])
        return answer.body

    def differences(self, data, like):
        """What differs between a stored picture, all of its copies, and what Chromium shows of `like`."""
        media = self.take(data)
        *size, expected = pixels(self.page, like, kind(like))
        is_lossy = kind(like) in ("image/jpeg", "image/webp") or media["content_type"] == "image/jpeg"
        for copy in copies(media):
            found = pixels(self.page, self.blog.stored(copy["url"]).body, media["content_type"])
            if not found or found[:2] != [copy["width"], copy["height"]]:
                yield f"{copy['url']} is shown as {found and found[:2]}"
                continue
            if abs(found[0] / found[1] - size[0] / size[1]) > 0.02 * size[0] / size[1] and min(found[:2]) > 1:
                yield f"{copy['url']} is {found[:2]}, not like {size}"
            off = max(difference(*pair) for pair in zip(found[2], expected))
            # A picture of another size is another one at the edges.
            if off > (LOSSY if is_lossy or found[:2] != size else LOSSLESS):
                yield f"{copy['url']} is off by {off:.0f}"

    def test_still_pictures_look_as_before(self):
        for name, data in STILL.items():
            with self.subTest(name):
                self.assertEqual(list(self.differences(data, data)), [])

    def test_pictures_are_upright(self):
        upright = saved(corners(), "PNG")
        for name, data in ORIENTED.items():
            with self.subTest(name):
                # The test itself: what Pillow makes of it is upright.
                self.assertEqual(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size, corners().size)
                self.assertEqual(list(self.differences(data, upright)), [])

    def test_chromium_turns_the_originals_in_the_same_way(self):
        # Of a WebP it does not read the orientation.
        for name, data in ORIENTED.items():
            if "WEBP" not in name:
                with self.subTest(name):
                    self.assertEqual(list(self.differences(data, data)), [])

    def test_colours_of_its_own_are_noticed(self):
        *_, plain = pixels(self.page, saved(corners(), "PNG"), "image/png")
        for name in ("Display P3 in a PNG", "PNG with a gamma", "PNG with colours of its own", "PNG with code points"):
            with self.subTest(name):
                *_, own = pixels(self.page, STILL[name], "image/png")
                self.assertGreater(max(difference(*pair) for pair in zip(own, plain)), 10)

    def test_animations_stay_as_they_are(self):
        for name, data in ANIMATED.items():
            with self.subTest(name):
                media = self.take(data)
                self.assertEqual(media["variants"], [])
                stored = self.blog.stored(media["url"]).body
                (before, loops), (after, loops_after) = shown(data), shown(stored)
                self.assertEqual(len(before), len(pictures.DURATIONS))
                self.assertEqual([duration for _, duration in after], [duration for _, duration in before])
                self.assertEqual(loops_after, loops)
                changed = [number for number, (one, other) in enumerate(zip(before, after)) if one != other]
                self.assertEqual(changed, [], "frames that look otherwise")
                self.assertEqual(list(self.differences(data, data)), [])

    def test_half_a_picture_is_taken_or_refused(self):
        for name, data in (STILL | ANIMATED).items():
            for share in (0.2, 0.5, 0.9, 0.99):
                with self.subTest(name, share=share):
                    answer = self.blog.upload(data[: int(len(data) * share)])
                    self.assertIn(answer.status, (201, 415, 422), answer.body)
                    if answer.status == 201:
                        urls = [copy["url"] for copy in copies(answer.body)]
                        self.assertNotIn(None, browser.sizes(self.page, urls))
