"""The library's log, into Python's logging."""

import ctypes
import logging
from typing import Any

from ._library import lib

_LEVELS = {1: logging.WARNING, 2: logging.INFO}
_Callback = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p)
_callback: Any = None  # must live as long as C may call it


def log_to(logger: "logging.Logger | None", level: int = logging.INFO) -> None:
    """Sends the messages of all stores to a logger; None: to nowhere, as at first. With logging.WARNING the library does not
    make others. A handler of the logger must not call this package."""
    global _callback

    def log(at: int, message: bytes, _: Any) -> None:
        assert logger is not None
        logger.log(_LEVELS.get(at, logging.WARNING), "%s", message.decode(errors="replace"))

    callback = None if logger is None else _Callback(log)
    lib.feast_set_log_callback(callback and ctypes.cast(callback, ctypes.c_void_p), None, 1 if level > logging.INFO else 2)
    _callback = callback
