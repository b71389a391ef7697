"""Flipped tasks for the tests of the page."""

from __future__ import annotations

from orket_lib.artifacts.printed.flips import FlippedTask, ModelFlips, QuantAnswer
from orket_lib.artifacts.views.run_report import Check


def task(number: int = 1, answer: str | None = "wrong", **changes: object) -> FlippedTask:
    values: dict[str, object] = {
        "test_id": f"add-{number:04d}",
        "family": "add",
        "level": 1,
        "prompt": "What is 1 + 1?",
        "right_answer": "2",
        "lost": ("Q2_K",),
        "won": (),
        "answers": (
            QuantAnswer(quant_tag="F16", right=True, answer="2"),
            QuantAnswer(
                quant_tag="Q2_K",
                right=False,
                answer=answer,
                detail="" if answer is not None else "the server said no",
                checks=(Check(name="number", passed=False, detail=str(answer)[:60]),),
            ),
        ),
    }
    return FlippedTask.model_validate(values | changes)


def flips(*tasks: FlippedTask, model: str = "orket-nano") -> ModelFlips:
    return ModelFlips(
        model_id=model, baseline_quant="F16", quants=("Q8_0", "Q2_K"), tasks=list(tasks)
    )
