"""Tells whether an answer says a text, whatever is around it and however its parts are separated.

A candidate is right only if all of it is the expected text. Emphasis, quotes, a final full stop,
line breaks and the separators of a list are form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from orket_lib.reading.numbers import stated_number
from orket_lib.reading.statements import Statement, fenced, statements

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_PAIRS = (
    *(("***", "***"), ("**", "**"), ("__", "__"), ("*", "*"), ("_", "_"), ("```", "```")),
    *(("``", "``"), ("`", "`"), ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")),
    *(('"', '"'), ("'", "'"), ("\u201c", "\u201d"), ("\u2018", "\u2019"), ("\u201e", "\u201c")),
    *(("\u00ab", "\u00bb"), ("\u300c", "\u300d"), ("\\text{", "}"), ("\\texttt{", "}")),
    *(("\\textbf{", "}"), ("\\mathrm{", "}"), ("\\boxed{", "}"), ("<b>", "</b>")),
)
_LED = re.compile(r"\A(?:#{1,6}|>|[-*\u2022])\s+")
_EMPHASIS = re.compile(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|`+|(?<!\w)_{1,2}(?=\S)|(?<=\S)_{1,2}(?!\w)")
_PLAIN = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ",
                        "\u202f": " ", "\u2212": "-", "\u2011": "-"})  # fmt: skip
_ITEM = re.compile(r"\s*(?:[-*\u2022+]|\(?\d{1,3}[.)])\s+(\S.*)")
_SEPARATORS = ("\n", ",", ";", "|", "\u2192", "->", "<", ">", "\u2022", " / ")
_LAST_AND = re.compile(r"^(?:and|&)\s+")
_NUMBERS = re.compile(
    r"-?\d+(?:\.\d+)?(?:(?:\s*[,;|<>\u2192]\s*(?:and\s+)?|\s+(?:and\s+)?)-?\d+(?:\.\d+)?)+"
)
_DENIAL = re.compile(r"(?i)\b(?:not|never|neither|wrong|incorrect|false|unless)\b|n['\u2019]t\b")
_CHOICE = re.compile(
    r"(?i)\b(?:or|either|alternatively|instead|maybe|perhaps|wait|actually|(?:could|might) be)\b|\?"
)
_SPAN = re.compile(r"\*\*([^*\n]+)\*\*|__([^_\n]+)__")
_QUOTED = re.compile(r"`([^`\n]+)`|\"([^\"\n]+)\"|\u201c([^\u201d\n]+)\u201d")
_VERB = re.compile(
    r"(?:\b(?:is|are|was|were|be|equals|becomes|reads|gives|spells|called|named|prints|returns|"
    r"outputs|get|gets|means|to|as)\b|[:=\u2192])[ \t]+"
)
# What only says more of a value that is set apart: `"pizza" which is printed to the console`.
_REMARK = re.compile(r"(?<=[\"`*\u201d]),?[ \t]+(?:which|because|since)\b([^\n.!?]*)")
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"*`(])|\n+")
_PROSE = 4  # words of a line that explains, rather than being a candidate itself
_MOST_CHARS = 20_000  # of an answer in whose parts a text is looked for
_MOST_ENDS = 5  # places in a sentence after which the text may begin
_LONGEST_WRAPPED = 4_000


def says(text: str, expected: str, ignore_case: bool = False) -> bool:
    """Return whether a normalized answer says a text, which is normalized too."""

    def same(candidate: str) -> bool:
        return is_same(expected, candidate, ignore_case)

    if text == expected or len(text) > _MOST_CHARS:
        return same(text)
    if _NUMBER.fullmatch(expected):
        return stated_number(text) == Decimal(expected)
    final, other = statements(_REMARK.sub(_unless_denied, text))
    if final:
        return _all_say(final, expected, same)
    if same(text) or (other and _all_say(other, expected, same)):
        return True
    return not other and (any(map(same, _parts(text))) or _ends(text, same))


def results(text: str) -> list[str]:
    """Return a normalized answer, and what it may state as its result, without wrappings."""
    if len(text) > _MOST_CHARS:
        return [text]
    final, other = statements(text)
    stated = final or other
    if any(one.is_denied for one in stated) or len({one.sentence for one in stated}) > 1:
        return [text]
    parts = [part for one in stated for part in one.parts] or [text, *_parts(text)]
    forms = [form for part in parts for form in _forms(part)]
    return list(dict.fromkeys([text, *forms, *map(_unended, forms)]))


def is_bare(text: str, expected: str) -> bool:
    """Return whether an answer may be a result alone: nothing around it, and no more lines."""
    final, other = statements(text[:_MOST_CHARS])
    wrapped = _unwrapped(text) != text.strip() and _unwrapped(expected) == expected.strip()
    return not (final or other or wrapped) and text.count("\n") <= expected.count("\n")


def without_emphasis(text: str) -> str:
    """Return a text without Markdown's emphasis and code marks."""
    return _EMPHASIS.sub("", text)


def is_same(expected: str, candidate: str, ignore_case: bool = False) -> bool:
    """Return whether a candidate is a text, apart from emphasis, quotes and separators."""
    fold: Callable[[str], str] = str.casefold if ignore_case else str
    wanted = fold(expected.translate(_PLAIN))
    plain = _unended(_one_line(wanted))
    listed = tuple(map(fold, _list_of(expected, True)))
    for form in _forms(candidate):
        folded = fold(form.translate(_PLAIN))
        if folded == wanted or _unended(folded) == _unended(wanted):
            return True
        if "\n" not in expected and _unended(_one_line(folded)) == plain:
            return True
        if len(listed) > 1 and listed == tuple(map(fold, _list_of(form, False))):
            return True
    return False


def _unless_denied(remark: re.Match[str]) -> str:
    """Return nothing, or a remark that may take back what it is about."""
    return remark[0] if _DENIAL.search(remark[1]) or _CHOICE.search(remark[1]) else ""


def _all_say(stated: Sequence[Statement], expected: str, same: Callable[[str], bool]) -> bool:
    """Return whether all statements say the text; whole sentences are not cut out of others."""
    for one in stated:
        whole = (one.line, one.paragraph, one.text.strip())
        parts = whole if expected.endswith((".", "!", "?")) else one.parts
        if one.is_denied or not any(map(same, parts)):
            return False
    return True


def _unended(text: str) -> str:
    """Return a text without final punctuation, unless it is nothing else."""
    return text.rstrip(".!") or text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _forms(text: str) -> Iterator[str]:
    """Yield a text, and what is left of it without each of its wrappings."""
    plain = text.strip()
    yield plain
    if len(plain) > _LONGEST_WRAPPED:
        return
    while (inner := _unwrapped(plain)) != plain:
        plain = inner
        yield plain
    bare = _EMPHASIS.sub("", plain)
    if bare != plain:
        yield bare
        yield _unwrapped(bare)


def _unwrapped(text: str) -> str:
    """Return a text without its outermost wrapping, or its final punctuation before one."""
    text = text.strip()
    ended = text.rstrip(".,!:")
    for opened, close in _PAIRS:
        for whole in (text, ended):
            inner = whole[len(opened) : -len(close)]
            wrapped = whole.startswith(opened) and whole.endswith(close) and inner.strip()
            if wrapped and len(whole) > len(opened + close) and not _is_two(inner, opened, close):
                return inner.strip()
    return _LED.sub("", text)


def _is_two(inner: str, opened: str, close: str) -> bool:
    """Return whether a pair's end and beginning lie inside: `**a** or **b**`."""
    return close in inner and opened in inner


def _list_of(text: str, blanks_part: bool) -> tuple[str, ...]:
    """Return the items of a list; empty if a text is none, or its separators differ.

    Args:
        text: The list.
        blanks_part: Whether blanks alone separate items; between numbers they always do.
    """
    text = text.strip().rstrip(".")
    for opened, close in ("[]", "()", "{}"):
        if text.startswith(opened) and text.endswith(close):
            text = text[1:-1].strip()
    if _NUMBERS.fullmatch(text):
        return tuple(re.findall(r"-?\d+(?:\.\d+)?", text))
    lines = [line for line in text.split("\n") if line.strip()]
    items = [_ITEM.fullmatch(line) for line in lines]
    if len(lines) > 1 and all(items):
        return tuple(_item(found[1]) for found in items if found)
    used = [separator for separator in _SEPARATORS if separator in text]
    if len(used) == 1:
        parts = [part.strip() for part in text.split(used[0])]
        parts[-1] = _LAST_AND.sub("", parts[-1])
        if len(parts) > 1 and " and " in parts[-1]:
            parts[-1:] = re.split(r"\s+and\s+", parts[-1], maxsplit=1)
        return tuple(map(_item, parts)) if all(parts) else ()
    return tuple(text.split()) if blanks_part and not used else ()


def _item(text: str) -> str:
    while (inner := _unwrapped(text)) != text:
        text = inner
    return unicodedata.normalize("NFC", text)


def _parts(text: str) -> Iterator[str]:
    """Yield the parts of an answer that may be its result: what is set apart from all the rest."""
    blocks = fenced(text)
    if len(blocks) == 1:
        yield blocks[0]
    if not (_CHOICE.search(text) or _DENIAL.search(text)):
        found = list(_SPAN.finditer(text)) or list(_QUOTED.finditer(text))
        spans = {next(filter(None, one.groups())) for one in found}
        yield from spans if len(spans) == 1 else ()
    for separator in ("\n\n", "\n"):
        parts = [part for part in text.split(separator) if part.strip()]
        for one, others in ((parts[:1], parts[1:]), (parts[-1:], parts[:-1])):
            if others and all(map(_explains, others)):
                yield from one


def _explains(text: str) -> bool:
    explains = len(text.split()) >= _PROSE or text.rstrip().endswith(":")
    return explains and not _CHOICE.search(text)


def _ends(text: str, same: Callable[[str], bool]) -> bool:
    """Return whether the only statement of the first or last sentence ends with the text."""
    sentences = [one for one in _SENTENCES.split(text) if one.strip()]
    for said in {0: sentences[0], 1: sentences[-1]}.values() if sentences else ():
        if _DENIAL.search(said) or _CHOICE.search(text):
            continue
        ends = [found.end() for found in _VERB.finditer(said)][-_MOST_ENDS:]
        if any(same(said[end:]) for end in ends):
            others = [one for one in sentences if one is not said]
            return not any(_VERB.search(one) and len(one.split()) < 2 * _PROSE for one in others)
    return False
