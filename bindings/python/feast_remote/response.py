"""Answers."""

import ctypes
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Optional

import numpy
import pyarrow

from . import types
from ._library import call, lib, taken_string, text
from .errors import DecodeError, InvalidArgumentError, WrongTypeError

STATUSES = ("INVALID", "PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE")
"""Feast's field statuses by their numbers."""

_TEXT = pyarrow.large_utf8().id


class _Timing(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("start_unix_ns", ctypes.c_int64),
        *(
            (name, ctypes.c_uint64)
            for name in "merge_wait_us retries_us queue_us connect_us tls_us first_byte_us transfer_us decode_us total_us "
            "bytes_sent bytes_received rows calls_in_request".split()
        ),
        ("attempts", ctypes.c_uint32),
        ("http_status", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
    ]


class FeatureViewVersion(NamedTuple):
    """A feature view that an answer has values of, and which version of it; 0 if it has none."""

    name: str
    version: int


class Response:
    """Columns of equal length: the entities that the server repeats, then the features in the order asked. Never changes, and
    stands on its own: the store may be closed. Any thread may use it."""

    def __init__(self, handle: int, makers: Optional[dict[str, Callable[[Any], Any]]] = None) -> None:
        self._handle, self._makers = ctypes.c_void_p(handle), makers or {}

    def __del__(self, free: Any = lib.feast_response_free) -> None:
        free(self._handle)

    @property
    def num_rows(self) -> int:
        return int(lib.feast_response_num_rows(self._handle))

    @property
    def column_names(self) -> list[str]:
        count = lib.feast_response_num_columns(self._handle)
        return [lib.feast_response_column_name(self._handle, column).decode() for column in range(count)]

    @property
    def server(self) -> Optional[str]:
        """URL of the server that answered."""
        name = lib.feast_response_server(self._handle)
        return None if name is None else name.decode()

    @property
    def feature_views(self) -> list[FeatureViewVersion]:
        """Feature views and their versions, if the request asked for them (include_feature_view_version_metadata)."""
        return [
            FeatureViewVersion(
                lib.feast_response_feature_view_name(self._handle, view).decode(),
                lib.feast_response_feature_view_version(self._handle, view),
            )
            for view in range(lib.feast_response_num_feature_views(self._handle))
        ]

    @property
    def calls_in_request(self) -> int:
        """Calls that shared the request (merge_max_rows)."""
        return int(lib.feast_response_calls_in_request(self._handle))

    @property
    def timing(self) -> dict[str, int]:
        """Where the time of the call went, in microseconds, by the names of the C library's feast_timing_t."""
        timing = _Timing(size=ctypes.sizeof(_Timing))
        lib.feast_response_timing(self._handle, ctypes.byref(timing))
        return {name: getattr(timing, name) for name, *_ in _Timing._fields_[1:]}

    def to_arrow(self, full: bool = False) -> pyarrow.RecordBatch:
        """A record batch over the response's memory, without copying values. A field whose text is JSON (maps, mixed values)
        says so in its metadata: {"feast_type": "JSON"}. With full each feature has its statuses behind it, NAME__status, and its
        event timestamps, NAME__ts. Of merged calls the schema's metadata tells calls_in_request."""
        function = lib.feast_response_export_arrow_full if full else lib.feast_response_export_arrow
        array, schema = (ctypes.c_char * 80)(), (ctypes.c_char * 72)()
        call(function, self._handle, ctypes.addressof(array), ctypes.addressof(schema))
        batch = pyarrow.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
        marked = {name for name, kind in self._text_columns(batch) if kind == types.JSON}
        if marked:
            fields = [
                field.with_metadata({"feast_type": "JSON"}) if field.name in marked else field for field in batch.schema
            ]
            batch = pyarrow.RecordBatch.from_arrays(batch.columns, schema=pyarrow.schema(fields))
        calls = self.calls_in_request
        return batch.replace_schema_metadata({"calls_in_request": str(calls)}) if calls > 1 else batch

    def _text_columns(self, batch: pyarrow.RecordBatch) -> list[tuple[str, int]]:
        names = [field.name for field in batch.schema if field.type.id == _TEXT]
        return [(name, lib.feast_response_column_type(self._handle, self._find(name))) for name in names]

    def _find(self, name: str) -> int:
        return int(lib.feast_response_find_column(self._handle, text(name, "a column")))

    def to_dict(self, include_event_timestamps: bool = False) -> dict[str, list[Any]]:
        """Lists by column, None where there is no value; JSON is taken apart, and declared types (UUID, Decimal, sets) are made.
        With event timestamps each feature has the seconds of its own in NAME__ts, as in Feast's to_dict()."""
        answer = taken_string(lib.feast_response_to_json, self._handle)
        try:
            columns: dict[str, list[Any]] = json.loads(answer)
        except ValueError as problem:  # an integer of thousands of digits within JSON
            raise DecodeError(f"Python refuses the answer's JSON: {problem}") from problem
        for name, make in self._makers.items():
            if name in columns:
                try:
                    columns[name] = [None if value is None else make(value) for value in columns[name]]
                except (ValueError, ArithmeticError) as problem:
                    raise WrongTypeError(f"column {name!r} has a value that is not of the type declared: {problem}") from problem
        if not include_event_timestamps:
            return columns
        with_stamps = {}
        for column, name in enumerate(self.column_names):
            with_stamps[name] = columns[name]
            stamps = self._stamps(column)
            if stamps is not None:
                with_stamps[f"{name}__ts"] = (stamps // 10**9).tolist()
        return with_stamps

    def to_pandas(self, **options: Any) -> Any:
        """A data frame. Integers and booleans have pandas' own types with NA, since floats would round integers beyond 2^53;
        options are those of pyarrow's to_pandas()."""
        import pandas

        kinds = {
            pyarrow.int32(): pandas.Int32Dtype(),
            pyarrow.int64(): pandas.Int64Dtype(),
            pyarrow.bool_(): pandas.BooleanDtype(),
        }
        return self.to_arrow().to_pandas(**{"types_mapper": kinds.get, **options})

    def to_numpy(self) -> dict[str, Any]:
        """Arrays by column, masked arrays where values are missing; text and lists as objects."""
        batch = self.to_arrow()
        return {name: self._numpy(column) for name, column in zip(batch.schema.names, batch.columns)}

    @staticmethod
    def _numpy(array: Any) -> Any:
        if array.null_count == 0:
            return array.to_numpy(zero_copy_only=False)
        mask = array.is_null().to_numpy(zero_copy_only=False)
        kind = array.type
        if pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_boolean(kind):
            filled = array.fill_null(False if pyarrow.types.is_boolean(kind) else 0)
            return numpy.ma.MaskedArray(filled.to_numpy(zero_copy_only=False), mask)
        return numpy.ma.MaskedArray(numpy.array(array.to_pylist() + [None], dtype=object)[:-1], mask)

    def to_matrix(self, features: Optional[Sequence[str]] = None, missing: float = float("nan"), dtype: Any = numpy.float32) -> Any:
        """A matrix of rows by columns: float32, float64 or int64. A list takes as many columns as it has items."""
        kind = numpy.dtype(dtype)
        try:
            copy = {
                "float32": lib.feast_response_copy_f32,
                "float64": lib.feast_response_copy_f64,
                "int64": lib.feast_response_copy_i64,
            }[kind.name]
        except KeyError:
            raise InvalidArgumentError(f"a matrix is of float32, float64 or int64, not {kind.name}") from None
        names, count = None, 0
        if features is not None:
            encoded = [text(name, "a column") for name in ([features] if isinstance(features, str) else features)]
            names, count = (ctypes.c_char_p * len(encoded))(*encoded), len(encoded)
        width = lib.feast_response_matrix_width(self._handle, names, count)
        matrix = numpy.empty((self.num_rows, width), dtype=kind)
        value = int(missing) if kind.name == "int64" else missing
        call(copy, self._handle, names, count, matrix.ctypes.data, width, value, None)
        return matrix

    def statuses(self, feature: str) -> Any:
        """Feast's field statuses of a feature, a uint8 a row: numbers of STATUSES. None for an entity."""
        pointer = lib.feast_response_column_statuses(self._handle, self._checked(feature))
        return self._copied(pointer, ctypes.c_uint8)

    def event_timestamps(self, feature: str) -> Any:
        """Event timestamps of a feature, a datetime64[ns] in UTC a row; None if the server sent none."""
        numbers = self._stamps(self._checked(feature))
        return None if numbers is None else numbers.view("datetime64[ns]")

    def _stamps(self, column: int) -> Any:
        return self._copied(lib.feast_response_column_event_timestamps_ns(self._handle, column), ctypes.c_int64)

    def _checked(self, name: str) -> int:
        names = self.column_names
        if name not in names:
            raise KeyError(f"{name!r}; there are {', '.join(names)}")
        return names.index(name)

    def _copied(self, pointer: Optional[int], kind: Any) -> Any:
        return None if not pointer else numpy.array((kind * self.num_rows).from_address(pointer))
