"""Pictures that are something else besides, and files that are only called pictures."""

import io
import struct
import zipfile
import zlib

import bombs
import pictures
from pictures import animation, chunk, corners, png, png_with, saved

# It is in every file, and may be in nothing that is stored.
MARK = b"FOREIGN"
SCRIPT = b"window.ran=1;document.title='ran';//FOREIGN\n"
HTML = b"<!doctype html><html><body><script>window.ran=1;document.title='ran'</script><img src=x onerror=window.ran=1>FOREIGN</body></html>"


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("FOREIGN.html", HTML)
    return file.getvalue()


def gif_of_javascript():
    """`GIF89a/*` is the beginning of a comment to JavaScript, and a width of 10,799 to others."""
    head = b"GIF89a" + b"/*" + struct.pack("<HBBB", 1, 0x80, 0, 0) + b"\xff\0\0\0\0\xff"
    comment = b"*/=1;" + SCRIPT + b"/*"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 4, 1, 0) + bombs.lzw(4)
    return head + b"\x21\xfe" + bytes([len(comment)]) + comment + b"\0" + frame + b"\x3b*/;" + SCRIPT


def gif_with(*extensions):
    """An animation with them before its first frame, each a label and data, and with more after the end."""
    data = animation("GIF")
    at = data.index(b"\x21\xf9")
    blocks = lambda value: b"".join(bytes([len(part)]) + part for part in (value[n : n + 255] for n in range(0, len(value), 255)))
    made = b"".join(b"\x21" + label + blocks(value) + b"\0" for label, value in extensions)
    return data[:at] + made + data[at:] + HTML


def jpeg_with(*segments):
    data = saved(corners(), "JPEG")
    made = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(value) + 2) + value for marker, value in segments)
    return data[:2] + made + data[2:]


def png_after(data):
    image = corners()
    return png(*image.size, 8, 2, zlib.compress(pictures.rows(image)) + data)


def webp_with(data, change, *more, after=b""):
    """With its chunks changed by name, and with more of them."""
    found = [(name, change.get(name, lambda value: value)(value)) for name, value in bombs.parts(data)]
    return bombs.riff(*found, *more) + after


def within_frame(value):
    """A chunk that nobody knows."""
    return value + b"JUNK" + struct.pack("<I", 8) + b"FOREIGN "


def twice(value):
    """With other pixels after the first, and with transparency that comes too late."""
    return value + b"".join(name + struct.pack("<I", len(HTML)) + HTML + b"\0" * (len(HTML) % 2) for name in (b"VP8 ", b"VP8L", b"ALPH"))


def profile_with(*tags):
    """The profile of Display P3 with more in it."""
    data = pictures.display_p3()
    (count,) = struct.unpack(">I", data[128:132])
    end, shift = 132 + 12 * count, 12 * len(tags)
    table, values = b"", data[end:]
    for at in range(132, end, 12):
        name, offset, length = struct.unpack(">4sII", data[at : at + 12])
        table += struct.pack(">4sII", name, offset + shift, length)
    for name, value in tags:
        table += struct.pack(">4sII", name, end + shift + len(values), len(value))
        values += value
    made = data[4:128] + struct.pack(">I", count + len(tags)) + table + values
    return struct.pack(">I", len(made) + 4) + made


def after_pixels(value):
    """Bytes after the end of what is encoded, which only who decodes it knows."""
    header, name, (length,) = value[:16], value[16:20], struct.unpack("<I", value[20:24])
    pixels = value[24 : 24 + length] + HTML
    pixels += b"\0" * (len(pixels) % 2)
    return header + name + struct.pack("<I", len(pixels)) + pixels


EXIF = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\1\x01\x0e\0\2" + struct.pack(">II", len(HTML), 26) + b"\0\0\0\0" + HTML
XMP = b"http://ns.adobe.com/xap/1.0/\0" + HTML
MOVING = animation("WEBP", lossless=True)
WITH_PROFILE = animation("WEBP", lossless=True, icc_profile=pictures.display_p3())
OTHER_PROFILE = profile_with((b"mmod", b"FOREIGN"), (b"targ", HTML), (b"cprt", HTML))
STILL = saved(corners(), "WEBP", lossless=True, exif=EXIF, xmp=HTML)

TAKEN = {
    "GIF that is JavaScript": gif_of_javascript(),
    "GIF with HTML after its end": saved(corners("P"), "GIF") + HTML,
    "animated GIF with a comment": gif_with((b"\xfe", HTML)),
    "animated GIF with XMP": gif_with((b"\xff\x0bXMP DataXMP", HTML)),
    "animated GIF with an application's data": gif_with((b"\xff\x0bFOREIGN1234", SCRIPT)),
    "animated GIF with plain text": gif_with((b"\x01\x0c" + bytes(12), HTML)),
    "JPEG with HTML in a comment": jpeg_with((0xFE, HTML)),
    "JPEG with HTML after its end": saved(corners(), "JPEG") + HTML,
    "JPEG with EXIF": jpeg_with((0xE1, EXIF)),
    "JPEG with XMP": jpeg_with((0xE1, XMP)),
    "JPEG with IPTC": jpeg_with((0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(HTML)) + HTML)),
    "JPEG with unknown segments": jpeg_with(*((0xE0 + number, HTML) for number in range(3, 16) if number != 14)),
    "JPEG with a profile that is HTML": jpeg_with((0xE2, b"ICC_PROFILE\0\1\1" + HTML)),
    "JPEG and ZIP": saved(corners(), "JPEG") + archive(),
    "PNG with HTML in its text": png_with(*(chunk(name, b"k\0" + HTML) for name in (b"tEXt", b"eXIf", b"juNk"))),
    "PNG with HTML in iTXt": png_with(chunk(b"iTXt", b"k\0\0\0\0\0" + HTML)),
    "PNG with a profile that is HTML": png_with(chunk(b"iCCP", b"FOREIGN\0\0" + zlib.compress(HTML))),
    "PNG with HTML after IEND": png_with() + HTML,
    "PNG with HTML after its pixels": png_after(HTML),
    "WebP with EXIF and XMP": STILL,
    "WebP with HTML after its end": STILL + HTML,
    "WebP with an unknown chunk": webp_with(STILL, {}, (b"JUNK", HTML)),
    "animated WebP with EXIF and XMP": webp_with(MOVING, {}, (b"EXIF", EXIF), (b"XMP ", HTML), (b"JUNK", HTML)),
    "animated WebP with two loops": webp_with(MOVING, {}, (b"ANIM", HTML)),
    "animated WebP with two profiles": webp_with(WITH_PROFILE, {}, (b"ICCP", HTML)),
    "animated WebP with pixels twice": webp_with(MOVING, {b"ANMF": twice}),
    "animated WebP with a profile that has more in it": animation("WEBP", lossless=True, icc_profile=OTHER_PROFILE),
    "JPEG with a profile that has more in it": saved(corners(), "JPEG", icc_profile=OTHER_PROFILE),
    "animated WebP with HTML after its end": webp_with(MOVING, {}, after=HTML),
}
# With nothing where it does not belong, or not at all: what is damaged need not be taken.
DAMAGED = {
    "animated WebP with a profile that is HTML": webp_with(WITH_PROFILE, {b"ICCP": lambda _: HTML}),
    "animated WebP with long headers": webp_with(MOVING, {b"VP8X": lambda value: value + HTML}),
    "animated WebP with a long loop": webp_with(MOVING, {b"ANIM": lambda value: value + HTML}),
    "animated WebP with a foreign chunk in its frames": webp_with(MOVING, {b"ANMF": within_frame}),
}
# What is kept with its bytes, and must do no harm.
KEPT = {"animated WebP with HTML after its pixels": webp_with(MOVING, {b"ANMF": after_pixels})}
# With the types that they say they have.
REFUSED = {
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.ran=1</script></svg>', "image/svg+xml"),
    "SVG as PNG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.ran=1</script></svg>', "image/png"),
    "HTML": (HTML, "text/html"),
    "HTML as JPEG": (HTML, "image/jpeg"),
    "HTML before a PNG": (HTML + saved(corners(), "PNG"), "image/png"),
    "PDF": (b"%PDF-1.7\n%FOREIGN", "application/octet-stream"),
    "ZIP": (archive(), "application/octet-stream"),
    "JavaScript": (SCRIPT, "image/gif"),
    "nothing": (b"", "image/png"),
    "magic bytes alone": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "BMP": (saved(corners(), "BMP"), "image/bmp"),
    "TIFF": (saved(corners(), "TIFF"), "image/tiff"),
    "AVIF": (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "image/avif"),
    "a picture that is called HTML": (saved(corners(), "PNG"), "text/html"),
    "a picture without a type": (saved(corners(), "PNG"), ""),
}
