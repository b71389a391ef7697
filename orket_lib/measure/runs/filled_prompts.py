"""Requests that fill the context: tasks, probes, and follow-ups of probes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from orket_lib.artifacts.measurements.server_facts import ProbeLengths
from orket_lib.artifacts.measurements.spec import ContextFill, RunSpec
from orket_lib.measure.request import request_for
from orket_lib.measure.session.session import OpenSession
from orket_lib.measure.speed.probe_prompts import FULL, SENTENCE_WORDS, probe_text
from orket_lib.measure.speed.prompt_length import PromptSizer
from orket_lib.providers.base import GenerationRequest
from orket_lib.tasks.bank import Task
from orket_lib.tasks.context_tasks import ContextQuestion

_LENGTHS = (26, 156)  # words of a short and a longer prompt, see `PromptSizer`
_MARGIN = 4  # tokens: the length of a nonce varies
_FOLLOW_UP_TOKENS = 32
_FOLLOW_UP_OUTPUT = 8  # only the first token counts


@dataclass(frozen=True)
class FilledPrompts:
    """Makes requests that fill the context of one session.

    Attributes:
        spec: With the context, and how it is filled.
        fill: Of the spec.
        sizer: For the served model.
        words: Number of words that fill a probe, nearly to the token.
        lengths: Of a probe; only the output length is used, as the prompt fills the context.
    """

    spec: RunSpec
    fill: ContextFill
    sizer: PromptSizer
    words: int
    lengths: ProbeLengths

    @classmethod
    def of(cls, opened: OpenSession, spec: RunSpec) -> FilledPrompts:
        """Return the prompts for an open session."""
        assert spec.context is not None

        sizer = PromptSizer(
            opened.model,
            lambda prompt: request_for(spec, prompt, 1),
            opened.record.template_tokens,
        )
        nonce = secrets.token_hex(8)
        words = sizer.pieces(
            lambda number: f"{nonce} {_words(number)}",
            spec.context.prompt_tokens(_context(spec)) - _MARGIN,
            _LENGTHS,
        )
        lengths = FULL.model_copy(update={"output_tokens": opened.maker.lengths.output_tokens})
        return cls(spec, spec.context, sizer, words, lengths)

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens a prompt has."""
        return self.fill.prompt_tokens(_context(self.spec))

    @property
    def answer_spec(self) -> RunSpec:
        """The spec with an answer limit that leaves room for the prompt."""
        left = _context(self.spec) - self.prompt_tokens - _MARGIN
        limit = min(self.spec.max_output_tokens, left)
        return self.spec.model_copy(update={"max_output_tokens": limit})

    def filled(self, task: Task) -> Task:
        """Return a task with the text that fills the context, the same text every time."""
        assert isinstance(task, ContextQuestion)
        return task.filled(self.sizer.pieces(task.prompt_of, self.prompt_tokens))

    def request(self) -> GenerationRequest:
        """Return a probe whose prompt is in no cache."""
        left = _context(self.spec) - self.prompt_tokens - _MARGIN
        prompt = f"{secrets.token_hex(8)} {_words(self.words)}"
        output = min(self.lengths.output_tokens, left)
        return request_for(self.spec, prompt, output, ignore_eos=True)

    def follow_up(self, request: GenerationRequest) -> GenerationRequest:
        """Return the request right after a probe: the same prompt and a little more."""
        words = max(1, _FOLLOW_UP_TOKENS * self.words // self.prompt_tokens)
        return replace(
            request,
            prompt=f"{request.prompt} {_words(words)}",
            max_tokens=_FOLLOW_UP_OUTPUT,
            reuse_cache=True,
        )


def _words(number: int) -> str:
    """Return the first `number` words of a probe's text."""
    return " ".join(probe_text(number // SENTENCE_WORDS + 1).split()[:number])


def _context(spec: RunSpec) -> int:
    assert spec.n_ctx is not None
    return spec.n_ctx
