"""Defines, applies and fills a feature view with every type that a feature server of Feast 0.61 can answer with.

Run in a folder with feature_store.yaml; writes what it wrote to data/expected.json. (Bytes, sets, maps and structs
make that server fail.)
"""
import json
import os
from datetime import datetime, timedelta, timezone

from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import python_values_to_proto_values
from feast.types import Array, Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp
from feast.value_type import ValueType

WRITTEN_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
MOMENT = datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
TYPES = {
    "bool_value": (Bool, ValueType.BOOL, True),
    "int32_value": (Int32, ValueType.INT32, -(2**31)),
    "int64_value": (Int64, ValueType.INT64, 2**63 - 1),
    "float_value": (Float32, ValueType.FLOAT, 0.1),
    "double_value": (Float64, ValueType.DOUBLE, 1e16),
    "nan_value": (Float64, ValueType.DOUBLE, float("nan")),
    "string_value": (String, ValueType.STRING, 'Grüße "\\\n'),
    "unix_timestamp_value": (UnixTimestamp, ValueType.UNIX_TIMESTAMP, MOMENT),
    "bool_list": (Array(Bool), ValueType.BOOL_LIST, [True, False]),
    "int32_list": (Array(Int32), ValueType.INT32_LIST, [1, -2]),
    "int64_list": (Array(Int64), ValueType.INT64_LIST, [2**53 + 1, -(2**63)]),
    "float_list": (Array(Float32), ValueType.FLOAT_LIST, [0.5, -0.25]),
    "double_list": (Array(Float64), ValueType.DOUBLE_LIST, [0.1, 1e-7, float("nan")]),
    "string_list": (Array(String), ValueType.STRING_LIST, ["a", "", "ü"]),
    "unix_timestamp_list": (Array(UnixTimestamp), ValueType.UNIX_TIMESTAMP_LIST, [MOMENT]),
}


def plain(value):
    """NaN as null, moments as seconds."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return int(value.timestamp())
    return None if value != value else value


os.makedirs("data", exist_ok=True)
driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
view = FeatureView(
    name="every_type",
    entities=[driver],
    ttl=timedelta(0),
    schema=[Field(name="driver_id", dtype=Int64)] + [Field(name=name, dtype=t) for name, (t, _, _) in TYPES.items()],
    source=FileSource(name="nowhere", path="data/nowhere.parquet", timestamp_field="event_timestamp"),
)
store = FeatureStore(".")
store.registry.apply_entity(driver, store.project)
store.registry.apply_feature_view(view, store.project)
store.registry.commit()
store._get_provider().update_infra(store.project, [], [view], [], [driver], partial=True)


def key(driver_id):
    return EntityKey(join_keys=["driver_id"], entity_values=[Value(int64_val=driver_id)])


rows = [
    (key(1001), {n: python_values_to_proto_values([v], t)[0] for n, (_, t, v) in TYPES.items()}, WRITTEN_AT, None),
    (key(1002), {n: Value() for n in TYPES}, WRITTEN_AT, None),
]
store._get_provider().online_write_batch(store.config, store.get_feature_view("every_type"), rows, None)
with open("data/expected.json", "w") as f:
    json.dump({n: plain(v) for n, (_, _, v) in TYPES.items()}, f)
