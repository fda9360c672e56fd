"""What calls raise: FeastError, and a class for each status of the C library."""

from typing import Any, Optional


class FeastError(Exception):
    """A call that failed.

    status          the name of its status, such as "TIMEOUT"
    http_status     the status of the last HTTP answer; None without one
    feast_class     the class of Feast's own exception, such as "FeatureViewNotFoundException"; None if the server named none
    attempts        HTTP attempts that were begun
    retriable       whether the same call may succeed later although nobody changes it
    server          URL of the last attempt's server; None if there was no attempt
    rows_written, unwritten_rows, doubtful_rows
                    of a write: how many rows are written, which are not, and which of those may be written all the same
    """

    status: str = "UNKNOWN"

    def __init__(
        self,
        message: str = "",
        *,
        status: Optional[str] = None,
        http_status: Optional[int] = None,
        feast_class: Optional[str] = None,
        attempts: int = 0,
        retriable: bool = False,
        server: Optional[str] = None,
        rows_written: int = 0,
        unwritten_rows: Optional[list[int]] = None,
        doubtful_rows: Optional[list[int]] = None,
    ) -> None:
        super().__init__(message)
        self.status = status or type(self).status
        self.http_status = http_status
        self.feast_class = feast_class
        self.attempts = attempts
        self.retriable = retriable
        self.server = server
        self.rows_written = rows_written
        self.unwritten_rows = unwritten_rows or []
        self.doubtful_rows = doubtful_rows or []

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.args[0], dict(self.__dict__))


def _restored(kind: "type[FeastError]", message: str, fields: dict[str, Any]) -> FeastError:
    error = kind(message)
    error.__dict__.update(fields)
    return error


class InvalidArgumentError(FeastError, ValueError):
    status = "INVALID_ARGUMENT"


class ConfigError(FeastError, ValueError):
    status = "CONFIG"


class ClosedError(FeastError):
    """The store was closed, before the call or meanwhile."""

    status = "CLOSED"


class CancelledCallError(FeastError):
    status = "CANCELLED"


class OverloadedError(FeastError):
    """No connection of the pool came free in time, or max_async_requests are under way."""

    status = "OVERLOADED"


class CallTimeoutError(FeastError, TimeoutError):
    """The deadline passed; the message says in what."""

    status = "TIMEOUT"


class ConnectError(FeastError, ConnectionError):
    status = "CONNECT"


class TlsError(FeastError, ConnectionError):
    status = "TLS"


class BrokenConnectionError(FeastError, ConnectionError):
    status = "IO"


class UnauthenticatedError(FeastError, PermissionError):
    status = "UNAUTHENTICATED"


class PermissionDeniedError(FeastError, PermissionError):
    status = "PERMISSION_DENIED"


class NotFoundError(FeastError, LookupError):
    status = "NOT_FOUND"


class InvalidRequestError(FeastError, ValueError):
    """The server refused the question."""

    status = "INVALID_REQUEST"


class ThrottledError(FeastError):
    status = "THROTTLED"


class ServerError(FeastError):
    status = "SERVER"


class DecodeError(FeastError):
    """The answer is none to the question."""

    status = "DECODE"


class WrongTypeError(FeastError, TypeError):
    """A value does not fit the type that was declared or asked for."""

    status = "WRONG_TYPE"


class InternalError(FeastError):
    status = "INTERNAL"


_CODES: dict[int, type[FeastError]] = {
    101: InvalidArgumentError,
    102: ConfigError,
    103: ClosedError,
    104: CancelledCallError,
    202: OverloadedError,
    301: CallTimeoutError,
    302: ConnectError,
    303: TlsError,
    304: BrokenConnectionError,
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: InvalidRequestError,
    429: ThrottledError,
    500: ServerError,
    501: DecodeError,
    502: WrongTypeError,
    901: InternalError,
    902: InternalError,
}


def of_code(code: int) -> type[FeastError]:
    return _CODES.get(code, FeastError)
