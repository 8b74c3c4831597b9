"""How figures stand on the page."""

from .machine import ROOT

PAGE = ROOT / "docs/performance.md"
PLOTS = ROOT / "docs/performance"


def measured(part):
    machine = part["machine"]
    return (
        f"*Commit {part['commit']}, {part['date']}: {machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, Linux "
        f"{machine['kernel']}, PostgreSQL {machine['postgres']}, wrk {machine['wrk']}.*\n\n"
    )


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cell(figures):
    """Requests a second, and below them the p50 and p99 in milliseconds."""
    if figures is None:
        return "–"
    bad = f"<br>**{figures['errors']:,} errors**" if figures["errors"] else ""
    return f"{number(figures['rps'])}<br><sub>{number(figures['p50'])} · {number(figures['p99'])}</sub>{bad}"


def image(name, svg, words):
    PLOTS.mkdir(exist_ok=True)
    (PLOTS / f"{name}.svg").write_text(svg)
    return f"\n![{words}](performance/{name}.svg)\n"
