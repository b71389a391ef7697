"""How many pieces of text make a prompt of so many tokens, by the server's own count.

From its tokenizer where it has a route for that: then the prompt itself is counted. Else from what
it reports for two short prompts: too short for a server to cut, so that a cut of the long ones
shows against them. A server that counts nothing gets a token for every word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.errors import RequestFailed

TEMPLATE_ROOM = 64  # tokens that a chat template may add
_FEWEST_PER_WORD = 0.75  # tokens; what reports fewer has cut the prompt, nonce and all
_ROUNDS = 6  # of correcting a guess; tokens are as good as proportional to pieces
SENTENCES = (8, 16)  # of a short and a longer prompt; a task deals out eight in turn

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

    def pieces(self, prompt: Prompt, tokens: int, lengths: tuple[int, int] = SENTENCES) -> int:
        """Return the most pieces with which a prompt has no more than so many tokens.

        Args:
            prompt: Returns the prompt with so many pieces.
            tokens: Of the prompt, its template included.
            lengths: Of two prompts that are as good as any to find out what a piece costs.

        Raises:
            RequestFailed: The server counted one prompt, and not another.
        """
        template = TEMPLATE_ROOM if self.template is None else self.template
        empty = self.model.count_tokens(prompt(0))
        if empty is None:
            fixed, each = self._reported(prompt, lengths)
            return max(0, int((tokens - fixed) / each))
        each = max(1.0, (self._count(prompt(lengths[1])) - empty) / lengths[1])
        return self._counted(prompt, tokens - template, max(0, int((tokens - empty) / each)), each)

    def _counted(self, prompt: Prompt, tokens: int, found: int, each: float) -> int:
        """Return it by counting, from a guess."""
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
        if counted is None:
            raise RequestFailed("the server counts the tokens of some texts, and not of others")
        return counted

    def _reported(self, prompt: Prompt, lengths: tuple[int, int]) -> tuple[float, float]:
        """Return the tokens of a prompt's fixed part and of each piece; else by words."""
        texts = {pieces: prompt(pieces) for pieces in lengths}
        spread = len(texts[lengths[1]].split()) - len(texts[lengths[0]].split())
        words = spread / (lengths[1] - lengths[0])
        costs = reported_costs(
            lambda pieces: self.model.generate(self.request(texts[pieces])).tokens.prompt,
            lengths,
            words,
        )
        return costs or (float(TEMPLATE_ROOM + len(prompt(0).split())), words)


def reported_costs(
    ask: Callable[[int], int | None], lengths: tuple[int, int], words: float
) -> tuple[float, float] | None:
    """Return the tokens of a prompt's fixed part and of each piece, as a server reports them.

    One that cuts even short prompts is known by it, because no word is less than a token; then it
    is a token for each word. None from a server that reports no counts.

    Args:
        ask: Returns the tokens that the server reports for a prompt of so many pieces.
        lengths: A short one and a longer one, in pieces.
        words: Of a piece.
    """
    short, longer = (ask(pieces) for pieces in lengths)
    if short is None or longer is None:
        return None
    each = (longer - short) / (lengths[1] - lengths[0])
    if each < words * _FEWEST_PER_WORD:
        return 0.0, float(words)
    return short - lengths[0] * each, each
