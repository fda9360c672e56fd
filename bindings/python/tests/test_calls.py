"""Errors, ends of calls, threads and event loops."""

import asyncio
import gc
import logging
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

from fake_server import FakeServer
from feast_remote import (
    CallTimeoutError, ClosedError, ConfigError, ConnectError, FeastError, InvalidArgumentError, Remote, Request, log_to, prometheus
)


class Calls(unittest.TestCase):
    def test_errors_are_a_hierarchy_with_what_is_known(self):
        with Remote(path="http://127.0.0.1:1", connection_retries=0) as remote:
            with self.assertRaises(ConnectionError) as caught:
                remote.fetch("v:a", {"x": 1})
        error = caught.exception
        self.assertIsInstance(error, FeastError)
        self.assertEqual((error.status, error.attempts, error.retriable, error.http_status), ("CONNECT", 1, True, None))
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(again), str(again), again.attempts), (ConnectError, str(error), 1))
        with self.assertRaisesRegex(ConfigError, "did you mean"):
            Remote(pathh="x")

    def test_a_timeout_is_a_calls_own(self):
        with FakeServer(stalls=True) as server, Remote(path=server.url) as remote:
            for fetch in (remote.fetch, lambda *a, **k: asyncio.run(remote.fetch_async(*a, **k))):
                with self.assertRaises(TimeoutError) as caught:
                    fetch("v:a", {"x": 1}, timeout=0.05)
                self.assertIsInstance(caught.exception, CallTimeoutError)

    def test_close_ends_calls_under_way_with_closed(self):
        with FakeServer(stalls=True) as server:
            remote = Remote(path=server.url)

            async def closed():
                calls = [asyncio.ensure_future(remote.fetch_async("v:a", {"x": 1})) for _ in range(3)]
                await asyncio.get_running_loop().run_in_executor(None, lambda: [server.arrived.acquire() for _ in calls])
                remote.close()
                return await asyncio.gather(*calls, return_exceptions=True)

            self.assertEqual([type(error) for error in asyncio.run(closed())], [ClosedError] * 3)
            with self.assertRaises(ClosedError):
                remote.fetch("v:a", {"x": 1})

    def test_cancelling_a_task_cancels_the_call(self):
        with FakeServer(stalls=True) as server, Remote(path=server.url) as remote:

            async def cancelled():
                task = asyncio.ensure_future(remote.fetch_async("v:a", {"x": 1}))
                await asyncio.get_running_loop().run_in_executor(None, server.arrived.acquire)
                task.cancel()
                await asyncio.wait([task])
                return task.cancelled()

            self.assertTrue(asyncio.run(cancelled()))

    def test_a_store_serves_several_event_loops(self):
        with FakeServer() as server, Remote(path=server.url) as remote:
            for _ in range(2):
                self.assertEqual(asyncio.run(remote.fetch_async("v:a", {"x": [1, 2]})).num_rows, 2)

    def test_threads_call_without_the_gil(self):
        with FakeServer(stalls=True) as server, Remote(path=server.url) as remote:
            answers = []
            threads = [
                threading.Thread(target=lambda i=i: answers.append(remote.fetch("v:a", {"x": i}).to_dict()["x"])) for i in range(8)
            ]
            for thread in threads:
                thread.start()
            for _ in threads:  # all at once on the server, while this thread runs
                server.arrived.acquire()
            server.released.set()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(answers), [[i] for i in range(8)])

    def test_a_forgotten_store_is_closed_with_a_resource_warning(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                Remote(path="http://127.0.0.1:1")
            gc.collect()
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.assertEqual([type(w.message) for w in caught], [ResourceWarning] * 5)

    def test_ctrl_c_ends_a_call_that_waits(self):
        for call in (
            "fetch('v:a', {'x': 1})",
            "get_matrix('v:a', {'x': 1})",
            "search('v:a', [1.0], 3)",
            "write_to_online_store('v', {'x': [1], 'event_timestamp': ['2026-03-01T00:00:00Z']})",
            "check_health()",
        ):
            with self.subTest(call=call), FakeServer(stalls=True) as server:
                program = (
                    "import feast_remote, signal; signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us\n"
                    f"feast_remote.Remote(path={server.url!r}, request_timeout_ms=0).{call}"
                )
                with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as child:
                    arrived = server.arrived.acquire(timeout=30)
                    child.send_signal(signal.SIGINT)
                    said = child.communicate()[1].decode()  # the server never answers
                self.assertTrue(arrived and "KeyboardInterrupt" in said, said)

    def test_the_main_thread_and_others_get_the_same(self):
        with FakeServer({"a": [1, None], "b": [[1, 2], [3, 4]]}) as server, Remote(path=server.url) as remote:
            request = Request(["v:a", ("v:b", 2)], {"x": [1, 2]}, missing_values={"v:a": -7})
            elsewhere = []
            thread = threading.Thread(target=lambda: elsewhere.append(remote.get_matrix(request)))
            thread.start()
            thread.join()
            self.assertEqual(elsewhere[0].tolist(), [[1, 1, 2], [-7, 3, 4]])
            self.assertEqual(remote.get_matrix(request).tolist(), elsewhere[0].tolist())
        with FakeServer({"a": ["NaN", None]}) as server, Remote(path=server.url) as remote:
            self.assertEqual(repr(remote.get_matrix("v:a", {"x": [1, 2]}).tolist()), "[[nan], [nan]]")

    def test_searches_send_the_vector_and_give_distances(self):
        found = {"a": ["p", "q"], "distance": [0.25, 0.5], "x": [7, 8]}
        with FakeServer(search=found) as server, Remote(path=server.url) as remote:
            arguments = ["v:a"], [0.5, 1.0], 2
            options = {"distance_metric": "L2", "filters": {"type": "eq", "key": "a", "value": "p"}}
            self.assertEqual(remote.search(*arguments, **options).to_dict(), found)
            self.assertEqual(asyncio.run(remote.search_async(*arguments, **options)).to_dict(), found)
            self.assertEqual(remote.retrieve_online_documents(*arguments).column("a").to_pylist(), ["p", "q"])
            body = server.bodies[0]
            self.assertEqual((body["features"], body["query"], body["top_k"]), (["v:a"], [0.5, 1.0], 2))
            self.assertEqual((body["distance_metric"], body["filters"]), ("L2", options["filters"]))
            with self.assertRaises(InvalidArgumentError):
                remote.search(["v:a"], [], 2)

    def test_a_store_is_opened_from_a_feature_store_yaml(self):
        logger, messages = logging.Logger("feast"), []
        handler = logging.Handler()
        handler.emit = lambda record: messages.append((record.levelno, record.getMessage()))
        logger.addHandler(handler)
        with FakeServer() as server, tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "feature_store.yaml")
            path.write_text(f"online_store:\n  type: remote\n  path: {server.url}\n  connection_pool_size: 3\n  odd: 1\n")
            log_to(logger)
            try:
                with Remote.from_yaml(path, connection_retries=0) as remote:
                    self.assertEqual(remote.fetch("v:a", {"x": 1}).to_dict(), {"x": [1], "a": [1]})
            finally:
                log_to(None)
            self.assertEqual(messages, [(logging.WARNING, "feature_store.yaml: unknown key online_store.odd")])
            path.write_text(path.read_text().replace("size: 3", "size: three"))
            with self.assertRaisesRegex(ConfigError, "line 4"):
                Remote.from_yaml(path)

    def test_a_store_tells_its_figures(self):
        with FakeServer() as server, Remote(path=server.url) as remote:
            remote.fetch("v:a", {"x": 1})
            with self.assertRaises(FeastError):
                remote.fetch("v:a", {"x": 1}, timeout=0)
            figures = remote.statistics()
            self.assertEqual((figures["calls"], figures["calls_failed"]), (2, 1))
            self.assertIn('feast_remote_calls_total{store="a \\"b\\"",outcome="success"} 1', prometheus({'a "b"': remote}))

    def test_a_missing_library_says_how_to_name_one(self):
        environment = {**os.environ, "FEAST_REMOTE_LIBRARY": "/nowhere/libfeast_remote.so"}
        output = subprocess.run([sys.executable, "-c", "import feast_remote"], env=environment, capture_output=True, text=True)
        for words in ("/nowhere/libfeast_remote.so", "FEAST_REMOTE_LIBRARY", "ldconfig"):
            self.assertIn(words, output.stderr)


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout))  # on stderr there are complaints alone
