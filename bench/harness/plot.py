"""Plots as SVG, of the two kinds that the page has: bars on a logarithmic scale, and lines."""

import math
from xml.sax.saxutils import escape

COLOURS = [
    "#4269d0",
    "#efb118",
    "#ff725c",
    "#6cc5b0",
    "#3ca951",
    "#9c6b4e",
    "#97bbf5",
    "#9498a0",
    "#a463f2",
    "#c2185b",
    "#7f7f00",
    "#00838f",
]
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#333}.faint{stroke:#ddd}.title{font-size:14px;font-weight:600}.small{font-size:10px}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}.faint{stroke:#444}}</style>"
)
WIDTH = 760


def short(number):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def text(x, y, words, anchor="start", style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(str(words))}</text>'


def line(x1, y1, x2, y2, more='class="faint"'):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {more}/>'


def colour(index):
    return COLOURS[index % len(COLOURS)]


def legend(names):
    """The names with their colours, in as many rows as they take, and where the plot begins."""
    parts, x, y = [], 10, 42
    for index, name in enumerate(names):
        wide = 30 + 7 * len(name)
        if x + wide > WIDTH:
            x, y = 10, y + 18
        parts += [f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour(index)}"/>', text(x + 14, y, name)]
        x += wide
    return parts, y + 18


def document(height, title, unit, parts):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            STYLE,
            text(10, 20, f"{title}, {unit}", style="title"),
            *parts,
            "</svg>",
            "",
        ]
    )


def bars(title, unit, groups, names):
    """A bar for each of `names` in each of `groups`, which are pairs of a name and its values; logarithmic."""
    values = [value for _, row in groups for value in row.values() if value]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    left, thick, gap = 210, 11, 12
    parts, top = legend(names)
    y = top
    height = y + sum(gap + thick * sum(bool(row.get(name)) for name in names) for _, row in groups) + 30

    def at(value):
        return left + (WIDTH - left - 60) * (math.log10(value) - low) / max(1, high - low)

    for exponent in range(low, high + 1):
        x = at(10**exponent)
        parts += [line(x, top, x, height - 25), text(x, height - 10, short(10**exponent), "middle")]
    for group, row in groups:
        shown = [(index, row[name]) for index, name in enumerate(names) if row.get(name)]
        parts.append(text(left - 8, y + gap / 2 + thick * len(shown) / 2 + 4, group, "end"))
        y += gap / 2
        for index, value in shown:
            parts.append(
                f'<rect x="{left}" y="{y:.1f}" width="{max(1, at(value) - left):.1f}" height="{thick - 1}" fill="{colour(index)}"/>'
            )
            parts.append(text(at(value) + 4, y + thick - 2, short(value), style="small"))
            y += thick
        y += gap / 2
    return document(round(height), title, unit, parts)


def ticks(low, high, logarithmic):
    if logarithmic:
        return [10**exponent for exponent in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    step = 10 ** math.floor(math.log10(high / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if high / (step * factor) <= 6)
    return [step * count for count in range(math.floor(high / step) + 1)]


def lines(title, unit, series, x_unit, logarithmic=False, limit=None):
    """A line for each of `series`, which are pairs of a name and its points. None should exceed `limit`."""
    xs, ys = zip(*(point for _, row in series for point in row))
    x_low, x_high = (min(xs), max(xs)) if logarithmic else (0, max(xs))
    y_low, y_high = (max(0.1, min(ys)), max(*ys, limit or 0)) if logarithmic else (0, max(ys) * 1.1)
    parts, top = legend([name for name, _ in series])
    left, bottom = 50, top + 300
    scale = math.log10 if logarithmic else float

    def place(x, y):
        across = (scale(x) - scale(x_low)) / ((scale(x_high) - scale(x_low)) or 1)
        up = (scale(max(y, y_low)) - scale(y_low)) / ((scale(y_high) - scale(y_low)) or 1)
        return left + across * (WIDTH - left - 30), bottom - up * 300

    for tick in ticks(y_low, y_high, logarithmic):
        y = place(x_low, tick)[1]
        parts += [line(left, y, WIDTH - 30, y), text(left - 6, y + 4, short(tick), "end")]
    parts += [text(place(x, y_low)[0], bottom + 18, short(x), "middle") for x in ticks(x_low, x_high, logarithmic)]
    parts.append(text(WIDTH - 30, bottom + 34, x_unit, "end"))
    if limit:
        y = place(x_low, limit)[1]
        parts.append(line(left, y, WIDTH - 30, y, 'stroke="#d33" stroke-dasharray="4"'))
    for index, (_, row) in enumerate(series):
        points = [place(*point) for point in row]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour(index)}" stroke-width="2"/>')
        if len(row) < 9:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour(index)}"/>' for x, y in points]
    return document(round(bottom + 44), title, unit, parts)
