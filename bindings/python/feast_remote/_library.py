"""The C library: where it is, its functions' types, and how their errors become exceptions."""

import ctypes
import os
from pathlib import Path
from typing import Any

from .errors import FeastError, InvalidArgumentError, of_code

_HELP = (
    "Name one in the environment variable FEAST_REMOTE_LIBRARY, install a wheel of feast-remote for this platform, "
    "or `make install` libfeast_remote and run ldconfig (or set LD_LIBRARY_PATH to its folder)."
)

_TYPES: dict[str, Any] = {
    "v": None,
    "p": ctypes.c_void_p,
    "t": ctypes.c_char_p,
    "z": ctypes.c_size_t,
    "i": ctypes.c_int32,
    "u": ctypes.c_uint32,
    "q": ctypes.c_int64,
    "Q": ctypes.c_uint64,
    "b": ctypes.c_bool,
    "f": ctypes.c_float,
    "d": ctypes.c_double,
}

# Of each function what it returns and then what it takes. ctypes would cut pointers to 32 bits otherwise.
_FUNCTIONS = """
feast_error_code ip
feast_error_message tp
feast_error_http_status ip
feast_error_feast_class tp
feast_error_attempts up
feast_error_server tp
feast_error_is_retriable bp
feast_error_rows_written Qp
feast_error_unwritten_rows ppp
feast_error_doubtful_rows ppp
feast_error_free vp
feast_status_name ti
feast_config_new p
feast_config_free vp
feast_config_set ipttp
feast_config_load_yaml iptp
feast_set_log_callback vppi
feast_remote_open ippp
feast_get_online_features ipppp
feast_remote_set_token iptp
feast_close vp
feast_stats_json ipppp
feast_stats_prometheus ippzppp
feast_string_free vp
feast_request_new p
feast_request_clone pp
feast_request_free vp
feast_request_add_feature iptp
feast_request_set_feature_service iptp
feast_request_set_full_feature_names ipbp
feast_request_set_include_feature_view_version_metadata ipbp
feast_request_set_timeout_ns ipqp
feast_request_set_merge ipbp
feast_request_set_entity_int64 iptpzp
feast_request_set_entity_double iptpzp
feast_request_set_entity_bool iptpzp
feast_request_set_entity_string iptppzp
feast_request_set_entity_json ipttp
feast_request_set_request_data_int64 iptpzp
feast_request_set_request_data_bool iptpzp
feast_request_set_request_data_string iptppzp
feast_request_set_request_data_json ipttp
feast_request_add_typed_feature iptip
feast_request_add_list_feature iptizp
feast_request_declare_column iptizp
feast_request_set_missing_value iptdp
feast_request_matrix_width zp
feast_request_set_trace_context ipttp
feast_request_set_header ipttp
feast_request_set_max_age_ms ipqbp
feast_request_set_view_max_age_ms iptqbp
feast_response_free vp
feast_response_num_rows zp
feast_response_calls_in_request zp
feast_response_server tp
feast_response_num_columns zp
feast_response_num_entities zp
feast_response_num_feature_views zp
feast_response_feature_view_name tpz
feast_response_feature_view_version qpz
feast_response_column_name tpz
feast_response_find_column zpt
feast_response_column_type ipz
feast_response_column_statuses ppz
feast_response_column_event_timestamps_ns ppz
feast_response_timing bpp
feast_error_timing bpp
feast_response_matrix_width zppz
feast_response_copy_f32 ippzpzfpp
feast_response_copy_f64 ippzpzdpp
feast_response_copy_i64 ippzpzqpp
feast_get_online_features_into_f32 ipppzfpp
feast_response_to_json ipppp
feast_response_export_arrow ipppp
feast_response_export_arrow_full ipppp
feast_frame_new p
feast_frame_free vp
feast_frame_set_json ipttp
feast_frame_import_arrow ipppp
feast_write_options_new p
feast_write_options_free vp
feast_write_options_set_timestamp_field iptp
feast_write_options_set_created_timestamp_column iptp
feast_write_options_set_allow_registry_cache ipbp
feast_write_options_set_transform_on_write ipbp
feast_write_options_set_repeat_offline ipbp
feast_write_options_set_timeout_ms ipqp
feast_push iptpuppp
feast_write_to_online_store iptpppp
feast_push_async iptpuppppp
feast_write_to_online_store_async iptpppppp
feast_write_rows_written Qp
feast_write_free vp
feast_search_new p
feast_search_free vp
feast_search_add_feature iptp
feast_search_set_query ippzp
feast_search_set_top_k ipzp
feast_search_set_distance_metric iptp
feast_search_set_filters iptp
feast_search_set_timeout_ms ipqp
feast_retrieve_online_documents ipppp
feast_check_health ipp
feast_remote_warm_up ipzqp
feast_queue_open ipp
feast_queue_poll ppq
feast_queue_fd ip
feast_queue_free vp
feast_get_online_features_async ipppppp
feast_call_cancel vp
feast_call_free vp
feast_event_tag pp
feast_event_error pp
feast_event_take_response pp
feast_event_take_write pp
feast_event_free vp
feast_version_string t
"""


def _load() -> ctypes.CDLL:
    named = os.environ.get("FEAST_REMOTE_LIBRARY")
    inside = Path(__file__).with_name("libfeast_remote.so")
    path = named or (str(inside) if inside.exists() else "libfeast_remote.so.0")
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"libfeast_remote cannot be loaded: {error}. {_HELP}") from error
    for line in _FUNCTIONS.split("\n")[1:-1]:
        name, types = line.split()
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{path} has no {name}: it is older than this package. {_HELP}") from None
        function.restype, *function.argtypes = (_TYPES[letter] for letter in types)
    return library


lib = _load()


def text(value: str, what: str) -> bytes:
    """For C, which would take a NUL for the end."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{what} is {value!r}, which is no text")
    if "\0" in value:
        raise InvalidArgumentError(f"{what} has a NUL within: {value!r}")
    return value.encode()


def failure(error: "ctypes.c_void_p | int") -> FeastError:
    """The exception of an error, which is borrowed."""

    def rows(function: str) -> list[int]:
        count = ctypes.c_size_t()
        pointer = getattr(lib, function)(error, ctypes.byref(count))
        numbers: list[int] = (ctypes.c_uint64 * count.value).from_address(pointer)[:] if count.value else []
        return numbers

    def optional(name: "bytes | None") -> "str | None":
        return None if name is None else name.decode()

    code = lib.feast_error_code(error)
    return of_code(code)(
        lib.feast_error_message(error).decode(),
        status=lib.feast_status_name(code).decode(),
        http_status=lib.feast_error_http_status(error) or None,
        feast_class=optional(lib.feast_error_feast_class(error)),
        attempts=lib.feast_error_attempts(error),
        retriable=lib.feast_error_is_retriable(error),
        server=optional(lib.feast_error_server(error)),
        rows_written=lib.feast_error_rows_written(error),
        unwritten_rows=rows("feast_error_unwritten_rows"),
        doubtful_rows=rows("feast_error_doubtful_rows"),
    )


def call(function: Any, *arguments: Any) -> None:
    """Calls a function that takes a feast_error_t ** last, and raises what it says."""
    error = ctypes.c_void_p()
    if function(*arguments, ctypes.byref(error)) != 0:
        try:
            raise failure(error)
        finally:
            lib.feast_error_free(error)


def taken_string(function: Any, *arguments: Any) -> str:
    """Calls a function that returns a string of the caller's own in its last two places before the error."""
    string, length = ctypes.c_void_p(), ctypes.c_size_t()
    call(function, *arguments, ctypes.byref(string), ctypes.byref(length))
    try:
        return ctypes.string_at(string, length.value).decode()
    finally:
        lib.feast_string_free(string)


def milliseconds(seconds: float) -> int:
    """A timeout for C, rounded up; 0 for what is negative."""
    return nanoseconds(seconds) // 1_000_000 + (nanoseconds(seconds) % 1_000_000 > 0)


def nanoseconds(seconds: float) -> int:
    # The next double is out of an int64's range.
    return int(-(-min(max(seconds * 1e9, 0), 2**63 - 1024) // 1))
