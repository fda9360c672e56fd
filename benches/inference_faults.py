"""What the clients of three inference servers see while Feast is in trouble, as a Markdown table. Called by inference.sh.

    inference_faults.py WORK VENV REPO BUILD MODEL

Requests of one row come at a steady rate, whether or not earlier ones were answered. Each client gives up after 2 s, and says so a
little earlier in the header that Envoy uses.
"""

import asyncio
import collections
import json
import math
import os
import random
import signal
import sys
import time

from inference_servers import Feast, Inference

WORK, VENV, REPO, BUILD, MODEL = sys.argv[1:]
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "2"))
RATE, PATIENCE, TOLD_MS = 100, 2.0, 1900  # requests/s, seconds
BEFORE = 2.0  # seconds of load
Answer = collections.namedtuple("Answer", "asked answered status is_wrong")


class Client:
    """Asks an inference server, over connections that it keeps."""

    def __init__(self, server):
        self.server, self.idle, self.answers = server, [], []

    async def ask(self, is_wrong):
        asked, status = time.monotonic(), "no answer"
        datatype, data = ("BYTES", "abc") if is_wrong else ("INT64", random.randrange(1001, 1021))
        body = json.dumps({"inputs": [{"name": "driver_id", "datatype": datatype, "shape": [1], "data": [data]}]})
        head = "POST /v2/models/driver_score/infer HTTP/1.1\r\nHost: inference\r\nContent-Type: application/json\r\n"
        head += f"x-envoy-expected-rq-timeout-ms: {TOLD_MS}\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            async with asyncio.timeout(PATIENCE):
                status = await self.request((head + body).encode())
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        self.answers.append(Answer(asked, time.monotonic(), status, is_wrong))

    async def request(self, request):
        # A server closes what has been idle for some seconds.
        while self.idle:
            try:
                return await self.exchange(request, *self.idle.pop())
            except (OSError, asyncio.IncompleteReadError):
                pass
        return await self.exchange(request, *await asyncio.open_connection("127.0.0.1", self.server.port))

    async def exchange(self, request, reader, writer):
        done = False
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
            done = "connection: close" not in head
        finally:
            self.idle.append((reader, writer)) if done else writer.close()
        return int(head.split(" ")[1])

    async def load(self, until, wrong_every):
        """Until that event is set."""
        tasks, start, count = [], time.monotonic(), 0
        while not until.is_set():
            count += 1
            tasks.append(asyncio.create_task(self.ask(wrong_every and count % wrong_every == 0)))
            await asyncio.sleep(max(0.0, start + count / RATE - time.monotonic()))
        await asyncio.gather(*tasks)


async def under_load(server, fault, after, wrong_every):
    """The answers, and when the fault began and ended."""
    client, enough = Client(server), asyncio.Event()
    load = asyncio.create_task(client.load(enough, wrong_every))
    await asyncio.sleep(BEFORE)
    begun = time.monotonic()
    await fault()
    ended = time.monotonic()
    await asyncio.sleep(after)
    enough.set()
    await load
    for _, writer in client.idle:
        writer.close()
    return client.answers, begun, ended


def figures(answers, begun, ended):
    """Of the requests since the fault began. A good answer is a 200."""
    since = [answer for answer in answers if answer.asked >= begun]
    good = sorted(answer.answered for answer in since if answer.status == 200)
    last = max(answer.asked for answer in since)
    moments = [begun, *good, last]
    is_well = any(answer.status == 200 and answer.asked > last - 0.5 for answer in since)
    bad = [answer.answered for answer in since if answer.status != 200 and not answer.is_wrong]
    times = sorted(answer.answered - answer.asked for answer in since if answer.status == 200)
    wrong = sorted(answer.answered - answer.asked for answer in since if answer.is_wrong)
    return {
        "statuses": collections.Counter(str(answer.status) for answer in since if not answer.is_wrong),
        "wrong": collections.Counter(str(answer.status) for answer in since if answer.is_wrong),
        "gap": max(after - before for before, after in zip(moments, moments[1:])),
        "well": max(0.0, max(bad, default=0.0) - ended) if is_well else math.inf,
        "p99": times[int(len(times) * 0.99)] if times else math.inf,
        "wrong_p50": wrong[len(wrong) // 2] if wrong else 0.0,
    }


def worker_killed(feast):
    async def fault():
        os.kill(feast.children()[0], signal.SIGKILL)

    return fault


def feast_killed(feast):
    async def fault():
        feast.end()
        await asyncio.sleep(3)
        await asyncio.to_thread(feast.start)

    return fault


def nothing(_):
    return lambda: asyncio.sleep(0)


# Words, workers, what happens, seconds of load afterwards, and how many requests have a key of the wrong type.
FAULTS = [
    ("the worker of `-w 1` is killed", 1, worker_killed, 5, 0),
    ("a worker of `-w 2` is killed", 2, worker_killed, 5, 0),
    ("Feast is killed, and started 3 s later", 1, feast_killed, 10, 0),
    ("every 20th request has a key of the wrong type", 1, nothing, 5, 20),
]


def counted(runs, which):
    total = sum((run[which] for run in runs), collections.Counter())
    return ", ".join(f"{count} × {status}" for status, count in sorted(total.items()))


def seconds(value, after):
    return f"{value:.2f} s" if value < math.inf else f"not within {after} s"


def shown(runs, after):
    """Counts of all rounds, and the worst of the times."""
    worst = {figure: max(run[figure] for run in runs) for figure in ("gap", "well", "p99", "wrong_p50")}
    p99 = f"{worst['p99'] * 1000:.0f} ms" if worst["p99"] < math.inf else ""
    words = [counted(runs, "statuses"), seconds(worst["gap"], after), seconds(worst["well"], after), p99]
    if any(run["wrong"] for run in runs):
        words[2] = ""  # It never ends.
        words[0] += f"; the wrong ones {counted(runs, 'wrong')}, p50 {worst['wrong_p50'] * 1000:.0f} ms"
    return words


print("| | | statuses | longest without a 200 | well again after | p99 of the 200s |")
print("|---|---|---|---|---|---|")
for words, workers, fault, after, wrong_every in FAULTS:
    runs = collections.defaultdict(list)
    # Without the restarts of its own, which would be seen, too.
    with Feast(WORK, VENV, REPO, workers, "--max-requests", "0") as feast:
        for _ in range(ROUNDS):
            for name in Inference.NAMES:
                with Inference(name, WORK, VENV, REPO, BUILD, MODEL, feast.url) as server:
                    runs[name].append(figures(*asyncio.run(under_load(server, fault(feast), after, wrong_every))))
                    print(words, name, runs[name][-1], file=sys.stderr)
    for place, name in enumerate(runs):
        print(f"| {'' if place else words} | {name} | " + " | ".join(shown(runs[name], after)) + " |", flush=True)
