"""Well-known shapes of benchmark data, recognised by their columns.

Each makes tasks that are asked and graded as the shape means it: a GSM8K answer is the number after
`####`, an MMLU answer is a label or an index, tests of HumanEval and MBPP are examples of calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orket_lib.tasks.importing.asserts import Examples, checked_examples, listed_examples
from orket_lib.tasks.importing.numbers import number_of
from orket_lib.tasks.importing.table import Bad, Table

Draft = dict[str, Any]  # a task without an id

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MARK = "####"
_MOST_DESCRIPTION = 100


@dataclass(frozen=True)
class Shape:
    """A shape of data.

    Attributes:
        name: As people know it.
        needs: Columns without which it is another shape.
        optional: Columns that are used if they are there.
        task: Returns the task of a record, and raises `Bad`.
        says: What is done with the columns, for people.
        marked: Text that the first answer with text must contain; "" for none.
    """

    name: str
    needs: tuple[str, ...]
    optional: tuple[str, ...]
    task: Callable[[Mapping[str, Any]], Draft]
    says: str
    marked: str = ""

    def fits(self, table: Table) -> bool:
        """Tell whether a table has this shape."""
        if not set(self.needs) <= set(table.columns):
            return False
        answers = (record.values.get("answer") for record in table.records)
        return not self.marked or any(self.marked in str(answer) for answer in answers)


def shape_of(table: Table) -> Shape | None:
    """Return the shape of a table; None if it is none of the known ones."""
    return next((shape for shape in SHAPES if shape.fits(table)), None)


def number_after_mark(answer: str) -> int | float:
    """Return the number after the last `####` of a worked answer.

    Raises:
        Bad: There is none.
    """
    _, mark, said = answer.rpartition(MARK)
    number = number_of(said) if mark else None
    if number is None:
        raise Bad(f"answer: no number after `{MARK}` (got {answer[-40:]!r})")
    return number


def family_of(values: Mapping[str, Any], default: str) -> str:
    """Return the category that a record names, as a family."""
    named = next((values[name] for name in ("category", "subject") if name in values), default)
    words = re.sub(r"[^a-z0-9]+", "_", str(named).lower()).strip("_")[:40].strip("_")
    return words if words[:1].isalpha() else default


def structured(values: Mapping[str, Any], default: str, **parts: Any) -> Draft:
    """Return a structured task; its own name in the data becomes its description."""
    named = next((values[name] for name in ("task_id", "id") if name in values), "")
    return {
        "tier": 1,
        "category": family_of(values, default),
        "description": str(named)[:_MOST_DESCRIPTION],
        **parts,
    }


def text_of(values: Mapping[str, Any], name: str) -> str:
    """Return a text.

    Raises:
        Bad: It is missing or not text.
    """
    value = values.get(name)
    if value is None or value == "":
        raise Bad(f"{name}: missing")
    if not isinstance(value, str):
        raise Bad(f"{name}: must be text (got {value!r:.60})")
    return value


def _listed(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values.get(name)
    if value is None:
        raise Bad(f"{name}: missing")
    if not isinstance(value, list):
        raise Bad(f"{name}: must be a list (got {value!r:.60})")
    return value


def _gsm8k(values: Mapping[str, Any]) -> Draft:
    expected = number_after_mark(text_of(values, "answer"))
    return structured(
        values,
        "gsm8k",
        instruction=text_of(values, "question"),
        evaluation={"type": "number", "expected": expected},
    )


def _mmlu(values: Mapping[str, Any]) -> Draft:
    choices = _listed(values, "choices")
    if not 2 <= len(choices) <= len(LABELS):
        raise Bad(f"choices: must be a list of 2 to {len(LABELS)} texts (got {choices!r:.60})")
    return structured(
        values,
        "mmlu",
        instruction=text_of(values, "question"),
        evaluation=choice_of(choices, label_of(values.get("answer"), choices)),
    )


def choice_of(choices: list[Any], label: str) -> dict[str, Any]:
    """Return a grader of choices with labels from A."""
    options = {LABELS[place]: str(text) for place, text in enumerate(choices)}
    return {"type": "choice", "options": options, "expected": label}


def label_of(answer: Any, choices: list[Any]) -> str:
    """Return the label of the right choice, which is given by label or by index from 0.

    Raises:
        Bad: It is neither.
    """
    labels = LABELS[: len(choices)]
    text = str(answer).strip()
    if isinstance(answer, str) and len(text) == 1 and text.upper() in labels:
        return text.upper()
    if not isinstance(answer, bool) and text.isascii() and text.isdigit() and len(text) < 3:
        place = int(text)
        if place < len(choices):
            return labels[place]
    raise Bad(
        f"answer: must be a label from A to {labels[-1]} or an index from 0 to {len(choices) - 1} "
        f"(got {answer!r:.40})"
    )


def _human_eval(values: Mapping[str, Any]) -> Draft:
    name = text_of(values, "entry_point")
    prompt = text_of(values, "prompt").strip("\n")
    return structured(
        values,
        "humaneval",
        instruction=f"Complete this function:\n\n{prompt}",
        evaluation=_function(checked_examples(text_of(values, "test"), name)),
    )


def _mbpp(values: Mapping[str, Any]) -> Draft:
    tests = _listed(values, "test_list")
    if not tests or not all(isinstance(one, str) for one in tests):
        raise Bad(f"test_list: must be a list of texts (got {tests!r:.60})")
    if values.get("test_setup_code"):
        raise Bad("test_setup_code: is code that is not run here")
    asked = text_of(values, "text" if "text" in values else "prompt").strip()
    shown = "\n".join(tests)
    return structured(
        values,
        "mbpp",
        instruction=f"{asked}\n\nThe function must pass these tests:\n\n{shown}",
        evaluation=_function(listed_examples(tests)),
    )


def _function(found: Examples) -> dict[str, Any]:
    return {
        "type": "function_examples",
        "function_name": found.function,
        "examples": found.examples,
        "tolerance": found.tolerance,
    }


SHAPES = (
    Shape(
        "HumanEval",
        ("prompt", "test", "entry_point"),
        ("task_id",),
        _human_eval,
        "functions to complete, graded by the asserts in `test`",
    ),
    Shape(
        "MBPP",
        ("test_list",),
        ("text", "prompt", "task_id", "test_setup_code"),
        _mbpp,
        "functions to write, graded by the asserts in `test_list`",
    ),
    Shape(
        "MMLU",
        ("question", "choices", "answer"),
        ("subject", "category", "id"),
        _mmlu,
        "choices, graded by their label",
    ),
    Shape(
        "GSM8K",
        ("question", "answer"),
        ("category", "id"),
        _gsm8k,
        f"word problems, graded by the number after `{MARK}`",
        marked=MARK,
    ),
)
