"""The columns of an answer in pyarrow, and its matrix in NumPy, over ctypes.

usage: arrow_and_dlpack.py LIBRARY URL (the answer stands in tests/columns.rs)
"""
import ctypes
import datetime
import sys

import numpy
import pyarrow

lib = ctypes.CDLL(sys.argv[1])
pointer, size = ctypes.c_void_p, ctypes.c_size_t
for function in ("feast_config_new", "feast_request_new"):
    getattr(lib, function).restype = pointer


def check(function, *arguments):
    error = pointer()
    code = getattr(lib, function)(*arguments, ctypes.byref(error))
    if code != 0:
        lib.feast_error_message.restype = ctypes.c_char_p
        sys.exit(f"{function}: {code}: {lib.feast_error_message(error).decode()}")


config, remote, request, response = pointer(lib.feast_config_new()), pointer(), pointer(lib.feast_request_new()), pointer()
check("feast_config_set", config, b"path", sys.argv[2].encode())
check("feast_remote_open", config, ctypes.byref(remote))
TYPES = {"flag": 1, "small": 2, "real": 4, "blob": 7, "when": 8, "words": 22, "vector": 20}
for name, type_ in TYPES.items():
    check("feast_request_add_typed_feature", request, f"v:{name}".encode(), type_)
check("feast_request_add_feature", request, b"v:any")
check("feast_request_set_entity_int64", request, b"id", (ctypes.c_int64 * 3)(1, 2, 3), size(3))
check("feast_get_online_features", remote, request, ctypes.byref(response))


def exported(function):
    array, schema = (ctypes.c_char * 80)(), (ctypes.c_char * 72)()
    check(function, response, array, schema)
    return pyarrow.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))


batch, full = exported("feast_response_export_arrow"), exported("feast_response_export_arrow_full")
# The matrix: DLManagedTensorVersioned goes to NumPy in a capsule.
tensor = pointer()
names = (ctypes.c_char_p * 2)(b"small", b"vector")
error = pointer()
lib.feast_response_to_dlpack.argtypes = [pointer, pointer, size, ctypes.c_float, pointer, pointer]
assert lib.feast_response_to_dlpack(response, names, 2, float("nan"), ctypes.byref(tensor), ctypes.byref(error)) == 0
ctypes.pythonapi.PyCapsule_New.restype = ctypes.py_object
ctypes.pythonapi.PyCapsule_New.argtypes = [pointer, ctypes.c_char_p, pointer]


class Tensor:
    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        return ctypes.pythonapi.PyCapsule_New(tensor, b"dltensor_versioned", None)

    def __dlpack_device__(self):
        return (1, 0)


matrix = numpy.from_dlpack(Tensor())
lib.feast_response_free(response)  # both outlive it
lib.feast_close(remote)

batch.validate(full=True)
full.validate(full=True)
moment = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)
assert batch.column_names == ["id", *TYPES, "any"], batch.column_names
rows = batch.to_pydict()
assert rows["id"] == [1, 2, 3] and not batch.schema.field("id").nullable
assert rows["flag"] == [True, False, None] and batch.schema.field("flag").nullable
assert rows["small"] == [-7, 2**31 - 1, None] and batch.schema.field("small").type == pyarrow.int32()
assert rows["real"][0] == numpy.float32(0.1) and numpy.isnan(rows["real"][1]) and rows["real"][2] is None
assert rows["blob"] == [b"\0\1\2", None, b""]
assert rows["when"] == [moment, moment, None], rows["when"]
assert batch.schema.field("when").type == pyarrow.timestamp("s", "UTC")
assert rows["words"] == [["a", "bc"], [], None]
assert rows["vector"] == [[1.0, 2.5], [None, 4.0], None]
assert rows["any"] == ['{"k":1}', "[[1]]", None]
assert full.column_names[:4] == ["id", "flag", "flag__status", "flag__ts"]
assert full.column("small__status").to_pylist() == [1, 1, 3]
assert full.column("small__ts").cast("int64").to_pylist() == [1795395600123456789, 0, 0]
assert repr(full.select(batch.column_names).to_pydict()) == repr(rows)  # NaN is not equal to itself
batch.nbytes, full.slice(1, 2).to_pylist()

assert matrix.dtype == numpy.float32 and matrix.shape == (3, 3)
expected = numpy.array([[-7, 1, 2.5], [2**31 - 1, numpy.nan, 4], [numpy.nan] * 3], numpy.float32)
numpy.testing.assert_array_equal(matrix, expected)
del matrix, batch, full, rows
print("as expected")
