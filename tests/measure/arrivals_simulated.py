"""Streams on a clock of their own: when tokens are generated, and when they arrive.

Most functions take pairs (seconds, bytes) of chunks, and return them as they arrive behind a server
or proxy that delays them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

Chunks = list[tuple[float, int]]
FRAME = 170  # bytes that the format puts around a chunk


def generated(
    tokens: int = 128, first_s: float = 0.4, token_s: float = 0.02, size: int = 4
) -> Chunks:
    """Return one chunk for each token, as generated."""
    return [(first_s + index * token_s, size) for index in range(tokens)]


def in_sizes(chunks: Chunks, size: int) -> Chunks:
    """Return chunks behind a proxy that passes on so many bytes at once, then the rest."""
    passed: Chunks = []
    held: list[int] = []
    for at_s, each in chunks:
        held.append(each)
        if sum(held) + FRAME * len(held) >= size:
            passed += [(at_s, kept) for kept in held]
            held = []
    return [*passed, *((chunks[-1][0], kept) for kept in held)]


def in_ticks(chunks: Chunks, tick_s: float) -> Chunks:
    """Return chunks behind a proxy that passes on what it has at regular times."""
    return [((int(at_s / tick_s) + 1) * tick_s, size) for at_s, size in chunks]


def at_the_end(chunks: Chunks, gap_s: float = 0.0, together: int = 1) -> Chunks:
    """Return chunks that all arrive at the end, so many at once and then a gap."""
    end_s = chunks[-1][0]
    return [(end_s + gap_s * (i // together), size) for i, (_, size) in enumerate(chunks)]


def held_first(chunks: Chunks, number: int) -> Chunks:
    """Return chunks of which the first ones are held until there are so many."""
    return [(max(at_s, chunks[number - 1][0]), size) for at_s, size in chunks]


def bundled(chunks: Chunks, sizes: Sequence[int]) -> Chunks:
    """Return chunks of several tokens, each sent when its last token is generated."""
    found, at = [], 0
    for number in sizes:
        part = chunks[at : at + number]
        at += number
        if part:
            found.append((part[-1][0], sum(size for _, size in part)))
    return found


def paused(chunks: Chunks, after: int, pause_s: float) -> Chunks:
    """Return chunks of a server that pauses after so many."""
    return [(at_s + pause_s * (i >= after), size) for i, (at_s, size) in enumerate(chunks)]


def jittered(chunks: Chunks, most_s: float, seed: int = 1) -> Chunks:
    """Return chunks of a network that delays each by up to so much, in their order."""
    rng, last_s, found = random.Random(seed), 0.0, []
    for at_s, size in chunks:
        last_s = max(last_s, at_s + rng.uniform(0.0, most_s))
        found.append((last_s, size))
    return found
