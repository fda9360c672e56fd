"""Online features from a remote Feast feature server, over libfeast_remote.

    with Remote(path="http://localhost:6566") as remote:
        response = remote.fetch(["driver_hourly_stats:conv_rate"], {"driver_id": [1001, 1002]})
        response.to_dict(), response.to_pandas(), response.to_numpy(), response.to_matrix()

For Feast's own SDK: online_store: {type: feast_remote.FeastRemoteOnlineStore, path: …} in feature_store.yaml.
"""

from typing import TYPE_CHECKING, Any

from ._library import lib as _lib
from .errors import (
    BrokenConnectionError,
    CallTimeoutError,
    CancelledCallError,
    ClosedError,
    ConfigError,
    ConnectError,
    DecodeError,
    FeastError,
    InternalError,
    InvalidArgumentError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ServerError,
    ThrottledError,
    TlsError,
    UnauthenticatedError,
    WrongTypeError,
)
from .log import log_to
from .remote import Remote, prometheus
from .request import Request
from .response import STATUSES, FeatureViewVersion, Response

if TYPE_CHECKING:
    from .feast_store import FeastRemoteOnlineStore, FeastRemoteOnlineStoreConfig

library_version: str = _lib.feast_version_string().decode()
"""The native library's version, with those of libcurl and the TLS library inside it."""

__all__ = [
    "STATUSES",
    "BrokenConnectionError",
    "CallTimeoutError",
    "CancelledCallError",
    "ClosedError",
    "ConfigError",
    "ConnectError",
    "DecodeError",
    "FeastError",
    "FeastRemoteOnlineStore",
    "FeastRemoteOnlineStoreConfig",
    "FeatureViewVersion",
    "InternalError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "Remote",
    "Request",
    "Response",
    "ServerError",
    "ThrottledError",
    "TlsError",
    "UnauthenticatedError",
    "WrongTypeError",
    "library_version",
    "log_to",
    "prometheus",
]


def __getattr__(name: str) -> Any:
    if name in ("FeastRemoteOnlineStore", "FeastRemoteOnlineStoreConfig"):  # Feast need not be there
        from . import feast_store

        return getattr(feast_store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
