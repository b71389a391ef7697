"""Quirks that servers have, which of them can go together, and the truth behind a stream.

A stream is what a server writes, and when, by a clock of its own. Its tokens are generated
steadily; quirks change how they are written, what is counted, how they arrive, or break the stream.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["openai", "llama_cpp", "lmstudio", "ollama"]
Writes = list[tuple[float, bytes]]
End = Literal["end", "lost", "silent"]

# What a quirk touches. `HARMLESS` ones leave counts and arrivals alone: all numbers must be there.
HARMLESS = frozenset(
    [
        "ping",
        "crlf",
        "cr",
        "nospace",
        "event",
        "bom",
        "ascii",
        "usagenull",
        "usageeach",
        "norole",
        "rolenull",
        "empty",
        "gzip",
        "deflate",
        "usagefirst",
        "usagefinish",
        "finishlast",
        "nodone",
        "donenonl",
        "doneonenl",
        "costafter",
        "donelost",
        "donesilent",
        "shuffled",
        "think",
        "thinkfield",
        "nothinkcontent",
        "jitter",
        "nolineend",
        "blanklines",
    ]
)
COUNTS = frozenset(
    ["promptzero", "promptone", "usagezero", "usageone", "usagefloat", "usagenegative", "nousage"]
)
ARRIVALS = frozenset(
    ["buffer", "ticks", "burst", "frames", "heldfirst", "nostream", "hidden", "bundled"]
)
BREAKS = frozenset(
    ["cut", "torn", "error", "errorline", "plain200", "err200", "loading", "reset", "silent"]
)
_SSE_ONLY = frozenset(
    [
        "ping",
        "cr",
        "nospace",
        "event",
        "bom",
        "usagenull",
        "usageeach",
        "norole",
        "rolenull",
        "usagefirst",
        "usagefinish",
        "finishlast",
        "nodone",
        "donenonl",
        "doneonenl",
        "costafter",
        "thinkfield",
        "errorline",
        "nostream",
    ]
)
_LINES_ONLY = frozenset(("nolineend", "blanklines"))
# Of each of these sets, a stream has at most one: they are the same thing done in two ways.
_EXCLUSIVE = (
    {"crlf", "cr"},
    {"gzip", "deflate"},
    {"usagefirst", "usagefinish", "usageeach", *COUNTS},
    {"nodone", "donenonl", "doneonenl", "costafter", "donelost", "donesilent", "nolineend"},
    {"norole", "rolenull"},
    {"think", "hidden"},
    # Chunks of several tokens hide that some are missing; no client can tell the two apart.
    {"bundled", "hidden"},
    {"buffer", "ticks", "burst", "frames", "heldfirst", "nostream"},
    {"nostream", *BREAKS},
    {"finishlast", "usagefinish"},
    {"finishlast", "cut"},  # such an answer has ended
    set(BREAKS),
)


@dataclass(frozen=True)
class Truth:
    """What was generated, and how fast.

    Attributes:
        prompt: Tokens of the prompt.
        output: Generated tokens.
        first_s: Until the first token, in seconds.
        token_s: From one token to the next.
    """

    prompt: int
    output: int
    first_s: float
    token_s: float


@dataclass
class Stream:
    """One answer of a server.

    Attributes:
        kind: Which API it has.
        truth: What it is about.
        quirks: Names of its quirks.
        status: Of HTTP.
        headers: Of the response.
        writes: What is written, and when, in seconds after the request.
        end: How the connection ends.
        sent_s: When the first text was sent, or would have been without a buffer.
    """

    kind: Kind
    truth: Truth
    quirks: frozenset[str]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    writes: Writes = field(default_factory=list)
    end: End = "end"
    sent_s: float = 0.0

    @property
    def harmless(self) -> bool:
        """Whether all its numbers must be there."""
        return self.quirks <= HARMLESS


def chosen_quirks(rng: random.Random, kind: Kind) -> frozenset[str]:
    """Return up to three quirks that a server of a kind can have at once."""
    of_lines = kind == "ollama"
    known = sorted(
        (HARMLESS | COUNTS | ARRIVALS | BREAKS) - (_SSE_ONLY if of_lines else _LINES_ONLY)
    )
    found: set[str] = set()
    for name in rng.sample(known, rng.choice((0, 1, 2, 2, 2, 3))):
        if not any(name in each and found & each for each in _EXCLUSIVE):
            found.add(name)
    return frozenset(found)


def some_truth(rng: random.Random, quick: bool) -> Truth:
    """Return what a server generates; a quick one takes less than a second."""
    if quick:
        return Truth(rng.randint(40, 80), rng.randint(32, 48), 0.25, rng.uniform(0.012, 0.016))
    token_s = 10 ** rng.uniform(-2.3, -0.3)
    prompt = rng.randint(64, 600)
    # A prompt takes its tokens a fraction of the time of generated ones, and requests some more.
    first_s = 0.2 + prompt * token_s * rng.uniform(0.02, 0.5)
    return Truth(prompt, rng.randint(32, 128), first_s, token_s)
