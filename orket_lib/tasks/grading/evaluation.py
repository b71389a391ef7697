"""The `evaluation` of a task: one or several graders, each with its settings.

This is the format; `graders` implements it. All errors in settings are found when a bank is loaded,
never while an answer is graded.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from orket_lib.tasks.grading.code_evaluation import AstRules, CodeEvaluation, Names
from orket_lib.tasks.grading.text_evaluation import Agrees, TextEvaluation

Evaluation = Annotated[TextEvaluation | CodeEvaluation, Field(discriminator="type")]


def _listed(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _differ(evaluations: tuple[Evaluation, ...]) -> tuple[Evaluation, ...]:
    kinds = [one.type for one in evaluations]
    if len(set(kinds)) < len(kinds):
        raise ValueError("each type of grader at most once, so that checks have names")
    if {"function_examples", "cli_examples"} <= set(kinds):
        raise ValueError("function_examples or cli_examples, not both: the forms of answer differ")
    if len(evaluations) > 1 and any(isinstance(one, Agrees) for one in evaluations):
        raise ValueError("agrees stands alone: with another grader, a right answer is known")
    only = evaluations[0]
    if len(evaluations) == 1 and isinstance(only, AstRules) and only.require == Names():
        raise ValueError(
            "ast_rules alone: at least one rule in require, or code that does nothing would pass"
        )
    return evaluations


Evaluations = Annotated[
    tuple[Evaluation, ...],
    Field(min_length=1),
    AfterValidator(_differ),
    BeforeValidator(_listed, json_schema_input_type=Evaluation | list[Evaluation]),
]
