"""Samples of the Inspect framework: `input`, `target`, and `choices` for multiple choice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orket_lib.tasks.importing.columns import AGREES, Reading
from orket_lib.tasks.importing.numbers import is_plain_number, number_of
from orket_lib.tasks.importing.shapes import LABELS, Draft, choice_of, structured
from orket_lib.tasks.importing.table import Bad, Table

_COLUMNS = ("input", "target", "choices", "id", "metadata")
_NOT_DATA = ("sandbox", "files", "setup")


def inspect_samples(table: Table, grader: str | None) -> Reading:
    """Return how samples are read.

    Args:
        table: Records with `input` and `target`.
        grader: `contains` if a target may be anywhere in the answer; None: it is the answer.

    Raises:
        Bad: The grader is another one.
    """
    if grader not in (None, "exact", "number", "contains"):
        raise Bad(f"--grader {grader}: of Inspect samples exact, number, contains or {AGREES}")
    targets = [target for record in table.records for target in _targets(record.values)]
    numbers = grader == "number" or (grader is None and all(map(is_plain_number, targets)))

    def task(values: Mapping[str, Any]) -> Draft:
        blocked = [name for name in _NOT_DATA if values.get(name)]
        if blocked:
            raise Bad(f"{blocked[0]}: needs more than a prompt, and can't be imported")
        asked, wanted = _asked(values.get("input")), _targets(values)
        if not wanted:
            raise Bad("target: missing")
        choices = values.get("choices")
        if isinstance(choices, list) and len(choices) > 1 and _are_labels(wanted, choices):
            evaluation = choice_of(choices, wanted[0])
        else:
            evaluation = _text_evaluation(wanted, numbers, grader == "contains")
        return structured(values, "inspect", instruction=asked, evaluation=evaluation)

    notes = []
    if any("metadata" in record.values for record in table.records):
        notes.append("`metadata` is not used")
    with_choices = [record.values for record in table.records if record.values.get("choices")]
    if not all(map(_of_labels, with_choices)):
        notes.append("`choices` whose `target` is no label such as B are not shown to the model")
    says = "Inspect samples: prompts from `input`, answers from `target`"
    return Reading(says, task, (*_COLUMNS, *_NOT_DATA, "category"), tuple(notes))


def _targets(values: Mapping[str, Any]) -> list[str]:
    given = values.get("target")
    return [str(one) for one in (given if isinstance(given, list) else [given]) if one is not None]


def _of_labels(values: Mapping[str, Any]) -> bool:
    choices = values.get("choices")
    return isinstance(choices, list) and _are_labels(_targets(values), choices)


def _are_labels(wanted: list[str], choices: list[Any]) -> bool:
    """Tell whether the target is the label of one choice."""
    return len(wanted) == 1 and len(wanted[0]) == 1 and wanted[0] in LABELS[: len(choices)]


def _text_evaluation(wanted: list[str], numbers: bool, anywhere: bool) -> dict[str, Any]:
    if anywhere:
        return {"type": "contains", "any": wanted, "ignore_case": True}
    if numbers and len(wanted) == 1:
        number = number_of(wanted[0])
        if number is None:
            raise Bad(f"target: not a number (got {wanted[0]!r:.40})")
        return {"type": "number", "expected": number}
    if len(wanted) == 1:
        return {"type": "exact", "expected": wanted[0]}
    return {"type": "regex", "pattern": "|".join(map(re.escape, wanted)), "flags": ["ignorecase"]}


def _asked(given: Any) -> str:
    """Return the prompt: a text, or a user's message with the system's before it."""
    if isinstance(given, str) and given:
        return given
    if not isinstance(given, list) or not given:
        raise Bad("input: must be text or a list of messages")
    texts = []
    for message in given:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("system", "user"):
            raise Bad(
                f"input: a message of role {role!r:.20}; only one user message, with a system "
                "message before it, can be imported"
            )
        texts.append((role, _content(message.get("content"))))
    if [role for role, _ in texts] not in (["user"], ["system", "user"]):
        raise Bad("input: only one user message, with a system message before it, can be imported")
    return "\n\n".join(text for _, text in texts)


def _content(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise Bad("input: a message with something other than text")
    return "".join(text for text in texts if isinstance(text, str))
