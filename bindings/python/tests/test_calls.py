"""Errors, ends of calls, threads and event loops."""

import asyncio
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import unittest
import warnings

from fake_server import FakeServer
from feast_remote import CallTimeoutError, ClosedError, ConfigError, ConnectError, FeastError, Remote


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
        with FakeServer(stalls=True) as server:
            program = f"import feast_remote; feast_remote.Remote(path={server.url!r}, request_timeout_ms=0).fetch('v:a', {{'x': 1}})"
            child = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
            server.arrived.acquire()
            child.send_signal(signal.SIGINT)
            self.assertIn(b"KeyboardInterrupt", child.communicate()[1])  # the server never answers

    def test_a_missing_library_says_how_to_name_one(self):
        environment = {**os.environ, "FEAST_REMOTE_LIBRARY": "/nowhere/libfeast_remote.so"}
        output = subprocess.run([sys.executable, "-c", "import feast_remote"], env=environment, capture_output=True, text=True)
        for words in ("/nowhere/libfeast_remote.so", "FEAST_REMOTE_LIBRARY", "ldconfig"):
            self.assertIn(words, output.stderr)


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout))  # on stderr there are complaints alone
