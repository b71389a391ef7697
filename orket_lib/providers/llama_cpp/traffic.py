"""Requests of other clients on a llama.cpp server, detected by its counters.

Tokens that the server has processed since the last look and that are not ours belong to other
clients. With `--metrics` the server counts all of them; with `--slots` only the requests of the
moment are visible; without both, nothing is.
"""

from __future__ import annotations

from orket_lib.providers.base import TokenReport
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.vocabulary.errors import ProviderError

_PROMPT, _OUTPUT = "llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total"
_AT_WORK = "llamacpp:requests_processing"


class Traffic:
    """Reads a server's counters between our own requests.

    Args:
        client: Of the server.
    """

    def __init__(self, client: LlamaClient) -> None:
        self._client = client
        self._own_prompt = self._own_output = 0
        self._known = True
        self._last = self._counters()

    def add(self, tokens: TokenReport | None) -> None:
        """Count a request of ours; None for one that failed after an unknown number of tokens.

        After such a failure the counters are ambiguous, so other clients are not reported until the
        server is idle again.
        """
        if tokens is None or tokens.uncached is None or tokens.output is None:
            self._known = False
            return
        self._own_prompt += tokens.uncached
        self._own_output += tokens.output

    def restarted(self) -> bool:
        """Return whether the counters were reset since the last look: otherwise they only grow."""
        now = self._counters()
        return any(now[name] < self._last[name] for name in (_PROMPT, _OUTPUT) if name in now)

    def foreign(self) -> str | None:
        """Return what other clients did since the last look; None when nothing is known of any."""
        last, now = self._last, self._counters()
        at_work = self._at_work(now)
        if not self._known:
            if not at_work:  # no request is left
                self._start_anew(now)
            return None
        prompt = now.get(_PROMPT, 0) - last.get(_PROMPT, 0) - self._own_prompt
        output = now.get(_OUTPUT, 0) - last.get(_OUTPUT, 0) - self._own_output
        self._start_anew(now)
        counted = _PROMPT in now and _PROMPT in last
        found = []
        if counted and (prompt > 0 or output > 0):
            found.append(f"{prompt:g} prompt and {output:g} output tokens of other clients")
        if at_work:
            found.append(f"{at_work:g} requests of other clients were running")
        return "; ".join(found) or None

    def _start_anew(self, now: dict[str, float]) -> None:
        self._last, self._known = now, True
        self._own_prompt = self._own_output = 0

    def _counters(self) -> dict[str, float]:
        try:
            return self._client.metrics()
        except ProviderError:  # started without --metrics
            return {}

    def _at_work(self, counters: dict[str, float]) -> float:
        if _AT_WORK in counters:
            return counters[_AT_WORK]
        try:
            return self._client.busy_slots()
        except (ProviderError, ValueError):  # started without --slots
            return 0
