"""Small files that are large pictures, or say so."""

import struct
import zlib

from pictures import chunk, corners, png, saved
from PIL import Image

MIB = 1024 * 1024
# Codes of LZW in a GIF with four colours.
CLEAR, END = 4, 5


def zeros(count, level=9):
    """So many zeros, compressed, without ever being there."""
    packer = zlib.compressobj(level)
    parts = [packer.compress(bytes(MIB)) for _ in range(count // MIB)]
    return b"".join([*parts, packer.compress(bytes(count % MIB)), packer.flush()])


def empty_png(width, height, depth=8, color=2, **options):
    """All black."""
    bits = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color] * depth
    # Each row begins with a byte for its filter; interlaced there are more rows.
    starts = height + (height * 7 // 8 if "interlaced" in options else 0)
    palette = [chunk(b"PLTE", bytes(6))] if color == 3 else []
    return png(width, height, depth, color, zeros(starts + height * ((width * bits + 7) // 8)), *palette, **options)


def png_with(*chunks):
    return png(96, 64, 8, 0, zeros(64 * 97), *chunks)


def compressed_text(name, megabytes):
    """A chunk of text, or of a profile, that is so long."""
    long = zeros(megabytes * MIB)
    return chunk(name, {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[name] + long)


def jpeg_that_says(width, height, like=None):
    """A small JPEG with other numbers in its header."""
    data = bytearray(like or saved(corners(), "JPEG"))
    at = next(found for marker in (b"\xff\xc0", b"\xff\xc2") if (found := data.find(marker)) > 0)
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def flat_jpeg(mode, size, **options):
    return saved(Image.new(mode, size, 128 if mode == "L" else (90, 120, 30, 10)[: len(mode)]), "JPEG", **options)


def many_scans(count):
    """A progressive JPEG whose last scan, some bytes long, goes over all of it again and again."""
    data = flat_jpeg("L", (6000, 6000), progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * count + data[-2:]


def hidden_progressive():
    """A progressive JPEG with a byte between its segments that decoders pass over."""
    data = flat_jpeg("CMYK", (6300, 6300), progressive=True)
    at = data.index(b"\xff\xdb")
    return data[:at] + b"\0" + data[at:]


def lzw(count):
    """So many pixels of one colour: each code stands for one pixel more than the one before, until there are no more codes."""
    bits, used, width, following, left = 0, 0, 3, 6, count
    out = bytearray()

    def write(code):
        nonlocal bits, used
        bits |= code << used
        used += width
        while used >= 8:
            out.append(bits & 255)
            bits, used = bits >> 8, used - 8

    write(CLEAR)
    write(0)
    left -= 1
    while left:
        # The code 6 is two pixels, and 4095 is 4091.
        code = min(following, 4095, left + 4) if left > 1 else 0
        write(code)
        left -= code - 4 if code else 1
        following = min(following + 1, 4096)
        width += following == 1 << width and width < 12
    write(END)
    out.append(bits & 255)
    blocks = (bytes(out[at : at + 255]) for at in range(0, len(out), 255))
    return b"\2" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def gif(screen, *sizes):
    """A GIF with frames of these sizes, each of one colour."""
    data = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\xff\0\0\0\0\xff"
    packed = {size: lzw(size[0] * size[1]) for size in set(sizes)}
    frame = lambda size: b"\x21\xf9\4\0\2\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, *size, 0) + packed[size]
    shown = {size: frame(size) for size in packed}
    return data + b"".join(shown[size] for size in sizes) + b"\x3b"


def riff(*chunks):
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def parts(webp):
    """The chunks of a WebP."""
    found, at = [], 12
    while at < len(webp):
        length = struct.unpack("<I", webp[at + 4 : at + 8])[0]
        found.append((webp[at : at + 4], webp[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def three(number):
    return struct.pack("<I", number)[:3]


def large_webp(width, height):
    """Says that it is so large, and has a small picture."""
    pixels = dict(parts(saved(corners(), "WEBP", lossless=True)))[b"VP8L"]
    return riff((b"VP8X", bytes(4) + three(width - 1) + three(height - 1)), (b"VP8L", pixels))


def webp_animation(width, height, count, frame=None):
    """So many frames on a canvas of that size: all of one pixel, or each of `frame`'s size."""
    size = frame or (1, 1)
    pixels = dict(parts(saved(Image.new("RGB", size), "WEBP", lossless=True)))[b"VP8L"]
    image = bytes(6) + three(size[0] - 1) + three(size[1] - 1) + three(20) + b"\0"
    one = (b"ANMF", image + b"VP8L" + struct.pack("<I", len(pixels)) + pixels + b"\0" * (len(pixels) % 2))
    return riff((b"VP8X", b"\2\0\0\0" + three(width - 1) + three(height - 1)), (b"ANIM", bytes(6)), *[one] * count)


# Each is made when it is its turn.
BOMBS = {
    "PNG of 40 megapixels": lambda: empty_png(8000, 5000),
    "PNG of 40 megapixels with alpha": lambda: empty_png(8000, 5000, 8, 6),
    "PNG of 40 megapixels of 16 bits with alpha": lambda: empty_png(8000, 5000, 16, 6),
    "interlaced PNG of 40 megapixels": lambda: empty_png(8000, 5000, 8, 6, interlaced=1),
    "PNG of 40 megapixels in a palette": lambda: empty_png(8000, 5000, 1, 3),
    "PNG that is 40,000,000 wide": lambda: empty_png(40_000_000, 1),
    "PNG that is 40,000,000 high": lambda: empty_png(1, 40_000_000, 1, 0),
    "PNG of 1.6 gigapixels": lambda: empty_png(40_000, 40_000, 1, 0),
    "PNG that says it has 4 exapixels": lambda: png(2**31 - 1, 2**31 - 1, 8, 2, zeros(1000)),
    "PNG with 1 GiB of profile": lambda: png_with(compressed_text(b"iCCP", 1024)),
    "PNG with a hundred profiles": lambda: png_with(*[compressed_text(b"iCCP", 60)] * 100),
    "PNG with 10 GiB of zTXt": lambda: png_with(*[compressed_text(b"zTXt", 64)] * 160),
    "PNG with 10 GiB of iTXt": lambda: png_with(*[compressed_text(b"iTXt", 64)] * 160),
    "PNG with a million chunks": lambda: png_with(chunk(b"tEXt", b"k\0v") * 1_000_000),
    "JPEG of 65,500 × 65,500": lambda: jpeg_that_says(65_500, 65_500),
    "progressive JPEG of 65,500 × 65,500": lambda: jpeg_that_says(65_500, 65_500, saved(corners(), "JPEG", progressive=True)),
    "JPEG of 40 megapixels that says so": lambda: jpeg_that_says(8000, 5000),
    "progressive JPEG of 40 megapixels that says so": lambda: jpeg_that_says(8000, 5000, saved(corners(), "JPEG", progressive=True)),
    "JPEG of 40 megapixels": lambda: flat_jpeg("RGB", (8000, 5000)),
    "CMYK of 40 megapixels": lambda: flat_jpeg("CMYK", (8000, 5000)),
    "progressive JPEG of 40 megapixels": lambda: flat_jpeg("RGB", (8000, 5000), progressive=True, subsampling=0),
    "progressive CMYK of 33 megapixels": lambda: flat_jpeg("CMYK", (5792, 5792), progressive=True),
    "progressive CMYK of 39 megapixels": lambda: flat_jpeg("CMYK", (6300, 6300), progressive=True),
    "the same with a byte in between": hidden_progressive,
    "progressive JPEG with 100,000 scans": lambda: many_scans(100_000),
    "GIF with a screen of 65,535 × 65,535": lambda: gif((65_535, 65_535), (1, 1)),
    "GIF with a screen of 65,535 × 65,535 and two frames": lambda: gif((65_535, 65_535), (1, 1), (1, 1)),
    "GIF of 20,000 × 20,000": lambda: gif((20_000, 20_000), (20_000, 20_000)),
    "GIF of 20,000 × 19,000 and a second frame": lambda: gif((20_000, 19_000), (20_000, 19_000), (1, 1)),
    "GIF of 40 megapixels": lambda: gif((8000, 5000), (8000, 5000)),
    "GIF with 24 frames of 4096 × 4096": lambda: gif((4096, 4096), *[(4096, 4096)] * 24),
    "GIF with 100,000 frames": lambda: gif((64, 64), *[(63, 63)] * 100_000),
    "GIF with 800,000 frames": lambda: gif((4096, 4096), *[(1, 1)] * 800_000),
    "WebP of 16,383 × 16,383": lambda: large_webp(16_383, 16_383),
    "WebP of 16,384 × 16,384, animated": lambda: webp_animation(16_384, 16_384, 2),
    "WebP with 23 frames of 4096 × 4096": lambda: webp_animation(4096, 4096, 23, (4096, 4096)),
    "WebP with 300,000 frames of one pixel": lambda: webp_animation(1, 1, 300_000),
    "WebP of 40 megapixels": lambda: saved(Image.new("RGB", (8000, 5000)), "WEBP", method=0),
    "lossless WebP of 40 megapixels": lambda: saved(Image.new("RGBA", (8000, 5000)), "WEBP", method=0, lossless=True),
}
