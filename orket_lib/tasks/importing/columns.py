"""Tasks from columns of a prompt and an answer, under the names that people give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.artifacts.digest import canonical_json
from orket_lib.reading.json_values import strict_json
from orket_lib.tasks.importing.numbers import is_plain_number, number_of
from orket_lib.tasks.importing.shapes import Draft, family_of, text_of
from orket_lib.tasks.importing.table import Bad, Table

# Names of a column, the first of which wins; of several others, none does.
PROMPTS = ("prompt", "question", "input", "instruction", "query", "problem")
ANSWERS = ("answer", "target", "expected", "expected_answer", "expected_output", "gold")
OPTIONAL = ("id", "tier", "category", "grader")
NAMES = ("prompt", "answer", *OPTIONAL)
AGREES = "agrees"
_NO_ANSWER = (
    f"type --map answer=COLUMN, or --grader {AGREES} to ask without right answers (such tasks only "
    "count for agreement with the baseline)"
)


@dataclass(frozen=True)
class Reading:
    """How the records of a file become tasks.

    Attributes:
        says: What is done with which columns, for people.
        task: Returns the task of a record, and raises `Bad`.
        used: Columns that are used, or need no mention.
        notes: Whatever else a user should know.
    """

    says: str
    task: Callable[[Mapping[str, Any]], Draft]
    used: tuple[str, ...]
    notes: tuple[str, ...] = ()


def own_columns(table: Table, grader: str | None) -> Reading:
    """Return how a table with a prompt and an answer in each record is read.

    Args:
        table: The records.
        grader: The grader of records that name none; None to choose by the answers.

    Raises:
        Bad: No column, or more than one, looks like a prompt or an answer.
    """
    prompt = _chosen(table, PROMPTS, "prompt")
    if prompt is None:
        raise Bad(
            f"{table.described}; no column looks like a prompt; type --map prompt=COLUMN"
            + (", or add a first line with the names" if table.header else "")
        )
    answer = None if grader == AGREES else _chosen(table, ANSWERS, "answer")
    used = [prompt, *filter(None, [answer]), *(name for name in OPTIONAL if name in table.columns)]
    others = [name for name in table.columns if name not in used]
    if answer is None and others and grader != AGREES:
        raise Bad(f"{table.described}; no column looks like an answer; {_NO_ANSWER}")
    usual = grader or (AGREES if answer is None else _usual_grader(table, answer))
    numbered = _ids_are_names(table)

    def task(values: Mapping[str, Any]) -> Draft:
        chosen = values.get("grader", usual) or _by_type(values.get(answer or ""))
        draft: Draft = {
            "family": family_of({"category": values.get("category", "imported")}, "imported"),
            "tier": _whole(values.get("tier", 1)),
            "prompt": text_of(values, prompt),
            "grader": chosen,
        }
        if chosen != AGREES:
            draft["expected"] = _expected(values, answer, chosen)
        if "id" in values and not numbered:
            draft["id"] = _whole(values["id"])
        return draft

    answers = f", answers from `{answer}`" if answer else ", no answers"
    notes = ["`id` holds names: the tasks are numbered from 1"] if numbered else []
    return Reading(f"prompts from `{prompt}`{answers}", task, tuple(used), tuple(notes))


def _chosen(table: Table, names: Sequence[str], what: str) -> str | None:
    """Return the column with the first name, or the only one with another name.

    Raises:
        Bad: Several columns could be it.
    """
    plain = {name.strip().lower().replace(" ", "_"): name for name in table.columns}
    found = [plain[name] for name in names if name in plain]
    if len(found) > 1 and names[0] not in plain:
        both = " and ".join(f"`{name}`" for name in found)
        article = "an" if what[0] in "aeiou" else "a"
        raise Bad(
            f"{table.described}; {both} look like {article} {what}; type --map {what}={found[0]}, "
            "or the other one"
        )
    return found[0] if found else None


def _usual_grader(table: Table, answer: str) -> str | None:
    """Return `number` if every text is nothing but a number; None to choose by type."""
    answers = [record.values[answer] for record in table.records if answer in record.values]
    texts = [one for one in answers if isinstance(one, str)]
    return "number" if texts == answers and all(map(is_plain_number, texts)) else None


def _by_type(answer: Any) -> str:
    return {str: "exact", int: "number", float: "number"}.get(type(answer), "json")


def _ids_are_names(table: Table) -> bool:
    """Tell whether no id is a whole number, such as `q1`."""
    ids = [record.values["id"] for record in table.records if "id" in record.values]
    return bool(ids) and not any(isinstance(_whole(one), int) for one in ids)


def _whole(value: Any) -> Any:
    """Return text of digits as a number; anything else unchanged, for the model to refuse."""
    plain = value.strip() if isinstance(value, str) else ""
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 19 else value


def _expected(values: Mapping[str, Any], column: str | None, grader: Any) -> Any:
    """Return the answer in the form of its grader; text is parsed as a number or as JSON."""
    answer = values.get(column or "")
    if answer is None or answer == "":
        raise Bad(f"{column or 'answer'}: missing; grader `{AGREES}` asks without an answer")
    try:
        canonical_json(answer).encode()
    except (ValueError, RecursionError):
        raise Bad(f"{column}: half a character, or a number beyond any float") from None
    if not isinstance(answer, str):
        return answer
    if grader == "choice":
        return answer.strip()
    if grader == "number":
        number = number_of(answer)
        if number is None:
            raise Bad(f"{column}: not a number such as 12, 1,234, $5 or 45% (got {answer!r:.40})")
        return number
    if grader == "json":
        try:
            return strict_json(answer)
        except (ValueError, RecursionError):
            raise Bad(f"{column}: not JSON (got {answer!r:.40})") from None
    return answer
