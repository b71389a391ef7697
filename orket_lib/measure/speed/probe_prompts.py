"""What a probe asks: speed is measured apart from graded work, on text that means nothing.

A probe has a nonce at the very start of its prompt, so no prefix cache can serve it (T7), and its
text is drawn anew, so that a server that looks for equal passages anywhere in a prompt (LM Studio
does) finds none. It has at least 512 prompt tokens where the context has room, and 128 output
tokens with end-of-sequence ignored, so that every rate spans enough tokens (T19). On a slow server
both are less, for all quants of a model equally (T29).
"""

from __future__ import annotations

import secrets
from copy import copy

from orket_lib.artifacts.measurements.server_facts import ProbeLengths, PromptCosts
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.measure.speed.prompt_length import TEMPLATE_ROOM, reported_costs
from orket_lib.providers.base import GenerationRequest, Model

PROMPT_TOKENS = 512
OUTPUT_TOKENS = 128
FULL = ProbeLengths(prompt_tokens=PROMPT_TOKENS, output_tokens=OUTPUT_TOKENS)
# What a slow server's probes may have instead, the longest first; below the last one a rate says
# nothing of the model any more.
SHORTER = tuple(
    ProbeLengths(prompt_tokens=prompt, output_tokens=output)
    for prompt, output in ((256, 64), (128, 32), (64, 32))
)
FEW_TOKENS = 8  # of a short generation
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
        costs: Tokens of the text, where they are known; else they are found out.

    Attributes:
        costs: Tokens of the text.
        lengths: Of a probe.
    """

    def __init__(
        self, model: Model, spec: MeasurementSpec, costs: PromptCosts | None = None
    ) -> None:
        self._spec = spec
        self._context = int(model.served.n_ctx or 0)
        self.costs = costs or self._found_costs(model)
        self.lengths = FULL

    def of_lengths(self, lengths: ProbeLengths) -> ProbeMaker:
        """Return a maker of other probes for the same model."""
        other = copy(self)
        other.lengths = lengths
        return other

    @property
    def prompt_tokens(self) -> int | None:
        """About how many a probe's prompt has; None where the server counts none."""
        if not self.costs.counted:
            return None
        return round(self.costs.fixed + self.costs.per_sentence * self._sentences)

    @property
    def short_tokens(self) -> float:
        """About how many tokens the prompt of a short request has."""
        return self.costs.fixed + self.costs.per_sentence

    def request(self, output_tokens: int | None = None) -> GenerationRequest:
        """Return a request whose prompt no cache has seen; None is the length of a probe."""
        return self._request(self._sentences, output_tokens or self.lengths.output_tokens)

    def short(self, output_tokens: int) -> GenerationRequest:
        """Return a request of one sentence: for what needs no probe to find out."""
        return self._request(1, output_tokens)

    @property
    def _sentences(self) -> int:
        lengths = self.lengths
        room = self._context - lengths.output_tokens - TEMPLATE_ROOM
        room = room if self._context else lengths.prompt_tokens
        wanted = max(1, min(lengths.prompt_tokens, room))
        return int(wanted // self.costs.per_sentence) + (1 if room > lengths.prompt_tokens else 0)

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

    def _found_costs(self, model: Model) -> PromptCosts:
        """Return the tokens of a prompt's fixed part and of each sentence.

        From the server's tokenizer, else from what it reports for two short prompts, see
        `reported_costs`; the nonce is in these.
        """
        counted = model.count_tokens(probe_text(20))
        if counted is not None:
            return PromptCosts(fixed=0.0, per_sentence=max(1.0, counted / 20), counted=True)
        reported = reported_costs(
            lambda sentences: model.generate(self._request(sentences, 1)).tokens.prompt,
            (_SHORT, _LONGER),
            SENTENCE_WORDS,
        )
        fixed, each = reported or (0.0, float(SENTENCE_WORDS))
        return PromptCosts(fixed=fixed, per_sentence=each, counted=reported is not None)


def shortening(lengths: ProbeLengths) -> str | None:
    """Return in words what probes of these lengths lack; None for full ones."""
    lacks = [
        f"{have} {what} tokens instead of {full}"
        for have, full, what in (
            (lengths.prompt_tokens, PROMPT_TOKENS, "prompt"),
            (lengths.output_tokens, OUTPUT_TOKENS, "output"),
        )
        if have < full
    ]
    return " and ".join(lacks) or None


def probe_text(sentences: int) -> str:
    """Return so many sentences, drawn anew."""
    return "".join(
        _SENTENCE.format(*(secrets.choice(_NOUNS) for _ in range(4))) for _ in range(sentences)
    )
