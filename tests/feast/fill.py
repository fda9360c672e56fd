"""Applies the feature repository in the current folder, fills its online store, and says what it wrote.

usage: python fill.py

Driver statistics travel the way they do in production (parquet file, `materialize`); the other views are
written to the online store directly, which is the only way to put one value of every type there exactly.
What was written stands in data/expected.json afterwards, view by view, so that tests compare answers with
the store and not with themselves. int64 and bytes are written there as strings (decimal, base64).
"""

import base64
import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import python_values_to_proto_values
from feast.value_type import ValueType

DRIVERS = list(range(1001, 1021))
NOW = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
STATS_TIME = NOW - timedelta(hours=2)
EVERY_TYPE_TIME = datetime(2026, 3, 1, 12, 30, 15, tzinfo=timezone.utc)  # the SQLite store keeps seconds


def driver_statistics(rng):
    """Rows of driver_hourly_stats; driver 1003 has no conv_rate and no home_city."""
    rows = []
    for i, driver_id in enumerate(DRIVERS):
        known = driver_id != 1003
        rows.append(
            {
                "driver_id": driver_id,
                "conv_rate": rng.random() if known else None,
                "acc_rate": rng.randrange(1, 1 << 20) / (1 << 20),  # exact as a float32
                "avg_daily_trips": 2**53 + 1 + i if i == 3 else rng.randrange(1, 1000),
                "home_city": ["Köln", "Paris", 'Quote " and \\', "東京"][i % 4] if known else None,
                "is_active": i % 3 != 0,
                "event_timestamp": STATS_TIME,
            }
        )
    return rows


def write_parquet(name, rows, schema):
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), f"data/{name}.parquet")


UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"

# name -> (Feast type, Python value). One row, driver 1001; driver 1002 has every feature null.
EVERY_TYPE = {
    "bool_value": (ValueType.BOOL, True),
    "int32_value": (ValueType.INT32, -(2**31)),
    "int64_value": (ValueType.INT64, 2**63 - 1),
    "float_value": (ValueType.FLOAT, 0.1),
    "double_value": (ValueType.DOUBLE, 0.1 + 0.2),
    "string_value": (ValueType.STRING, 'Grüße "\\\n\t\u0001 \U0001f697'),
    "bytes_value": (ValueType.BYTES, bytes(range(256))),
    "unix_timestamp_value": (ValueType.UNIX_TIMESTAMP, datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
    "uuid_value": (ValueType.UUID, UUID),
    "decimal_value": (ValueType.DECIMAL, "12345678901234567890.123456789"),
    "json_value": (ValueType.JSON, '{"a": [1, 2.5, null], "b": "x"}'),
    "map_value": (ValueType.MAP, {"k": "v"}),
    "struct_value": (ValueType.STRUCT, {"name": "Ann", "age": 40}),
    "bool_list": (ValueType.BOOL_LIST, [True, False]),
    "int32_list": (ValueType.INT32_LIST, [1, -2, 3]),
    "int64_list": (ValueType.INT64_LIST, [2**53 + 1, -(2**63)]),
    "float_list": (ValueType.FLOAT_LIST, [0.5, -0.25, 3.0]),
    "double_list": (ValueType.DOUBLE_LIST, [0.1, 1e308, -0.0]),
    "string_list": (ValueType.STRING_LIST, ["a", "", "ü"]),
    "bytes_list": (ValueType.BYTES_LIST, [b"\x00\x01", b""]),
    "unix_timestamp_list": (ValueType.UNIX_TIMESTAMP_LIST, [datetime(2026, 1, 1, tzinfo=timezone.utc)]),
    "int64_set": (ValueType.INT64_SET, {7}),
    "string_set": (ValueType.STRING_SET, {"only"}),
    # One element each, since sets have no order.
    "bool_set": (ValueType.BOOL_SET, {True}),
    "int32_set": (ValueType.INT32_SET, {-5}),
    "float_set": (ValueType.FLOAT_SET, {0.25}),
    "double_set": (ValueType.DOUBLE_SET, {0.1}),
    "bytes_set": (ValueType.BYTES_SET, {b"\xff"}),
    "unix_timestamp_set": (ValueType.UNIX_TIMESTAMP_SET, {datetime(2026, 1, 1, tzinfo=timezone.utc)}),
    "uuid_set": (ValueType.UUID_SET, {UUID}),
    "time_uuid_set": (ValueType.TIME_UUID_SET, {UUID}),
    "decimal_set": (ValueType.DECIMAL_SET, {"0.1"}),
    "time_uuid_value": (ValueType.TIME_UUID, UUID),
    "uuid_list": (ValueType.UUID_LIST, [UUID, UUID]),
    "time_uuid_list": (ValueType.TIME_UUID_LIST, [UUID]),
    "decimal_list": (ValueType.DECIMAL_LIST, ["1.10", "-2"]),
    "json_list": (ValueType.JSON_LIST, ['{"a": 1}', "[]"]),
    "map_list": (ValueType.MAP_LIST, [{"k": "v"}, {}]),
    "struct_list": (ValueType.STRUCT_LIST, [{"name": "Ann", "age": 40}]),
    "nested_list": (ValueType.VALUE_LIST, [[1, 2], [3]]),
    "zoned_timestamp_value": (ValueType.ZONED_TIMESTAMP, datetime(2026, 1, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))),
    "pdf_bytes_value": (ValueType.PDF_BYTES, b"%PDF-1.7"),
    "image_bytes_value": (ValueType.IMAGE_BYTES, b"\x89PNG"),
}


def plain(value):
    """The value as it stands in expected.json."""
    if isinstance(value, bool) or value is None or isinstance(value, (float, str)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return str(int(value.timestamp())) if value.tzinfo is timezone.utc else value.isoformat()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value]


def key(**join_keys):
    values = [Value(int64_val=v) if isinstance(v, int) else Value(string_val=v) for v in join_keys.values()]
    return EntityKey(join_keys=list(join_keys), entity_values=values)


def write_direct(store, view_name, rows, event_timestamp):
    """rows: [(EntityKey, {feature: (ValueType, value)})]"""
    view = store.get_feature_view(view_name)
    data = [
        (k, {n: python_values_to_proto_values([v], t)[0] for n, (t, v) in features.items()}, event_timestamp, None)
        for k, features in rows
    ]
    store._get_provider().online_write_batch(store.config, view, data, None)


def main():
    rng = random.Random(20260301)
    os.makedirs("data", exist_ok=True)
    stats = driver_statistics(rng)
    timestamp = ("event_timestamp", pa.timestamp("us", tz="UTC"))
    schema = pa.schema(
        [
            ("driver_id", pa.int64()),
            ("conv_rate", pa.float64()),
            ("acc_rate", pa.float32()),
            ("avg_daily_trips", pa.int64()),
            ("home_city", pa.string()),
            ("is_active", pa.bool_()),
            timestamp,
        ]
    )
    write_parquet("driver_hourly_stats", stats, schema)

    feast = os.path.join(os.path.dirname(sys.executable), "feast")
    subprocess.run([feast, "apply", "--skip-source-validation"], check=True, stdout=subprocess.DEVNULL)
    store = FeatureStore(".")
    store.materialize(NOW - timedelta(days=1), NOW, feature_views=["driver_hourly_stats"])

    customers = {f"C-{i:03d}": rng.random() * 1e6 for i in range(5)}
    write_direct(
        store,
        "customer_profile",
        [(key(customer_id=c), {"lifetime_value": (ValueType.DOUBLE, v)}) for c, v in customers.items()],
        STATS_TIME,
    )
    affinity = {(d, c): d * 10 + i for d in DRIVERS[:3] for i, c in enumerate(customers)}
    write_direct(
        store,
        "driver_customer_affinity",
        [
            (key(driver_id=d, customer_id=c), {"rides_together": (ValueType.INT64, v)})
            for (d, c), v in affinity.items()
        ],
        STATS_TIME,
    )
    view = store.get_feature_view("every_type")
    store._get_provider().online_write_batch(
        store.config,
        view,
        [
            (
                key(driver_id=1001),
                {n: python_values_to_proto_values([v], t)[0] for n, (t, v) in EVERY_TYPE.items()},
                EVERY_TYPE_TIME,
                None,
            ),
            (key(driver_id=1002), {n: Value() for n in EVERY_TYPE}, EVERY_TYPE_TIME, None),
        ],
        None,
    )
    expected = {
        "driver_hourly_stats": {
            str(r["driver_id"]): {k: plain(v) for k, v in r.items() if k not in ("driver_id", "event_timestamp")}
            for r in stats
        },
        "customer_profile": {c: {"lifetime_value": v} for c, v in customers.items()},
        "driver_customer_affinity": {f"{d},{c}": {"rides_together": str(v)} for (d, c), v in affinity.items()},
        "every_type": {"1001": {n: plain(v) for n, (_, v) in EVERY_TYPE.items()}},
        "event_timestamps_ns": {
            "driver_hourly_stats": str(int(STATS_TIME.timestamp()) * 10**9),
            "every_type": str(int(EVERY_TYPE_TIME.timestamp()) * 10**9),
        },
    }
    with open("data/expected.json", "w") as f:
        json.dump(expected, f, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
