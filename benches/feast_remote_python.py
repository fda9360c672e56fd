"""feast_remote_client.c over bindings/python, one thread, which is not the main one, as in a server; record batches of pyarrow.

usage: python feast_remote_python.py BASE_URL ROWS FEATURES REQUESTS
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../bindings/python"))
from feast_remote import Remote

url, rows, features, requests = sys.argv[1], *map(int, sys.argv[2:5])
names = [f"stats:feature_{i:03d}" for i in range(features)]
ids = list(range(1000, 1000 + rows))


def main():
    with Remote(path=url) as remote:
        for _ in range(20):
            remote.get_online_features(names, {"driver_id": ids})
        latencies = []
        cpu, start = time.process_time(), time.perf_counter()
        for _ in range(requests):
            called = time.perf_counter()
            remote.get_online_features(names, {"driver_id": ids})
            latencies.append(time.perf_counter() - called)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    latencies.sort()
    print(
        f"python-feast_remote conc=1 n={requests} rps={requests / seconds:.0f} p50={latencies[requests // 2] * 1e6:.0f}us "
        f"p99={latencies[int(requests * 0.99)] * 1e6:.0f}us max={latencies[-1] * 1e6:.0f}us "
        f"cpu/req={cpu / requests * 1e6:.1f}us errors=0"
    )


thread = threading.Thread(target=main)
thread.start()
thread.join()
