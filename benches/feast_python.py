"""Feast's own pooled session, as its remote online store uses it, and json.loads().

usage: python feast_python.py URL BODY_FILE REQUESTS
"""

import json
import sys
import time

from feast.permissions.auth_model import NoAuthConfig
from feast.permissions.client.http_auth_requests_wrapper import get_http_auth_requests_session

url, requests = sys.argv[1], int(sys.argv[3])
with open(sys.argv[2]) as file:
    body = json.load(file)


def call():
    session = get_http_auth_requests_session(NoAuthConfig(), pool_maxsize=50, max_idle_seconds=300, max_retries=3)
    return session.post(url, json=body).json()


for _ in range(20):
    call()
latencies = []
cpu, start = time.process_time(), time.perf_counter()
for _ in range(requests):
    called = time.perf_counter()
    call()
    latencies.append(time.perf_counter() - called)
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
latencies.sort()
print(
    f"feast-python conc=1 n={requests} rps={requests / seconds:.0f} p50={latencies[requests // 2] * 1e6:.0f}us "
    f"p99={latencies[int(requests * 0.99)] * 1e6:.0f}us max={latencies[-1] * 1e6:.0f}us "
    f"cpu/req={cpu / requests * 1e6:.1f}us errors=0"
)
