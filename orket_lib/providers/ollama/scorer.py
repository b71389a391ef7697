"""Teacher forcing on Ollama: bare text goes in, the most probable tokens come back as text.

There is no route that cuts a text into tokens, so the model is asked after each word, without the
chat template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orket_lib.providers.base import ServerAddress
from orket_lib.providers.ollama.stream import GENERATE, KEEP_ALIVE
from orket_lib.providers.teacher_forcing import NextToken, listed_tokens, words_of
from orket_lib.providers.wire.kept_connection import KeptConnection
from orket_lib.vocabulary.errors import ProviderError, RequestFailed

MOST_LISTED = 20  # Ollama refuses more


class OllamaScorer:
    """Asks one model; see `Scorer`.

    Args:
        address: Of the server.
        tag: Of the model.
        options: Of the load; with any other ones Ollama reloads the model.
        timeout_s: Longest silence of the server.
        explained: Returns the error behind a failed request.
    """

    vocabulary = None

    def __init__(
        self,
        address: ServerAddress,
        tag: str,
        options: Mapping[str, Any],
        timeout_s: float,
        explained: Callable[[ProviderError], ProviderError],
    ) -> None:
        self._explained = explained
        self._server = KeptConnection(address, timeout_s)
        self._body = {
            "model": tag,
            "raw": True,
            "stream": False,
            "keep_alive": KEEP_ALIVE,
            "truncate": False,
            "shift": False,
            "options": {**options, "num_predict": 1, "temperature": 0},
            "logprobs": True,
        }

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def opening(self, question: str | None) -> tuple[str, ...]:
        """Return a question as text, in a paragraph of its own."""
        return () if question is None else (f"{question}\n\n",)

    def pieces(self, text: str) -> tuple[str, ...]:
        """Return the words of a text."""
        return words_of(text)

    def next_tokens(self, pieces: Sequence[str], first: int, listed: int) -> Iterator[NextToken]:
        """Yield what the model expects; see `Scorer`. Older versions give no probabilities."""
        most = min(listed, MOST_LISTED)
        for end in range(first, len(pieces)):
            body = {**self._body, "prompt": "".join(pieces[:end]), "top_logprobs": most}
            try:
                answer = self._server.post(GENERATE, body)
            except RequestFailed as error:
                raise self._explained(error) from None
            places = answer.get("logprobs")
            place = places[0] if isinstance(places, list) and places else None
            yield listed_tokens(place.get("top_logprobs") if isinstance(place, dict) else None)
