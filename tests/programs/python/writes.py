"""Record batches made by pyarrow, written through feast_frame_import_arrow and read back by Feast's own server.

usage: writes.py LIBRARY URL
"""

import ctypes
import datetime
import json
import sys
import urllib.request

import pyarrow as pa

lib = ctypes.CDLL(sys.argv[1])
pointer = ctypes.c_void_p
for name in ("feast_config_new", "feast_error_message"):
    getattr(lib, name).restype = pointer
lib.feast_error_rows_written.restype = ctypes.c_uint64


class Failed(Exception):
    pass


def call(function, *arguments):
    err = pointer()
    if function(*arguments, ctypes.byref(err)) != 0:
        raise Failed(ctypes.string_at(lib.feast_error_message(err)).decode())


def release_of(struct, offset):
    """The address that stands in the struct's member `release`."""
    return int.from_bytes(struct.raw[offset : offset + 8], sys.byteorder)


def imported(batch):
    array, schema = (ctypes.c_char * 80)(), (ctypes.c_char * 72)()
    batch._export_to_c(ctypes.addressof(array), ctypes.addressof(schema))
    frame = pointer()
    try:
        call(lib.feast_frame_import_arrow, array, schema, ctypes.byref(frame))
    except Failed:
        assert release_of(array, 64) and release_of(schema, 56), "a refused batch is still the caller's"
        pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
        raise
    assert not release_of(array, 64) and not release_of(schema, 56), "moved"
    return frame


def refused(column, words):
    try:
        imported(pa.record_batch({"x": column}))
    except Failed as failed:
        assert words in str(failed), failed
        return
    raise AssertionError(f"{words}: not refused")


config, remote = pointer(lib.feast_config_new()), pointer()
call(lib.feast_config_set, config, b"path", sys.argv[2].encode())
call(lib.feast_config_set, config, b"request_timeout_ms", b"60000")
call(lib.feast_remote_open, config, ctypes.byref(remote))

at = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.timezone.utc)
batch = pa.record_batch(
    {
        "driver_id": pa.array([0, 20001, 20002, 20003, 20004, 0], pa.int64()),
        "int32_value": pa.array([9, 1, None, -(2**31), 4, 9], pa.int32()),
        "int64_value": pa.array([9, 2**53 + 1, None, -(2**63), 2**63 - 1, 9], pa.int64()),
        "float_value": pa.array([9, 0.1, None, -0.0, 3, 9], pa.float32()),
        "double_value": pa.array([9, 0.1 + 0.2, None, -0.0, 5e-324, 9], pa.float64()),
        "bool_value": pa.array([None, True, None, False, True, None]),
        "string_value": pa.array(["x", "", None, "ü", "null", "x"], pa.large_string()),
        "time_value": pa.array([None, at, None, at, at, None], pa.timestamp("s", "UTC")),
        "json_value": pa.array(["{}", "{}", None, "[]", "1", "{}"]),
        "map_value": pa.nulls(6),
        "int64_list": pa.array([[9], [2**53 + 1, 1], None, [], [7], [9]], pa.list_(pa.int64())),
        "float_list": pa.array([[9, 9], [0.5, 0.1], None, [1, 2], [3, 4], [9, 9]], pa.list_(pa.float32(), 2)),
        "double_list": pa.array([[9], [0.1], None, [], [2, 3], [9]], pa.large_list(pa.float64())),
        "string_list": pa.array([["z"], ["", "ü"], None, [], ["y"], ["z"]], pa.list_(pa.string())),
        "time_list": pa.array([[at], [at], None, [], [at, at], [at]], pa.list_(pa.timestamp("us", "UTC"))),
        "event_timestamp": pa.array([at] * 6, pa.timestamp("us", "UTC")),
    }
)
# A slice: each array has an offset, so that values, bits and lists begin amid their buffers.
frame = imported(batch.slice(1, 4))
assert lib.feast_frame_num_rows(frame) == 4
call(lib.feast_write_to_online_store, remote, b"written", frame, None, None)

names = [name for name in batch.schema.names if name not in ("driver_id", "event_timestamp", "map_value")]
body = {"features": [f"written:{name}" for name in names], "entities": {"driver_id": [20001, 20002, 20003, 20004]}}
request = urllib.request.Request(
    sys.argv[2] + "/get-online-features", json.dumps(body).encode(), {"Content-Type": "application/json"}
)
answer = json.load(urllib.request.urlopen(request))
read = dict(zip(answer["metadata"]["feature_names"], (result["values"] for result in answer["results"])))
seconds = int(at.timestamp())
expected = batch.slice(1, 4).to_pydict()
expected["time_value"] = [value and seconds for value in expected["time_value"]]
expected["time_list"] = [value and [seconds] * len(value) for value in expected["time_list"]]
for name in names:
    got = [value[:] if isinstance(value, list) else value for value in read[name]]
    want = [None if value == [] and got[row] is None else value for row, value in enumerate(expected[name])]
    assert repr(want) == repr(got) or want == got, f"{name}: {want} {got}"

refused(pa.array(["a", "b"]).dictionary_encode(), "column `x`: a dictionary")
refused(pa.array([b"a"]), "column `x`: bytes")
refused(pa.array([[b"a"]]), "column `x`: bytes")
refused(pa.array([datetime.date(2026, 1, 1)]), "format `tdD`")
refused(pa.array([{"k": 1}]), "format `+s`")
refused(pa.array([1, 2**64 - 1], pa.uint64()), "row 1: 18446744073709551615 is beyond")
refused(pa.array([[1, None]]), "item 1 of its lists is null")
refused(pa.array([1.0, float("nan")]), "`x`, row 1: NaN cannot")
refused(pa.array([[1.0], [2.0, float("inf")]]), "`x`, row 1: inf cannot")
print("as expected")
