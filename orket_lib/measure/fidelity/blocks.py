"""Which places of which texts a model is asked at, cut by the model's own tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.measurements.next_tokens import TextSource, Token, TokenSample
from orket_lib.providers.teacher_forcing import Scorer


@dataclass(frozen=True)
class AnsweredQuestion:
    """An answer of the baseline.

    Attributes:
        test_id: Of the task.
        question: The prompt.
        answer: The answer, normalised.
    """

    test_id: str
    question: str
    answer: str


@dataclass(frozen=True)
class Block:
    """One answer, or one window of the text.

    Attributes:
        source: Which of the two.
        name: Of the task, or number of the window.
        pieces: What is sent: tokens, or words.
        first: Index of the first asked piece.
    """

    source: TextSource
    name: str
    pieces: tuple[Token, ...]
    first: int

    @property
    def digest(self) -> str:
        """SHA-256 of what is sent, and where the asked places begin."""
        return sha256_of([self.first, *self.pieces])


def blocks_of(
    scorer: Scorer, answers: Sequence[AnsweredQuestion], text: str, sample: TokenSample
) -> Iterator[Block]:
    """Yield the blocks of all answers and of the text.

    A window is scored in its second half, as `llama-perplexity` does it: before that, a model knows
    too little of the text.

    Args:
        scorer: Cuts texts.
        answers: Answers of the baseline.
        text: The text.
        sample: How much of them.
    """
    for one in answers:
        opening = scorer.opening(one.question)
        asked = scorer.pieces(one.answer)[: sample.answer_tokens]
        first = max(1, len(opening))  # before the first token there is nothing to expect it from
        if len(opening) + len(asked) > first:
            yield Block("answers", one.test_id, opening + asked, first)
    opening = scorer.opening(None)
    pieces, size = opening + scorer.pieces(text), sample.window_tokens
    for index in range(min(sample.windows, len(pieces) // size)):
        window = pieces[index * size : (index + 1) * size]
        # Each window begins as a text does, in place of its own first tokens.
        window = opening + window[len(opening) :]
        yield Block("text", str(index), window, size // 2 + 1)
