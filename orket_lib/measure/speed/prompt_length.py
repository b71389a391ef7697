"""Finds how many pieces of text make a prompt of a given number of tokens.

If the server has a route for its tokenizer, the prompt itself is counted. Else the tokens per piece
are computed from what it reports for two short prompts, which are too short to be truncated. For a
server that counts nothing, a word counts as a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.errors import RequestFailed

TEMPLATE_ROOM = 64  # tokens that a chat template may add
_FEWEST_PER_WORD = 0.75  # tokens; a server that reports fewer has truncated the prompt
_ROUNDS = 6  # of corrections; the token count is nearly proportional to the number of pieces
SENTENCES = (8, 16)  # of a short and a longer prompt; multiples of the eight different ones

Prompt = Callable[[int], str]


@dataclass(frozen=True)
class PromptSizer:
    """Finds the length of prompts for one served model.

    Attributes:
        model: The served model, which counts tokens.
        request: Makes a request for a prompt whose tokens are counted.
        template: Tokens that the chat template adds; None if unknown.
    """

    model: Model
    request: Callable[[str], GenerationRequest]
    template: int | None

    def pieces(self, prompt: Prompt, tokens: int, lengths: tuple[int, int] = SENTENCES) -> int:
        """Return the largest number of pieces with which a prompt has at most `tokens` tokens.

        Args:
            prompt: Returns the prompt with a number of pieces.
            tokens: Limit, including the template.
            lengths: Two numbers of pieces, for measuring the tokens per piece.

        Raises:
            RequestFailed: The server counted one prompt, but not another.
        """
        template = TEMPLATE_ROOM if self.template is None else self.template
        empty = self.model.count_tokens(prompt(0))
        if empty is None:
            fixed, each = self._reported(prompt, lengths)
            return max(0, int((tokens - fixed) / each))
        each = max(1.0, (self._count(prompt(lengths[1])) - empty) / lengths[1])
        return self._counted(prompt, tokens - template, max(0, int((tokens - empty) / each)), each)

    def _counted(self, prompt: Prompt, tokens: int, found: int, each: float) -> int:
        """Return the number of pieces by counting, starting from a guess."""
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
            raise RequestFailed("the server counts the tokens of some texts, but not of others")
        return counted

    def _reported(self, prompt: Prompt, lengths: tuple[int, int]) -> tuple[float, float]:
        """Return the tokens of a prompt's fixed part and of each piece: as reported, else words."""
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

    If it reports clearly less than a token per word, it truncates even short prompts; then a word
    counts as a token. None if the server reports no counts.

    Args:
        ask: Returns the reported tokens of a prompt with a number of pieces.
        lengths: Pieces of a short and of a longer prompt.
        words: Words of a piece.
    """
    short, longer = (ask(pieces) for pieces in lengths)
    if short is None or longer is None:
        return None
    each = (longer - short) / (lengths[1] - lengths[0])
    if each < words * _FEWEST_PER_WORD:
        return 0.0, float(words)
    return short - lengths[0] * each, each
