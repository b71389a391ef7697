"""Whether other clients used the server, and whether it stayed the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orket_lib.artifacts.views.run_report import Observation
from orket_lib.providers.openai.client import OpenAiClient
from orket_lib.providers.wire.prometheus import Traffic, Window, samples, settled, traffic
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.reasons import Reason

# Fields of a model's entry that must not change during a measurement.
_IDENTITY = ("root", "parent", "max_model_len", "owned_by")


class OpenAiWatch:
    """Reads the server's counters around each request, and its list of models after it.

    Args:
        client: Of the server.
        name: Of the model.
        card: The server's entry for it when the session opened.
    """

    def __init__(self, client: OpenAiClient, name: str, card: Mapping[str, Any]) -> None:
        self._client = client
        self._name = name
        self._identity = _identity(card)
        self._before: Traffic | None = None
        self._window: Window | None = None
        self._open = False
        self._counts = self._traffic() is not None

    def before(self) -> None:
        """Read the counters before a request of ours.

        If the last request had no end, the server may still be working on it, so the counters
        around the next one are ignored.
        """
        lost, self._open = self._open, True
        self._window = None
        self._before = self._traffic() if self._counts and not lost else None

    def after(self) -> int | None:
        """Read the counters after it, and return its cached prompt tokens, if known."""
        self._open = False
        self._window = settled(self._traffic, self._before) if self._before else None
        return self._window.cached if self._window else None

    def look(self, replaced: str | None) -> Iterator[Observation]:
        """Yield what else happened on the server around the last request.

        Args:
            replaced: What happened to its process, if anything did.
        """
        changed = replaced or self._changed()
        if self._window and self._window.restarted:
            changed = changed or "the server's counters were reset"
        if changed:
            yield Observation.of(Reason.SERVER_RESTARTED, changed)
        if self._window and self._window.foreign:
            yield Observation.of(Reason.FOREIGN_REQUESTS, self._window.foreign)
        self._window = None

    def _traffic(self) -> Traffic | None:
        try:
            return traffic(samples(self._client.server.text("GET", "/metrics")))
        except ProviderError:
            return None

    def _changed(self) -> str | None:
        """Return how the server's entry for our model differs from what it was."""
        try:
            card = self._client.models().get(self._name)
        except ProviderError:
            return None  # the next request reports what is wrong
        if card is None:
            return f"the server no longer offers {self._name}"
        before, self._identity = self._identity, _identity(card)
        if before == self._identity:
            return None
        return f"the server's {self._name} was {before} and is {self._identity}"


def _identity(card: Mapping[str, Any]) -> dict[str, Any]:
    return {key: card[key] for key in _IDENTITY if card.get(key) is not None}
