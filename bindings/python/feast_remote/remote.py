"""Open stores."""

import asyncio
import ctypes
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Optional, Union

import numpy
import pyarrow

from ._library import call, lib, milliseconds, taken_string, text
from .errors import InvalidArgumentError
from .events import Submit, awaited, interruptible, waited, waited_elsewhere
from .frame import Frame, Rows
from .request import Features, Request
from .response import Response
from .values import Entities, plain

_STORES = {"online": 1, "offline": 2}


def _taken_response(makers: dict[str, Any]) -> Callable[[int], Response]:
    return lambda event: Response(lib.feast_event_take_response(event), makers)


def _rows_written(written: Any) -> int:
    try:
        return int(lib.feast_write_rows_written(written))
    finally:
        lib.feast_write_free(written)


def _taken_write(event: int) -> int:
    return _rows_written(ctypes.c_void_p(lib.feast_event_take_write(event)))


class Remote:
    """A store: a pool of connections to one feature server, or to several of the same features. Arguments are the keys of
    CONFIGURATION.md; `auth` and `header` may be dicts, and `path` a list:

        Remote(path="https://features:6566", request_timeout_ms=50, auth={"type": "oidc", "token": "…"})

    Any thread may use it, without holding the GIL while it waits, and any number of event loops. Open one a server, not one a
    thread. Close it, or use it in a `with` or `async with`; one that is forgotten is closed with a ResourceWarning.

    Calls raise FeastError. A timeout is in seconds and stands in place of the key request_timeout_ms; after 0 or less nothing is
    sent. On the main thread Ctrl-C ends a call that waits.
    """

    def __init__(self, **keys: Any) -> None:
        self._open(None, keys)

    @classmethod
    def from_yaml(cls, path: Union[str, Path], **keys: Any) -> "Remote":
        """With the online_store and auth sections of a feature_store.yaml; keys have the last word."""
        remote = cls.__new__(cls)
        remote._open(str(path), keys)
        return remote

    def _open(self, file: Optional[str], keys: Mapping[str, Any]) -> None:
        self._handle = ctypes.c_void_p()
        self._closed = True
        config = ctypes.c_void_p(lib.feast_config_new())
        try:
            if file is not None:
                call(lib.feast_config_load_yaml, config, text(file, "the path"))
            for key, value in _flat(keys):
                call(lib.feast_config_set, config, text(key, "a key"), text(value, key))
            call(lib.feast_remote_open, config, ctypes.byref(self._handle))
        finally:
            lib.feast_config_free(config)
        self._closed = False

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException], at: Optional[TracebackType]) -> None:
        self.close()

    async def __aenter__(self) -> "Remote":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def __del__(self, warn: Any = warnings.warn, close: Any = lib.feast_close) -> None:
        if not getattr(self, "_closed", True):
            warn(f"unclosed store {self!r}: use `with`, or close() it", ResourceWarning, source=self)
            close(self._handle)

    def close(self, close: Any = lib.feast_close) -> None:
        """Calls that are under way end with ClosedError. Again does nothing."""
        if not self._closed:
            self._closed = True
            close(self._handle)

    def set_token(self, token: str) -> None:
        """The next attempts use this bearer token, at any time. With auth="host" calls wait for the first one, and after a
        401 for a newer one."""
        call(lib.feast_remote_set_token, self._handle, text(token, "the token"))

    def fetch(self, request: Union[Request, Features, None] = None, entities: Optional[Entities] = None, **options: Any) -> Response:
        """Fetches features for a Request, or for features and entities with Request's other arguments, such as request_data.
        Gives a Response, with to_dict(), to_arrow(), to_pandas(), to_numpy(), to_matrix(), statuses and event timestamps."""
        asked = _request(request, entities, options)
        if interruptible():
            return waited(self._begin(asked), _taken_response(asked._makers))
        response = ctypes.c_void_p()
        call(lib.feast_get_online_features, self._handle, asked._handle, ctypes.byref(response))
        return Response(response.value or 0, asked._makers)

    async def fetch_async(
        self, request: Union[Request, Features, None] = None, entities: Optional[Entities] = None, **options: Any
    ) -> Response:
        """As fetch(): no thread waits, and cancelling the task cancels the call."""
        asked = _request(request, entities, options)
        return await awaited(self._begin(asked), _taken_response(asked._makers))

    def _begin(self, request: Request) -> Submit:
        return lambda queue, tag, handle: call(
            lib.feast_get_online_features_async, self._handle, request._handle, queue, tag, handle
        )

    def get_online_features(
        self, features: Features = (), entities: Optional[Entities] = None, timeout: Optional[float] = None, merge: bool = True, **options: Any
    ) -> pyarrow.RecordBatch:
        """fetch() as a record batch: the entities, then the features in the order asked."""
        return self.fetch(features, entities, timeout=timeout, merge=merge, **options).to_arrow()

    async def get_online_features_async(
        self, features: Features = (), entities: Optional[Entities] = None, timeout: Optional[float] = None, merge: bool = True, **options: Any
    ) -> pyarrow.RecordBatch:
        """As get_online_features(), to be awaited."""
        return (await self.fetch_async(features, entities, timeout=timeout, merge=merge, **options)).to_arrow()

    def get_matrix(
        self,
        features: Union[Request, Features],
        entities: Optional[Entities] = None,
        missing: float = float("nan"),
        timeout: Optional[float] = None,
        merge: bool = True,
        **options: Any,
    ) -> Any:
        """A float32 matrix of rows by features, filled straight from the server's answer. A list feature, such as an embedding,
        is a pair of its name and its length, and takes that many columns."""
        options = options if isinstance(features, Request) else {"timeout": timeout, "merge": merge, **options}
        asked = _request(features, entities, options)
        width = lib.feast_request_matrix_width(asked._handle)
        matrix = numpy.empty((asked._rows, width), dtype=numpy.float32)
        function = lib.feast_get_online_features_into_f32
        waited_elsewhere(lambda: call(function, self._handle, asked._handle, matrix.ctypes.data, width, missing, None))
        return matrix

    def push(self, push_source: str, data: Rows, to: Union[str, Sequence[str]] = ("online",), **options: Any) -> int:
        """Writes rows to a push source, "online", "offline" or both; returns their number. Rows are a record batch, a table, a
        dict of columns, a list of dicts or a data frame. Options: timestamp_field, created_timestamp_column,
        allow_registry_cache, transform_on_write, repeat_offline, timeout. A FeastError knows the rows that were not written."""
        return self._write(lib.feast_push, lib.feast_push_async, text(push_source, "push_source"), data, options, _where(to))

    async def push_async(self, push_source: str, data: Rows, to: Union[str, Sequence[str]] = ("online",), **options: Any) -> int:
        """As push(), to be awaited."""
        return await self._write_async(lib.feast_push_async, text(push_source, "push_source"), data, options, _where(to))

    def write_to_online_store(self, feature_view: str, data: Rows, **options: Any) -> int:
        """Writes rows to the online store of a feature view; likewise."""
        functions = lib.feast_write_to_online_store, lib.feast_write_to_online_store_async
        return self._write(*functions, text(feature_view, "feature_view"), data, options)

    async def write_to_online_store_async(self, feature_view: str, data: Rows, **options: Any) -> int:
        """As write_to_online_store(), to be awaited."""
        return await self._write_async(
            lib.feast_write_to_online_store_async, text(feature_view, "feature_view"), data, options
        )

    def _write(self, blocking: Any, begin: Any, name: bytes, data: Rows, options: Mapping[str, Any], *where: int) -> int:
        frame, how = Frame(data), _WriteOptions(options)
        arguments = self._handle, name, frame.handle, *where, how.handle
        if interruptible():
            return waited(lambda queue, tag, handle: call(begin, *arguments, queue, tag, handle), _taken_write)
        written = ctypes.c_void_p()
        call(blocking, *arguments, ctypes.byref(written))
        return _rows_written(written)

    async def _write_async(self, begin: Any, name: bytes, data: Rows, options: Mapping[str, Any], *where: int) -> int:
        frame, how = Frame(data), _WriteOptions(options)
        arguments = self._handle, name, frame.handle, *where, how.handle
        return await awaited(lambda queue, tag, handle: call(begin, *arguments, queue, tag, handle), _taken_write)

    def search(
        self,
        features: Union[str, Sequence[str]],
        query: Any,
        top_k: int,
        distance_metric: Optional[str] = None,
        filters: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
    ) -> Response:
        """The documents nearest to a vector, nearest first: join keys, features of one feature view, and distance."""
        return waited_elsewhere(lambda: self._search(features, query, top_k, distance_metric, filters, timeout))

    def _search(
        self,
        features: Union[str, Sequence[str]],
        query: Any,
        top_k: int,
        distance_metric: Optional[str],
        filters: Optional[Mapping[str, Any]],
        timeout: Optional[float],
    ) -> Response:
        search, response = ctypes.c_void_p(lib.feast_search_new()), ctypes.c_void_p()
        try:
            for feature in [features] if isinstance(features, str) else features:
                call(lib.feast_search_add_feature, search, text(feature, "a feature"))
            vector = numpy.ascontiguousarray(query, dtype=numpy.float32)
            call(lib.feast_search_set_query, search, vector.ctypes.data, vector.size)
            call(lib.feast_search_set_top_k, search, top_k)
            if distance_metric is not None:
                call(lib.feast_search_set_distance_metric, search, text(distance_metric, "distance_metric"))
            if filters is not None:
                call(lib.feast_search_set_filters, search, json.dumps(plain(filters)).encode())
            if timeout is not None:
                call(lib.feast_search_set_timeout_ms, search, milliseconds(timeout))
            call(lib.feast_retrieve_online_documents, self._handle, search, ctypes.byref(response))
        finally:
            lib.feast_search_free(search)
        return Response(response.value or 0)

    def retrieve_online_documents(self, *arguments: Any, **options: Any) -> pyarrow.RecordBatch:
        """search() as a record batch."""
        return self.search(*arguments, **options).to_arrow()

    async def search_async(self, *arguments: Any, **options: Any) -> Response:
        """As search(), on a thread of the event loop's executor."""
        return await asyncio.get_running_loop().run_in_executor(None, lambda: self.search(*arguments, **options))

    def warm_up(self, connections: int, timeout: float) -> None:
        """Makes connections before the first call, within so many seconds."""
        waited_elsewhere(lambda: call(lib.feast_remote_warm_up, self._handle, connections, milliseconds(timeout)))

    def check_health(self) -> None:
        """Raises unless the server says that it is well."""
        waited_elsewhere(lambda: call(lib.feast_check_health, self._handle))

    def statistics(self) -> dict[str, Any]:
        """The store's figures so far; STATISTICS.md lists them."""
        figures: dict[str, Any] = json.loads(taken_string(lib.feast_stats_json, self._handle))
        return figures


class _WriteOptions:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self.handle: Any = ctypes.c_void_p(lib.feast_write_options_new())
        for option, value in options.items():
            if option == "timeout":
                option, value = "timeout_ms", milliseconds(value)
            function = getattr(lib, f"feast_write_options_set_{option}", None)
            if function is None:
                raise TypeError(f"{option!r} is no option of a write")
            call(function, self.handle, text(value, option) if isinstance(value, str) else value)

    def __del__(self, free: Any = lib.feast_write_options_free) -> None:
        if getattr(self, "handle", None):
            free(self.handle)


def _where(to: Union[str, Sequence[str]]) -> int:
    stores = [to] if isinstance(to, str) else to
    unknown = [store for store in stores if store not in _STORES]
    if unknown:
        raise InvalidArgumentError(f"to is online, offline or both, not {', '.join(map(repr, unknown))}")
    return sum({_STORES[store] for store in stores})


def _request(request: Union[Request, Features, None], entities: Optional[Entities], options: Mapping[str, Any]) -> Request:
    if not isinstance(request, Request):
        return Request(request or (), entities, **options)
    if entities is not None or options:
        raise InvalidArgumentError("entities and options stand in the Request: request.clone().set_entities(…)")
    return request


def _flat(keys: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in keys.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, bool):
            flat.append((prefix + key, str(value).lower()))
        elif isinstance(value, (list, tuple)):
            flat.append((prefix + key, ",".join(map(str, value))))
        elif value is not None:
            flat.append((prefix + key, str(value)))
    return flat


def prometheus(stores: Mapping[str, Remote]) -> str:
    """The figures of several stores by their names, in Prometheus' text format: what a handler of /metrics sends."""
    handles = (ctypes.c_void_p * len(stores))(*(store._handle for store in stores.values()))
    names = (ctypes.c_char_p * len(stores))(*(text(name, "a store's name") for name in stores))
    return taken_string(lib.feast_stats_prometheus, handles, names, len(stores))
