"""A time limit for a call that may hang, such as one to a server that answers a byte a minute."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


def within(seconds: float, call: Callable[[], _Result]) -> _Result:
    """Return what a call returns, or raise what it raises.

    A call that takes longer goes on in a daemon thread, which doesn't keep the process alive.

    Raises:
        TimeoutError: The call took longer.
    """
    answers: queue.Queue[tuple[_Result | None, BaseException | None]] = queue.Queue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # raised in the caller's thread
            answers.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
