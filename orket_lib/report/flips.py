"""The flipped tasks of a model as text."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.artifacts.printed.flips import FlippedTask, ModelFlips, QuantAnswer
from orket_lib.report.formatting import aligned

_UNKNOWN = "not known: the task bank has no such task any more"
_NOT_NAMED = "not named by the task; see the checks"


def flips_text(model: ModelFlips, answers: bool) -> str:
    """Return a line for each quant, then one for each task.

    Args:
        model: Its flipped tasks.
        answers: Add prompt, right answer and the answers of the baseline and of who differs.
    """
    lines = [f"{model.model_id}, against {model.baseline_quant or 'no baseline'}"]
    lost = [(quant, *_counts(model, quant)) for quant in model.quants]
    lines += aligned([("quant", "lost", "won"), *lost], indent=2) if lost else []
    if not answers:
        tasks = [(it.test_id, it.family, _who(it)) for it in model.tasks]
        return "\n".join([*lines, "", *aligned(tasks, indent=2), ""])
    return "\n".join([*lines, *(line for task in model.tasks for line in _task(task))])


def _counts(model: ModelFlips, quant: str) -> tuple[str, str]:
    lost = sum(quant in task.lost for task in model.tasks)
    return str(lost), str(sum(quant in task.won for task in model.tasks))


def _who(task: FlippedTask) -> str:
    sides = (("lost by", task.lost), ("won by", task.won))
    return "; ".join(f"{word} {', '.join(quants)}" for word, quants in sides if quants)


def _task(task: FlippedTask) -> Iterator[str]:
    yield f"\n{task.test_id} ({task.family}): {_who(task)}"
    yield from _block("prompt", task.prompt or _UNKNOWN)
    yield from _block("right answer", task.right_answer or _NOT_NAMED)
    for place, answer in enumerate(task.answers):
        if not place or answer.quant_tag in (*task.lost, *task.won):
            yield from _answer(answer)


def _answer(answer: QuantAnswer) -> Iterator[str]:
    verdict = "right" if answer.right else "wrong"
    text = f"none: {answer.detail}" if answer.answer is None else answer.answer
    yield from _block(f"{answer.quant_tag}, {verdict}", text)
    for check in answer.checks:
        if not check.passed:
            yield f"    check {check.name}: {check.detail}"


def _block(name: str, text: str) -> Iterator[str]:
    yield f"  {name}:"
    yield from (f"    {line}" for line in text.splitlines() or [""])
