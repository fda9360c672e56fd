"""Puts the native library of one platform into the wheel: FEAST_REMOTE_NATIVE names it, FEAST_REMOTE_TAG its platform
(scripts/packages/python.sh sets both)."""

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeLibrary(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # the library of FEAST_REMOTE_LIBRARY or of the system
            return
        try:
            native, platform = os.environ["FEAST_REMOTE_NATIVE"], os.environ["FEAST_REMOTE_TAG"]
        except KeyError as missing:
            raise SystemExit(f"{missing} is not set: build with `make packages`") from None
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["force_include"][native] = "feast_remote/libfeast_remote.so"
