"""What dashboard.sh draws: dashboard.py VENV REPO DASHBOARD SVG"""

import html
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import prometheus_client

import feast_remote
from feast_prometheus import Stores

VENV, REPO, DASHBOARD, SVG = sys.argv[1:]
SECONDS, KILLED_AT, BACK_AT = 90, 30, 50
COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b"]
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 460, 210, 52, 26, 40


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def started(command, url, **options):
    """A process that answers at this URL."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, start_new_session=True, **quiet, **options)
    while True:
        assert process.poll() is None, command
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return process
        except OSError:
            time.sleep(0.1)


def feast(port):
    command = [os.path.abspath(f"{VENV}/bin/feast"), "serve", "--no-access-log", "-p", str(port)]
    return started(command, f"http://127.0.0.1:{port}/health", cwd=REPO, env={**os.environ, "FEAST_USAGE": "False"})


def call(remote, until):
    while time.monotonic() < until:
        try:
            remote.get_online_features(["driver_hourly_stats:conv_rate"], {"driver_id": [1001 + random.randrange(100)]})
        except feast_remote.FeastError as error:
            print(error)
        time.sleep(0.005)


def ask(port, expression, start, end):
    expression = expression.replace("$store", ".*").replace("$__rate_interval", "5s")
    query = urllib.parse.urlencode({"query": expression, "start": start, "end": end, "step": 1})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query_range?{query}") as answer:
        return json.load(answer)["data"]["result"]


def lines_of(port, panel, start, end, shown):
    """Each series of a panel: its words, and its points in seconds and values."""
    for target in panel["targets"]:
        for series in ask(port, target["expr"], start, end):
            # There is one store.
            words = target["legendFormat"].replace("{{store}}", "")
            for label in ("outcome", "class", "reason", "state", "server", "address"):
                words = words.replace("{{%s}}" % label, series["metric"].get(label, ""))
            for url, name in shown.items():
                words = words.replace(url, name)
            points = [(at - start, float(value)) for at, value in series["values"] if value != "NaN"]
            if points:
                yield words.strip(), points


def drawn(panel, lines, x, y):
    """One panel as SVG."""
    most = max((value for _, points in lines for _, value in points), default=0) or 1
    unit = panel["fieldConfig"]["defaults"]["unit"]
    shown = {"s": f"{most * 1000:.0f} ms", "reqps": f"{most:.4g} /s"}.get(unit, f"{most:.3g}")
    inner_width, inner_height = WIDTH - LEFT - 12, HEIGHT - TOP - BOTTOM
    out = [f'<g transform="translate({x},{y})"><rect width="{WIDTH - 8}" height="{HEIGHT - 8}" fill="white" stroke="#ccc"/>',
           f'<text x="8" y="17" font-weight="bold">{html.escape(panel["title"])}</text>',
           f'<text x="{LEFT - 4}" y="{TOP + 9}" text-anchor="end">{shown}</text>',
           f'<text x="{LEFT - 4}" y="{TOP + inner_height}" text-anchor="end">0</text>',
           f'<path d="M{LEFT} {TOP}V{TOP + inner_height}H{LEFT + inner_width}" fill="none" stroke="#888"/>']
    words_at = LEFT
    for (words, points), colour in zip(lines, COLOURS * 9):
        at = [f"{LEFT + inner_width * t / SECONDS:.1f},{TOP + inner_height * (1 - value / most):.1f}" for t, value in points]
        out.append(f'<polyline points="{" ".join(at)}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        out.append(f'<text x="{words_at}" y="{HEIGHT - 18}" fill="{colour}">{html.escape(words)}</text>')
        words_at += 6.2 * len(words) + 10
    if not lines:
        out.append(f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle" fill="#888">none in this time</text>')
    return "".join(out) + "</g>"


ports = [free_port(), free_port()]
servers = [feast(port) for port in ports]
urls = [f"http://127.0.0.1:{port}" for port in ports]
prometheus = None
try:
    with feast_remote.Remote(path=",".join(urls), merge_max_rows="16") as remote, tempfile.TemporaryDirectory() as folder:
        prometheus_client.REGISTRY.register(Stores({"drivers": remote}))
        metrics, _ = prometheus_client.start_http_server(0, addr="127.0.0.1")
        with open(f"{folder}/prometheus.yml", "w") as settings:
            settings.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n  - job_name: host\n"
                           f"    static_configs: [{{targets: ['127.0.0.1:{metrics.server_port}']}}]\n")
        port = free_port()
        prometheus = started(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                              f"--web.listen-address=127.0.0.1:{port}"], f"http://127.0.0.1:{port}/-/ready")
        start, until = time.time(), time.monotonic() + SECONDS
        threads = [threading.Thread(target=call, args=(remote, until)) for _ in range(12)]
        for thread in threads:
            thread.start()
        time.sleep(KILLED_AT)
        os.killpg(servers[1].pid, signal.SIGKILL)
        servers[1].wait()
        time.sleep(BACK_AT - KILLED_AT)
        servers[1] = feast(ports[1])
        for thread in threads:
            thread.join()
        with open(DASHBOARD) as file:
            panels = json.load(file)["panels"]
        names = dict(zip(urls, ("a", "b")))
        boxes = [drawn(panel, list(lines_of(port, panel, start, start + SECONDS, names)), WIDTH * (at % 2), HEIGHT * (at // 2))
                 for at, panel in enumerate(panels)]
        size = f'width="{2 * WIDTH}" height="{HEIGHT * ((len(panels) + 1) // 2)}"'
        with open(SVG, "w") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
                       f'<rect width="100%" height="100%" fill="#f4f4f4"/>{"".join(boxes)}</svg>\n')
finally:
    for process in [*servers, prometheus]:
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
