"""What a probe asks: speed is measured apart from graded work, on text that means nothing.

A probe has a nonce at the very start of its prompt, so no prefix cache can serve it (T7), and its
text is drawn anew, so that a server that looks for equal passages anywhere in a prompt (LM Studio
does) finds none. It has at least 512 prompt tokens where the context has room, and 128 output
tokens with end-of-sequence ignored, so that every rate spans enough tokens (T19).
"""

from __future__ import annotations

import secrets

from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.measure.prompt_size import TEMPLATE_ROOM, reported_costs
from orket_lib.providers.base import GenerationRequest, Model

PROMPT_TOKENS = 512
OUTPUT_TOKENS = 128
_SENTENCE = "the {} stands by the {} and the {} lies on the {}. "
# Drawn from, four a sentence: one token each with every tokenizer that knows English.
_NOUNS = ("lamp", "door", "boat", "lake", "tree", "road", "wind", "ship")
SENTENCE_WORDS = len(_SENTENCE.split())  # about its tokens, for a server that counts none
_SHORT, _LONGER = 2, 6  # sentences: short enough for any context, and far enough apart


class ProbeMaker:
    """Makes probe requests of one length for one model.

    Args:
        model: The served model; it counts the tokens.
        spec: For sampler settings and time limit.

    Attributes:
        prompt_tokens: About how many a probe's prompt has; None where the server counts none.
    """

    def __init__(self, model: Model, spec: MeasurementSpec) -> None:
        self._spec = spec
        context = int(model.served.n_ctx or 0)
        room = context - OUTPUT_TOKENS - TEMPLATE_ROOM if context else PROMPT_TOKENS
        costs = self._costs(model)
        fixed, per_sentence = costs or (0.0, float(SENTENCE_WORDS))
        wanted = max(1, min(PROMPT_TOKENS, room))
        self._sentences = int(wanted // per_sentence) + (1 if room > PROMPT_TOKENS else 0)
        self.prompt_tokens = round(fixed + per_sentence * self._sentences) if costs else None

    def request(self, output_tokens: int = OUTPUT_TOKENS) -> GenerationRequest:
        """Return a request whose prompt no cache has seen."""
        return self._request(self._sentences, output_tokens)

    def _request(self, sentences: int, output_tokens: int) -> GenerationRequest:
        nonce = secrets.token_hex(8)
        return GenerationRequest(
            prompt=f"{nonce} {probe_text(sentences)}",
            max_tokens=output_tokens,
            temperature=self._spec.temperature,
            seed=self._spec.controls.seed,
            timeout_s=self._spec.task_timeout_sec,
            ignore_eos=True,
        )

    def _costs(self, model: Model) -> tuple[float, float] | None:
        """Return the tokens of a prompt's fixed part and of each sentence.

        From the server's tokenizer, else from what it reports for two short prompts, see
        `reported_costs`; the nonce is in these.
        """
        counted = model.count_tokens(probe_text(20))
        if counted is not None:
            return 0.0, max(1.0, counted / 20)
        return reported_costs(
            lambda sentences: model.generate(self._request(sentences, 1)).tokens.prompt,
            (_SHORT, _LONGER),
            SENTENCE_WORDS,
        )


def probe_text(sentences: int) -> str:
    """Return so many sentences, drawn anew."""
    return "".join(
        _SENTENCE.format(*(secrets.choice(_NOUNS) for _ in range(4))) for _ in range(sentences)
    )
