"""A feature server that answers each entity with itself, and keeps the bodies that it was sent."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeServer:
    def __init__(self, features=None, stalls=False, search=None):
        self.search = search  # columns, the join key last, whatever is sought
        self.features, self.bodies, self.arrived = features or {}, [], threading.Semaphore(0)
        self.released = threading.Event()
        if not stalls:
            self.released.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # of /health
                self.send(lambda: {"status": "ok"})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.bodies.append(body)
                self.send(lambda: server.answer(body))

            def send(self, answer):
                server.arrived.release()
                server.released.wait()
                content = json.dumps(answer()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # clients that went away
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, body):
        if self.search:
            asked = [name.partition(":")[2] for name in body["features"]]
            return self.answer_of([(name, self.search[name]) for name in [*asked, "distance", [*self.search][-1]]])
        rows = len(next(iter(body["entities"].values())))
        columns = dict(body["entities"])
        for name in body.get("features", []):
            columns[name.partition(":")[2]] = self.features.get(name.partition(":")[2], [1] * rows)
        versions = {"feature_view_metadata": [{"name": "v", "version": 3}, {"name": "w"}]}
        return self.answer_of([*columns.items()], versions if body.get("include_feature_view_version_metadata") else {})

    def answer_of(self, columns, metadata={}):
        return {
            "metadata": {"feature_names": [name for name, _ in columns], **metadata},
            "results": [
                {
                    "values": values,
                    "statuses": ["NULL_VALUE" if value is None else "PRESENT" for value in values],
                    "event_timestamps": ["2026-03-01T00:00:00Z"] * len(values),
                }
                for _, values in columns
            ],
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.http.shutdown()
        self.http.server_close()
