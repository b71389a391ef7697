"""From a task and an answer to checks; a run is passed when all of them are.

The number of checks and their names depend on the task alone, so that passed / all means the same
for every answer. Nothing is earned by saying nothing: an answer that one grader can't read fails
all checks of the task and is marked as unparseable, which a wrong answer is not; and rules for code
count only for code that does something right. What can't be run is not run: it is never a failed
check.
What a check says may repeat what a stranger wrote, so all of it is made printable here, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.artifacts.views.run_report import Check
from orket_lib.sandbox.detect import Unavailable
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.grading import code_graders, text_graders
from orket_lib.tasks.grading.answers import MAX_CHARS, Unparseable
from orket_lib.tasks.grading.code_evaluation import RUN, AstRules, CliExamples, FunctionExamples
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.limited_call import NoAnswer
from orket_lib.tasks.grading.observations import observe
from orket_lib.tasks.grading.text_evaluation import (
    Choice,
    Contains,
    Exact,
    JsonList,
    JsonSchema,
    JsonValue,
    Number,
    Regex,
)
from orket_lib.tasks.task import Task, needs_sandbox
from orket_lib.vocabulary.errors import SandboxError
from orket_lib.vocabulary.text import printable

_DETAIL_CHARS = 500
NO_SANDBOX = Unavailable("none was given")


@dataclass(frozen=True)
class Grading:
    """What the graders say of one answer.

    Attributes:
        checks: At least one, or none when it was not run.
        unparseable: A grader could not read the answer in the form that it needs.
        not_run: Why nothing can be said; None when something is.
    """

    checks: tuple[Check, ...]
    unparseable: bool = False
    not_run: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return self.not_run is None and all(check.passed for check in self.checks)

    @property
    def adherence(self) -> float | None:
        """Passed checks / all checks; None when it was not run."""
        if self.not_run is not None:
            return None
        return sum(check.passed for check in self.checks) / len(self.checks)


class NotRun(SandboxError):
    """An answer could not be judged, because its code could not be run."""


def grade(task: Task, answer: str) -> tuple[Check, ...]:
    """Return the checks of one answer to a task whose code need not be run.

    Raises:
        NotRun: It would have to be.
    """
    grading = judge(task, answer)
    if grading.not_run is not None:
        raise NotRun(f"{task.test_id}: not run: {grading.not_run}")
    return grading.checks


def judge(task: Task, answer: str, sandbox: Sandbox | Unavailable = NO_SANDBOX) -> Grading:
    """Return what the graders of a task say of an answer.

    Args:
        task: What was asked.
        answer: What the model wrote: data, of any size and content.
        sandbox: Where code is run, or why it can't be; see `find_sandbox`.
    """
    if isinstance(sandbox, Unavailable):
        if needs_sandbox(task):
            return Grading((), not_run=f"no sandbox: {sandbox.reason}")
        return _judged(task, answer, None)
    return _judged(task, answer, sandbox)


def _judged(task: Task, answer: str, sandbox: Sandbox | None) -> Grading:
    judged: list[tuple[Evaluation, list[Check]]] = []
    for asked in task.evaluations:
        try:
            judged.append((asked, _checks(asked, answer, task.evaluations, sandbox)))
        except Unparseable as error:
            detail = f"unparseable: {error}"
            every = [check for one in task.evaluations for check in _failed(one, detail)]
            return Grading(tuple(map(_printable, every)), unparseable=True)
        except NoAnswer as error:
            judged.append((asked, _failed(asked, str(error))))
        except SandboxError as error:
            return Grading((), not_run=str(error))
    return Grading(tuple(map(_printable, _earned(judged))))


def _earned(judged: Sequence[tuple[Evaluation, list[Check]]]) -> Iterator[Check]:
    """Yield the checks; rules fail where code was run and no example holds.

    Code that does nothing breaks hardly any rule, and has kept none.
    """
    run = [check for asked, checks in judged if isinstance(asked, RUN) for check in checks]
    works = not run or any(check.passed for check in run)
    for asked, checks in judged:
        if works or not isinstance(asked, AstRules):
            yield from checks
        else:
            yield from _failed(asked, "no example holds")


def _printable(check: Check) -> Check:
    return check.model_copy(update={"detail": printable(check.detail, _DETAIL_CHARS)})


def check_names(asked: Evaluation) -> list[str]:
    """Return the names of the checks that a grader gives, whatever the answer."""
    match asked:
        case Contains():
            return text_graders.contains_names(asked)
        case JsonList():
            return text_graders.json_list_names(asked)
        case FunctionExamples():
            return code_graders.function_names(asked)
        case CliExamples():
            return code_graders.program_names(asked)
        case AstRules():
            return code_graders.rule_names(asked)
        case _:
            return [asked.type]


def _checks(
    asked: Evaluation, answer: str, together: Sequence[Evaluation], sandbox: Sandbox | None
) -> list[Check]:
    if len(answer) > MAX_CHARS:
        raise Unparseable(f"the answer has {len(answer)} characters; at most {MAX_CHARS} are read")
    observed = observe(asked, answer, together, sandbox)
    return _verdicts(asked, answer, observed)


def _verdicts(asked: Evaluation, answer: str, observed: Any) -> list[Check]:
    """Return the checks: a function of the task, the answer and what was found out about it."""
    match asked:
        case Exact():
            return text_graders.exact(asked, answer)
        case Choice():
            return text_graders.choice(asked, answer)
        case Number():
            return text_graders.number(asked, answer)
        case JsonValue():
            return text_graders.json_value(asked, answer)
        case JsonList():
            return text_graders.json_list(asked, answer)
        case Contains():
            return text_graders.contains(asked, answer)
        case JsonSchema():
            return text_graders.json_schema(asked, answer, observed)
        case Regex():
            return text_graders.regex(asked, answer, observed)
        case FunctionExamples():
            return code_graders.function_examples(asked, answer, observed)
        case CliExamples():
            return code_graders.cli_examples(asked, answer, observed)
        case AstRules():
            return code_graders.ast_rules(asked, answer, observed)


def _failed(asked: Evaluation, detail: str) -> list[Check]:
    return [Check(name=name, passed=False, detail=detail) for name in check_names(asked)]
