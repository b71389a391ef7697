"""What a check may do in its process, as functions that the child of `bounded` can import."""

from __future__ import annotations

import importlib
import os
import sys
import time


def echo(value: object) -> object:
    return value


def search_path() -> list[str]:
    return sys.path


def spin() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(1000)


def eat(mib: int) -> int:
    return len(bytearray(mib * 1024**2))


def fail(kind: str, said: str) -> None:
    raise {"ValueError": ValueError, "OverflowError": OverflowError, "OSError": OSError}[kind](said)


def need(module: str) -> None:
    importlib.import_module(module)


def overflow() -> None:
    chain = iter(())
    for _ in range(500_000):
        chain = map(abs, chain)
    next(chain)


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def leave(status: int) -> None:
    os._exit(status)


def circle() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found
