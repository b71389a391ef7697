"""Which option of a choice an answer chooses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from orket_lib.artifacts.views.run_report import Check
from orket_lib.reading.statements import Statement, Unparseable, statements
from orket_lib.tasks.answers import composed, normalize
from orket_lib.tasks.grading.checks import compared, shown
from orket_lib.tasks.grading.text_evaluation import Choice
from orket_lib.tasks.grading.text_graders import require_form

_DECORATION = " \t\n*_`()[].:\"'"
_STATED = re.compile(r"(?i:\banswer\b\s*(?:is|:)|\banswer\s+is\s*:)[\s*_`(\[]*([A-Za-z0-9]{1,3})\b")
# A second label after a first: `B or C`, `(B)/(C)`, `B, C`. After a comma, and for labels that are
# words (`A`, `I`), text that goes on in lower case is a sentence and not a list.
_NEXT_LABEL = re.compile(
    r"[\s*_`)\].,]{0,9}(?:[/&|+]|\b(?:or|and)\b)[\s*_`(\[]{0,9}"
    r"(?![AI][ '][a-z])([A-Za-z0-9]{1,3})\b"
    r"|[\s*_`)\]]{0,9},[\s*_`(\[]{0,9}([A-Za-z0-9]{1,3})\b(?![ '](?!(?:or|and) )[a-z])"
)
_MOST_AFTER = 500  # characters after a label that may be the text of an option
_LED = re.compile(r"[\s*_`(]*([A-Za-z0-9]{1,3})[*_`]*[).:][*_`]*[ \t].*")
# A line that only names the label: `It's B.`, `I'd go with (B)`, `B is correct`.
_SAID = re.compile(
    r"(?i:(?:it|that)(?:['\u2019]s| is)|i(?:['\u2019]d| would)? (?:choose|pick|go with|say))"
    r"[\s*_`(\[]+([A-Za-z0-9]{1,3})[*_`)\].!]*"
    r"|[*_`(\[]*([A-Za-z0-9]{1,3})[*_`)\]]* is (?:the )?(?:correct|right|best)"
    r"(?: (?:answer|option|choice|one))?[*_`.!]*"
)
_BOLD = re.compile(r"(?:\*\*|__)([^*_\n]{1,80})(?:\*\*|__)")
_CALLED = re.compile(r"\b(?:[Oo]ption|[Cc]hoice|[Ll]etter)[\s*_`(\[]{1,6}([A-Za-z0-9]{1,3})\b")
_MOST_SEARCHED = 20_000  # characters of an answer in whose parts a label is looked for


def choice(asked: Choice, answer: str) -> list[Check]:
    """Return the one check: the chosen label is the right one."""
    text = normalize(answer)
    found = chosen(asked.options, text)
    if len(found) != 1:
        raise Unparseable(f"{len(found) or 'no'} choices in {shown(text)}")
    require_form(asked, answer)
    return [compared("choice", found == {asked.expected}, asked.expected, *found)]


def chosen(options: Mapping[str, str], text: str) -> set[str]:
    """Return the labels that a normalized answer chooses: one if it is clear.

    Its final statement counts; else the label that it is or states; else the only one that is in
    bold, in a line of its own, or called an option.
    """
    final, other = statements(text)
    if final:
        return _of_statements(options, final)
    found = _chosen(options, text)
    if found or len(text) > _MOST_SEARCHED:
        return found
    if other:
        return _of_statements(options, other)
    lines = [line for line in text.split("\n") if line.strip()]
    bold = {one for match in _BOLD.finditer(text) for one in _chosen(options, match[1])}
    called = {match[1] for match in _CALLED.finditer(text) if match[1] in options}
    alone = {one for line in lines[:1] + lines[-1:] for one in _chosen(options, line.strip())}
    return next(filter(None, (bold, called, alone)), set())


def _of_statements(options: Mapping[str, str], stated: Sequence[Statement]) -> set[str]:
    """Return the labels of all statements; none if one has no single label."""
    found: set[str] = set()
    for one in stated:
        labels = _chosen(options, f"Answer: {one.line}") or _chosen(options, one.sentence)
        if one.is_denied or not labels:
            return set()
        found |= labels
    return found


def _chosen(options: Mapping[str, str], text: str) -> set[str]:
    """Return the labels that a text chooses: it is the label, or it states the answer."""
    labels = {label.casefold(): label for label in options}
    plain = text.strip(_DECORATION).casefold()
    if plain in labels:
        return {labels[plain]}
    same = {label for label, option in options.items() if _plain(option) == plain}
    # "The answer is a" may go on with a noun, so in a sentence the case of a label must match.
    whole = filter(None, (_LED.fullmatch(text), _SAID.fullmatch(text)))
    named = [*_STATED.finditer(text), *whole]
    return same.union(*(_named(options, text, match) for match in named))


def _named(options: Mapping[str, str], text: str, match: re.Match[str] | None) -> set[str]:
    """Return the label in a statement, those listed after it, and that of a quoted option."""
    found: set[str] = set()
    end, following = 0, match
    while following and (label := following[following.lastindex or 1]) in options:
        found.add(label)
        end = following.end(following.lastindex or 1)
        following = _NEXT_LABEL.match(text, end)
    said = _plain(text[end : end + _MOST_AFTER].lstrip(",")) if found else ""
    if not said or len(text) - end > _MOST_AFTER:
        return found
    with_text = {label for label, option in options.items() if _plain(option) == said}
    return found if found & with_text else found | with_text


def _plain(option: str) -> str:
    return composed(option).strip(_DECORATION).casefold()
