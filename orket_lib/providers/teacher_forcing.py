"""Teacher forcing: the probabilities of the next token at each place of a given text.

Servers differ in what they give: some take ids of tokens, others only text; some list every token
of the vocabulary, others the 20 most probable ones, or none. All quants of a model are asked in the
same way, so that their answers can be compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from orket_lib.artifacts.measurements.next_tokens import Token
from orket_lib.providers.wire.json_fields import text

# A word with the white space before it: where a server has no tokens, a text is cut before these.
_WORD = re.compile(r"\s*\S+")
_MOST = 1e30  # of a float32, in which they are kept
_REPLACEMENT = "\ufffd"  # part of a character, of which the text says nothing


@dataclass(frozen=True)
class NextToken:
    """What a model expects at one place.

    Attributes:
        tokens: The listed tokens, the most probable first; None for the whole vocabulary, by id.
            Empty where the server gives no probabilities.
        logprobs: Natural logarithm of the probability of each.
    """

    tokens: tuple[Token, ...] | None
    logprobs: tuple[float, ...]


class Scorer(Protocol):
    """Asks a served model; raises the errors of `Model.generate`."""

    @property
    def vocabulary(self) -> int | None:
        """The number of tokens of the model's vocabulary, if all of them can be listed."""

    def close(self) -> None:
        """Free its connection."""

    def opening(self, question: str | None) -> tuple[Token, ...]:
        """Return what precedes an answer to a question, or a bare text (None)."""

    def pieces(self, text: str) -> tuple[Token, ...]:
        """Return a text in the pieces after which the model can be asked."""

    def next_tokens(self, pieces: Sequence[Any], first: int, listed: int) -> Iterator[NextToken]:
        """Yield what the model expects instead of each piece from `first` on.

        Args:
            pieces: The text, in pieces of this scorer.
            first: Index of the first asked piece, at least 1.
            listed: How many probabilities are wanted.
        """


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, each with the white space before it."""
    return tuple(_WORD.findall(text))


def listed_tokens(entries: object, key: str = "token") -> NextToken:
    """Return the entries `{token, logprob, bytes}` of a server's list.

    Args:
        entries: As the server sent them; what is no list of entries counts as an empty one.
        key: Names the token: `id` where all entries have one.
    """
    found = entries if isinstance(entries, list) else []
    listed = [entry for entry in found if isinstance(entry, Mapping)]
    return ordered((_name(entry, key), entry.get("logprob")) for entry in listed)


def ordered(pairs: Iterable[tuple[Token | None, object]]) -> NextToken:
    """Return listed tokens, the most probable first.

    Args:
        pairs: Tokens and logarithms. Without either an entry is left out; several tokens with the
            same text count as one.
    """
    known: dict[Token, float] = {}
    for token, value in pairs:
        if token is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if value == value:  # not NaN
            one = float(min(max(value, -_MOST), _MOST))
            known[token] = _added(known[token], one) if token in known else one
    tokens = sorted(known, key=lambda token: -known[token])
    return NextToken(tuple(tokens), tuple(known[token] for token in tokens))


def _added(one: float, other: float) -> float:
    """Return the logarithm of the sum of two probabilities."""
    return max(one, other) + math.log1p(math.exp(-abs(one - other)))


def _name(entry: Mapping[str, Any], key: str) -> Token | None:
    if key == "id":
        number = entry.get("id")
        return number if isinstance(number, int) else None
    name = text(entry, "token")
    spelled = entry.get("bytes")
    if name and _REPLACEMENT in name and isinstance(spelled, list):
        return f"bytes {spelled}"
    return name
