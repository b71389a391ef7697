"""Whether an answer keeps the form that its task asks for, whatever its content.

It is a thing of its own that a model can lose: the score counts content, and the share of answers
that kept their form stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orket_lib.reading.json_values import strict_json
from orket_lib.reading.reasoning import strip_reasoning
from orket_lib.reading.statements import Unparseable
from orket_lib.reading.texts import is_bare
from orket_lib.tasks.answers import MAX_CHARS, normalize
from orket_lib.tasks.extraction import blocks_of
from orket_lib.tasks.grading.code_evaluation import AstRules, CliExamples, FunctionExamples
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.text_evaluation import (
    Agrees,
    Choice,
    Contains,
    Exact,
    JsonList,
    JsonSchema,
    JsonValue,
    Label,
    Number,
    ReasoningGym,
    Regex,
    ToolCalls,
)

_NUMBER = re.compile(r"[-+\u2212]?\d[\d.,]*")
_LABEL_MARKS = " ()[].:"


def forms_kept(evaluations: Sequence[Evaluation], answer: str) -> bool | None:
    """Return whether an answer has the form of every grader; None if none of them has a form."""
    if len(answer) > MAX_CHARS:
        return False
    kept = [form_kept(one, answer) for one in evaluations]
    known = [one for one in kept if one is not None]
    return all(known) if known else None


def form_kept(asked: Evaluation, answer: str) -> bool | None:
    """Return whether an answer has the form that a grader's prompt asks for.

    None for graders that look for something anywhere in an answer, or for nothing.
    """
    text = normalize(answer)
    match asked:
        case Number():
            return bool(_NUMBER.fullmatch(text))
        case Choice():
            return text.strip(_LABEL_MARKS).casefold() in map(str.casefold, asked.options)
        case Label():
            return text.strip(".").casefold() in map(str.casefold, asked.labels)
        case JsonValue() | JsonList() | JsonSchema() | ToolCalls():
            return _is_json(text)
        case Exact():
            return text == normalize(asked.expected) or is_bare(text, asked.expected)
        case Regex():
            return None if asked.anywhere else is_bare(text, text)
        case FunctionExamples() | CliExamples() | AstRules():
            return _is_code(asked, answer)
        case Contains() | Agrees() | ReasoningGym():
            return None


def _is_json(text: str) -> bool:
    try:
        strict_json(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_code(asked: FunctionExamples | CliExamples | AstRules, answer: str) -> bool:
    """Return whether an answer has one code block for each file."""
    files = len(asked.paths) if isinstance(asked, CliExamples) else 1
    try:
        return len(blocks_of(strip_reasoning(answer))) == files
    except Unparseable:
        return False
