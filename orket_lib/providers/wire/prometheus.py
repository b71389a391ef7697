"""Counters of a server's `GET /metrics`: requests of other clients, and cached tokens.

The growth of a counter during one request of ours is due to that request only if exactly one
request has ended and none is running. Otherwise another client used the server.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orket_lib.processes.waiting import wait_until

_SETTLE_S, _POLL_S = 2.0, 0.02  # counters change a moment after the answer's last byte


@dataclass(frozen=True)
class Names:
    """The names of one kind of server for its counters.

    Attributes:
        ended: Finished requests, a counter.
        busy: Running and waiting requests, gauges.
        cached: Prompt tokens served from the cache, a counter; None where there is none.
        lags: A gauge may still count a finished request for half a minute.
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
    """The counters of a server at one moment.

    Attributes:
        ended: Finished requests since its start.
        busy: Running and waiting requests.
        cached: Prompt tokens served from its cache since its start; None when not reported.
    """

    ended: int
    busy: int
    cached: int | None


@dataclass(frozen=True)
class Window:
    """What happened on the server during one request of ours.

    Attributes:
        foreign: Description of other clients' requests; None when there were none.
        cached: Prompt tokens of our request that the cache served; None when unknown.
        restarted: The counters were reset.
    """

    foreign: str | None
    cached: int | None
    restarted: bool = False


def samples(text: str) -> dict[str, float]:
    """Return the values of a metrics page by name, summed over their labels."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        name, value = _sample(line)
        if name:
            found[name] = found.get(name, 0.0) + value
    return found


def traffic(values: Mapping[str, float]) -> Traffic | None:
    """Return the counters of a known kind of server; None for other servers.

    The counter of finished requests may be missing before the first one has ended.
    """
    for names in KNOWN:
        if all(name in values for name in names.busy):
            cached = values.get(names.cached) if names.cached else None
            busy = int(sum(values[name] for name in names.busy))
            if names.lags and busy == 1:  # our own last request or one of another client: unknown
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
        look: Reads the counters now.
        before: The counters when our request began.
    """
    now: Traffic | None = None

    def has_settled() -> bool:
        nonlocal now
        now = look()
        return now is None or (now.ended != before.ended and not now.busy)

    wait_until(has_settled, _SETTLE_S, _POLL_S)
    return None if now is None else _window(before, now)


def _window(before: Traffic, now: Traffic) -> Window:
    if now.ended < before.ended:
        return Window(None, None, restarted=True)
    ended = now.ended - before.ended
    seen = [
        *([f"{before.busy} running when ours began"] if before.busy else []),
        *([f"{ended - 1} others ended during ours"] if ended > 1 else []),
        *([f"{now.busy} running after ours"] if now.busy else []),
    ]
    if seen:
        return Window(f"requests of other clients: {', '.join(seen)}", None)
    if ended != 1 or now.cached is None or before.cached is None:
        return Window(None, None)
    return Window(None, now.cached - before.cached)


def _sample(line: str) -> tuple[str, float]:
    """Return name and value of a line; an empty name for a comment or an invalid number."""
    if not line or line.startswith("#"):
        return "", 0.0
    head, _, tail = line.rpartition("}") if "}" in line else line.partition(" ")
    words = tail.split()
    try:
        value = float(words[0])
    except (IndexError, ValueError):
        return "", 0.0
    return (head.partition("{")[0].strip(), value) if math.isfinite(value) else ("", 0.0)
