"""What has to be found out about an answer before it can be judged, and finding it out.

Everything impure about judging is here: a child process for patterns, schemas and syntax trees, the
sandbox for running code. What comes back is data, and the graders are functions of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
from orket_lib.tasks.grading.answers import Unparseable, normalize
from orket_lib.tasks.grading.code_evaluation import (
    AstRules,
    CliExample,
    CliExamples,
    FunctionExamples,
)
from orket_lib.tasks.grading.code_facts import facts_of, syntax_problem
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.extraction import function_source, program_files, python_sources
from orket_lib.tasks.grading.json_schema import violation
from orket_lib.tasks.grading.limited_call import NoAnswer, call_bounded
from orket_lib.tasks.grading.patterns import matches
from orket_lib.tasks.grading.text_evaluation import JsonSchema, Regex
from orket_lib.tasks.grading.text_graders import parsed_json
from orket_lib.vocabulary.errors import SandboxError

STARTS = 2  # of a program with each example: one that differs from the other is no solution


def observe(
    asked: Evaluation, answer: str, together: Sequence[Evaluation], sandbox: Sandbox | None
) -> Any:
    """Return what the grader of this kind needs to know; None where the answer is enough.

    Args:
        asked: What is to be judged.
        answer: What the model wrote.
        together: All that the task is judged by, which decides where code is found.
        sandbox: Given whenever `asked` is about running code.

    Raises:
        Unparseable: The answer has not the form that is needed.
        NoAnswer: It could not be found out within time and memory.
        SandboxError: The sandbox failed, which says nothing about the answer.
    """
    match asked:
        case Regex():
            text = normalize(answer)
            if not text:
                raise Unparseable("the answer is empty")
            return call_bounded(
                matches,
                pattern=asked.pattern,
                text=text,
                flags=list(asked.flags),
                anywhere=asked.anywhere,
            )
        case JsonSchema():
            parsed_json(answer)
            return call_bounded(violation, rules=asked.rules, text=normalize(answer))
        case AstRules():
            return _facts(python_sources(answer, together))
        case FunctionExamples():
            assert sandbox is not None
            return _calls(asked, answer, sandbox)
        case CliExamples():
            assert sandbox is not None
            files = program_files(answer, asked.paths)
            _require_python(asked, files)
            return [_starts(asked, example, files, sandbox) for example in asked.examples]
    return None


def _facts(sources: Mapping[str, str]) -> Any:
    return _read(facts_of, sources=dict(sources))


def _require_python(asked: CliExamples, files: Mapping[str, str]) -> None:
    """Make sure that the files of a program are Python; others of the answer may be anything."""
    program = {name: files[name] for name in asked.paths if asked.is_python(name)}
    if problem := _read(syntax_problem, files=program):
        raise Unparseable(str(problem)[:200])


def _read(function: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return call_bounded(function, **arguments)
    except NoAnswer as error:  # what crashes Python's own parser is no Python
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
        _was_ours_to_end(result.ending)
    return results


def _starts(
    asked: CliExamples, example: CliExample, files: dict[str, str], sandbox: Sandbox
) -> list[ProgramResult]:
    """Return the results of starting a program twice; once, if it had to be stopped."""
    contents = {
        name: text.encode("utf-8", "surrogatepass")
        for name, text in {**files, **example.files}.items()
    }
    try:
        check_file_names(contents)
    except RefusedName as error:  # a file of the answer in the place of the example's
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
        _was_ours_to_end(results[-1].ending)
        if results[-1].ending.outcome is not Outcome.EXITED:
            break
    return results


def _was_ours_to_end(ending: Ending) -> None:
    """Make sure that nobody else ended the sandbox, which says nothing about the answer."""
    if ending.outcome is Outcome.KILLED:
        raise SandboxError("the sandbox was killed from outside")


def _limits(seconds: float) -> Limits:
    return Limits(wall_s=seconds, cpu_s=seconds)
