"""Grades an answer by the checks of its task; a run passes if all checks pass.

The number and names of the checks depend on the task alone, so that passed / all means the same for
every answer. An empty answer earns nothing: if one grader can't parse an answer, all checks of the
task fail and the answer is marked as unparseable, unlike a wrong one; and rules for code count only
if an example passes. If code can't be run, the answer is not graded, rather than failed. Details of
checks may quote untrusted text, so all of them are made printable here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.artifacts.views.run_report import Check
from orket_lib.sandbox.detect import Unavailable, find_sandbox
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
from orket_lib.vocabulary.display import printable
from orket_lib.vocabulary.errors import SandboxError

_DETAIL_CHARS = 500
NO_SANDBOX = Unavailable("none was given")


@dataclass(frozen=True)
class Grading:
    """The grading of an answer.

    Attributes:
        checks: At least one; empty if it was not graded.
        unparseable: A grader could not parse the answer.
        not_run: Why it was not graded; None if it was.
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
        """Passed checks / all checks; None if it was not graded."""
        if self.not_run is not None:
            return None
        return sum(check.passed for check in self.checks) / len(self.checks)


class NotRun(SandboxError):
    """An answer could not be graded, because its code could not be run."""


def sandbox_for(tasks: Sequence[Task], allowed: Sequence[str]) -> Sandbox | None:
    """Return the sandbox in which the answers of tasks are graded; None if no code is run.

    Args:
        tasks: What is asked.
        allowed: Kinds of sandboxes; the first that works is taken.

    Raises:
        NotRun: Code must be run, and no sandbox works.
    """
    code = [task for task in tasks if needs_sandbox(task)]
    if not code:
        return None
    found = find_sandbox(allowed)
    if isinstance(found, Unavailable):
        raise NotRun(
            f"{len(code)} of {len(tasks)} tasks are not_run, {code[0].test_id} the first of them: "
            f"their code has to be run, and there is no sandbox ({found.reason})"
        )
    return found


def grade(task: Task, answer: str) -> tuple[Check, ...]:
    """Return the checks of an answer without running code.

    Raises:
        NotRun: Grading needs a sandbox.
    """
    grading = judge(task, answer)
    if grading.not_run is not None:
        raise NotRun(f"{task.test_id}: not run: {grading.not_run}")
    return grading.checks


def judge(task: Task, answer: str, sandbox: Sandbox | Unavailable = NO_SANDBOX) -> Grading:
    """Grade an answer with the graders of its task.

    Args:
        task: What was asked.
        answer: What the model wrote: untrusted, of any size and content.
        sandbox: Where code is run, or why it can't be; see `find_sandbox`.
    """
    if isinstance(sandbox, Unavailable) and needs_sandbox(task):
        return Grading((), not_run=f"no sandbox: {sandbox.reason}")
    usable = None if isinstance(sandbox, Unavailable) else sandbox
    judged: list[tuple[Evaluation, list[Check]]] = []
    for asked in task.evaluations:
        try:
            judged.append((asked, _checks(asked, answer, task.evaluations, usable)))
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
    """Yield the checks; rules fail if code was run and no example passes.

    Otherwise code that does nothing would pass most rules.
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
    """Return the names of a grader's checks, which don't depend on the answer."""
    match asked:
        case Contains():
            return text_graders.contains_names(asked)
        case JsonList():
            return text_graders.json_list_names(asked)
        case FunctionExamples() | CliExamples():
            return code_graders.example_names(asked)
        case AstRules():
            return code_graders.rule_names(asked)
        case _:
            return [asked.type]


def _checks(
    asked: Evaluation, answer: str, together: Sequence[Evaluation], sandbox: Sandbox | None
) -> list[Check]:
    if len(answer) > MAX_CHARS:
        raise Unparseable(f"the answer has {len(answer)} characters; at most {MAX_CHARS} are read")
    observed: Any = observe(asked, answer, together, sandbox)
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
