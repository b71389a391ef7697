"""A model's answer, reduced to what counts: the text that is graded, hashed and compared.

There are two steps. `strip_reasoning` removes a leading block of thinking. `normalize` gives equal
answers equal bytes (determinism and the comparison of quants depend on it, T16), and changes
nothing that could turn a wrong answer into a right one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

# Longer answers are not graded: this is about 250,000 tokens, and no task needs a tenth of it.
MAX_CHARS = 1_000_000
_MOST_MARKS = 30  # on one letter: the limit of Unicode's Stream-Safe Text Format
_THINKING = re.compile(r"\s*<(think|thinking|reasoning)>")
_FENCE = re.compile(r"^```[ \t]*[A-Za-z0-9_+-]*\n(.*?)\n?```$", re.DOTALL)


def strip_reasoning(text: str) -> str:
    """Return the text after the reasoning.

    Some chat templates open the block themselves, so that only its end is in the text. If a block
    never ends (because of the token limit), nothing is left.
    """
    opened = _THINKING.match(text)
    if opened:
        return text.partition(f"</{opened[1]}>")[2]
    before, _, after = text.partition("</think>")
    return after if "<think>" not in before and before != text else text


def normalize(text: str) -> str:
    """Return NFC text without reasoning, outer white space, an outer fence or trailing blanks."""
    text = composed(strip_reasoning(text)).replace("\r\n", "\n").strip()
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    fenced = _FENCE.match(text)
    return fenced.group(1) if fenced else text


def composed(text: str) -> str:
    """Return NFC text; text with too many marks on a letter is returned unchanged.

    Composing takes quadratic time in the number of marks on a letter.
    """
    if text.isascii():
        return text
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        if marks > _MOST_MARKS:
            return text
    return unicodedata.normalize("NFC", text)


def comparable(text: str) -> str:
    """Return the normalized answer, or the raw text if that is too long to normalize."""
    return normalize(text) if len(text) <= MAX_CHARS else text


def fingerprint(text: str) -> str:
    """Return the SHA-256 of the comparable answer."""
    return hashlib.sha256(comparable(text).encode(errors="surrogatepass")).hexdigest()


def same_start(one: str | None, other: str | None) -> float | None:
    """Return the share of two comparable answers before their first difference, in characters.

    The share is of the longer one, so it is 1 only if they are the same. A missing answer has
    nothing in common with one that is there; None if both are missing.
    """
    if one is None or other is None:
        return None if one is other else 0.0
    if one == other:
        return 1.0
    pairs = enumerate(zip(one, other, strict=False))
    shorter, longer = sorted((len(one), len(other)))
    return next((place for place, (a, b) in pairs if a != b), shorter) / longer
