"""Counters of a server's `GET /metrics`: whether anybody else used it, and what its cache served.

A counter's growth over one request of ours is only ours when exactly one request has ended and none
is under way; otherwise it says nothing about us, and that somebody else was there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_SETTLE_S, _POLL_S = 2.0, 0.02  # counters move a moment after the answer's last byte


@dataclass(frozen=True)
class Names:
    """What one kind of server calls its counters; of cached tokens, None where it has no counter.

    Attributes:
        ended: Requests that ended, a counter.
        busy: Requests under way or waiting, gauges.
        cached: Prompt tokens that the cache served, a counter.
        lags: A gauge may still hold a request that has ended, for half a minute.
    """

    ended: str
    busy: tuple[str, ...]
    cached: str | None
    lags: bool = False


KNOWN = (
    Names(
        "vllm:request_success_total",
        ("vllm:num_requests_running", "vllm:num_requests_waiting"),
        "vllm:prefix_cache_hits_total",
    ),
    Names(
        "sglang:num_requests_total",
        ("sglang:num_running_reqs", "sglang:num_queue_reqs"),
        "sglang:cached_tokens_total",
        lags=True,  # before the summer of 2026: sgl-project/sglang#26495
    ),
)


@dataclass(frozen=True)
class Traffic:
    """What a server counts, at one moment.

    Attributes:
        ended: Requests that ended since it started.
        busy: Requests under way or waiting.
        cached: Prompt tokens that its cache served since it started; None when it doesn't say.
    """

    ended: int
    busy: int
    cached: int | None


@dataclass(frozen=True)
class Window:
    """What happened between two looks around one request of ours.

    Attributes:
        foreign: Who else was there, in words; None when nobody was.
        cached: Prompt tokens of our request that the cache served; None when it can't be told.
        restarted: The counters began anew.
    """

    foreign: str | None
    cached: int | None
    restarted: bool = False


def samples(text: str) -> dict[str, float]:
    """Return the values of an exposition by name, summed over their labels."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        name, value = _sample(line)
        if name:
            found[name] = found.get(name, 0.0) + value
    return found


def traffic(values: Mapping[str, float]) -> Traffic | None:
    """Return what a server of a known kind counts; None for another one.

    A counter of ended requests may not be there before the first one has ended.
    """
    for names in KNOWN:
        if all(name in values for name in names.busy):
            cached = values.get(names.cached) if names.cached else None
            busy = int(sum(values[name] for name in names.busy))
            if names.lags and busy == 1:  # our own last one or somebody else's: not known
                busy, cached = 0, None
            return Traffic(
                ended=int(values.get(names.ended, 0)),
                busy=busy,
                cached=None if cached is None else int(cached),
            )
    return None


def settled(look: Callable[[], Traffic | None], before: Traffic) -> Window | None:
    """Return what happened since `before`, in which one request of ours ended.

    Args:
        look: Asks the server now.
        before: What it counted when our request began.
    """
    deadline = time.monotonic() + _SETTLE_S
    while True:
        now = look()
        if now is None:
            return None
        if (now.ended != before.ended and not now.busy) or time.monotonic() > deadline:
            return _window(before, now)
        time.sleep(_POLL_S)


def _window(before: Traffic, now: Traffic) -> Window:
    if now.ended < before.ended:
        return Window(None, None, restarted=True)
    ended = now.ended - before.ended
    seen = [
        *([f"{before.busy} under way when ours began"] if before.busy else []),
        *([f"{ended - 1} other ones ended with ours"] if ended > 1 else []),
        *([f"{now.busy} under way after ours"] if now.busy else []),
    ]
    if seen:
        return Window(f"requests that are not ours: {', '.join(seen)}", None)
    if ended != 1 or now.cached is None or before.cached is None:
        return Window(None, None)
    return Window(None, now.cached - before.cached)


def _sample(line: str) -> tuple[str, float]:
    """Return name and value of a line; no name for a comment and for what is no number."""
    if not line or line.startswith("#"):
        return "", 0.0
    head, _, tail = line.rpartition("}") if "}" in line else line.partition(" ")
    words = tail.split()
    try:
        value = float(words[0])
    except (IndexError, ValueError):
        return "", 0.0
    return (head.partition("{")[0].strip(), value) if math.isfinite(value) else ("", 0.0)
