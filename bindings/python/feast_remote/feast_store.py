"""Feast's online store over this library, in place of `type: remote`:

    online_store:
      type: feast_remote.FeastRemoteOnlineStore
      path: http://localhost:6566
      request_timeout_ms: 200        # any key of CONFIGURATION.md

Reads, writes and searches by vector go through one pool, each call with a deadline. What the C library has no call for (search by
text, retrieve_online_documents of version 1) goes the way of Feast's own remote store.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Optional, Union

import feast.errors
from feast import FeatureService, FeatureView, RepoConfig
from feast.infra.online_stores.remote import RemoteOnlineStore, RemoteOnlineStoreConfig
from feast.infra.registry.base_registry import BaseRegistry
from feast.infra.supported_async_methods import SupportedAsyncMethods
from feast.online_response import OnlineResponse
from feast.protos.feast.serving.ServingService_pb2 import GetOnlineFeaturesResponse
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import RepeatedValue, Value
from feast.type_map import feast_value_type_to_python_type, python_values_to_proto_values
from feast.value_type import ValueType
from pydantic import ConfigDict

from .errors import FeastError
from .remote import Remote
from .request import Request
from .response import STATUSES, Response

Row = tuple[Optional[datetime], Optional[dict[str, Value]]]
WrittenRow = tuple[EntityKey, dict[str, Value], datetime, Optional[datetime]]
FoundRow = tuple[Optional[datetime], Optional[EntityKey], Optional[dict[str, Value]]]

# What the server's JSON does not tell from text and numbers.
_DECLARED: dict[ValueType, Any] = {
    ValueType.BYTES: bytes,
    ValueType.BYTES_LIST: list[bytes],
    ValueType.UNIX_TIMESTAMP: datetime,
    ValueType.UNIX_TIMESTAMP_LIST: list[datetime],
}
_AUTH_KEYS = (
    "type token token_env_var auth_discovery_url client_id client_secret username password verify_ssl ca_cert_path "
    "token_refresh_margin_seconds user_token"
).split()
_NOT_FOUND = STATUSES.index("NOT_FOUND")
_MAX_TEMPLATES = 256  # a program asks the same few questions again and again


class FeastRemoteOnlineStoreConfig(RemoteOnlineStoreConfig):
    """The keys of CONFIGURATION.md, those of Feast's remote store among them. One that the library does not know is an error
    when the store is opened."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")

    type: str = "feast_remote.FeastRemoteOnlineStore"


class FeastRemoteOnlineStore(RemoteOnlineStore):
    def __init__(self) -> None:
        self._remote: Optional[Remote] = None
        self._opened_with: Any = None
        self._lock = threading.Lock()
        self._templates: dict[tuple[Any, bool, bool], Request] = {}

    @property
    def async_supported(self) -> SupportedAsyncMethods:
        return SupportedAsyncMethods(read=True, write=True)

    def remote(self, config: RepoConfig) -> Remote:
        """The store, opened by its first call."""
        if config.online_store is not self._opened_with:
            with self._lock:
                if self._remote is None or config.online_store != self._opened_with:
                    if self._remote is not None:
                        self._remote.close()
                    self._remote = Remote(**_keys(config))
                self._opened_with = config.online_store
        assert self._remote is not None
        return self._remote

    async def initialize(self, config: RepoConfig) -> None:
        self.remote(config)

    async def close(self) -> None:
        with self._lock:
            remote, self._remote, self._opened_with = self._remote, None, None
        if remote is not None:
            remote.close()

    def __del__(self) -> None:
        # Feast's programs need not close a FeatureStore.
        if getattr(self, "_remote", None) is not None:
            self._remote.close()  # type: ignore[union-attr]

    def get_online_features(
        self,
        config: RepoConfig,
        features: Union[list[str], FeatureService],
        entity_rows: Union[list[dict[str, Any]], Mapping[str, Union[Sequence[Any], RepeatedValue]]],
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
    ) -> OnlineResponse:
        request = self._request(features, entity_rows, full_feature_names, include_feature_view_version_metadata)
        with _FeastsErrors():
            return _Response(self.remote(config).fetch(request))

    async def get_online_features_async(
        self,
        config: RepoConfig,
        features: Union[list[str], FeatureService],
        entity_rows: Union[list[dict[str, Any]], Mapping[str, Union[Sequence[Any], RepeatedValue]]],
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
    ) -> OnlineResponse:
        request = self._request(features, entity_rows, full_feature_names, include_feature_view_version_metadata)
        with _FeastsErrors():
            return _Response(await self.remote(config).fetch_async(request))

    def _request(
        self,
        features: Union[list[str], FeatureService],
        entity_rows: Union[list[dict[str, Any]], Mapping[str, Union[Sequence[Any], RepeatedValue]]],
        full_feature_names: bool,
        include_versions: bool,
    ) -> Request:
        asked = features.name if isinstance(features, FeatureService) else tuple(features)
        template = self._templates.get((asked, full_feature_names, include_versions))
        if template is None:
            template = Request(
                () if isinstance(asked, str) else asked,
                feature_service=asked if isinstance(asked, str) else None,
                full_feature_names=full_feature_names,
                include_feature_view_version_metadata=include_versions,
            )
            if len(self._templates) >= _MAX_TEMPLATES:
                self._templates.clear()
            self._templates[asked, full_feature_names, include_versions] = template
        if not isinstance(entity_rows, list):
            entity_rows = {name: _native(values) for name, values in entity_rows.items()}
        return template.clone().set_entities(entity_rows)

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: Optional[list[str]] = None,
    ) -> list[Row]:
        names, request = _read_request(table, entity_keys, requested_features)
        with _FeastsErrors():
            return _rows(table, names, self.remote(config).fetch(request))

    async def online_read_async(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: Optional[list[str]] = None,
    ) -> list[Row]:
        names, request = _read_request(table, entity_keys, requested_features)
        with _FeastsErrors():
            return _rows(table, names, await self.remote(config).fetch_async(request))

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[WrittenRow],
        progress: Optional[Callable[[int], Any]],
    ) -> None:
        rows, options = self._to_write(table, data)
        with _FeastsErrors():
            self.remote(config).write_to_online_store(table.name, rows, **options)
        if progress:
            progress(len(data))

    async def online_write_batch_async(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[WrittenRow],
        progress: Optional[Callable[[int], Any]],
    ) -> None:
        rows, options = self._to_write(table, data)
        with _FeastsErrors():
            await self.remote(config).write_to_online_store_async(table.name, rows, **options)
        if progress:
            progress(len(data))

    def _to_write(self, table: FeatureView, data: list[WrittenRow]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        source = getattr(table, "batch_source", None)
        field = getattr(source, "timestamp_field", "") or "event_timestamp"
        created = getattr(source, "created_timestamp_column", "")
        options = {"timestamp_field": field, "allow_registry_cache": False}
        if created:
            options["created_timestamp_column"] = created
        rows = []
        for key, values, event_timestamp, created_timestamp in data:
            row = {name: feast_value_type_to_python_type(value) for name, value in zip(key.join_keys, key.entity_values)}
            row.update((name, self._proto_value_to_transport_value(value)) for name, value in values.items())
            row[field] = _utc(event_timestamp)
            if created:
                row[created] = created_timestamp and _utc(created_timestamp)
            rows.append(row)
        return rows, options

    def retrieve_online_documents_v2(
        self,
        config: RepoConfig,
        table: FeatureView,
        requested_features: Optional[list[str]],
        embedding: Optional[list[float]],
        top_k: int,
        distance_metric: Optional[str] = None,
        query_string: Optional[str] = None,
        filters: Any = None,
        include_feature_view_version_metadata: bool = False,
    ) -> list[FoundRow]:
        # Of version metadata Feast's own store asks for nothing here: the rows have no place for it.
        if embedding is None or query_string is not None:
            found: list[FoundRow] = super().retrieve_online_documents_v2(
                config, table, requested_features, embedding, top_k, distance_metric, query_string, filters,
                include_feature_view_version_metadata,
            )
            return found
        names = [name for name in requested_features or [] if name != "distance"]
        with _FeastsErrors():
            response = self.remote(config).search(
                [f"{table.name}:{name}" for name in names],
                embedding,
                top_k,
                distance_metric,
                None if filters is None else filters.model_dump(),
            )
        columns = response.to_dict()
        keys = {field.name: field.dtype.to_value_type() for field in table.entity_columns if field.name in columns}
        key_columns = {name: python_values_to_proto_values(columns[name], kind) for name, kind in keys.items()}
        rows = _rows(table, [*names, "distance"], response, columns)
        if not keys:
            return [(when, None, values) for when, values in rows]
        documents = list(zip(zip(*key_columns.values()), rows))
        # FeatureStore gives each document's features to another one's keys unless they are sorted as it sorts the keys.
        documents.sort(key=lambda document: [_to_sort_by(value) for value in document[0]])
        return [
            (when, EntityKey(join_keys=key_columns, entity_values=key), values) for key, (when, values) in documents
        ]


class _Response(OnlineResponse):
    """An answer whose to_dict() comes straight from the columns; Feast's protobuf message of it is made when it is asked for."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._feature_types: dict[str, ValueType] = {}
        self._proto: Optional[GetOnlineFeaturesResponse] = None

    def to_dict(self, include_event_timestamps: bool = False) -> dict[str, Any]:
        if self._proto is not None:  # it may have been changed
            changed: dict[str, Any] = super().to_dict(include_event_timestamps)
            return changed
        return self._response.to_dict(include_event_timestamps)

    @property
    def proto(self) -> GetOnlineFeaturesResponse:
        if self._proto is None:
            self._proto = _proto(self._response)
        return self._proto


def _proto(response: Response) -> GetOnlineFeaturesResponse:
    proto = GetOnlineFeaturesResponse(status=True)
    for view in response.feature_views:
        proto.metadata.feature_view_metadata.add(name=view.name, version=view.version)
    rows = response.num_rows
    for name, values in response.to_dict().items():
        proto.metadata.feature_names.val.append(name)
        vector = proto.results.add()
        vector.values.extend(_protos(values))
        statuses = response.statuses(name)
        vector.statuses.extend([1] * rows if statuses is None else statuses.tolist())
        stamps = response.event_timestamps(name)
        for nanoseconds in [] if stamps is None else stamps.astype("int64").tolist():
            vector.event_timestamps.add(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)
    return proto


def _protos(values: list[Any], kind: ValueType = ValueType.UNKNOWN) -> list[Value]:
    if kind is ValueType.UNKNOWN:  # Feast takes the first value's type for all
        return [Value() if value is None else _inferred(value) for value in values]
    protos: list[Value] = python_values_to_proto_values(values, kind)
    return protos


def _inferred(value: Any) -> Value:
    nested = isinstance(value, list) and any(isinstance(item, list) for item in value)  # Feast does not infer these
    protos: list[Value] = python_values_to_proto_values([value], ValueType.VALUE_LIST if nested else ValueType.UNKNOWN)
    return protos[0]


class _FeastsErrors:
    """Raises Feast's own exception where the server named its class, as Feast's remote store does; the library's is its cause."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Optional[BaseException], at: Any) -> None:
        if not isinstance(error, FeastError) or error.feast_class is None:
            return
        known = getattr(feast.errors, error.feast_class, None)
        if isinstance(known, type) and issubclass(known, Exception):
            raised = known.__new__(known)
            setattr(raised, "__overridden_message__", str(error))  # as feast.errors.FeastError.from_error_detail()
            raise raised from error


def _keys(config: RepoConfig) -> dict[str, Any]:
    settings = config.online_store.model_dump()
    keys = {name: value for name, value in settings.items() if name != "type" and value not in (None, "")}
    # As requests has it, which FEAST_CA_CERT_FILE_PATH is for.
    authorities = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if "cert" not in keys and authorities and keys["path"].startswith("https"):
        keys["cert"] = authorities
    auth = config.auth_config.model_dump() if config.auth_config else {}
    for name in _AUTH_KEYS:
        if auth.get(name) not in (None, ""):
            keys[f"auth.{name}"] = auth[name]
    return keys


def _native(values: Any) -> list[Any]:
    values = values.val if isinstance(values, RepeatedValue) else values
    return [feast_value_type_to_python_type(value) if isinstance(value, Value) else value for value in values]


def _read_request(
    table: FeatureView, entity_keys: list[EntityKey], requested_features: Optional[list[str]]
) -> tuple[list[str], Request]:
    kinds = {field.name: field.dtype.to_value_type() for field in table.features}
    names = list(kinds) if requested_features is None else requested_features
    features = {name: f"{table.name}:{name}" for name in names}
    types = {features[name]: _DECLARED[kinds[name]] for name in names if kinds.get(name) in _DECLARED}
    rows = [
        {name: feast_value_type_to_python_type(value) for name, value in zip(key.join_keys, key.entity_values)}
        for key in entity_keys
    ]
    return names, Request(list(features.values()), rows, types=types)


def _rows(
    table: FeatureView, names: list[str], response: Response, columns: Optional[dict[str, list[Any]]] = None
) -> list[Row]:
    kinds = {field.name: field.dtype.to_value_type() for field in table.features}
    columns = response.to_dict() if columns is None else columns
    protos = {name: _protos(columns[name], kinds.get(name, ValueType.UNKNOWN)) for name in names if name in columns}
    statuses = {name: response.statuses(name) for name in protos}
    stamps = [s for s in map(response.event_timestamps, protos) if s is not None]
    rows: list[Row] = []
    for row in range(response.num_rows):
        if protos and all(column is not None and column[row] == _NOT_FOUND for column in statuses.values()):
            rows.append((None, None))
            continue
        newest = max((int(column[row].astype("int64")) for column in stamps), default=0)
        when = datetime.fromtimestamp(newest / 10**9, timezone.utc) if newest else None
        rows.append((when, {name: column[row] for name, column in protos.items()}))
    return rows


def _to_sort_by(value: Value) -> Any:
    kind = value.WhichOneof("val")
    return (kind is not None, getattr(value, kind) if kind else 0)


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)
