"""One load on three inference servers: the medians as a Markdown table and as a plot. Called by inference.sh.

    inference.py WORK VENV REPO BUILD MODEL SVG
"""

import json
import os
import statistics
import subprocess
import sys

from inference_plot import plot
from inference_servers import Feast, Inference, lines_of_code, wait_until_idle

WORK, VENV, REPO, BUILD, MODEL, SVG = sys.argv[1:]
WORKERS = [int(word) for word in os.environ.get("WORKERS", "1 2").split()]
CONNECTIONS = [int(word) for word in os.environ.get("CONNECTIONS", "1 16 64 256").split()]
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS_EACH", "4"))


def load(server, connections, seconds):
    cpu = server.cpu_seconds()
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", str(seconds), "--timeout", "10s", "-s", "benches/inference.lua"]
    said = subprocess.run([*command, server.url], check=True, capture_output=True, text=True).stdout
    figures = json.loads(said.splitlines()[-1])
    good = figures["answers"] - figures["not_200"]
    figures["rate"] = good / figures["seconds"]
    figures["cpu"] = (server.cpu_seconds() - cpu) / max(good, 1) * 1e6
    return figures


def measure():
    """Medians by workers, connections and server."""
    runs = {}
    for workers in WORKERS:
        with Feast(WORK, VENV, REPO, workers) as feast:
            servers = {}
            try:
                for name in Inference.NAMES:
                    servers[name] = Inference(name, WORK, VENV, REPO, BUILD, MODEL, feast.url)
                    load(servers[name], 16, 1)
                names = list(servers)
                for turn in range(ROUNDS):
                    for connections in CONNECTIONS:
                        # Another one is the first in each round.
                        for name in names[turn % len(names):] + names[:turn % len(names)]:
                            wait_until_idle([feast, *servers.values()])
                            figures = load(servers[name], connections, SECONDS)
                            print(f"-w {workers}, {connections:3} connections, {name}: {figures}", file=sys.stderr)
                            runs.setdefault((workers, connections, name), []).append(figures)
            finally:
                for server in servers.values():
                    server.end()
    return {
        case: {figure: statistics.median(run[figure] for run in of_case) for figure in of_case[0]}
        | {"bad": sum(run["not_200"] + run["broken"] for run in of_case)}
        for case, of_case in runs.items()
    }


def milliseconds(value):
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def cell(figures):
    words = [f"{figures['rate']:,.0f}".replace(",", " ")]
    words += [milliseconds(figures["p50"]), milliseconds(figures["p99"]), f"{figures['cpu']:.0f} µs"]
    return ", ".join(words) + (f" ({figures['bad']} failed)" if figures["bad"] else "")


def table(medians):
    names = list(Inference.NAMES)
    print("| Feast's workers, connections | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for workers in WORKERS:
        for connections in CONNECTIONS:
            cells = [cell(medians[workers, connections, name]) for name in names]
            print(f"| {workers}, {connections} | " + " | ".join(cells) + " |")
    print("| lines of code that fetch features | " + " | ".join(str(lines_of_code(name)) for name in names) + " |")


medians = measure()
table(medians)
with open(SVG, "w") as file:
    file.write(plot(medians, WORKERS, CONNECTIONS, list(Inference.NAMES)))
