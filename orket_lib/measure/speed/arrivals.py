"""Whether the text of an answer arrived as it was generated (T31).

A proxy or server that collects its output sends it in bursts: the first chunk is late, and the time
between the first and the last one says nothing about generation. So a time by the client's clock
counts only if the chunks are spread as the server's token count demands:

- The first arrival must not bring so many tokens that it was clearly late, and arrivals must not
  come in regular bursts. How late a chunk may be is estimated, and must be small compared with the
  time that is measured.
- Tokens must not arrive within milliseconds, and faster than the prompt was processed: a server
  works on all tokens of a prompt at once, and generates them one by one.
- The chunks must account for the tokens: tokens that were counted and never sent (hidden reasoning)
  have taken time before the first chunk or after the last one.
- Where the server reports its generation time, that much must lie after the first chunk.

A few late chunks, pauses, and chunks of several tokens are fine.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from orket_lib.providers.base import Generation
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import MIN_OUTPUT_TOKENS, DecodeClock

NO_CHUNK = Null("NO_CONTENT")
BUFFERED = Null("STREAM_BUFFERED")
NOT_STREAMED = Null("NOT_STREAMED")
HIDDEN = Null("TOKENS_NOT_STREAMED")

_MOST_LATE = 0.04  # of the time that is measured: it is estimated, and 5 % are allowed
_JITTER_S = 0.01  # a busy machine reads a chunk that late, so it shows no buffer
_TOGETHER_S = 0.001  # chunks so close that one write may have brought them
_TOGETHER_RATIO = 0.25  # the same, of the mean distance of two chunks
_MOST_TOGETHER = 0.25  # share of the chunks that may arrive together with others
_ONE_TOKEN = 1.5  # chunks of no more tokens are parts of one
_FASTEST = 0.5  # time per generated token, by the time per prompt token
_FLUSHED_S = 0.005  # per token; slower ones were not all there before
_USUAL_PROMPT = 512  # tokens of a probe, for a server that doesn't count them
_ACCOUNTED = 0.96  # of the tokens that must have arrived
_BYTES_PER_TOKEN = 8  # more than in any usual text, for a server that doesn't count
_BYTES_PER_CHUNK = 7  # more than in a usual token: such chunks have several
_FEWEST_BYTES = 2  # per token; less text means that tokens were not sent


@dataclass(frozen=True)
class _Group:
    """Chunks that arrived together."""

    at_s: float
    chunks: int
    tokens: float


@dataclass(frozen=True)
class Arrivals:
    """The arrivals of one answer, held against the server's counts.

    Attributes:
        generation: The answer.
        clock: When the server starts its generation clock; None if unknown.
    """

    generation: Generation
    clock: DecodeClock | None = None

    @property
    def first_s(self) -> float | Null:
        """When the first token arrived, in seconds after the request."""
        chunks = self.generation.chunk_s
        if not chunks:
            return NO_CHUNK
        if not self.generation.streamed:
            return NOT_STREAMED
        by_server_s = self._late_by_server_s
        late_s = self._late_s if by_server_s is None else max(by_server_s, self._burst_s)
        return chunks[0] if late_s <= max(_MOST_LATE * chunks[0], _JITTER_S) else BUFFERED

    @property
    def span_s(self) -> float | Null:
        """From the first to the last chunk, in seconds: the time of all tokens but the first."""
        chunks = self.generation.chunk_s
        if len(chunks) < 2:
            return NO_CHUNK if self.generation.streamed else NOT_STREAMED
        if self._late_s > _MOST_LATE * self._span_s:
            return BUFFERED
        return self._span_s if self._accounted else HIDDEN

    @property
    def prompt_s(self) -> float | Null:
        """Time of the prompt: until the first token, which must have been sent."""
        sent = len(self.generation.chunk_s) < 2 or self._accounted
        return self.first_s if sent else HIDDEN

    @cached_property
    def _span_s(self) -> float:
        return self.generation.chunk_s[-1] - self.generation.chunk_s[0]

    @cached_property
    def _tokens(self) -> int:
        """The number of tokens: as counted, else a lower bound."""
        said = self.generation
        if said.tokens.output is not None:
            return max(1, said.tokens.output)
        return max(len(said.chunk_s), sum(said.chunk_bytes) // _BYTES_PER_TOKEN)

    @cached_property
    def _groups(self) -> list[_Group]:
        chunks = self.generation.chunk_s
        mean_s = self._span_s / max(1, len(chunks) - 1)
        together_s = min(_TOGETHER_RATIO * mean_s, _TOGETHER_S)
        starts = [
            0,
            *(i for i in range(1, len(chunks)) if chunks[i] - chunks[i - 1] > together_s),
            len(chunks),
        ]
        weights = self._weights
        return [
            _Group(chunks[begin], end - begin, sum(weights[begin:end]))
            for begin, end in pairwise(starts)
        ]

    @property
    def _weights(self) -> list[float]:
        """About how many tokens each chunk has: if not parts of one, then more the longer it is."""
        count, sizes = len(self.generation.chunk_s), self.generation.chunk_bytes
        more, size = self._tokens - count, sum(sizes)
        if more <= 0 or not size:
            return [self._tokens / count] * count
        return [1 + more * each / size for each in sizes]

    @cached_property
    def _late_s(self) -> float:
        """How late the first chunk may be, judged by the arrivals alone; infinite for a burst."""
        groups = self._groups
        first = groups[0]
        if len(groups) == 1:
            # One token and the end of sequence, which is counted and has no text, are no burst.
            return 0.0 if self._tokens <= 2 else float("inf")
        if self._too_fast:
            return float("inf")
        later = sum(group.tokens for group in groups[1:])
        return max(self._burst_s, max(0.0, first.tokens - 1) * self._span_s / later)

    @cached_property
    def _burst_s(self) -> float:
        """The time from burst to burst, if chunks come in bursts: each may be that late.

        A draft model makes a server generate in bursts, so then they are no sign of a buffer.
        """
        groups, said = self._groups, self.generation
        together = sum(
            group.chunks for group in groups if group.chunks > 1 and group.tokens > _ONE_TOKEN
        )
        drafts = bool(said.tokens.drafted)
        if drafts or len(groups) == 1 or together <= _MOST_TOGETHER * len(said.chunk_s):
            return 0.0
        return statistics.median(after.at_s - before.at_s for before, after in pairwise(groups))

    @property
    def _too_fast(self) -> bool:
        """Whether tokens arrive faster than the prompt's were processed: after a silence, a burst.

        Not judged for short answers, whose prompts are short, too: there, the silence is that of
        the network or a queue.
        """
        if self._tokens < MIN_OUTPUT_TOKENS:
            return False
        token_s = self._span_s / (self._tokens - 1)
        prompt = self.generation.tokens.prompt or _USUAL_PROMPT
        return token_s < min(_FASTEST * self.generation.chunk_s[0] / prompt, _FLUSHED_S)

    @property
    def _late_by_server_s(self) -> float | None:
        """How much of the server's generation time lies before the first chunk; None if unknown."""
        decode_s, chunks = self.generation.tokens.decode_s, self.generation.chunk_s
        end_s = max(chunks[-1], self.generation.end_s or 0.0)
        if not decode_s or decode_s > end_s:
            return None
        # Unless it is known to start with the first token, its time may be included.
        first_s = 0.0 if self.clock == "first_token" else decode_s / self._tokens
        return max(0.0, decode_s - first_s - (end_s - chunks[0]))

    @property
    def _accounted(self) -> bool:
        """Whether the chunks have about as many tokens as were counted."""
        said = self.generation
        count, size = len(said.chunk_s), sum(said.chunk_bytes)
        if count >= _ACCOUNTED * self._tokens or not size:
            return True
        if (said.end_s or 0.0) - said.chunk_s[-1] > max(_MOST_LATE * self._span_s, _JITTER_S):
            return False  # something was generated after the last chunk
        usual_s = statistics.median(after - before for before, after in pairwise(said.chunk_s))
        if usual_s > 0 and self._span_s / usual_s >= _ACCOUNTED * (self._tokens - 1):
            return True  # as long as that many tokens take
        return size >= _BYTES_PER_CHUNK * count and size >= _FEWEST_BYTES * self._tokens
