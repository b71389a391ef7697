"""Teacher forcing on servers with OpenAI's `/v1/completions`.

Where the server also cuts texts into tokens (vLLM), it is asked once for each text and lists what
it expects at every place of the prompt (`echo`). Else it is asked after each word. How many
probabilities it lists is found out: servers refuse more than their limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orket_lib.providers.base import ServerAddress
from orket_lib.providers.teacher_forcing import NextToken, listed_tokens, ordered, words_of
from orket_lib.providers.wire.http import most_bytes_of_tokens
from orket_lib.providers.wire.json_fields import section
from orket_lib.providers.wire.kept_connection import KeptConnection
from orket_lib.vocabulary.errors import REFUSALS, Fault, ProviderError, RequestFailed

COMPLETIONS, TOKENIZE = "/v1/completions", "/tokenize"
_LIMITS = (20, 5)  # of vLLM and of OpenAI's own servers, by default
_BYTES_PER_PLACE = 65536
_NOT_GIVEN = NextToken((), ())
_REFUSED = (*REFUSALS, Fault.NOT_FOUND)
_Pieces = tuple[int, ...] | tuple[str, ...]


class OpenAiScorer:
    """Asks one model; see `Scorer`.

    Args:
        address: Of the server.
        model: As the server spells it.
        timeout_s: Longest silence of the server.
        explained: Returns the error behind a failed request.
    """

    vocabulary = None

    def __init__(
        self,
        address: ServerAddress,
        model: str,
        timeout_s: float,
        explained: Callable[[ProviderError], ProviderError],
    ) -> None:
        self._explained = explained
        self._named = {"model": model}
        self._server = KeptConnection(address, timeout_s)
        self._most: int | None = None  # accepted number of probabilities; 0 = none are given
        self._has_tokens: bool | None = None

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def opening(self, question: str | None) -> _Pieces:
        """Return what precedes an answer, or a bare text (None)."""
        if question is None:
            return self._tokens(prompt="", add_special_tokens=True) or ()
        messages = [{"role": "user", "content": question}]
        return self._tokens(messages=messages, add_generation_prompt=True) or (f"{question}\n\n",)

    def pieces(self, text: str) -> _Pieces:
        """Return the tokens of a text, or its words."""
        return self._tokens(prompt=text, add_special_tokens=False) or words_of(text)

    def next_tokens(
        self, pieces: Sequence[int] | Sequence[str], first: int, listed: int
    ) -> Iterator[NextToken]:
        """Yield what the model expects; see `Scorer`."""
        if pieces and isinstance(pieces[0], int):
            answer = self._completion(list(pieces), listed, echo=True)
            places = _echoed(answer, len(pieces))
            yield from places[first:] if places else [_NOT_GIVEN] * (len(pieces) - first)
            return
        for end in range(first, len(pieces)):
            yield _only(self._completion("".join(map(str, pieces[:end])), listed))

    def _completion(
        self, prompt: str | list[Any], listed: int, echo: bool = False
    ) -> Mapping[str, Any]:
        """Return the probabilities in an answer; an empty object if the server gives none."""
        body = {**self._named, "prompt": prompt, "max_tokens": 1, "temperature": 0}
        body |= {"echo": True} if echo else {}
        most_bytes = _BYTES_PER_PLACE * (len(prompt) + 1 if echo else 1)
        tried = (listed, *_LIMITS) if self._most is None else (self._most,)
        for most in tried if self._most != 0 else ():
            try:
                answer = self._server.post(COMPLETIONS, {**body, "logprobs": most}, most_bytes)
            except RequestFailed as error:
                if error.fault not in _REFUSED:
                    raise self._explained(error) from None
                if self._most is not None:
                    raise
            else:
                self._most = most
                choices = answer.get("choices")
                choice = choices[0] if isinstance(choices, list) and choices else None
                return section(choice, "logprobs") if isinstance(choice, dict) else {}
        self._most = 0
        return {}

    def _tokens(self, **asked: Any) -> tuple[int, ...] | None:
        """Return the tokens that vLLM's route finds; None from a server without it."""
        if self._has_tokens is False:
            return None
        most = most_bytes_of_tokens(str(asked))
        try:
            tokens = self._server.post(TOKENIZE, {**self._named, **asked}, most).get("tokens")
        except RequestFailed as error:
            if error.fault not in _REFUSED:
                raise self._explained(error) from None
            tokens = None
        self._has_tokens = isinstance(tokens, list) and all(isinstance(it, int) for it in tokens)
        return tuple(tokens) if isinstance(tokens, list) and self._has_tokens else None


def _echoed(logprobs: Mapping[str, Any], places: int) -> list[NextToken]:
    """Return what was expected at each place of the prompt; nothing without that."""
    listed = logprobs.get("top_logprobs")
    if not isinstance(listed, list) or len(listed) < places:
        return []
    return [_mapping(place) for place in listed[:places]]


def _only(logprobs: Mapping[str, Any]) -> NextToken:
    """Return what is expected next, in the form of OpenAI's completions or of its chats."""
    places = logprobs.get("top_logprobs")
    if isinstance(places, list) and places:
        return _mapping(places[0])
    content = logprobs.get("content")
    first = content[0] if isinstance(content, list) and content else None
    return listed_tokens(first.get("top_logprobs") if isinstance(first, dict) else None)


def _mapping(place: object) -> NextToken:
    return ordered(place.items()) if isinstance(place, dict) else _NOT_GIVEN
