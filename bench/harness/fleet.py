"""What a task carries and costs, and what many of them need, computed from what was measured of one."""

from . import plot
from .page import image, measured, number, table

# US dollars an hour in Seoul (ap-northeast-2), Linux on x86, list prices of early 2025.
VCPU_HOUR, GIB_HOUR = 0.04656, 0.00511
MONTH = 730
TASKS = [1, 2, 5, 10, 20, 50]
OF_FLEET = "0.5"
# What a task opens at most: DB_MAX_CONNECTIONS, and one for the cache bus.
CONNECTIONS = 10 + 1
# RDS lets in as many connections as the instance has bytes of memory, divided by this; a tenth is not counted.
BYTES_OF_CONNECTION = 9_531_392


def price(cpus, mib):
    return (float(cpus) * VCPU_HOUR + mib / 1024 * GIB_HOUR) * MONTH


def task(part):
    rows, points = [], []
    for cpus, figures in sorted(part["sizes"].items(), key=lambda size: float(size[0])):
        mib, mix, sign_in = part["memory"][cpus], figures["mix"], figures["sign_in"]
        month = price(cpus, mib)
        carried = (
            [number(mix["rps"]), f"{number(mix['p50'])} · {number(mix['p99'])}", number(mix["most"])]
            if mix
            else ["none", "–", "–"]
        )
        million = f"{month / MONTH / 3600 / mix['rps'] * 1e6:.4f}" if mix else "–"
        errors = (mix or {}).get("errors", 0) + sign_in["errors"]
        rows.append(
            [
                f"{cpus} vCPU, {mib} MiB",
                *carried,
                f"{sign_in['rps']:.1f}",
                f"{figures['boot_seconds']}",
                f"{figures['idle_mib']:.0f} · {figures['peak_mib']:.0f}",
                str(figures["connections"]),
                str(errors),
                f"{month:.2f}",
                million,
            ]
        )
        if mix:
            points.append((float(cpus), mix["rps"]))
    out = measured(part) + f"The image has {part['image_bytes'] / 1e6:.1f} MB.\n\n"
    out += table(
        [
            "task",
            "mix, requests a second",
            "p50 · p99, ms",
            "at most",
            "sign-ins a second",
            "boot, s",
            "RSS idle · most, MiB",
            "connections to PostgreSQL",
            "errors",
            "a month, $",
            "a million requests, $",
        ],
        rows,
    )
    if len(points) > 1:
        out += image(
            "task",
            plot.lines("The mix, with a p99 below 100 ms", "requests a second", [("one task", points)], "vCPU"),
            "Requests a second by vCPU",
        )
    return out


def fleet(part):
    size = part["sizes"].get(OF_FLEET, {})
    if not size.get("mix"):
        return "Not measured yet.\n"
    rps, costs, uncached, bus = size["mix"]["rps"], size["costs"], part["uncached"], part["bus"]
    rows = []
    for count in TASKS:
        all_of_them, connections = count * rps, count * CONNECTIONS
        messages = all_of_them * costs["messages"]
        memory = 1
        while memory * 2**30 * 0.9 / BYTES_OF_CONNECTION < connections * 1.2:
            memory *= 2
        rows.append(
            [
                str(count),
                number(all_of_them),
                f"{connections:,}",
                f"{memory} GiB",
                number(messages),
                f"{messages * bus['cpu_ms'] / 1000 / float(OF_FLEET):.1%}",
                number(all_of_them * costs["transactions"]),
                f"{all_of_them * costs['database_cpu_ms'] / 1000:.1f} to {all_of_them * uncached['database_cpu_ms'] / 1000:.1f}",
                f"{price(OF_FLEET, part['memory'][OF_FLEET]) * count:,.0f}",
            ]
        )
    out = (
        f"Measured of one task of {OF_FLEET} vCPU: a request of the mix takes {costs['cpu_ms']} ms of the task's processor and "
        f"{costs['database_cpu_ms']} ms of PostgreSQL's ({uncached['database_cpu_ms']} ms without a cache), in {costs['transactions']} transactions "
        f"({uncached['transactions']}); {costs['hits']:.0%} of the anonymous reads are answered from memory; {costs['messages']} messages on the cache bus, each of "
        f"which takes {bus['cpu_ms']} ms of every other task.\n\n"
    )
    return out + table(
        [
            "tasks",
            "requests a second",
            "connections at most",
            "RDS, memory for them",
            "messages a second, to each task",
            "of a task's processor",
            "transactions a second",
            "vCPU of PostgreSQL, cached to uncached",
            "tasks a month, $",
        ],
        rows,
    )
