"""Feast and the three inference servers as processes, for inference.py and inference_faults.py."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

EXAMPLE = "examples/inference_server"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def cpu_seconds_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
    except OSError:  # It has ended meanwhile.
        return 0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Process:
    """In a group of its own, so that workers end with it. Well when `path` is answered with 200."""

    def __init__(self, path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.path = path

    def run(self, command, log, **options):
        with open(log, "a") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True, **options)
        while not self.is_well():
            assert self.process.poll() is None, f"{command} has ended: {open(log).read()[-2000:]}"
            time.sleep(0.02)

    def is_well(self):
        try:
            with urllib.request.urlopen(self.url + self.path, timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return [int(pid) for pid in children.read().split()]

    def cpu_seconds(self):
        """Its own, and that of its children that are alive."""
        return sum(cpu_seconds_of(pid) for pid in [self.process.pid, *self.children()])

    def end(self, number=signal.SIGKILL):
        os.killpg(self.process.pid, number)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()


class Feast(Process):
    """A real `feast serve`."""

    def __init__(self, work, venv, repo, workers, *options):
        super().__init__("/health")
        self.command = [f"{venv}/bin/feast", "serve", "--no-access-log", "-p", str(self.port), "-w", str(workers), *options]
        self.options = {"cwd": repo, "env": {**os.environ, "FEAST_USAGE": "False"}}
        self.log = f"{work}/feast.log"
        self.start()

    def start(self):
        self.run(self.command, self.log, **self.options)

class Inference(Process):
    """One of NAMES, which asks that Feast."""

    NAMES = {
        "libfeast_remote": "features.cpp",
        "libcurl by hand": "comparison/features_by_hand.cpp",
        "Python": "comparison/features_by_sdk.py",
    }

    def __init__(self, name, work, venv, repo, build, model, feast_url):
        super().__init__("/v2/health/ready")
        settings = {"FEAST_URL": feast_url, "FEATURE_REPOSITORY": repo, "MODEL_FOLDER": model, "FEAST_USAGE": "False"}
        settings["PYTHONDONTWRITEBYTECODE"] = "1"
        program = "inference_server" if name == "libfeast_remote" else "inference_server_by_hand"
        command = [f"{build}/{program}", model, f"{EXAMPLE}/feature_store.yaml", str(self.port), "0"]
        if name == "Python":
            command = [f"{venv}/bin/uvicorn", "--app-dir", f"{EXAMPLE}/comparison", "--port", str(self.port)]
            command += ["--no-access-log", "--log-level", "warning", "inference_server:app"]
        self.run(command, f"{work}/{program}.log", env={**os.environ, **settings})


def wait_until_idle(processes):
    """A server may still work on requests whose clients have gone."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        before = sum(process.cpu_seconds() for process in processes)
        time.sleep(0.3)
        if abs(sum(process.cpu_seconds() for process in processes) - before) < 0.05:
            return


def lines_of_code(name):
    """Of the file that fetches the features, without comments and empty lines."""
    file = Inference.NAMES[name]
    with open(f"{EXAMPLE}/{file}") as source:
        text = re.sub(r'"""(.|\n)*?"""', "", source.read())
    comment = "#" if file.endswith(".py") else "//"
    lines = [line.strip() for line in text.splitlines()]
    return sum(1 for line in lines if line and not line.startswith(comment))
