"""What servers.sh runs: servers that fail, a client that calls them, and a line for each figure.

    servers.py FOLDER VENV REPO [SCENARIO ...]
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

FOLDER, VENV, REPO = sys.argv[1:4]
started = []


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """A process in a group of its own."""

    def __init__(self, port, address="127.0.0.1"):
        self.port, self.url = port, f"http://{address}:{port}"
        started.append(self)
        self.start()

    def run(self, command, **options):
        self.process = subprocess.Popen(command, start_new_session=True, **options)

    def wait(self):
        while not self.is_well():
            assert self.process.poll() is None, f"{self.url} has ended"
            time.sleep(0.02)

    def is_well(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def signal(self, number):
        os.killpg(self.process.pid, number)
        if number == signal.SIGKILL:
            self.process.wait()


class Feast(Server):
    def __init__(self, *options):
        self.options = options
        super().__init__(free_port())

    def start(self):
        command = [f"{VENV}/bin/feast", "serve", "--no-access-log", "-p", str(self.port), *self.options]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.run(command, cwd=REPO, env={**os.environ, "FEAST_USAGE": "False"}, **quiet)
        self.wait()


class Rows(Server):
    def __init__(self, delay_ms=0.0, status=200, port=None, address="127.0.0.1"):
        self.delay_ms, self.status, self.address = delay_ms, status, address
        super().__init__(port or free_port(), address)

    def start(self):
        arguments = [str(self.delay_ms), str(self.status), str(self.port), self.address]
        self.run([f"{FOLDER}/rows_server", *arguments], stdout=subprocess.PIPE, text=True)
        self.wait()

    def ages(self):
        """Seconds from the first to the last byte of each connection that was closed."""
        self.signal(signal.SIGKILL)
        return [float(age) for age in self.process.stdout.read().split()[1:]]


class Client:
    """Calls the servers until it is stopped; its lines are kept."""

    def __init__(self, servers, callers=16, rate=0, **keys):
        urls = servers if isinstance(servers, str) else ",".join(server.url for server in servers)
        options = [f"{key}={value}" for key, value in keys.items()]
        self.process = subprocess.Popen(
            [f"{FOLDER}/client", urls, str(callers), str(rate), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append({**json.loads(line), "at": time.monotonic()})

    def until(self, condition, limit=30):
        """Waits for a line that fulfils it, and returns that."""
        end, seen = time.monotonic() + limit, 0
        while time.monotonic() < end:
            for line in self.lines[seen:]:
                seen += 1
                if condition(line):
                    return line
            time.sleep(0.01)
        raise AssertionError("it did not come to that")

    def begin(self):
        """Percentiles of the calls from now on."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        self.reader.join()
        assert self.process.wait() == 0
        return self.lines[-1]


def of(line, server):
    return next(found for found in line["stats"]["servers"] if found["url"] == server.url)


def is_set_aside(server):
    return lambda line: of(line, server)["times_set_aside"] > 0


def show(what, *figures):
    print(f"{what:58} " + "  ".join(figures), flush=True)


def failover():
    """Three Feast servers, 16 callers; one is killed, and started again a minute later."""
    servers = [Feast() for _ in range(3)]
    client = Client(servers)
    time.sleep(5)
    servers[1].signal(signal.SIGKILL)
    time.sleep(60)
    servers[1].start()
    back = time.monotonic()

    def shares(before, after):
        grown = [of(after, server)["attempts"] - of(before, server)["attempts"] for server in servers]
        return grown[1] / max(sum(grown), 1)

    share_after = None
    while share_after is None and time.monotonic() < back + 20:
        time.sleep(0.1)
        lines = client.lines[-6:]
        if shares(lines[0], lines[-1]) >= 0.8 / 3:
            share_after = time.monotonic() - back
    time.sleep(3)
    last = client.stop()
    attempts, calls = last["stats"]["attempts"], last["calls"]
    show("three feast, one killed for a minute", f"calls {calls}", f"errors {last['errors']}",
         f"attempts/calls {attempts / calls:.4f}", f"its share again after {share_after or float('nan'):.1f} s")


def stopped():
    """One of three is stopped, and takes connections all the same."""
    for name, keys in (("attempt_timeout_ms 200", {"attempt_timeout_ms": 200}), ("hedge_percent 5", {"hedge_percent": 5})):
        servers = [Rows(2) for _ in range(3)]
        client = Client(servers, request_timeout_ms=1000, **keys)
        time.sleep(5)
        servers[1].signal(signal.SIGSTOP)
        client.until(is_set_aside(servers[1]))
        client.begin()
        time.sleep(8)
        last = client.stop()
        two = Client([servers[0], servers[2]], request_timeout_ms=1000, **keys)
        time.sleep(2)
        two.begin()
        time.sleep(8)
        healthy = two.stop()
        show(f"one of three stopped, {name}", f"errors {last['errors']}", f"calls {last['calls']}",
             f"p99 {last['p99'] / 1000:.1f} ms, of two healthy {healthy['p99'] / 1000:.1f} ms: {last['p99'] / healthy['p99']:.2f}",
             f"errors of two healthy {healthy['errors']}")


def black_hole():
    """One of three answers 503 at once."""
    servers = [Rows(2), Rows(0, 503), Rows(2)]
    client = Client(servers)
    aside = client.until(is_set_aside(servers[1]))
    time.sleep(15)
    last = client.stop()
    touched = of(last, servers[1])["attempts"] - of(aside, servers[1])["attempts"]
    calls = last["calls"] - aside["calls"]
    show("one of three answers 503 at once", f"errors {last['errors']}",
         f"touched by {touched} of {calls} calls once set aside: {touched / calls:.5f}")


def all_dead():
    """All three are killed, and one is started again."""
    servers = [Rows(2) for _ in range(3)]
    client = Client(servers)
    time.sleep(2)
    before = client.lines[-1]
    for server in servers:
        server.signal(signal.SIGKILL)
    # Until the retry budget is spent there are some.
    time.sleep(6)
    dead = client.lines[-1]
    load = (dead["stats"]["attempts"] - before["stats"]["attempts"]) / (dead["calls"] - before["calls"])
    servers[0].start()
    back = time.monotonic()
    used = client.until(lambda line: line["at"] > back and line["stats"]["answers_2xx"] > dead["stats"]["answers_2xx"])
    client.stop()
    show("all three dead", f"attempts/calls {load:.3f} of {dead['calls'] - before['calls']} calls",
         f"the first one back used within {used['at'] - back:.2f} s")


def slow():
    """20 ms beside 2 ms."""
    servers = [Rows(20), Rows(2)]
    client = Client(servers)
    time.sleep(5)
    last = client.stop()
    attempts = [of(last, server)["attempts"] for server in servers]
    show("20 ms beside 2 ms, least_busy", f"errors {last['errors']}",
         f"share of the slow one {attempts[0] / sum(attempts):.3f}")


def addresses():
    """A name with three addresses, of which one is replaced; in namespaces of their own, where a name server may listen."""
    if os.geteuid() != 0:
        return show("a name with three addresses", "left out: namespaces need root")
    with open(f"{FOLDER}/resolv.conf", "w") as file:
        file.write("nameserver 127.0.0.1\n")
    resolv_conf = os.path.realpath("/etc/resolv.conf")
    prepare = f'ip link set lo up && mount --bind {FOLDER}/resolv.conf {resolv_conf} && exec "$@"'
    again = [sys.executable, __file__, FOLDER, VENV, REPO, "addresses_inside"]
    subprocess.run(["unshare", "--mount", "--net", "sh", "-c", prepare, "sh", *again], check=True)


def addresses_inside():
    hosts = f"{FOLDER}/hosts"

    def answer_with(*last_bytes):
        with open(hosts, "w") as file:
            file.writelines(f"127.0.0.{byte} feast.test\n" for byte in last_bytes)

    answer_with(1, 2, 3)
    port = free_port()
    servers = [Rows(2, port=port, address=f"127.0.0.{byte}") for byte in (1, 2, 3, 4)]
    names = subprocess.Popen(
        ["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root", "--pid-file=",
         "--listen-address=127.0.0.1", "--bind-interfaces", "--local-ttl=0", f"--addn-hosts={hosts}"],
        stderr=subprocess.DEVNULL)
    client = Client(f"http://feast.test:{port}", resolve="each_address", resolve_interval=1)

    def attempts(line, byte):
        found = [server for server in line["stats"]["servers"] if server["address"] == f"127.0.0.{byte}"]
        return found[0]["attempts"] if found else None

    known = client.until(lambda line: attempts(line, 3) is not None)
    time.sleep(5)
    before = client.lines[-1]
    grown = [attempts(before, byte) - attempts(known, byte) for byte in (1, 2, 3)]
    answer_with(2, 3, 4)
    names.send_signal(signal.SIGHUP)
    changed = time.monotonic()
    gone = client.until(lambda line: line["at"] > changed and attempts(line, 1) is None)
    time.sleep(3)
    last = client.stop()
    names.kill()
    names.wait()
    shares = ", ".join(f"{3 * count / sum(grown):.2f}" for count in grown)
    show("a name with three addresses, one of them replaced", f"errors {last['errors']}", f"shares in thirds {shares}",
         f"its last call at most {gone['at'] - changed:.1f} s later",
         f"of the new one {attempts(last, 4) / (last['calls'] - gone['calls']):.2f} of the calls since")


def max_age():
    """connection_max_age on a busy pool."""
    server = Rows(1)
    client = Client([server], connection_max_age=1)
    time.sleep(8)
    last = client.stop()
    # What was open at the end had no time to grow old.
    ages = sorted(server.ages())[16:]
    show("connection_max_age 1, 16 callers", f"errors {last['errors']}", f"calls {last['calls']}",
         f"connections replaced {len(ages)}, at {ages[0]:.2f} to {ages[-1]:.2f} s")


def restarting_workers():
    """A Feast server whose workers restart, at half of the load that it can bear, hedged and not."""
    for most in 200, 1000:
        restarting_after(most)


def times_of_new_connections(server, seconds):
    """What nobody can be faster than: how long a new connection takes to be answered at all, every 10 ms."""
    times, threads, end = [], [], time.monotonic() + seconds

    def ask(start):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: feast\r\nConnection: close\r\n\r\n")
            try:
                connection.recv(100)
            except OSError:
                pass
        times.append(time.monotonic() - start)

    while time.monotonic() < end:
        threads.append(threading.Thread(target=ask, args=(time.monotonic(),)))
        threads[-1].start()
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    return times


def restarting_after(most):
    server = Feast("-w", "2", "--max-requests", str(most))
    client = Client([server])
    time.sleep(2)
    before = client.lines[-1]
    time.sleep(5)
    after = client.lines[-1]
    client.stop()
    bears = (after["calls"] - before["calls"]) / (after["t"] - before["t"])
    for percent, name in ((0, "not hedged"), (5, "hedge_percent 5")):
        client = Client([server], rate=bears / 2, hedge_percent=percent)
        time.sleep(3)
        client.begin()
        alone = sorted(times_of_new_connections(server, 30))
        last = client.stop()
        extra = last["stats"]["hedges"] / last["stats"]["attempts"]
        show(f"feast -w 2 --max-requests {most}, half load, {name}", f"errors {last['errors']}", f"calls {last['calls']}",
             f"p50 {last['p50'] / 1000:.2f}  p99 {last['p99'] / 1000:.1f}  p99.9 {last['p999'] / 1000:.1f} ms",
             f"p99.9/p50 {last['p999'] / last['p50']:.1f}", f"extra requests {extra:.3f}",
             f"over 5 x p50: {100 * last['slow']:.1f} %",
             f"/health on a new connection: p99.9 {alone[int(len(alone) * 0.999)] * 1000:.1f} ms")
    server.signal(signal.SIGKILL)


SCENARIOS = [failover, stopped, black_hole, all_dead, slow, addresses, max_age, restarting_workers]
INSIDE = [addresses_inside]

try:
    for scenario in SCENARIOS + INSIDE:
        if scenario.__name__ in (sys.argv[4:] or [each.__name__ for each in SCENARIOS]):
            scenario()
            for server in started:
                if server.process.poll() is None:
                    server.signal(signal.SIGKILL)
            started.clear()
finally:
    for server in started:
        if server.process.poll() is None:
            server.signal(signal.SIGKILL)
