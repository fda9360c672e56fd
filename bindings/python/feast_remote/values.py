"""Values as people have them, for the library: numbers of any kind, pandas' and NumPy's missing values, UUIDs, datetimes,
Arrow's arrays. Dates and UUIDs go as text, as Feast's server reads them; what is missing is a null."""

import ctypes
import datetime
import decimal
import json
import math
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Union

import numpy
import pyarrow

from ._library import call, lib, text
from .errors import InvalidArgumentError

Entities = Union[Mapping[str, Any], Iterable[Mapping[str, Any]]]


def columns(entities: Entities) -> dict[str, Any]:
    """By name, one value a row: from columns, where a scalar is one row, or from rows."""
    if isinstance(entities, Mapping):
        return {name: _column(name, values) for name, values in entities.items()}
    rows = list(entities)
    names = rows[0].keys() if rows else ()
    for number, row in enumerate(rows):
        if row.keys() != names:
            raise InvalidArgumentError(f"row {number} has {sorted(row)}, the first one {sorted(names)}")
    return {name: [row[name] for row in rows] for name in names}


def _column(name: str, values: Any) -> Any:
    if isinstance(values, (str, bytes, uuid.UUID, Mapping)) or not hasattr(values, "__iter__"):
        return [values]
    if isinstance(values, numpy.ndarray):
        if values.ndim == 0:
            return [values.item()]
        if values.ndim != 1:
            raise InvalidArgumentError(f"{name}: one value for each row, not {values.ndim} dimensions")
        return values
    if isinstance(values, (pyarrow.Array, pyarrow.ChunkedArray)):
        return values.to_pylist()
    return values if isinstance(values, list) else list(values)


def plain(value: Any) -> Any:
    """What JSON has for a value."""
    if value is None or isinstance(value, (str, bool, int)) and type(value).__module__ == "builtins":
        return value
    if isinstance(value, numpy.generic):
        if isinstance(value, (numpy.datetime64, numpy.timedelta64)):
            return None if numpy.isnat(value) else str(value) + "Z"
        return plain(value.item())
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, pyarrow.Scalar):
        return plain(value.as_py())
    if isinstance(value, (uuid.UUID, decimal.Decimal)):
        return str(value)
    if value is not value or type(value).__name__ in ("NAType", "NaTType"):  # pandas, which may not be there
        return None
    if isinstance(value, datetime.datetime):
        # Feast takes times without a zone as UTC.
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return zoned.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (bool, int, str)):  # of a class of one's own, such as an enumeration's
        return value
    if isinstance(value, (list, tuple, set, frozenset, numpy.ndarray, pyarrow.Array)):
        return [plain(item) for item in value]
    raise InvalidArgumentError(f"{value!r} is a {type(value).__name__}, which JSON has no form for")


def json_array(name: str, values: Iterable[Any]) -> bytes:
    try:
        encoded = json.dumps([plain(value) for value in values], ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise InvalidArgumentError(f"{name}: {error}") from None
    return encoded.encode()


def set_column(request: Any, role: str, name: str, values: Any) -> None:
    """Sets one column of a feast_request_t, of entities ("entity") or "request_data", as what it is if it is all of one kind."""
    key, set_as = text(name, "a column's name"), f"feast_request_set_{role}_"
    if isinstance(values, numpy.ndarray):
        kind = values.dtype.kind
        if kind == "i" or kind == "u" and (values.size == 0 or int(values.max()) < 2**63):
            numbers = numpy.ascontiguousarray(values, dtype=numpy.int64)
            call(getattr(lib, set_as + "int64"), request, key, numbers.ctypes.data, numbers.size)
            return
        if kind == "b":
            flags = numpy.ascontiguousarray(values)
            call(getattr(lib, set_as + "bool"), request, key, flags.ctypes.data, flags.size)
            return
    else:
        kinds = set(map(type, values))
        if kinds == {int} and min(values) >= -(2**63) and max(values) < 2**63:
            call(getattr(lib, set_as + "int64"), request, key, (ctypes.c_int64 * len(values))(*values), len(values))
            return
        if kinds == {str}:
            texts = [value.encode() for value in values]
            lengths = (ctypes.c_size_t * len(texts))(*map(len, texts))
            array = (ctypes.c_char_p * len(texts))(*texts)
            call(getattr(lib, set_as + "string"), request, key, array, lengths, len(texts))
            return
    call(getattr(lib, set_as + "json"), request, key, json_array(name, values))
