"""Pictures of all kinds, made with Pillow and, where that cannot, by hand."""

import io
import struct
import zlib

from PIL import Image

RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 180, 60), (50, 70, 210), (240, 200, 40)
# The numbers of EXIF, and what Pillow does to a picture that is stored so: the inverse is done to store it.
STORED = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip
ORIENTATION = 0x0112


def corners(mode="RGB", size=(96, 64)):
    """Four corners of different colours."""
    image = Image.new("RGB", size, RED)
    half = (size[0] // 2, size[1] // 2)
    image.paste(GREEN, (half[0], 0, *(size[0], half[1])))
    image.paste(BLUE, (0, half[1], half[0], size[1]))
    image.paste(YELLOW, (*half, *size))
    return image.convert(mode)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def oriented(number, kind, **options):
    """The corners, stored as a camera does that was held otherwise."""
    exif = Image.Exif()
    exif[ORIENTATION] = number
    image = corners()
    if STORED[number] is not None:
        image = image.transpose(STORED[number])
    return saved(image, kind, exif=exif, **options)


def with_alpha(mode="RGBA"):
    """A quarter is transparent, and a quarter half."""
    image = corners("RGBA")
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, image.width // 2, image.height // 2))
    alpha.paste(128, (image.width // 2, image.height // 2, *image.size))
    image.putalpha(alpha)
    return image.convert(mode)


def frames(count=6, size=(48, 32)):
    """Pictures that differ, as an animation has them."""
    shown = []
    for number in range(count):
        image = corners(size=size)
        image.paste((number * 40, 255 - number * 40, 128), (number * 5, 4, number * 5 + 9, 21))
        shown.append(image)
    return shown


DURATIONS = [40, 100, 250, 60, 1000, 70]


def animation(kind, **options):
    first, *others = frames()
    # A still picture of its own is none of the frames.
    durations = DURATIONS[1:] if options.get("default_image") else DURATIONS
    return saved(first, kind, save_all=True, append_images=others, duration=durations, loop=3, **options)


def animated_palette():
    first, *others = frames()
    palette = first.quantize()
    others = [other.quantize(palette=palette) for other in others]
    return saved(palette, "PNG", save_all=True, append_images=others, duration=DURATIONS)


def interlaced_gif():
    """Pillow interlaces single pictures only: an animation of those."""
    screen, found = b"", b""
    for frame, duration in zip(frames(), DURATIONS):
        data = saved(frame, "GIF", interlace=1)
        screen, flags = data[:13], data[10]
        palette_end = 13 + 3 * 2 ** ((flags & 7) + 1)
        image = data.index(b"\x2c", palette_end)
        own_palette = bytes([0x80 | data[image + 9] | (flags & 7)])
        found += b"\x21\xf9\4\0" + struct.pack("<H", duration // 10) + b"\0\0"
        found += data[image : image + 9] + own_palette + data[13:palette_end] + data[image + 10 : -1]
    return screen[:10] + b"\0" + screen[11:] + found + b"\x3b"


def chunk(name, data):
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, color, pixels, *extra, interlaced=0):
    """`pixels` are the compressed rows; `extra` are chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"".join(parts)


def rows(image, depth=8):
    """The rows of an RGB picture, not filtered, with 8 or 16 bits a channel."""
    image = image.convert("RGB")
    data = image.tobytes()
    width = image.width * 3
    found = b""
    for y in range(image.height):
        row = data[y * width : (y + 1) * width]
        found += b"\0" + (row if depth == 8 else b"".join(bytes((value, value)) for value in row))
    return found


def deep_png():
    """16 bits a channel."""
    image = corners()
    return png(*image.size, 16, 2, zlib.compress(rows(image, 16)))


def interlaced_png():
    """Adam7."""
    image = corners()
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x, y, dx, dy in passes:
        for row in range(y, image.height, dy):
            data += b"\0" + b"".join(bytes(image.getpixel((at, row))) for at in range(x, image.width, dx))
    return png(*image.size, 8, 2, zlib.compress(data), interlaced=1)


def png_with(*chunks):
    image = corners()
    return png(*image.size, 8, 2, zlib.compress(rows(image)), *chunks)


# The colours of Display P3, and a curve that is none: each value is a hundred-thousandth.
CHROMATICITIES = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
GAMMA = chunk(b"gAMA", struct.pack(">I", 100_000))
CODE_POINTS = chunk(b"cICP", bytes([12, 13, 0, 1]))


def display_p3():
    """A profile of the colours of Display P3 with the curve of sRGB (ICC.1, version 4)."""
    fixed = lambda *values: struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    xyz = lambda *values: b"XYZ \0\0\0\0" + fixed(*values)
    text = lambda words: b"mluc" + struct.pack(">III", 0, 1, 12) + b"enUS" + struct.pack(">II", len(words) * 2, 28) + words.encode("utf-16-be")
    curve = b"para\0\0\0\0\0\3\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {
        b"desc": text("Display P3"), b"cprt": text("None"), b"wtpt": xyz(0.9642, 1, 0.8249),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105), b"gXYZ": xyz(0.29198, 0.69225, 0.04189), b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    table, data, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", at + len(data), len(value))
        data += value
    head = b"\0\0\0\0" + b"\4\x30\0\0" + b"mntrRGB XYZ " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + fixed(0.9642, 1, 0.8249)
    head = struct.pack(">I", at + len(data)) + b"\0\0\0\0" + head[4:]
    return head.ljust(128, b"\0") + table + data
