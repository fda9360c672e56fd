"""The same rows by Feast's own client over its remote online store. usage: writes_feast.py REPOSITORY ROWS"""

import resource
import sys
import time

import pandas as pd
from feast import FeatureStore

repository, rows = sys.argv[1], int(sys.argv[2])
numbers = range(rows)
frame = pd.DataFrame(
    {
        "driver_id": [100000 + row for row in numbers],
        "conv_rate": [row * 7919 % 10007 / 10007 for row in numbers],
        "acc_rate": [row % 1024 / 1024 for row in numbers],
        "avg_daily_trips": [row * 7919 % 1000 for row in numbers],
        "home_city": ["Köln" if row % 2 else "Paris" for row in numbers],
        "is_active": [row % 3 != 0 for row in numbers],
        "event_timestamp": pd.to_datetime([1767225600 + row for row in numbers], unit="s", utc=True),
        "created": pd.to_datetime([1767225600] * rows, unit="s", utc=True),
    }
)
store = FeatureStore(repository)
store.get_feature_view("driver_hourly_stats")  # the registry is read before the clock starts


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


start, cpu = time.monotonic(), used()
store.write_to_online_store("driver_hourly_stats", frame)
seconds, cpu = time.monotonic() - start, used() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(
    f"feast rows={rows} requests=1 seconds={seconds:.2f} rows/s={rows / seconds:.0f} "
    f"cpu={cpu:.3f}s cpu/row={cpu / rows * 1e6:.2f}us peak={peak}MB"
)
