"""Requests of others on a llama.cpp server that is not ours alone, told by the server's counters.

Every token that the server has processed since the last look is either one of our own requests or
somebody else's. A server that counts (`--metrics`) shows those in between; one that only shows its
slots (`--slots`) those of the moment; one that shows neither shows nothing.
"""

from __future__ import annotations

from orket_lib.providers.base import TokenReport
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.vocabulary.errors import ProviderError

_PROMPT, _OUTPUT = "llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total"
_AT_WORK = "llamacpp:requests_processing"


class Traffic:
    """Looks at a server's counters between our own requests.

    Args:
        client: Of the server.
    """

    def __init__(self, client: LlamaClient) -> None:
        self._client = client
        self._own_prompt = self._own_output = 0
        self._known = True
        self._last = self._counters()

    def add(self, tokens: TokenReport | None) -> None:
        """Count a request of ours; None for one that failed, of which nobody knows how far it got.

        What it did to the counters can't be told from what others did, so nothing is said about
        others until the server is idle again.
        """
        if tokens is None or tokens.uncached is None or tokens.output is None:
            self._known = False
            return
        self._own_prompt += tokens.uncached
        self._own_output += tokens.output

    def restarted(self) -> bool:
        """Tell whether the counters are younger than the last look: they only ever grow."""
        now = self._counters()
        return any(now[name] < self._last[name] for name in (_PROMPT, _OUTPUT) if name in now)

    def foreign(self) -> str | None:
        """Return what others did since the last look, or None when there is nothing to say."""
        last, now = self._last, self._counters()
        at_work = self._at_work(now)
        if not self._known:
            if not at_work:  # neither ours nor anybody's is left
                self._start_anew(now)
            return None
        prompt = now.get(_PROMPT, 0) - last.get(_PROMPT, 0) - self._own_prompt
        output = now.get(_OUTPUT, 0) - last.get(_OUTPUT, 0) - self._own_output
        self._start_anew(now)
        counted = _PROMPT in now and _PROMPT in last
        found = []
        if counted and (prompt > 0 or output > 0):
            found.append(f"{prompt:g} prompt and {output:g} output tokens were not ours")
        if at_work:
            found.append(f"{at_work:g} requests of others were at work")
        return "; ".join(found) or None

    def _start_anew(self, now: dict[str, float]) -> None:
        self._last, self._known = now, True
        self._own_prompt = self._own_output = 0

    def _counters(self) -> dict[str, float]:
        try:
            return self._client.metrics()
        except ProviderError:  # it does not count
            return {}

    def _at_work(self, counters: dict[str, float]) -> float:
        if _AT_WORK in counters:
            return counters[_AT_WORK]
        try:
            return self._client.busy_slots()
        except (ProviderError, ValueError, AttributeError):  # it does not show its slots
            return 0
