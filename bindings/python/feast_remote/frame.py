"""Rows to be written."""

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any, Union

import pyarrow

from ._library import call, lib, text
from .errors import FeastError, InvalidArgumentError
from .values import json_array

Rows = Union[pyarrow.RecordBatch, pyarrow.Table, Mapping[str, Any], Sequence[Mapping[str, Any]], Any]


class Frame:
    """A feast_frame_t of a record batch, a table, a dict of columns, a list of dicts, or a pandas data frame. What Arrow has no
    column for, or the library takes none from (maps, UUIDs, sets, decimals), goes as JSON."""

    def __init__(self, rows: Rows) -> None:
        plain, odd = _parted(rows)
        self.handle: Any = ctypes.c_void_p()
        if plain:
            self._import(pyarrow.record_batch(list(plain.values()), names=list(plain)))
        else:
            self.handle = ctypes.c_void_p(lib.feast_frame_new())
        for name, values in odd.items():
            call(lib.feast_frame_set_json, self.handle, text(name, "a column"), json_array(name, values))

    def _import(self, batch: pyarrow.RecordBatch) -> None:
        for name in batch.schema.names:
            text(name, "a column")
        array, schema = (ctypes.c_char * 80)(), (ctypes.c_char * 72)()
        addresses = ctypes.addressof(array), ctypes.addressof(schema)
        batch._export_to_c(*addresses)
        try:
            call(lib.feast_frame_import_arrow, *addresses, ctypes.byref(self.handle))
        except FeastError:
            pyarrow.RecordBatch._import_from_c(*addresses)  # it was not taken
            raise

    def __del__(self, free: Any = lib.feast_frame_free) -> None:
        if getattr(self, "handle", None):
            free(self.handle)


def _parted(rows: Rows) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns for Arrow, and columns for JSON."""
    plain: dict[str, Any] = {}
    odd: dict[str, Any] = {}
    for name, values in _columns(rows).items():
        try:
            array = values if isinstance(values, (pyarrow.Array, pyarrow.ChunkedArray)) else pyarrow.array(values, from_pandas=True)
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
            odd[name] = values
            continue
        if isinstance(array, pyarrow.ChunkedArray):
            array = pyarrow.concat_arrays(array.chunks) if array.num_chunks != 1 else array.chunk(0)
        if pyarrow.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if _as_json(array.type):
            odd[name] = array.to_pylist()
        else:
            plain[name] = array
    return plain, odd


def _as_json(kind: Any) -> bool:
    test = pyarrow.types
    if test.is_list(kind) or test.is_large_list(kind):
        return test.is_nested(kind.value_type) or _as_json(kind.value_type)
    return test.is_struct(kind) or test.is_map(kind) or test.is_decimal(kind) or isinstance(kind, pyarrow.BaseExtensionType)


def _columns(rows: Rows) -> Mapping[str, Any]:
    if isinstance(rows, (pyarrow.RecordBatch, pyarrow.Table)):
        return {name: rows.column(name) for name in rows.schema.names}
    if isinstance(rows, Mapping):
        return rows
    if hasattr(rows, "columns") and hasattr(rows, "dtypes"):  # pandas
        return {name: rows[name] for name in rows.columns}
    rows = list(rows)
    if not all(isinstance(row, Mapping) for row in rows):
        raise InvalidArgumentError("rows are a record batch, a table, a data frame, a dict of columns or a list of dicts")
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(key for row in rows for key in row)}
