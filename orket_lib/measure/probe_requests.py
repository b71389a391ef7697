"""What a probe asks: speed is measured apart from graded work, on text that means nothing.

A probe has a nonce at the very start of its prompt, so no prefix cache can serve it (T7), at least
512 prompt tokens where the context has room, and 128 output tokens with end-of-sequence ignored, so
that every rate spans enough tokens (T19).
"""

from __future__ import annotations

import secrets

from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.providers.base import GenerationRequest, Model

PROMPT_TOKENS = 512
OUTPUT_TOKENS = 128
TEMPLATE_ROOM = 64  # tokens that a chat template may add
_SENTENCE = "the lamp stands by the door and the boat lies on the lake. "


class ProbeMaker:
    """Makes probe requests of one length for one model.

    Args:
        model: The served model; it counts the tokens.
        spec: For sampler settings and time limit.
    """

    def __init__(self, model: Model, spec: MeasurementSpec) -> None:
        context = int(model.served.n_ctx or 0)
        room = context - OUTPUT_TOKENS - TEMPLATE_ROOM if context else PROMPT_TOKENS
        per_sentence = max(1.0, model.count_tokens(_SENTENCE * 20) / 20)
        wanted = max(1, min(PROMPT_TOKENS, room))
        self._sentences = int(wanted // per_sentence) + (1 if room > PROMPT_TOKENS else 0)
        self._spec = spec

    def request(self, output_tokens: int = OUTPUT_TOKENS) -> GenerationRequest:
        """Return a request whose prompt no cache has seen."""
        nonce = secrets.token_hex(8)
        return GenerationRequest(
            prompt=f"{nonce} {_SENTENCE * self._sentences}",
            max_tokens=output_tokens,
            temperature=self._spec.temperature,
            seed=self._spec.controls.seed,
            timeout_s=self._spec.task_timeout_sec,
            ignore_eos=True,
        )
