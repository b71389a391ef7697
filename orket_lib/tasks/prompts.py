"""Renders the prompt of a structured task: its parts in a fixed order, and the form of the answer.

The prompt is part of a selection's identity: if you change the rendering, tasks are measured again,
without a version number. Expected values, rules and patterns are not part of a prompt, except for
the options of a choice; an author may show an example as an `io_example`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orket_lib.tasks.grading.code_evaluation import CliExamples, FunctionExamples
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.text_evaluation import Choice, ToolCalls

_FORMS = {
    "exact": "Answer with the result only, without any other words.",
    "number": "Answer with one number only.",
    "json": "Answer with one JSON value only.",
    "json_list": "Answer with one JSON list only.",
    "json_schema": "Answer with one JSON value only.",
    "tool_call": "Answer with one JSON value only.",
    "ast_rules": "Answer with one Python code block that holds the complete code.",
}


@dataclass(frozen=True)
class PromptParts:
    """The parts of a prompt; `examples` are pairs of input and output.

    Tools on offer are not part of it: the chat template shows them, and how a call is written.
    """

    problem: str
    instruction: str
    signature: str
    constraints: tuple[str, ...]
    examples: tuple[tuple[Any, Any], ...]
    evaluations: tuple[Evaluation, ...]
    offers_tools: bool = False


def render(parts: PromptParts) -> str:
    """Return the prompt, without empty parts."""
    return "\n\n".join(_paragraphs(parts))


def _paragraphs(parts: PromptParts) -> Iterator[str]:
    if parts.problem:
        yield parts.problem
    yield parts.instruction
    if parts.signature:
        yield f"Signature:\n{parts.signature}"
    if parts.constraints:
        yield "\n".join(["Constraints:", *(f"- {one}" for one in parts.constraints)])
    if parts.examples:
        called = next(
            (one.function_name for one in parts.evaluations if isinstance(one, FunctionExamples)),
            None,
        )
        shown = (_example(called, given, result) for given, result in parts.examples)
        yield "\n".join(["Examples:", *shown])
    for one in parts.evaluations:
        if isinstance(one, Choice):
            yield "\n".join(f"{label}) {text}" for label, text in one.options.items())
    written = (one for one in parts.evaluations if not (parts.offers_tools and _calls(one)))
    if form := _form(tuple(written)):
        yield form


def _calls(evaluation: Evaluation) -> bool:
    return isinstance(evaluation, ToolCalls)


def _example(called: str | None, given: Any, result: Any) -> str:
    """Return an example; for a function, as a call with Python literals."""
    if called is None:
        return f"- input: {_plain(given)}\n  output: {_plain(result)}"
    arguments = ", ".join(map(repr, given)) if isinstance(given, list) else repr(given)
    return f"- {called}({arguments}) returns {result!r}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _form(evaluations: tuple[Evaluation, ...]) -> str:
    """Return the sentence that says how to answer: that of the first grader that has one."""
    for one in sorted(evaluations, key=lambda one: one.type == "ast_rules"):
        if isinstance(one, Choice):
            return f"Answer with one of {', '.join(one.options)} only."
        if isinstance(one, FunctionExamples):
            return (
                f"Answer with one Python code block that defines `{one.function_name}` and all that"
                " it needs. Only the standard library is there."
            )
        if isinstance(one, CliExamples):
            return _program_form(one.paths)
        if form := _FORMS.get(one.type):
            return form
    return ""


def _program_form(paths: tuple[str, ...]) -> str:
    library = "Only the standard library is there."
    if len(paths) == 1:
        return (
            f"Answer with one Python code block that holds the complete program `{paths[0]}`."
            f" {library}"
        )
    names = ", ".join(f"`{path}`" for path in paths)
    return (
        f"Answer with one code block for each of the files {names}. The line before each block is"
        f" the name of its file and nothing else. The program is started with"
        f" `python {paths[0]}`. {library}"
    )
