"""Questions."""

import ctypes
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, Union

from . import types
from ._library import call, lib, milliseconds, nanoseconds, text
from .errors import InvalidArgumentError
from .values import Entities, columns, set_column

Features = Union[str, Iterable[Union[str, tuple[str, int]]]]


class Request:
    """Which features, for which rows. One thread at a time may change a request; any number of calls may use it meanwhile not.

    features            "view:feature" names; one alone may stand without a list. A list feature, such as an embedding, may be
                        a pair of its name and its length, and takes that many columns of a matrix
    entities            by join keys: a dict of columns (or of scalars, which are one row), or rows, a list of dicts
    request_data        what on-demand feature views want of the caller, likewise, as many rows as the entities have
    feature_service     a feature service's name, in place of features
    full_feature_names  columns are called view__feature
    include_feature_view_version_metadata  the answer says which versions of feature views it is of: Response.feature_views
    timeout             seconds, in place of the store's request_timeout_ms; after 0 or less nothing is sent
    merge               False: shares no request with other calls (merge_max_rows)
    types               Python types by feature ("view:feature") or column, such as int, numpy.float32, uuid.UUID, set[str]:
                        values come as those, exactly, or the call fails with WrongTypeError
    missing_values      by feature, what stands in matrices where there is no value
    headers             HTTP headers of this request
    traceparent, tracestate  W3C's trace context
    max_age             seconds after which a value is OUTSIDE_MAX_AGE, by its event timestamp; a dict of them by feature view
    drop_old_values     older values become nulls
    """

    def __init__(
        self,
        features: Features = (),
        entities: Optional[Entities] = None,
        *,
        request_data: Optional[Entities] = None,
        feature_service: Optional[str] = None,
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
        timeout: Optional[float] = None,
        merge: bool = True,
        types: Optional[Mapping[str, Any]] = None,
        missing_values: Optional[Mapping[str, float]] = None,
        headers: Optional[Mapping[str, str]] = None,
        traceparent: Optional[str] = None,
        tracestate: Optional[str] = None,
        max_age: Union[float, Mapping[str, float], None] = None,
        drop_old_values: bool = False,
    ) -> None:
        self._handle: Any = ctypes.c_void_p(lib.feast_request_new())
        self._rows = 0
        self._makers: dict[str, Callable[[Any], Any]] = {}
        self._full = full_feature_names
        if feature_service is not None:
            if features:
                raise InvalidArgumentError("features and a feature service were given; a request has one or the other")
            call(lib.feast_request_set_feature_service, self._handle, text(feature_service, "feature_service"))
        self._add_features([features] if isinstance(features, str) else features, dict(types or {}))
        if full_feature_names:
            call(lib.feast_request_set_full_feature_names, self._handle, True)
        if entities is not None:
            self.set_entities(entities)
        if request_data is not None:
            self.set_request_data(request_data)
        if include_feature_view_version_metadata:
            call(lib.feast_request_set_include_feature_view_version_metadata, self._handle, True)
        if not merge:
            call(lib.feast_request_set_merge, self._handle, False)
        if timeout is not None:
            self.set_timeout(timeout)
        for feature, value in (missing_values or {}).items():
            call(lib.feast_request_set_missing_value, self._handle, text(feature, "a feature"), value)
        for header, content in (headers or {}).items():
            call(lib.feast_request_set_header, self._handle, text(header, "a header's name"), text(content, f"the header {header}"))
        if traceparent is not None:
            state = None if tracestate is None else text(tracestate, "tracestate")
            call(lib.feast_request_set_trace_context, self._handle, text(traceparent, "traceparent"), state)
        if isinstance(max_age, Mapping):
            for view, age in max_age.items():
                named = text(view, "a feature view")
                call(lib.feast_request_set_view_max_age_ms, self._handle, named, milliseconds(age), drop_old_values)
        elif max_age is not None:
            call(lib.feast_request_set_max_age_ms, self._handle, milliseconds(max_age), drop_old_values)

    def _add_features(self, features: Iterable[Union[str, tuple[str, int]]], kinds: dict[str, Any]) -> None:
        for feature in features:
            if not isinstance(feature, str):
                name, length = feature
                number = types.declared(kinds.pop(name))[0] if name in kinds else types.FLOAT_LIST
                call(lib.feast_request_add_list_feature, self._handle, text(name, "a feature"), number, length)
            elif feature in kinds:
                number, maker = types.declared(kinds.pop(feature))
                call(lib.feast_request_add_typed_feature, self._handle, text(feature, "a feature"), number)
                if maker:
                    view, _, name = feature.partition(":")
                    self._makers[f"{view.partition('@')[0]}__{name}" if self._full else name] = maker
            else:
                call(lib.feast_request_add_feature, self._handle, text(feature, "a feature"))
        for column, kind in kinds.items():
            number, maker = types.declared(kind)
            call(lib.feast_request_declare_column, self._handle, text(column, "a column"), number, 0)
            if maker:
                self._makers[column] = maker

    def set_entities(self, entities: Entities) -> "Request":
        """Sets these columns; others of an earlier call stay."""
        return self._set("entity", entities)

    def set_request_data(self, request_data: Entities) -> "Request":
        """Likewise, for on-demand feature views. Answers do not repeat it."""
        return self._set("request_data", request_data)

    def _set(self, role: str, given: Entities) -> "Request":
        for name, values in columns(given).items():
            self._rows = len(values)
            set_column(self._handle, role, name, values)
        return self

    def set_timeout(self, seconds: float) -> "Request":
        call(lib.feast_request_set_timeout_ns, self._handle, nanoseconds(seconds))
        return self

    def clone(self) -> "Request":
        """A copy, to set other entities in: features and types are looked at once."""
        copy = object.__new__(Request)
        copy._rows, copy._makers, copy._full = self._rows, self._makers, self._full
        copy._handle = ctypes.c_void_p(lib.feast_request_clone(self._handle))
        return copy

    def __del__(self, free: Any = lib.feast_request_free) -> None:
        if getattr(self, "_handle", None):
            free(self._handle)
