"""Rows written by the package, and read back.

usage: module_writes.py FOLDER_OF_THE_EXAMPLES URL
"""

import datetime
import sys

sys.path.insert(0, sys.argv[1])

import pandas
import pyarrow
from feast_prometheus import Stores
from feast_remote import FeastError, Remote
from prometheus_client import CollectorRegistry, generate_latest

at = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
with Remote(path=sys.argv[2], request_timeout_ms=60000) as remote:
    remote.check_health()
    columns = {"driver_id": [50001, 50002], "number": [2**53 + 1, None], "event_timestamp": [at, at]}
    assert remote.write_to_online_store("written_number", columns) == 2
    read = remote.get_online_features(["written_number:number"], {"driver_id": [50001, 50002]})
    assert read.to_pydict()["number"] == [2**53 + 1, None], read.to_pydict()
    frame = pandas.DataFrame({"driver_id": [50003], "number": [7], "event_timestamp": pandas.to_datetime([at])})
    assert remote.write_to_online_store("written_number", frame, timeout=30) == 1
    table = pyarrow.table({"driver_id": [50004], "number": [8], "happened": [at], "noted": [at]})
    names = {"timestamp_field": "happened", "created_timestamp_column": "noted"}
    assert remote.write_to_online_store("written_at", table, **names) == 1
    assert remote.get_matrix(["written_at:number"], {"driver_id": [50004]}).tolist() == [[8]]
    # A scalar is one row, and a list feature has its length whether there is a value or not.
    width = remote.get_matrix([("written:float_list", 3), "written_number:number"], {"driver_id": 50003}, missing=-1)
    assert width.tolist() == [[-1, -1, -1, 7]], width
    try:
        remote.push("no_such_source", columns, to=("online", "offline"))
    except FeastError as error:
        assert (error.rows_written, error.unwritten_rows, error.doubtful_rows) == (0, [0, 1], []), vars(error)
    else:
        raise AssertionError("a source that there is not")
    try:
        remote.write_to_online_store("written_number", {"driver_id": [b"x"]})
    except FeastError as error:
        assert error.status == "INVALID_ARGUMENT" and "bytes" in str(error), error
    else:
        raise AssertionError("bytes")
    try:
        remote.retrieve_online_documents(["docs:text"], [1.0, float("nan")], 3)
    except FeastError as error:
        assert "query, item 1" in str(error), error
    else:
        raise AssertionError("a vector with NaN")
with Remote(path=sys.argv[2]) as first, Remote(path=sys.argv[2]) as second:
    first.warm_up(2, timeout=60)
    first.get_online_features(["written_number:number"], {"driver_id": [50001]})
    registry = CollectorRegistry()
    registry.register(Stores({"first": first, "second": second}))
    exposed = generate_latest(registry).decode()
    for line in [
        'feast_remote_calls_total{outcome="success",store="first"} 1.0',
        'feast_remote_calls_total{outcome="success",store="second"} 0.0',
        'feast_remote_connections{state="idle",store="first"} 2.0',
        'feast_remote_call_duration_seconds_bucket{le="+Inf",store="first"} 1.0',
    ]:
        assert line in exposed.splitlines(), f"{line} in {exposed}"
print("as expected")
