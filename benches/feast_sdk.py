"""Feast's SDK over two online stores: p50 and this process' CPU of a call of store.get_online_features(…).to_dict().

usage: python feast_sdk.py FEAST_PROGRAM REPOSITORY
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

from feast import FeatureStore, RepoConfig
from feast.online_response import OnlineResponse
from feast.protos.feast.serving.ServingService_pb2 import GetOnlineFeaturesResponse

KINDS = {"feast remote": "remote", "feast_remote": "feast_remote.FeastRemoteOnlineStore"}
NAMES = "int64_value double_value float_value int32_value string_value bool_value uuid_value decimal_value".split()
VIEWS = {"every_type": NAMES, "driver_hourly_stats": ["conv_rate", "avg_daily_trips"]}
TEN = [f"{view}:{name}" for view, names in VIEWS.items() for name in names]
FIFTY = TEN + [
    f"every_type:{name}"
    for name in "int64_list float_list double_list string_list int32_list bool_list int64_set string_set json_value map_value "
    "struct_value unix_timestamp_value time_uuid_value uuid_list decimal_list bytes_value float_set double_set "
    "int32_set uuid_set decimal_set json_list map_list struct_list unix_timestamp_list time_uuid_list bytes_list "
    "zoned_timestamp_value bool_set unix_timestamp_set time_uuid_set bytes_set pdf_bytes_value image_bytes_value".split()
] + [f"driver_hourly_stats:{name}" for name in ("acc_rate", "home_city", "is_active")] + [
    "written_number:number", "customer_profile:lifetime_value", "driver_customer_affinity:rides_together"
]


def opened(repository, kind, url):
    return FeatureStore(
        config=RepoConfig(
            project="drivers",
            provider="local",
            registry=os.path.join(repository, "data/registry.db"),
            online_store={"type": kind, "path": url},
            entity_key_serialization_version=3,
        )
    )


def measure(name, store, features, rows, threads, calls):
    entities = [{"driver_id": 1001 + i % 3, "customer_id": "C1"} for i in range(rows)]
    latencies = []

    def call(count):
        for _ in range(count):
            called = time.perf_counter()
            store.get_online_features(features, entities).to_dict()
            latencies.append(time.perf_counter() - called)

    call(5)
    latencies.clear()
    workers = [threading.Thread(target=call, args=(calls // threads,)) for _ in range(threads)]
    start, cpu = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    latencies.sort()
    done = len(latencies)
    print(
        f"{name:12} rows={rows} features={len(features)} threads={threads} n={done} calls/s={done / seconds:.0f} "
        f"p50={latencies[done // 2] * 1e3:.2f}ms cpu/call={cpu / done * 1e6:.0f}us",
        flush=True,
    )


def measure_ways(ours, theirs, features, rows, calls):
    """How long an answer that is there takes to become Python's values."""
    entities = [{"driver_id": 1001 + i % 3, "customer_id": "C1"} for i in range(rows)]
    answer = ours.get_online_features(features, entities)._response
    message = theirs.get_online_features(features, entities).proto.SerializeToString()
    ways = {
        "columns as JSON (to_dict of feast_remote)": answer.to_dict,
        "columns through Arrow, to_pylist": lambda: answer.to_arrow().to_pydict(),
        "protobuf bytes, parsed by upb": lambda: GetOnlineFeaturesResponse.FromString(message),
        "protobuf bytes, and Feast's to_dict": lambda: OnlineResponse(GetOnlineFeaturesResponse.FromString(message)).to_dict(),
    }
    for name, way in ways.items():
        took = []
        for _ in range(calls):
            start = time.thread_time()
            way()
            took.append(time.thread_time() - start)
        print(f"rows={rows} features={len(features)} {name}: {sorted(took)[calls // 2] * 1e6:.0f}us of CPU", flush=True)


def main(feast, repository):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [feast, "serve", "--no-access-log", "-p", str(port)],
        cwd=repository,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        url = f"http://127.0.0.1:{port}"
        stores = {name: opened(repository, kind, url) for name, kind in KINDS.items()}
        for features, rows, calls in ((TEN, 1, 480), (FIFTY, 100, 48)):
            for threads in (1, 16):
                for name, store in stores.items():
                    measure(name, store, features, rows, threads, calls)
            measure_ways(stores["feast_remote"], stores["feast remote"], features, rows, calls)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


main(*sys.argv[1:])
