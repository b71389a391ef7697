"""Graders of code: compare the results of running or parsing it with the expected ones.

The code was run before. Results from a sandbox are untrusted claims about values, but the expected
values were never in the sandbox, so that only a right result passes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from orket_lib.artifacts.views.run_report import Check
from orket_lib.reading.statements import Unparseable
from orket_lib.sandbox.equality import same_value
from orket_lib.sandbox.examples import CallResult, NotReturned, Raised
from orket_lib.sandbox.jobs import Outcome, ProgramResult
from orket_lib.tasks.grading.checks import shown, verdicts
from orket_lib.tasks.grading.code_evaluation import (
    AstRules,
    CliExample,
    CliExamples,
    FunctionExample,
    FunctionExamples,
    Names,
)

_UNREADABLE = {"SyntaxError"}
_RULES: tuple[str, ...] = ("imports", "calls", "names", "definitions", "constructs")


def example_names(asked: FunctionExamples | CliExamples) -> list[str]:
    """Return the names of the checks."""
    return [f"{asked.type}.{index}" for index in range(1, len(asked.examples) + 1)]


def function_examples(
    asked: FunctionExamples, answer: str, results: Sequence[CallResult]
) -> list[Check]:
    """Return a check for each example.

    Raises:
        Unparseable: The code is not Python.
    """
    first = results[0]
    if isinstance(first, Raised) and first.loading and not _UNREADABLE.isdisjoint(first.names):
        raise Unparseable(f"{first.names[0]}: {first.message}"[:200])
    pairs = zip(asked.examples, results, strict=True)
    return verdicts(example_names(asked), [_call_detail(*pair, asked.tolerance) for pair in pairs])


def _call_detail(example: FunctionExample, result: CallResult, tolerance: float) -> str:
    """Return what is wrong with the result of a call; empty if it is right."""
    wanted = f"raise {example.raises}" if example.raises else shown(example.value)
    match result:
        case NotReturned():
            return f"expected {wanted}, {result.reason}"
        case Raised():
            if example.raises in result.names and not result.loading:
                return ""
            return (
                f"expected {wanted}, raised {shown(': '.join((result.names[0], result.message)))}"
            )
    if example.raises is None and same_value(example.value, result.value, tolerance):
        return ""
    return f"expected {wanted}, got {shown(result.value)}"


def cli_examples(
    asked: CliExamples, answer: str, starts: Sequence[Sequence[ProgramResult]]
) -> list[Check]:
    """Return a check for each example: every run had the expected result.

    Args:
        asked: The examples.
        answer: What the model wrote.
        starts: For each example, the results of its two runs; one if the first was stopped.
    """
    pairs = zip(asked.examples, starts, strict=True)
    return verdicts(example_names(asked), [_starts_detail(*pair) for pair in pairs])


def _starts_detail(example: CliExample, starts: Sequence[ProgramResult]) -> str:
    seen = [(one.ending.outcome, one.ending.exit_status, one.stdout, one.stderr) for one in starts]
    details = [_start_detail(example, start) for start in starts]
    wrong = next(filter(None, details), "")
    if wrong and len(set(seen)) > 1:
        return f"two runs differ; {wrong}"
    return wrong


def _start_detail(example: CliExample, start: ProgramResult) -> str:
    ending = start.ending
    if ending.outcome is not Outcome.EXITED:
        how = f" ({ending.signal})" if ending.signal is not None else ""
        return f"the program ended with `{ending.outcome}`{how}"
    if ending.exit_status != example.expected_exit_code:
        last = _text(start.stderr).strip().rpartition("\n")[2]
        said = f", which says {shown(last)}" if last else ""
        return f"expected exit code {example.expected_exit_code}, got {ending.exit_status}{said}"
    for name, expected, data in (
        ("stdout", example.expected_stdout, start.stdout),
        ("stderr", example.expected_stderr, start.stderr),
    ):
        wanted, found = _plain(expected), _text(data)
        if wanted is not None and wanted != found:
            return f"{name}: {_difference(wanted, found)}"
    return ""


def _plain(text: str | None) -> str | None:
    return None if text is None else text.replace("\r\n", "\n")


def _text(data: bytes) -> str:
    # Bytes that are not UTF-8 become lone surrogates, which equal no expected character.
    return data.decode(errors="surrogateescape").replace("\r\n", "\n")


def _difference(expected: str, found: str) -> str:
    """Return a message about the first line that differs."""
    ours, theirs = (text.splitlines(keepends=True) for text in (expected, found))
    for line, (one, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if one != other:
            return f"line {line}: expected {shown(one)}, got {shown(other)}"
    if len(ours) > len(theirs):
        return f"ends before {shown(ours[len(theirs)])}"
    return f"goes on with {shown(theirs[len(ours)])}"


def rule_names(asked: AstRules) -> list[str]:
    """Return the names of the checks."""
    names = [
        f"{asked.type}.{side}.{kind}.{item}"
        for side in ("require", "forbid")
        for kind in _RULES
        for item in getattr(getattr(asked, side), kind)
    ]
    limits = asked.limits.model_dump(exclude_none=True)
    return names + [f"{asked.type}.limits.{name}" for name in limits]


def ast_rules(asked: AstRules, answer: str, facts: Mapping[str, Any]) -> list[Check]:
    """Return a check for each name, construct and limit.

    Raises:
        Unparseable: The code is not Python.
    """
    if facts["problem"]:
        raise Unparseable(str(facts["problem"])[:200])
    missing = _found(asked.require, facts, lambda there: "" if there else "is not there")
    unwanted = _found(asked.forbid, facts, lambda there: "is there" if there else "")
    limits = asked.limits.model_dump(exclude_none=True)
    over = [
        f"at most {limit}, got {facts[name]}" if facts[name] > limit else ""
        for name, limit in limits.items()
    ]
    return verdicts(rule_names(asked), [*missing, *unwanted, *over])


def _found(wanted: Names, facts: Mapping[str, Any], said: Callable[[bool], str]) -> list[str]:
    """Return the detail for each item, in the order of `rule_names`."""
    return [
        said(_occurs(kind, item, facts[kind])) for kind in _RULES for item in getattr(wanted, kind)
    ]


def _occurs(kind: str, item: str, there: Collection[str]) -> bool:
    if kind == "imports":
        return any(one == item or one.startswith(f"{item}.") for one in there)
    return item in there
