"""Grades an answer by the checks of its task; a run passes if all checks pass.

The number and names of the checks depend on the task alone, so that passed / all means the same for
every answer. An empty answer earns nothing: if one grader can't parse an answer, all checks of the
task fail and the answer is marked as unparseable, unlike a wrong one; and rules for code count only
if an example passes. If code can't be run, the answer is not graded, rather than failed. Details of
checks may quote untrusted text, so all of them are made printable here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orket_lib.artifacts.measurements.tool_calls import ToolCall, calls_text
from orket_lib.artifacts.views.run_report import Check
from orket_lib.reading.reasoning import leaked_token
from orket_lib.reading.statements import Unparseable
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.answers import MAX_CHARS
from orket_lib.tasks.grading import choices, code_graders, text_graders, tool_calls
from orket_lib.tasks.grading.code_evaluation import RUN, AstRules, CodeEvaluation
from orket_lib.tasks.grading.echoes import without_prompt
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.forms import forms_kept
from orket_lib.tasks.grading.limited_call import NoAnswer
from orket_lib.tasks.grading.observations import observe
from orket_lib.tasks.grading.text_evaluation import Agrees, ToolCalls
from orket_lib.tasks.task import Task, is_graded, needs_sandbox
from orket_lib.vocabulary.errors import SandboxError
from orket_lib.vocabulary.text import printable

_DETAIL_CHARS = 500
# The graders by type: those that need only the answer, and those that need what `observe` found.
_BY_ANSWER: dict[str, Callable[[Any, str], list[Check]]] = {
    "exact": text_graders.exact,
    "choice": choices.choice,
    "label": text_graders.label,
    "number": text_graders.number,
    "json": text_graders.json_value,
    "json_list": text_graders.json_list,
    "contains": text_graders.contains,
    "tool_call": tool_calls.tool_call,
}
_BY_OBSERVATION: dict[str, Callable[[Any, str, Any], list[Check]]] = {
    "json_schema": text_graders.json_schema,
    "regex": text_graders.regex,
    "reasoning_gym": text_graders.scored,
    "function_examples": code_graders.function_examples,
    "cli_examples": code_graders.cli_examples,
    "ast_rules": code_graders.ast_rules,
}
_CHECK_NAMES: dict[str, Callable[[Any], list[str]]] = {  # else one, named after the type
    "contains": text_graders.contains_names,
    "json_list": text_graders.json_list_names,
    "function_examples": code_graders.example_names,
    "cli_examples": code_graders.example_names,
    "ast_rules": code_graders.rule_names,
}
NO_SANDBOX = Unavailable("none was given")


@dataclass(frozen=True)
class Grading:
    """The grading of an answer.

    Attributes:
        checks: At least one; empty if it was not graded.
        unparseable: A grader could not parse the answer.
        not_run: Why it was not graded; None if it was.
        ungraded: The task has no right answer to compare with; there are no checks.
        form_kept: Whether it had the form that is asked; None if the task asks for none.
        leaked_token: A token of the chat template that was cut off; None if there was none.
    """

    checks: tuple[Check, ...]
    unparseable: bool = False
    not_run: str | None = None
    ungraded: bool = False
    form_kept: bool | None = None
    leaked_token: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every check passed; False if there are none."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def adherence(self) -> float | None:
        """Passed checks / all checks; None without checks."""
        if not self.checks:
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


def judge(
    task: Task,
    answer: str,
    sandbox: Sandbox | Unavailable = NO_SANDBOX,
    calls: Sequence[ToolCall] = (),
) -> Grading:
    """Grade an answer with the graders of its task.

    Args:
        task: What was asked.
        answer: What the model wrote: untrusted, of any size and content.
        sandbox: Where code is run, or why it can't be; see `find_sandbox`.
        calls: Calls of the task's tools; they are then the answer, whatever else is said.
    """
    if task.tools and calls:
        answer = calls_text(calls)
    # A call that is only written has the content, and not the form where the API takes calls.
    wanted = [one for one in task.evaluations if isinstance(one, ToolCalls)]
    written = bool(task.tools and wanted and not calls)
    token = leaked_token(answer) if len(answer) <= MAX_CHARS else None
    if not is_graded(task):
        return Grading((), ungraded=True, leaked_token=token)
    if isinstance(sandbox, Unavailable) and needs_sandbox(task):
        return Grading((), not_run=f"no sandbox: {sandbox.reason}")
    usable = None if isinstance(sandbox, Unavailable) else sandbox
    strict = written and any(one.form_counts for one in wanted)
    grading = _content(task, "" if strict else answer, usable)
    if grading.not_run is not None:
        return grading
    kept = False if written else forms_kept(task.evaluations, answer)
    return replace(grading, form_kept=kept, leaked_token=token)


def states_the_answer(task: Task, prompt: str) -> bool:
    """Return whether a text, read as an answer, would be right even if it is the prompt."""
    return not needs_sandbox(task) and _content(task, prompt, None, repeats=True).passed


def _content(task: Task, answer: str, usable: Sandbox | None, repeats: bool = False) -> Grading:
    """Grade an answer; one that may repeat its prompt is read as it is."""
    judged: list[tuple[Evaluation, list[Check]]] = []
    for asked in task.evaluations:
        try:
            read = answer if repeats else _read(task, answer)
            judged.append((asked, _checks(asked, read, task.evaluations, usable)))
        except Unparseable as error:
            detail = f"unparseable: {error}"
            every = [check for one in task.evaluations for check in _failed(one, detail)]
            return Grading(tuple(map(_printable, every)), unparseable=True)
        except NoAnswer as error:
            judged.append((asked, _failed(asked, str(error))))
        except SandboxError as error:
            return Grading((), not_run=str(error))
    return Grading(tuple(map(_printable, _earned(judged))))


def _read(task: Task, answer: str) -> str:
    """Return what is read of an answer: not its prompt, which code may repeat in a docstring."""
    if len(answer) > MAX_CHARS or any(isinstance(one, CodeEvaluation) for one in task.evaluations):
        return answer
    return without_prompt(task, answer)


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
    if isinstance(asked, Agrees):
        return []
    names = _CHECK_NAMES.get(asked.type)
    return names(asked) if names else [asked.type]


def _checks(
    asked: Evaluation, answer: str, together: Sequence[Evaluation], sandbox: Sandbox | None
) -> list[Check]:
    if len(answer) > MAX_CHARS:
        raise Unparseable(f"the answer has {len(answer)} characters; at most {MAX_CHARS} are read")
    observed = observe(asked, answer, together, sandbox)
    if grader := _BY_ANSWER.get(asked.type):
        return grader(asked, answer)
    return _BY_OBSERVATION[asked.type](asked, answer, observed)


def _failed(asked: Evaluation, detail: str) -> list[Check]:
    return [Check(name=name, passed=False, detail=detail) for name in check_names(asked)]
