"""Teacher forcing on llama.cpp's server: ids of tokens go in, those of any number come back.

One request for each place. The prompt cache is on, so each evaluates one more token.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from orket_lib.providers.base import ServerAddress
from orket_lib.providers.teacher_forcing import NextToken, listed_tokens
from orket_lib.providers.wire.http import most_bytes_of_tokens
from orket_lib.providers.wire.json_fields import text
from orket_lib.providers.wire.kept_connection import KeptConnection
from orket_lib.vocabulary.errors import Fault, RequestFailed

_BYTES_PER_LISTED = 2048  # far above what a token and its probability take
_LEAST_BYTES = 65536


class LlamaScorer:
    """Asks one model; see `Scorer`.

    Args:
        address: Of the server.
        named: Fields that name the model on a router.
        vocabulary: Its number of tokens, where the server tells it.
        timeout_s: Longest silence of the server.
        explaining: Raises the error behind a failed request within its context.

    Attributes:
        address: Of the server.
        vocabulary: See `Scorer`.
    """

    def __init__(
        self,
        address: ServerAddress,
        named: Mapping[str, str],
        vocabulary: int | None,
        timeout_s: float,
        explaining: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.address = address
        self.vocabulary = vocabulary
        self._named = named
        self._explaining = explaining
        self._server = KeptConnection(address, timeout_s)

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def opening(self, question: str | None) -> tuple[int, ...]:
        """Return the tokens of the chat template around a question, or those before any text."""
        if question is None:
            return self._ids("", add_special=True)
        body = {"messages": [{"role": "user", "content": question}]}
        prompt = text(self._post("/apply-template", body, most_bytes_of_tokens(question)), "prompt")
        return self._ids(prompt or question, add_special=True)

    def pieces(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text."""
        return self._ids(text)

    def next_tokens(self, pieces: Sequence[int], first: int, listed: int) -> Iterator[NextToken]:
        """Yield what the model expects; see `Scorer`."""
        most = _LEAST_BYTES + _BYTES_PER_LISTED * listed
        for end in range(first, len(pieces)):
            body = {
                "prompt": list(pieces[:end]),
                "n_predict": 1,
                "n_probs": listed,
                "temperature": 0,
                "cache_prompt": True,
            }
            yield _next_token(self._post("/completion", body, most), self.vocabulary)

    def _ids(self, content: str, add_special: bool = False) -> tuple[int, ...]:
        body = {"content": content, "add_special": add_special, "parse_special": add_special}
        tokens = self._post("/tokenize", body, most_bytes_of_tokens(content)).get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, int) for token in tokens):
            raise RequestFailed("POST /tokenize: the answer has no tokens", Fault.NOT_JSON)
        return tuple(tokens)

    def _post(self, path: str, body: dict[str, Any], most_bytes: int) -> dict[str, Any]:
        with self._explaining():
            return self._server.post(path, {**body, **self._named}, most_bytes, only_numbers=True)


def _next_token(answer: Mapping[str, Any], vocabulary: int | None) -> NextToken:
    """Return the probabilities in an answer; none of an older build, which says no logarithms."""
    places = answer.get("completion_probabilities")
    place = places[0] if isinstance(places, list) and places else None
    entries = place.get("top_logprobs") if isinstance(place, dict) else None
    whole = _by_id(entries, vocabulary) if vocabulary is not None else None
    return listed_tokens(entries, "id") if whole is None else NextToken(None, whole)


def _by_id(entries: Any, vocabulary: int) -> tuple[float, ...] | None:
    """Return the logarithms of all tokens by id, quickly; None if these are not all."""
    try:
        values = {entry["id"]: entry["logprob"] for entry in entries}
        return tuple(array("f", [values[token] for token in range(vocabulary)]))
    except (KeyError, TypeError, OverflowError):
        return None
