"""Whether times by our own clock are those of the generation (T31), by how the text arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from arrivals_simulated import (
    Chunks,
    at_the_end,
    bundled,
    generated,
    held_first,
    in_sizes,
    in_ticks,
    jittered,
    paused,
)

from orket_lib.measure.speed.arrivals import Arrivals
from orket_lib.providers.base import Generation, TokenReport
from orket_lib.vocabulary.nulls import Null

BUFFERED, HIDDEN, WHOLE = "STREAM_BUFFERED", "TOKENS_NOT_STREAMED", "NOT_STREAMED"


@dataclass(frozen=True)
class Case:
    """Chunks as they arrive, of an answer whose tokens were generated steadily.

    Attributes:
        chunks: The arrivals.
        tokens: As the server counts them.
        prompt: The same of the prompt.
        end_s: When the last chunk, which has no text, arrives.
        said: What else is known.
    """

    chunks: Chunks
    tokens: int = 128
    prompt: int | None = 512
    end_s: float | None = None
    said: dict[str, Any] = field(default_factory=dict)
    streamed: bool = True

    @property
    def arrivals(self) -> Arrivals:
        times = [at_s for at_s, _ in self.chunks]
        report = TokenReport(prompt=self.prompt, output=self.tokens, **self.said)
        return Arrivals(
            Generation(
                text="",
                reasoning="",
                finish_reason="length",
                connect_s=None,
                chunk_s=tuple(times),
                chunk_bytes=tuple(size for _, size in self.chunks),
                end_s=times[-1] if self.end_s is None else self.end_s,
                tokens=report,
                streamed=self.streamed,
            )
        )


STREAM = generated()
SHORT = generated(32, first_s=6.4, token_s=0.2)

# What arrived otherwise than it was generated: why TTFT and rate are null; None for a number.
CONVICTED = {
    "a buffer of 8 KiB": (Case(in_sizes(STREAM, 8192)), BUFFERED, BUFFERED),
    "4 KiB pieces, all at the end": (
        Case(at_the_end(STREAM, gap_s=0.0005, together=24)),
        BUFFERED,
        BUFFERED,
    ),
    "everything in one read": (Case(at_the_end(STREAM)), BUFFERED, BUFFERED),
    "frame by frame, all at the end": (Case(at_the_end(STREAM, 0.00005)), BUFFERED, BUFFERED),
    "the same, slowly": (Case(at_the_end(STREAM, 0.0001)), BUFFERED, BUFFERED),
    "the same without a count of the prompt": (
        Case(at_the_end(STREAM, 0.00005), prompt=None),
        BUFFERED,
        BUFFERED,
    ),
    "a buffer of 16 KiB": (Case(in_sizes(STREAM, 16384)), BUFFERED, BUFFERED),
    "a proxy that flushes every 200 ms": (Case(in_ticks(STREAM, 0.2)), BUFFERED, BUFFERED),
    "a proxy that flushes every 50 ms": (Case(in_ticks(STREAM, 0.05)), BUFFERED, None),
    "only the beginning is held": (Case(held_first(STREAM, 40)), BUFFERED, BUFFERED),
    "the first one at once, and all others at the end": (
        Case([STREAM[0], *at_the_end(STREAM)[1:]]),
        BUFFERED,
        BUFFERED,
    ),
    "a shortened probe behind a buffer": (Case(in_sizes(SHORT, 1024), 32, 64), BUFFERED, BUFFERED),
    "one chunk of all tokens": (Case([(2.94, 512)]), BUFFERED, "NO_CONTENT"),
    "an answer as a whole": (Case([(2.94, 512)], streamed=False), WHOLE, WHOLE),
    "reasoning that is counted and not sent": (Case(STREAM[100:]), None, HIDDEN),
    "half of the tokens are not sent": (Case(STREAM[64:]), None, HIDDEN),
    "nothing is sent any more from the middle on": (
        Case(STREAM[:64], end_s=STREAM[-1][0]),
        None,
        HIDDEN,
    ),
    "the server's own time tells that the beginning was held": (
        Case(in_sizes(STREAM, 8192), said={"decode_s": 127 * 0.02, "prefill_s": 0.4}),
        BUFFERED,
        BUFFERED,
    ),
}

# What arrived as it was generated, by and large: the numbers are right.
SPREAD = {
    "one chunk for each token": Case(STREAM),
    "a chunk of the role's time later": Case(STREAM, end_s=STREAM[-1][0] + 0.3),
    "a network that jitters": Case(jittered(STREAM, 0.015)),
    "a pause of a second": Case(paused(STREAM, 64, 1.0)),
    "a pause of ten seconds": Case(paused(STREAM, 64, 10.0)),
    "2,000 tokens a second": Case(generated(first_s=0.06, token_s=0.0005)),
    "a token in two seconds": Case(generated(32, 30.0, 2.0), 32, 64),
    "a shortened probe": Case(SHORT, 32, 64),
    "a server that decodes several tokens at a step": Case(
        bundled(STREAM, (1, *(2, 4, 3) * 15)), said={}
    ),
    "some tokens without a chunk of their own": Case(bundled(STREAM, (1, *(1, 1, 2, 1, 1) * 25))),
    "several chunks for each token": Case([chunk for chunk in STREAM for _ in range(2)][1:]),
    "a few reads with two chunks": Case(
        [(STREAM[i + (i % 10 == 5)][0], 4) for i in range(len(STREAM))]
    ),
    "a follow-up whose prompt was cached": Case(generated(32, 0.05, 0.02), 32, 3000),
    "the server's own times": Case(STREAM, said={"decode_s": 127 * 0.02, "prefill_s": 0.4}),
    "its clock starts with the prompt's end": Case(STREAM, said={"decode_s": 128 * 0.02}),
}


def value(found: float | Null) -> str | None:
    return found.reason if isinstance(found, Null) else None


@pytest.mark.parametrize("name", CONVICTED)
def test_what_did_not_arrive_as_it_was_generated_gives_no_time(name: str) -> None:
    case, first, span = CONVICTED[name]
    arrivals = case.arrivals
    assert (value(arrivals.first_s), value(arrivals.span_s)) == (first, span)
    if not isinstance(arrivals.span_s, Null):
        assert (case.tokens - 1) / arrivals.span_s == pytest.approx(50, rel=0.05)


@pytest.mark.parametrize("name", SPREAD)
def test_what_arrived_as_it_was_generated_gives_right_times(name: str) -> None:
    case = SPREAD[name]
    arrivals, times = case.arrivals, [at_s for at_s, _ in case.chunks]
    assert arrivals.first_s == pytest.approx(times[0], rel=0.05)
    assert arrivals.span_s == pytest.approx(times[-1] - times[0], rel=0.05)


@pytest.mark.parametrize(
    ("case", "first_s"),
    [
        pytest.param(Case([(0.5, 2)], tokens=1), 0.5, id="one token"),
        pytest.param(Case([(0.5, 2)], tokens=2), 0.5, id="one token and the end"),
        pytest.param(Case([(0.5, 2)], tokens=1, prompt=None), 0.5, id="no count of the prompt"),
        pytest.param(Case([(0.5, 2), (0.52, 3), (0.54, 1)], 4, 30), 0.5, id="a short answer"),
        pytest.param(Case([(0.5, 2), (0.501, 3)], 3, 30), 0.5, id="a short answer, at once"),
    ],
)
def test_a_short_answer_has_a_first_token(case: Case, first_s: float) -> None:
    assert case.arrivals.first_s == first_s


def test_without_a_count_many_bytes_are_many_tokens() -> None:
    case = Case([(2.0, 2000)])
    assert value(Case(case.chunks, tokens=None).arrivals.first_s) == BUFFERED  # type: ignore[arg-type]
    assert Case([(2.0, 4)], tokens=None).arrivals.first_s == 2.0  # type: ignore[arg-type]


def test_an_answer_without_text_has_no_times() -> None:
    empty = Arrivals(
        Generation("", "", "stop", None, (), TokenReport(prompt=5, output=0), end_s=1.0)
    )
    assert (value(empty.first_s), value(empty.span_s)) == ("NO_CONTENT", "NO_CONTENT")
