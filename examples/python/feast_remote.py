"""Online features in Python over libfeast_remote: answers as pyarrow record batches or NumPy matrices, without copying
values, for threads and for asyncio. Needs pyarrow and NumPy; copy this file, and change it as you like.

    with Remote(path="http://localhost:6566") as remote:
        batch = remote.get_online_features(["driver_hourly_stats:conv_rate"], {"driver_id": [1001, 1002]})
        matrix = remote.get_matrix(["driver_hourly_stats:conv_rate"], {"driver_id": [1001, 1002]})
        batch = await remote.get_online_features_async([...], {...})

Run as a program it prints what the example asks for:  python feast_remote.py http://localhost:6566
"""
import asyncio
import ctypes
import json
import math
import os
import sys

import numpy
import pyarrow

_lib = ctypes.CDLL(os.environ.get("FEAST_REMOTE_LIBRARY", "libfeast_remote.so.0"))
_pointer, _size, _text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
_REFERENCE = ctypes.POINTER(_pointer)
# Every function: what it returns, and what it takes. ctypes would cut pointers to 32 bits otherwise.
for _name, _returns, _takes in [
    ("feast_config_new", _pointer, []),
    ("feast_config_set", ctypes.c_int32, [_pointer, _text, _text, _REFERENCE]),
    ("feast_config_free", None, [_pointer]),
    ("feast_remote_open", ctypes.c_int32, [_pointer, _REFERENCE, _REFERENCE]),
    ("feast_remote_set_token", ctypes.c_int32, [_pointer, _text, _REFERENCE]),
    ("feast_close", None, [_pointer]),
    ("feast_request_new", _pointer, []),
    ("feast_request_free", None, [_pointer]),
    ("feast_request_add_feature", ctypes.c_int32, [_pointer, _text, _REFERENCE]),
    ("feast_request_add_list_feature", ctypes.c_int32, [_pointer, _text, ctypes.c_int32, _size, _REFERENCE]),
    ("feast_request_matrix_width", _size, [_pointer]),
    ("feast_request_set_timeout_ns", ctypes.c_int32, [_pointer, ctypes.c_int64, _REFERENCE]),
    ("feast_request_set_entity_int64", ctypes.c_int32, [_pointer, _text, _pointer, _size, _REFERENCE]),
    ("feast_request_set_entity_string", ctypes.c_int32, [_pointer, _text, _pointer, _pointer, _size, _REFERENCE]),
    ("feast_request_set_entity_json", ctypes.c_int32, [_pointer, _text, _text, _REFERENCE]),
    ("feast_request_set_merge", ctypes.c_int32, [_pointer, ctypes.c_bool, _REFERENCE]),
    ("feast_get_online_features", ctypes.c_int32, [_pointer, _pointer, _REFERENCE, _REFERENCE]),
    ("feast_get_online_features_into_f32", ctypes.c_int32,
     [_pointer, _pointer, _pointer, _size, ctypes.c_float, _pointer, _REFERENCE]),
    ("feast_get_online_features_async", ctypes.c_int32,
     [_pointer, _pointer, _pointer, _pointer, _REFERENCE, _REFERENCE]),
    ("feast_response_export_arrow", ctypes.c_int32, [_pointer, _pointer, _pointer, _REFERENCE]),
    ("feast_response_calls_in_request", _size, [_pointer]),
    ("feast_response_free", None, [_pointer]),
    ("feast_queue_open", ctypes.c_int32, [_REFERENCE, _REFERENCE]),
    ("feast_queue_fd", ctypes.c_int32, [_pointer]),
    ("feast_queue_poll", _pointer, [_pointer, ctypes.c_int64]),
    ("feast_queue_free", None, [_pointer]),
    ("feast_event_tag", _pointer, [_pointer]),
    ("feast_event_error", _pointer, [_pointer]),
    ("feast_event_take_response", _pointer, [_pointer]),
    ("feast_event_free", None, [_pointer]),
    ("feast_frame_import_arrow", ctypes.c_int32, [_pointer, _pointer, _REFERENCE, _REFERENCE]),
    ("feast_frame_free", None, [_pointer]),
    ("feast_write_options_new", _pointer, []),
    ("feast_write_options_set_timestamp_field", ctypes.c_int32, [_pointer, _text, _REFERENCE]),
    ("feast_write_options_set_created_timestamp_column", ctypes.c_int32, [_pointer, _text, _REFERENCE]),
    ("feast_write_options_set_repeat_offline", ctypes.c_int32, [_pointer, ctypes.c_bool, _REFERENCE]),
    ("feast_write_options_set_timeout_ms", ctypes.c_int32, [_pointer, ctypes.c_int64, _REFERENCE]),
    ("feast_write_options_free", None, [_pointer]),
    ("feast_push", ctypes.c_int32, [_pointer, _text, _pointer, ctypes.c_uint32, _pointer, _REFERENCE, _REFERENCE]),
    ("feast_write_to_online_store", ctypes.c_int32, [_pointer, _text, _pointer, _pointer, _REFERENCE, _REFERENCE]),
    ("feast_write_rows_written", ctypes.c_uint64, [_pointer]),
    ("feast_write_free", None, [_pointer]),
    ("feast_error_rows_written", ctypes.c_uint64, [_pointer]),
    ("feast_error_unwritten_rows", ctypes.POINTER(ctypes.c_uint64), [_pointer, ctypes.POINTER(_size)]),
    ("feast_error_doubtful_rows", ctypes.POINTER(ctypes.c_uint64), [_pointer, ctypes.POINTER(_size)]),
    ("feast_search_new", _pointer, []),
    ("feast_search_add_feature", ctypes.c_int32, [_pointer, _text, _REFERENCE]),
    ("feast_search_set_query", ctypes.c_int32, [_pointer, _pointer, _size, _REFERENCE]),
    ("feast_search_set_top_k", ctypes.c_int32, [_pointer, _size, _REFERENCE]),
    ("feast_search_set_distance_metric", ctypes.c_int32, [_pointer, _text, _REFERENCE]),
    ("feast_search_set_filters", ctypes.c_int32, [_pointer, _text, _REFERENCE]),
    ("feast_search_free", None, [_pointer]),
    ("feast_retrieve_online_documents", ctypes.c_int32, [_pointer, _pointer, _REFERENCE, _REFERENCE]),
    ("feast_check_health", ctypes.c_int32, [_pointer, _REFERENCE]),
    ("feast_remote_warm_up", ctypes.c_int32, [_pointer, _size, ctypes.c_int64, _REFERENCE]),
    ("feast_stats_prometheus", ctypes.c_int32, [_pointer, _pointer, _size, _REFERENCE, ctypes.POINTER(_size), _REFERENCE]),
    ("feast_string_free", None, [_pointer]),
    ("feast_call_cancel", None, [_pointer]),
    ("feast_call_free", None, [_pointer]),
    ("feast_error_code", ctypes.c_int32, [_pointer]),
    ("feast_error_message", _text, [_pointer]),
    ("feast_error_server", _text, [_pointer]),
    ("feast_error_free", None, [_pointer]),
    ("feast_status_name", _text, [ctypes.c_int32]),
]:
    getattr(_lib, _name).restype, getattr(_lib, _name).argtypes = _returns, _takes


_FLOAT_LIST = 20  # FEAST_TYPE_FLOAT_LIST


class FeastError(Exception):
    """A failed call; `status` is the name of its code, such as TIMEOUT, and `server` that of its last attempt."""

    def __init__(self, error):
        super().__init__(_lib.feast_error_message(error).decode())
        server = _lib.feast_error_server(error)
        self.server = server.decode() if server else None
        self.status = _lib.feast_status_name(_lib.feast_error_code(error)).decode()
        self.rows_written = _lib.feast_error_rows_written(error)
        self.unwritten_rows, self.doubtful_rows = (
            self._rows(error, name) for name in ("feast_error_unwritten_rows", "feast_error_doubtful_rows")
        )

    @staticmethod
    def _rows(error, name):
        """Numbers of rows of a write that failed."""
        count = _size()
        rows = getattr(_lib, name)(error, ctypes.byref(count))
        return rows[: count.value]


def _call(function, *arguments):
    error = _pointer()
    if getattr(_lib, function)(*arguments, ctypes.byref(error)) != 0:
        try:
            raise FeastError(error)
        finally:
            _lib.feast_error_free(error)


class _Frame:
    """A record batch, or what pyarrow makes one of: a table, a dict of columns, a pandas data frame."""

    def __init__(self, data):
        if isinstance(data, dict):
            data = pyarrow.record_batch(data)
        elif not isinstance(data, pyarrow.RecordBatch):
            table = data if isinstance(data, pyarrow.Table) else pyarrow.Table.from_pandas(data, preserve_index=False)
            batches = table.combine_chunks().to_batches()
            data = batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)
        array, schema = (ctypes.c_char * 80)(), (ctypes.c_char * 72)()
        data._export_to_c(ctypes.addressof(array), ctypes.addressof(schema))
        self.handle = _pointer()
        try:
            _call("feast_frame_import_arrow", ctypes.addressof(array), ctypes.addressof(schema), ctypes.byref(self.handle))
        except FeastError:
            pyarrow.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))  # it was not taken
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _lib.feast_frame_free(self.handle)


class _Request:
    def __init__(self, features, entities, timeout=None, merge=True):
        # A scalar is one row.
        entities = {name: [values] if numpy.ndim(values) == 0 else values for name, values in entities.items()}
        self.rows = len(next(iter(entities.values()), ()))
        self.handle = _pointer(_lib.feast_request_new())
        try:
            for feature in features:
                if isinstance(feature, str):
                    _call("feast_request_add_feature", self.handle, feature.encode())
                else:  # a list feature and its length
                    _call("feast_request_add_list_feature", self.handle, feature[0].encode(), _FLOAT_LIST, feature[1])
            for name, values in entities.items():
                self._set(name, values)
            if not merge:
                _call("feast_request_set_merge", self.handle, False)
            if timeout is not None:
                nanoseconds = min(max(timeout * 1e9, 0), 2**63 - 1024)  # the next double is out of an int64's range
                _call("feast_request_set_timeout_ns", self.handle, math.ceil(nanoseconds))
        except BaseException:
            _lib.feast_request_free(self.handle)
            raise

    def _set(self, name, values):
        array = numpy.asarray(values)
        if array.ndim != 1:
            raise ValueError(f"{name}: one value for each row, not {array.ndim} dimensions")
        if array.dtype.kind == "i" or array.dtype.kind == "u" and (array < 2**63).all():
            array = numpy.ascontiguousarray(array, dtype=numpy.int64)
            _call("feast_request_set_entity_int64", self.handle, name.encode(), array.ctypes.data, array.size)
        elif array.dtype.kind == "U" and all(isinstance(value, str) for value in values):
            texts = [value.encode() for value in values]
            lengths = (_size * len(texts))(*map(len, texts))
            _call("feast_request_set_entity_string", self.handle, name.encode(), (_text * len(texts))(*texts), lengths,
                  len(texts))
        else:
            text = json.dumps(array.tolist() if isinstance(values, numpy.ndarray) else list(values)).encode()
            _call("feast_request_set_entity_json", self.handle, name.encode(), text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _lib.feast_request_free(self.handle)


def _record_batch(response):
    """The columns; their memory stays in the response, which Arrow frees with the batch. Of merged calls the schema's metadata
    tells how many shared the request (merge_max_rows)."""
    calls = _lib.feast_response_calls_in_request(response)
    array, schema = (ctypes.c_char * 80)(), (ctypes.c_char * 72)()
    try:
        _call("feast_response_export_arrow", response, ctypes.addressof(array), ctypes.addressof(schema))
    finally:
        _lib.feast_response_free(response)
    batch = pyarrow.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
    return batch.replace_schema_metadata({"calls_in_request": str(calls)}) if calls > 1 else batch


class Remote:
    """An open store, with the configuration keys of CONFIGURATION.md as arguments. Any thread may use it, and one event
    loop. A call's timeout, in seconds, stands in place of request_timeout_ms; after 0 or less nothing is sent. With
    merge=False a call shares no request with others (merge_max_rows)."""

    def __init__(self, **keys):
        self._handle, self._queue, self._pending = _pointer(), _pointer(), {}
        config = _pointer(_lib.feast_config_new())
        try:
            for key, value in keys.items():
                _call("feast_config_set", config, key.encode(), str(value).encode())
            _call("feast_remote_open", config, ctypes.byref(self._handle))
        finally:
            _lib.feast_config_free(config)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends what is under way."""
        if self._queue:
            self._loop.remove_reader(_lib.feast_queue_fd(self._queue))
            _lib.feast_queue_free(self._queue)
            self._queue = _pointer()
            for future, _ in self._pending.values():
                future.cancel()
        _lib.feast_close(self._handle)
        self._handle = _pointer()

    def set_token(self, token):
        """The next attempts use this bearer token, at any time. With auth="host" calls wait for the first one, and after a
        401 for a newer one."""
        _call("feast_remote_set_token", self._handle, token.encode())

    def get_online_features(self, features, entities, timeout=None, merge=True):
        """A record batch: the entities, then the features in the order asked."""
        response = _pointer()
        with _Request(features, entities, timeout, merge) as request:
            _call("feast_get_online_features", self._handle, request.handle, ctypes.byref(response))
        return _record_batch(response)

    def get_matrix(self, features, entities, missing=float("nan"), timeout=None, merge=True):
        """A float32 matrix of rows by features, filled straight from the server's answer. A list feature, such as an embedding,
        is a pair of its name and its length, and takes that many columns."""
        with _Request(features, entities, timeout, merge) as request:
            width = _lib.feast_request_matrix_width(request.handle)
            matrix = numpy.empty((request.rows, width), dtype=numpy.float32)
            _call("feast_get_online_features_into_f32", self._handle, request.handle, matrix.ctypes.data, width, missing, None)
        return matrix

    def push(self, push_source, data, to=("online",), **options):
        """Writes rows, a record batch or what makes one, to a push source; returns their number. Options: timestamp_field,
        created_timestamp_column, repeat_offline, timeout in seconds. A FeastError knows the rows that were not written."""
        where = sum({"online": 1, "offline": 2}[store] for store in ([to] if isinstance(to, str) else to))
        return self._write("feast_push", data, options, push_source.encode(), where)

    def write_to_online_store(self, feature_view, data, **options):
        """Writes rows to the online store of a feature view; likewise."""
        return self._write("feast_write_to_online_store", data, options, feature_view.encode())

    def _write(self, function, data, options, name, *where):
        written, how = _pointer(), _pointer(_lib.feast_write_options_new())
        try:
            for option, value in options.items():
                if option == "timeout":
                    option, value = "timeout_ms", math.ceil(max(value, 0) * 1000)
                value = value.encode() if isinstance(value, str) else value
                _call(f"feast_write_options_set_{option}", how, value)
            with _Frame(data) as frame:
                _call(function, self._handle, name, frame.handle, *where, how, ctypes.byref(written))
        finally:
            _lib.feast_write_options_free(how)
        try:
            return _lib.feast_write_rows_written(written)
        finally:
            _lib.feast_write_free(written)

    def retrieve_online_documents(self, features, query, top_k, distance_metric=None, filters=None):
        """A record batch of the documents nearest to a vector, nearest first: join keys, features and distance."""
        search, response = _pointer(_lib.feast_search_new()), _pointer()
        try:
            for feature in features:
                _call("feast_search_add_feature", search, feature.encode())
            vector = numpy.ascontiguousarray(query, dtype=numpy.float32)
            _call("feast_search_set_query", search, vector.ctypes.data, vector.size)
            _call("feast_search_set_top_k", search, top_k)
            if distance_metric is not None:
                _call("feast_search_set_distance_metric", search, distance_metric.encode())
            if filters is not None:
                _call("feast_search_set_filters", search, json.dumps(filters).encode())
            _call("feast_retrieve_online_documents", self._handle, search, ctypes.byref(response))
        finally:
            _lib.feast_search_free(search)
        return _record_batch(response)

    def warm_up(self, connections, timeout):
        """Makes connections before the first call, within so many seconds."""
        _call("feast_remote_warm_up", self._handle, connections, math.ceil(max(timeout, 0) * 1000))

    def check_health(self):
        """Raises unless the server says that it is well."""
        _call("feast_check_health", self._handle)

    async def get_online_features_async(self, features, entities, timeout=None, merge=True):
        """As get_online_features(), for asyncio: no thread waits, and cancelling the task cancels the call."""
        if not self._queue:
            _call("feast_queue_open", ctypes.byref(self._queue))
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(_lib.feast_queue_fd(self._queue), self._take_events)
        future, call = self._loop.create_future(), _pointer()
        tag = id(future)
        with _Request(features, entities, timeout, merge) as request:
            _call("feast_get_online_features_async", self._handle, request.handle, self._queue, tag, ctypes.byref(call))
        self._pending[tag] = future, call
        try:
            return await future
        finally:
            if future.cancelled():
                _lib.feast_call_cancel(call)
            _lib.feast_call_free(call)

    def _take_events(self):
        while event := _lib.feast_queue_poll(self._queue, 0):
            future, _ = self._pending.pop(_lib.feast_event_tag(event))
            error = _lib.feast_event_error(event)
            try:
                if future.cancelled():
                    pass
                elif error:
                    future.set_exception(FeastError(error))
                else:
                    future.set_result(_record_batch(_lib.feast_event_take_response(event)))
            except Exception as failure:  # of pyarrow's; the others' events must not wait for it
                future.set_exception(failure)
            finally:
                _lib.feast_event_free(event)


def prometheus(stores):
    """The figures of several stores, a dict of them by name, in Prometheus' text format: what a handler of /metrics sends."""
    handles = (_pointer * len(stores))(*(store._handle for store in stores.values()))
    names = (_text * len(stores))(*(name.encode() for name in stores))
    text, length = _pointer(), _size()
    _call("feast_stats_prometheus", handles, names, len(stores), ctypes.byref(text), ctypes.byref(length))
    try:
        return ctypes.string_at(text, length.value).decode()
    finally:
        _lib.feast_string_free(text)


async def _main(url):
    features = ["driver_hourly_stats:avg_daily_trips", "driver_hourly_stats:conv_rate"]
    with Remote(path=url, request_timeout_ms=30000) as remote:
        print(remote.get_online_features(features, {"driver_id": [1001, 1002]}).to_pydict())
        print(remote.get_matrix(features, {"driver_id": [1002, 1001]}).shape)
        calls = [remote.get_online_features_async(features, {"driver_id": [driver]}) for driver in range(1001, 1021)]
        print(sum(batch.num_rows for batch in await asyncio.gather(*calls)), "rows from", len(calls), "calls at once")
        try:
            remote.get_online_features(["nope:nothing"], {"driver_id": [1]})
        except FeastError as error:
            print(error.status, "nope" in str(error))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:6566"))
