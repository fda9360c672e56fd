"""Calls that do not hold a thread: each event loop has one queue of the library's, whatever the number of stores, and the main
thread has one, so that Ctrl-C ends a call at once. What C does only while its caller waits has a thread of its own for that."""

import asyncio
import concurrent.futures
import ctypes
import itertools
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from ._library import call, failure, lib

Taken = TypeVar("Taken")
Submit = Callable[[Any, int, Any], None]
"""Begins a call for a queue, with a tag and a place for its handle."""

_tags = itertools.count(1)


class _Queue:
    def __init__(self) -> None:
        self.handle = ctypes.c_void_p()
        call(lib.feast_queue_open, ctypes.byref(self.handle))
        self.process = os.getpid()

    def __del__(self, free: Any = lib.feast_queue_free) -> None:
        if self.handle:
            free(self.handle)


class _OfLoop:
    """The queue of one event loop. It must not hold the loop, which holds it as a reader."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.queue = _Queue()
        self.pending: dict[int, tuple[asyncio.Future[Any], Callable[[int], Any]]] = {}
        loop.add_reader(lib.feast_queue_fd(self.queue.handle), self.take_events)

    def take_events(self) -> None:
        while event := lib.feast_queue_poll(self.queue.handle, 0):
            try:
                future, take = self.pending.pop(lib.feast_event_tag(event))
                if future.done():
                    continue
                error = lib.feast_event_error(event)
                try:
                    if error:
                        future.set_exception(failure(error))
                    else:
                        future.set_result(take(event))
                except Exception as problem:  # the others' events must not wait for it
                    future.set_exception(problem)
            finally:
                lib.feast_event_free(event)


_loops: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _OfLoop]" = weakref.WeakKeyDictionary()


async def awaited(submit: Submit, take: Callable[[int], Taken]) -> Taken:
    """Begins a call and awaits its event. Cancelling the task cancels the call."""
    loop = asyncio.get_running_loop()
    of_loop = _loops.get(loop)
    if of_loop is None or of_loop.queue.process != os.getpid():
        of_loop = _loops[loop] = _OfLoop(loop)
    future: asyncio.Future[Taken] = loop.create_future()
    handle, tag = ctypes.c_void_p(), next(_tags)
    of_loop.pending[tag] = future, take
    try:
        submit(of_loop.queue.handle, tag, ctypes.byref(handle))
    except BaseException:
        del of_loop.pending[tag]
        raise
    try:
        return await future
    finally:
        if future.cancelled():
            lib.feast_call_cancel(handle)
        lib.feast_call_free(handle)


_main: list[_Queue] = []


def interruptible() -> bool:
    """Whether signals come to this thread, and its queue is free."""
    return threading.current_thread() is threading.main_thread()


def waited(submit: Submit, take: Callable[[int], Taken]) -> Taken:
    """Begins a call and waits for it on the main thread, where Python looks at signals every 50 ms."""
    queue = _main.pop() if _main else _Queue()
    if queue.process != os.getpid():
        queue = _Queue()
    handle, event = ctypes.c_void_p(), 0
    submit(queue.handle, 0, ctypes.byref(handle))
    try:
        while not (event := lib.feast_queue_poll(queue.handle, 50)):
            pass
        error = lib.feast_event_error(event)
        if error:
            raise failure(error)
        return take(event)
    except BaseException:
        lib.feast_call_cancel(handle)
        if not event:
            event = lib.feast_queue_poll(queue.handle, -1)
        raise
    finally:
        lib.feast_event_free(event)
        lib.feast_call_free(handle)
        _main.append(queue)


def waited_elsewhere(blocking: Callable[[], Taken]) -> Taken:
    """Does a call that C has no asynchronous form of; for the main thread on another one, which Ctrl-C leaves behind until the
    call ends, with all that it uses."""
    if not interruptible():
        return blocking()
    ended: "concurrent.futures.Future[Taken]" = concurrent.futures.Future()

    def run() -> None:
        try:
            ended.set_result(blocking())
        except BaseException as problem:
            ended.set_exception(problem)

    try:
        threading.Thread(target=run, name="feast_remote", daemon=True).start()
    except RuntimeError:  # the interpreter ends, or there are too many threads
        return blocking()
    return ended.result()
