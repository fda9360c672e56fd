"""Types that a program declares for columns, by Python's names for them."""

import base64
import datetime
import decimal
import typing
import uuid
from collections.abc import Callable
from typing import Any, Optional

import numpy

from .errors import InvalidArgumentError

NULL_LIST, JSON, FLOAT_LIST = 16, 9, 20  # FEAST_TYPE_ numbers

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _moment(seconds: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(seconds=seconds)


_SCALARS: dict[Any, tuple[int, Optional[Callable[[Any], Any]]]] = {
    bool: (1, None),
    numpy.bool_: (1, None),
    numpy.int32: (2, None),
    int: (3, None),
    numpy.int64: (3, None),
    numpy.float32: (4, None),
    float: (5, None),
    numpy.float64: (5, None),
    str: (6, None),
    uuid.UUID: (6, uuid.UUID),
    decimal.Decimal: (6, decimal.Decimal),
    bytes: (7, base64.b64decode),
    datetime.datetime: (8, _moment),
    dict: (JSON, None),
}


def declared(kind: Any) -> tuple[int, Optional[Callable[[Any], Any]]]:
    """The FEAST_TYPE_ number of a type such as int, numpy.float32, uuid.UUID or list[str], and what makes its values of those that
    the library's JSON has, if they are not the same."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, set) and len(arguments) == 1 and arguments[0] in _SCALARS and arguments[0] is not dict:
        number, item = _SCALARS[arguments[0]]
        make: Any = origin
        if item is None:
            return NULL_LIST + number, None if origin is list else make
        convert = item
        return NULL_LIST + number, lambda values: make(None if value is None else convert(value) for value in values)
    raise InvalidArgumentError(f"{kind!r} is no type of a column; there are {', '.join(t.__name__ for t in _SCALARS)}, and list[] and set[] of them")
