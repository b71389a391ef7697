"""Collects what graders need to know about an answer.

All side effects of grading are here: the child process for patterns, schemas and syntax trees, and
the sandbox for running code. The results are data, and graders are functions of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orket_lib.reading.statements import Unparseable
from orket_lib.reading.texts import results
from orket_lib.sandbox.examples import CallResult, call_examples
from orket_lib.sandbox.file_names import RefusedName, check_file_names
from orket_lib.sandbox.jobs import (
    PYTHON,
    Ending,
    Limits,
    Outcome,
    Program,
    ProgramResult,
    Sandbox,
)
from orket_lib.tasks.answers import normalize
from orket_lib.tasks.extraction import function_source, program_files, python_sources
from orket_lib.tasks.grading.code_evaluation import (
    AstRules,
    CliExample,
    CliExamples,
    FunctionExamples,
)
from orket_lib.tasks.grading.code_facts import facts_of, syntax_problem
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.gym_scores import is_right
from orket_lib.tasks.grading.limited_call import NoAnswer, call_limited
from orket_lib.tasks.grading.limited_checks import matches, violation
from orket_lib.tasks.grading.text_evaluation import JsonSchema, ReasoningGym, Regex
from orket_lib.tasks.grading.text_graders import json_text
from orket_lib.vocabulary.errors import SandboxError

STARTS = 2  # of a program with each example: a solution gives the same result twice


def observe(
    asked: Evaluation, answer: str, together: Sequence[Evaluation], sandbox: Sandbox | None
) -> Any:
    """Return what a grader needs to know; None if the answer is enough.

    Args:
        asked: The grader.
        answer: What the model wrote.
        together: All graders of the task, which decide where code is found.
        sandbox: Required if the grader runs code.

    Raises:
        Unparseable: The answer doesn't have the required form.
        NoAnswer: The check exceeded its time or memory.
        SandboxError: The sandbox failed, which is not the answer's fault.
    """
    match asked:
        case Regex():
            text = normalize(answer)
            if not text:
                raise Unparseable("the answer is empty")
            return call_limited(
                matches,
                pattern=asked.pattern,
                texts=[text] if asked.form_counts or asked.anywhere else results(text),
                flags=list(asked.flags),
                anywhere=asked.anywhere,
            )
        case ReasoningGym():
            return call_limited(
                is_right, family=asked.family, entry=asked.entry, texts=results(normalize(answer))
            )
        case JsonSchema():
            return call_limited(violation, rules=asked.rules, text=json_text(asked, answer))
        case AstRules():
            return _read(facts_of, sources=dict(python_sources(answer, together)))
        case FunctionExamples():
            assert sandbox is not None
            return _calls(asked, answer, sandbox)
        case CliExamples():
            assert sandbox is not None
            files = program_files(answer, asked.paths)
            _require_python(asked, files)
            return [_starts(asked, example, files, sandbox) for example in asked.examples]
    return None


def _require_python(asked: CliExamples, files: Mapping[str, str]) -> None:
    """Check that the files of a program are Python; other files may be anything."""
    program = {name: files[name] for name in asked.paths if asked.is_python(name)}
    if problem := _read(syntax_problem, files=program):
        raise Unparseable(str(problem)[:200])


def _read(function: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return call_limited(function, **arguments)
    except NoAnswer as error:  # text that crashes Python's parser is not Python
        raise Unparseable(f"can't be read as Python: {error}") from None


def _calls(asked: FunctionExamples, answer: str, sandbox: Sandbox) -> list[CallResult]:
    results = call_examples(
        sandbox,
        function_source(answer, asked.function_name),
        asked.function_name,
        [example.call for example in asked.examples],
        limits=_limits(asked.timeout_s),
    )
    for result in results:
        _require_not_killed(result.ending)
    return results


def _starts(
    asked: CliExamples, example: CliExample, files: dict[str, str], sandbox: Sandbox
) -> list[ProgramResult]:
    """Return the results of running a program twice; once if it was stopped."""
    contents = {
        name: text.encode("utf-8", "surrogatepass")
        for name, text in {**files, **example.files}.items()
    }
    try:
        check_file_names(contents)
    except RefusedName as error:  # a file of the answer conflicts with one of the example
        raise Unparseable(str(error)) from None
    program = Program(
        argv=(PYTHON, asked.entrypoint, *example.args),
        files=contents,
        stdin=example.stdin.encode("utf-8", "surrogatepass"),
        limits=_limits(asked.timeout_s),
    )
    results: list[ProgramResult] = []
    while len(results) < STARTS:
        results.append(sandbox.run(program))
        _require_not_killed(results[-1].ending)
        if results[-1].ending.outcome is not Outcome.EXITED:
            break
    return results


def _require_not_killed(ending: Ending) -> None:
    """Check that the sandbox was not killed from outside, which is not the answer's fault."""
    if ending.outcome is Outcome.KILLED:
        raise SandboxError("the sandbox was killed from outside")


def _limits(seconds: float) -> Limits:
    return Limits(wall_s=seconds, cpu_s=seconds)
