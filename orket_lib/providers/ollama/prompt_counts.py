"""Prompt counts that Ollama leaves out, or makes too small, when its cache holds the prompt.

Ollama before 0.2 reported only the prompt tokens that it processed, and nothing when there were
none; some builds of 0.30 did so again. Then the count of an earlier request with the same prompt
holds: it is the same text for the same model.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from orket_lib.providers.base import Generation, GenerationRequest, TokenReport

_LEAVES_OUT = (
    "{build} left out prompt_eval_count; Ollama before 0.2 does so for a prompt that its cache "
    "holds: update it"
)
_OF_AN_EARLIER = "the prompt's count is that of an earlier request with the same prompt"


class PromptCounts:
    """The prompt counts of one session.

    Args:
        build: Of the server, for messages.
    """

    def __init__(self, build: str) -> None:
        self._build = build
        self._seen: dict[tuple[bytes, bool], int] = {}

    def completed(self, request: GenerationRequest, generation: Generation) -> Generation:
        """Return a generation with the count of its prompt, if it is known."""
        text = request.prompt.encode(errors="replace")
        key = sha256(text).digest(), request.ignore_eos  # a speed measurement has no chat template
        found, known = generation.tokens.prompt, self._seen.get(key)
        if found is not None and (known is None or found >= known):
            self._seen[key] = found
            return generation
        return replace(generation, tokens=self._completed(generation.tokens, known))

    def _completed(self, tokens: TokenReport, known: int | None) -> TokenReport:
        if known is None:
            return replace(tokens, note=_LEAVES_OUT.format(build=self._build))
        # How many of them were cached is as unknown as before.
        return replace(tokens, prompt=known, cached=None, uncached=None, note=_OF_AN_EARLIER)
