"""How many sentences make a prompt of so many tokens, by the server's own count.

From its tokenizer where it has a route for that: then the prompt itself is counted. Else from what
it reports for two short prompts: too short for a server to cut, so that a cut of the long ones
shows against them. A server that counts nothing gets a token for every word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orket_lib.providers.base import GenerationRequest, Model

TEMPLATE_ROOM = 64  # tokens that a chat template may add
_FEWEST_PER_WORD = 0.75  # tokens; what reports fewer has cut the prompt, nonce and all
_ROUNDS = 6  # of correcting a guess; tokens are as good as proportional to sentences
_SHORT, _LONGER = 2, 12  # sentences

Prompt = Callable[[int], str]


@dataclass(frozen=True)
class PromptSizer:
    """Finds the length of prompts for one served model.

    Attributes:
        model: It counts.
        request: Makes the request for a prompt whose tokens are only counted.
        template: Tokens that the chat template adds; None when that can't be told.
    """

    model: Model
    request: Callable[[str], GenerationRequest]
    template: int | None

    def sentences(self, prompt: Prompt, tokens: int) -> int:
        """Return the most sentences with which a prompt has no more than so many tokens.

        Args:
            prompt: Returns the prompt with so many sentences.
            tokens: Of the prompt, its template included.
        """
        template = TEMPLATE_ROOM if self.template is None else self.template
        empty = self.model.count_tokens(prompt(0))
        if empty is None:
            fixed, each = self._reported(prompt)
            return max(0, int((tokens - fixed) / each))
        return self._counted(prompt, tokens - template, empty)

    def _counted(self, prompt: Prompt, tokens: int, empty: int) -> int:
        """Return it by counting; `empty` are the tokens without a sentence."""
        each = max(1.0, (self._count(prompt(_LONGER)) - empty) / _LONGER)
        found = max(0, int((tokens - empty) / each))
        for _ in range(_ROUNDS):
            left = tokens - self._count(prompt(found))
            if 0 <= left < each:
                break
            found = max(0, found + int(left // each))
        while found and self._count(prompt(found)) > tokens:
            found -= 1
        return found

    def _count(self, text: str) -> int:
        counted = self.model.count_tokens(text)
        assert counted is not None  # it counted before
        return counted

    def _reported(self, prompt: Prompt) -> tuple[float, float]:
        """Return the tokens of a prompt's fixed part and of each sentence; else by words."""
        texts = {sentences: prompt(sentences) for sentences in (_SHORT, _LONGER)}
        spread = len(texts[_LONGER].split()) - len(texts[_SHORT].split())
        words = spread / (_LONGER - _SHORT)
        costs = reported_costs(
            lambda sentences: self.model.generate(self.request(texts[sentences])).tokens.prompt,
            (_SHORT, _LONGER),
            words,
        )
        return costs or (float(TEMPLATE_ROOM + len(prompt(0).split())), words)


def reported_costs(
    ask: Callable[[int], int | None], lengths: tuple[int, int], words: float
) -> tuple[float, float] | None:
    """Return the tokens of a prompt's fixed part and of each sentence, as a server reports them.

    One that cuts even short prompts is known by it, because no word is less than a token; then it
    is a token for each word. None from a server that reports no counts.

    Args:
        ask: Returns the tokens that the server reports for so many sentences.
        lengths: A short one and a longer one, in sentences.
        words: Of a sentence.
    """
    short, longer = (ask(sentences) for sentences in lengths)
    if short is None or longer is None:
        return None
    each = (longer - short) / (lengths[1] - lengths[0])
    if each < words * _FEWEST_PER_WORD:
        return 0.0, float(words)
    return short - lengths[0] * each, each
