"""Plots as SVG, of the two kinds that the page has: bars on a logarithmic scale, and lines."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#9c6b4e", "#97bbf5", "#9498a0"]
STYLE = ("<style>text{font:12px system-ui,sans-serif;fill:#333}.faint{stroke:#ddd}.title{font-size:14px;font-weight:600}"
         "@media(prefers-color-scheme:dark){text{fill:#ccc}.faint{stroke:#444}}</style>")


def short(number):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def text(x, y, words, anchor="start", style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(str(words))}</text>'


def legend(names, y):
    parts, x = [], 10
    for index, name in enumerate(names):
        parts.append(f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{COLOURS[index % len(COLOURS)]}"/>')
        parts.append(text(x + 14, y, name))
        x += 30 + 7 * len(name)
    return parts


def document(width, height, title, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
                      f"<title>{escape(title)}</title>", STYLE, text(10, 20, title, style="title"), *parts, "</svg>", ""])


def bars(title, groups, names, unit):
    """A bar for each of `names` in each of `groups`, which are pairs of a name and its values; logarithmic."""
    values = [value for _, row in groups for value in row.values() if value]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    left, width, thick, gap = 210, 760, 11, 12

    def at(value):
        return left + (width - left - 60) * math.log10(value / low) / max(1, math.log10(high / low))

    parts, y = legend(names, 42), 60
    height = y + sum(gap + thick * sum(bool(row.get(name)) for name in names) for _, row in groups) + 30
    for exponent in range(round(math.log10(low)), round(math.log10(high)) + 1):
        x = at(10 ** exponent)
        parts += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{height - 25}" class="faint"/>', text(x, height - 10, short(10 ** exponent), "middle")]
    parts.append(text(width - 5, height - 10, unit, "end"))
    for group, row in groups:
        shown = [(index, row[name]) for index, name in enumerate(names) if row.get(name)]
        parts.append(text(left - 8, y + gap / 2 + thick * len(shown) / 2 + 4, group, "end"))
        y += gap / 2
        for index, value in shown:
            parts.append(f'<rect x="{left}" y="{y:.1f}" width="{max(1, at(value) - left):.1f}" height="{thick - 1}" fill="{COLOURS[index % len(COLOURS)]}"/>')
            parts.append(text(at(value) + 4, y + thick - 2, short(value)))
            y += thick
        y += gap / 2
    return document(width, round(height), title, parts)


def lines(title, series, unit, x_unit, logarithmic=False, limit=None):
    """A line for each of `series`, which are pairs of a name and its points. `limit` is a value that none should exceed."""
    points = [point for _, row in series for point in row]
    left, top, width, height = 60, 62, 760, 380
    x_low, x_high = min(x for x, _ in points), max(x for x, _ in points)
    y_low, y_high = (min(y for _, y in points), max(max(y for _, y in points), limit or 0)) if logarithmic else (0, max(y for _, y in points) * 1.1)
    scale = math.log10 if logarithmic else float

    def place(x, y):
        across = (scale(x) - scale(x_low)) / ((scale(x_high) - scale(x_low)) or 1)
        up = (scale(max(y, y_low)) - scale(y_low)) / ((scale(y_high) - scale(y_low)) or 1)
        return left + across * (width - left - 20), height - 40 - up * (height - 40 - top)

    ticks = [10 ** e for e in range(math.ceil(math.log10(y_low)), math.floor(math.log10(y_high)) + 1)] if logarithmic else [y_high * i / 5 for i in range(6)]
    parts = legend([name for name, _ in series], 42)
    for tick in ticks:
        y = place(x_low, tick)[1]
        parts += [f'<line x1="{left}" x2="{width - 20}" y1="{y:.1f}" y2="{y:.1f}" class="faint"/>', text(left - 6, y + 4, short(tick), "end")]
    marks = sorted({x for x, _ in points}) if len({x for x, _ in points}) < 9 else [x_low + (x_high - x_low) * i / 6 for i in range(7)]
    parts += [text(place(x, y_low)[0], height - 22, short(x), "middle") for x in marks]
    parts += [text(width - 20, height - 6, x_unit, "end"), text(left, top - 6, unit, "end")]
    if limit:
        y = place(x_low, limit)[1]
        parts.append(f'<line x1="{left}" x2="{width - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d33" stroke-dasharray="4"/>')
    for index, (_, row) in enumerate(series):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in row))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[index % len(COLOURS)]}" stroke-width="2"/>')
        if len(row) < 9:
            parts += ["<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>".format(*place(*point), COLOURS[index % len(COLOURS)]) for point in row]
    return document(width, height, title, parts)
