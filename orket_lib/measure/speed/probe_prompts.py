"""The requests of probes, which measure speed apart from graded work, on meaningless text.

A prompt begins with a nonce, so that no prefix cache matches (T7), and its text is random, so that
a server that looks for equal passages anywhere in a prompt (LM Studio does) finds none. It has at
least 512 prompt tokens if the context allows, and 128 output tokens with end-of-sequence ignored,
so that every rate spans enough tokens (T19). On a slow server both are lower, equally for all
quants of a model (T29).
"""

from __future__ import annotations

import secrets
from copy import copy

from orket_lib.artifacts.measurements.server_facts import ProbeLengths, PromptCosts
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.measure.request import request_for
from orket_lib.measure.speed.prompt_length import TEMPLATE_ROOM, reported_costs
from orket_lib.providers.base import GenerationRequest, Model

PROMPT_TOKENS = 512
OUTPUT_TOKENS = 128
FULL = ProbeLengths(prompt_tokens=PROMPT_TOKENS, output_tokens=OUTPUT_TOKENS)
# Lengths for slow servers, the longest first; shorter ones would give meaningless rates.
SHORTER = tuple(
    ProbeLengths(prompt_tokens=prompt, output_tokens=output)
    for prompt, output in ((256, 64), (128, 32), (64, 32))
)
FEW_TOKENS = 8  # of a short generation
# Part of what is measured: another wording would have other token counts.
_SENTENCE = "the {} stands by the {} and the {} lies on the {}. "
# Four of them are drawn for a sentence; each is one token in every English tokenizer.
_NOUNS = ("lamp", "door", "boat", "lake", "tree", "road", "wind", "ship")
SENTENCE_WORDS = len(
    _SENTENCE.split()
)  # about its number of tokens, for a server that doesn't count
_SHORT, _LONGER = 2, 6  # sentences: short enough for any context, and far enough apart


class ProbeMaker:
    """Makes probe requests of one length for one model.

    Args:
        model: The served model, which counts tokens.
        spec: With sampler settings and time limit.
        costs: Tokens per sentence, if known; else they are measured.

    Attributes:
        costs: Tokens per sentence.
        lengths: Probe lengths.
    """

    def __init__(
        self, model: Model, spec: MeasurementSpec, costs: PromptCosts | None = None
    ) -> None:
        self._spec = spec
        self._context = int(model.served.n_ctx or 0)
        self.costs = costs or self._found_costs(model)
        self.lengths = FULL

    def of_lengths(self, lengths: ProbeLengths) -> ProbeMaker:
        """Return a maker of probes with other lengths for the same model."""
        other = copy(self)
        other.lengths = lengths
        return other

    @property
    def prompt_tokens(self) -> int | None:
        """About how many tokens a probe's prompt has; None if the server doesn't count."""
        if not self.costs.counted:
            return None
        return round(self.costs.fixed + self.costs.per_sentence * self._sentences)

    @property
    def short_tokens(self) -> float:
        """About how many tokens the prompt of a short request has."""
        return self.costs.fixed + self.costs.per_sentence

    def request(self, output_tokens: int | None = None) -> GenerationRequest:
        """Return a request whose prompt is in no cache; the default is the output of a probe."""
        return self._request(self._sentences, output_tokens or self.lengths.output_tokens)

    def short(self, output_tokens: int) -> GenerationRequest:
        """Return a request of one sentence, for calibration and warm-up."""
        return self._request(1, output_tokens)

    @property
    def _sentences(self) -> int:
        lengths = self.lengths
        available = self._context - lengths.output_tokens - TEMPLATE_ROOM
        available = available if self._context else lengths.prompt_tokens
        wanted = max(1, min(lengths.prompt_tokens, available))
        return int(wanted // self.costs.per_sentence) + (available > lengths.prompt_tokens)

    def _request(self, sentences: int, output_tokens: int) -> GenerationRequest:
        nonce = secrets.token_hex(8)
        prompt = f"{nonce} {probe_text(sentences)}"
        return request_for(self._spec, prompt, output_tokens, ignore_eos=True)

    def _found_costs(self, model: Model) -> PromptCosts:
        """Return the tokens of a prompt's fixed part and of each sentence.

        They are from the server's tokenizer, else from what it reports for two short prompts
        (including their nonces); see `reported_costs`.
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
    """Return how probes of these lengths are shortened; None for full ones."""
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
    """Return random sentences."""
    return "".join(
        _SENTENCE.format(*(secrets.choice(_NOUNS) for _ in range(4))) for _ in range(sentences)
    )
