"""Writes the measured parts of docs/performance.md anew: what is between `<!-- begin X -->` and `<!-- end X -->`."""

import re
import statistics

from . import fleet, plot
from .machine import results
from .page import PAGE, cell, image, measured, number, table
from .scale import SLOW_MS
from .works import WORKS

COLUMNS = {
    "limit": "HTTP limit",
    "database": "PostgreSQL",
    "cached": "cached",
    "uncached": "uncached",
    "fastapi": "FastAPI",
    "django": "Django REST",
    "wordpress": "WordPress",
}


def compare(part):
    works, names = part["works"], [name for name in COLUMNS if any(name in of for of in part["works"].values())]
    rows = [
        [label, *(cell(works[work].get(name)) for name in names)] for work, (label, _) in WORKS.items() if work in works
    ]
    plain = {work: re.sub("`", "", label) for work, (label, _) in WORKS.items()}
    shown = [
        (plain[work], {COLUMNS[name]: of[name]["rps"] for name in names if name in of})
        for work in WORKS
        if (of := works.get(work)) and len(of) > 1
    ]
    memory = ", ".join(f"{COLUMNS[name]} {mib:.0f} MiB" for name, mib in part["memory_mib"].items())
    out = measured(part) + table(["work", *(COLUMNS[name] for name in names)], rows)
    out += f"\nMost memory: {memory}. Our bodies: a list {part['bytes'][0]:,} bytes, a post {part['bytes'][1]:,}, comments {part['bytes'][2]:,}.\n"
    if shown:
        out += image(
            "compare",
            plot.bars("Each work", "requests a second", shown, [COLUMNS[name] for name in names]),
            "Requests a second of each work",
        )
    return out + "\n" + ratios(works)


# What is aimed at: the work, ours, what it is held against, and the share of it.
TARGETS = [
    ("health", "cached", "limit", 0.8),
    ("post_hot", "cached", "limit", 0.7),
    ("list", "cached", "limit", 0.7),
    ("post_all", "uncached", "database", 0.25),
    ("list", "uncached", "database", 0.3),
    ("comments_all", "uncached", "database", 0.5),
    ("comment", "cached", "database", 0.5),
    ("post_all", "uncached", "fastapi", 8),
    ("list", "uncached", "fastapi", 8),
    ("comments_all", "uncached", "fastapi", 8),
]


def ratios(works):
    rows = []
    for work, ours, other, aim in TARGETS:
        of = works.get(work, {})
        if ours in of and other in of:
            ratio = statistics.median(a / b for a, b in zip(of[ours]["runs"], of[other]["runs"]))
            rows.append(
                [
                    f"{WORKS[work][0]}, {ours}",
                    COLUMNS[other],
                    f"{ratio:.2f}",
                    f"{aim}" + ("" if ratio >= aim else ", missed"),
                ]
            )
    return table(["ours", "beside", "ratio, median of the runs", "aim"], rows) if rows else ""


def base(part):
    rows = [
        [
            WORKS[entry["work"]][0],
            "cached" if entry["cached"] else "uncached",
            cell(entry["before"]),
            cell(entry["after"]),
            f"× {statistics.median(entry['ratios']):.2f}",
        ]
        for entry in part["works"]
    ]
    return measured(part) + table(
        ["work", "", f"commit {part['base']}", "this one", "ratio, median of the pairs"], rows
    )


GROUPS = {
    "tag:": "lists of a tag",
    "search:": "searches",
    "author:": "lists of an author",
    "editor:": "editors' lists",
    "admin:": "audit",
    "list": "lists",
    "post": "a post",
    "comments": "comments",
    "/feed": "feeds and sitemap",
    "feed": "feeds and sitemap",
    "/sitemap": "feeds and sitemap",
    "sitemap": "feeds and sitemap",
    "tags": "tags",
}


def group(page):
    return next((name for prefix, name in GROUPS.items() if page.startswith(prefix)), "what one has of one's own")


def scale(part):
    sizes = sorted(part["sizes"], key=int)
    heads = [f"{int(size):,} posts" for size in sizes]
    pages = list(part["sizes"][sizes[-1]]["alone"])
    times = {page: [part["sizes"][size]["alone"].get(page) for size in sizes] for page in pages}

    def shown(figures):
        if figures is None:
            return "–"
        bad = figures["ms"] > SLOW_MS or figures["status"] >= 400
        words = f"{figures['ms']:.1f}" + (f" ({figures['status']})" if figures["status"] >= 400 else "")
        return f"**{words}**" if bad else words

    slow = [page for page in pages if "**" in "".join(map(shown, times[page]))]
    worst = {}
    for page in pages:
        row = worst.setdefault(group(page), [0.0] * len(sizes))
        worst[group(page)] = [max(most, figures["ms"] if figures else 0) for most, figures in zip(row, times[page])]
    out = (
        measured(part)
        + f"{len(pages)} kinds of pages, {len(slow)} of them above {SLOW_MS} ms or refused"
        + (":\n\n" if slow else ".\n\n")
    )
    if slow:
        out += table(["page, ms", *heads], [[page, *map(shown, times[page])] for page in slow]) + "\n"
    out += "The slowest page of each kind:\n\n"
    out += table(["ms", *heads], [[name, *(f"{most:.1f}" for most in row)] for name, row in worst.items()])
    if len(sizes) > 1:
        series = [(name, [(int(size), most) for size, most in zip(sizes, row)]) for name, row in worst.items()]
        out += image(
            "scale",
            plot.lines("The slowest page of each kind, alone", "ms", series, "posts", True, SLOW_MS),
            "Latency by the number of posts",
        )
    works = list(part["sizes"][sizes[-1]]["load"])
    out += "\nRequests a second:\n\n" + table(
        ["work", *heads],
        [[WORKS[work][0], *(cell(part["sizes"][size]["load"].get(work)) for size in sizes)] for work in works],
    )
    full = table(["page, ms", *heads], [[page, *map(shown, times[page])] for page in pages])
    space = ", ".join(f"{part['sizes'][size]['bytes'] / 2**30:.1f} GiB" for size in sizes)
    return out + f"\nThe databases have {space}.\n\n<details><summary>Every page</summary>\n\n{full}\n</details>\n"


def overload(part):
    rows = []
    for factor, step in part["steps"].items():
        statuses = ", ".join(f"{count:,} × {status}" for status, count in sorted(step["statuses"].items()))
        rows.append(
            [
                f"× {factor}",
                number(step["goodput"]),
                f"{step['goodput'] / part['best']:.0%}",
                statuses,
                f"{step['failed']:,}",
                f"{step['without_retry_after']:,}",
                f"{number(step['health_p99'])} · {number(step['health_max'])}",
                f"{step['health_failed']}",
            ]
        )
    return (
        measured(part)
        + f"The most over 4 to 128 connections, with less than 1 % refused, is {number(part['best'])} requests a second; after the overload it is {number(part['afterwards'])}.\n\n"
        + table(
            [
                "asked for",
                "answered well, a second",
                "of the most",
                "statuses",
                "failed",
                "503 without `Retry-After`",
                "`/health` p99 · longest, ms",
                "`/health` failed",
            ],
            rows,
        )
    )


def soak(part):
    samples = part["samples"]
    out = measured(part) + (
        f"{part['requests']:,} requests in {part['seconds']} s over {part['connections']} connections, {part['errors']} errors, p50 "
        f"{number(part['p50'])} ms, p99 {number(part['p99'])} ms. In the second half memory grows by {part['growth_mib_a_minute']} MiB a minute.\n"
    )
    if len(samples) > 1:
        series = [("RSS", [(sample["second"], sample["rss_mib"]) for sample in samples])]
        out += image("soak", plot.lines("Memory during the mix", "MiB", series, "seconds"), "Memory during the mix")
    return out


def write():
    stored, page = results(), PAGE.read_text()
    blocks = {
        "compare": compare,
        "base": base,
        "scale": scale,
        "task": fleet.task,
        "fleet": fleet.fleet,
        "overload": overload,
        "soak": soak,
    }
    for name, made in blocks.items():
        part = stored.get("task" if name == "fleet" else name)
        words = made(part) if part else "Not measured yet.\n"
        page, found = re.subn(
            rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)",
            lambda match: match[1] + words + match[2],
            page,
            flags=re.DOTALL,
        )
        assert found == 1, f"docs/performance.md has no place for {name}"
    PAGE.write_text(page)
