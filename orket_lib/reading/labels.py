"""Reads which one of a few known words an answer names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from orket_lib.reading.statements import Statement, statements

_DENIED = re.compile(
    r"(?i)(?:\b(?:not|never|neither|nor|without|except|than|instead of|hardly|barely|far from|"
    r"opposite of|anything but|non)|n['\u2019]t)-?"
    r"(?:\s+(?:be|the|an?|in|at|from|really|just))*[\s*_`\"'\u201c]*\Z"
)
_OR_BEFORE = re.compile(r"(?i)\b(?:or|either)\b\W{0,4}\Z")
_OR_AFTER = re.compile(r"(?i)\W{0,4}\bor\b")
# A date says more than its month.
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE_BEFORE = re.compile(rf"\b{_DAY}(?: of)?,? \Z")
_DATE_AFTER = re.compile(r",? \d{4}\b")
_DATE = re.compile(rf" {_DAY},? \d{{4}}\b")
_BOLD = re.compile(r"(?:\*\*|__)([^*_\n]{1,80})(?:\*\*|__)")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_MARKER = re.compile(
    r"(?i)\b(?:is|are|was|were|so|thus|therefore|hence|label(?:led|ed)?|called|choose|say)\b|[:=\u2192]"
)
_DOUBT = re.compile(r"(?i)\b(?:or|either|maybe|perhaps|if)\b|\?")
_CONTEXT = 40  # characters before a word that may deny it
_TAIL = 20_000


def stated_label(text: str, labels: Sequence[str]) -> str | None:
    """Return the label that a normalized answer states; None if it states none or several.

    Labels are whole words; upper and lower case don't matter. Those that are denied don't count.
    """
    read = _reader(labels)
    tail = text[-_TAIL:]
    final, other = statements(text)
    if final:
        return _common(final, read)
    if other and (found := _common(other, read)):
        return found
    if any(one.is_denied for one in other):
        return None
    if one := read(tail):
        return one
    bold = {read(found[1]) for found in _BOLD.finditer(tail)} - {None}
    if len(bold) == 1 and not _DOUBT.search(tail):
        return bold.pop()
    lines = [line for line in tail.split("\n") if line.strip()]
    alone = [line for line in lines if len(line.split()) <= 2 and read(line)]
    if len(alone) == 1 and alone[0] in (lines[0], lines[-1]):
        return read(alone[0])
    return _concluded(tail, read)


def _reader(labels: Sequence[str]) -> Callable[[str], str | None]:
    names = {label.casefold(): label for label in labels}
    parts = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![^\W_])(?:{parts})(?![^\W_])", re.IGNORECASE)

    def read(text: str) -> str | None:
        found = set()
        for one in pattern.finditer(text):
            before = text[max(0, one.start() - _CONTEXT) : one.start()]
            if _OR_BEFORE.search(before) or _OR_AFTER.match(text, one.end()):
                return None
            if not (_DENIED.search(before) or _is_in_date(before, text, one.end())):
                found.add(names[one[0].casefold()])
        return found.pop() if len(found) == 1 and not text.rstrip().endswith("?") else None

    return read


def _is_in_date(before: str, text: str, end: int) -> bool:
    """Return whether a word is the month of a whole date."""
    led = _DATE_BEFORE.search(before) and _DATE_AFTER.match(text, end)
    return bool(led or _DATE.match(text, end))


def _common(stated: Sequence[Statement], read: Callable[[str], str | None]) -> str | None:
    found = {None if one.is_denied else read(one.sentence) for one in stated}
    return found.pop() if len(found) == 1 else None


def _concluded(text: str, read: Callable[[str], str | None]) -> str | None:
    """Return the label at the end of the last sentence: `Mia has it, so the owner is Mia.`"""
    said = next((one for one in reversed(_SENTENCES.split(text)) if one.strip()), "")
    markers = list(_MARKER.finditer(said))
    return read(said[markers[-1].end() :]) if markers and not _DOUBT.search(said) else None
