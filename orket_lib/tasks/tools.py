"""Tools that a task offers: functions that the model may call through the server's API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from orket_lib.artifacts.measurements.spec import later
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.limited_checks import schema_problem, violation
from orket_lib.tasks.grading.text_evaluation import Strict, Text, ToolCalls

_MOST_TOOLS = 128  # what OpenAI's API takes


def _parameters(rules: dict[str, Any]) -> dict[str, Any]:
    if problem := schema_problem(rules):
        raise ValueError(problem)
    if rules.get("type") != "object":
        raise ValueError('a JSON Schema with "type": "object", whose properties are the arguments')
    return rules


class Tool(Strict):
    """A function."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
    description: Text
    parameters: Annotated[dict[str, Any], AfterValidator(_parameters)] = Field(
        description='JSON Schema of the arguments, with `"type": "object"`'
    )


def _names_differ(tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    names = [tool.name for tool in tools]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"each name once, got several {', '.join(sorted(twice))}")
    return tools


class OffersTools(Strict):
    """A task that may offer tools."""

    tools: Annotated[tuple[Tool, ...], AfterValidator(_names_differ)] = later(
        (), f"functions that are offered through the server's API, at most {_MOST_TOOLS}"
    )

    @property
    def offered(self) -> tuple[dict[str, Any], ...]:
        """The tools as they are sent."""
        return tuple(tool.model_dump(mode="json") for tool in self.tools)

    def sent_with(self, prompt: str) -> dict[str, Any]:
        """Return what an answer depends on: the prompt, and the tools if there are any."""
        return {"prompt": prompt} | ({"tools": list(self.offered)} if self.tools else {})

    def require_possible(self, evaluations: Sequence[Evaluation]) -> None:
        """Check that the expected calls can be made with the tools.

        Raises:
            ValueError: A name is not offered, or arguments break its schema.
        """
        by_name = {tool.name: tool for tool in self.tools}
        for call in (
            call for one in evaluations if isinstance(one, ToolCalls) for call in one.expected
        ):
            if not by_name:
                continue
            if call.name not in by_name:
                raise ValueError(f"expected calls {call.name}, and tools has {', '.join(by_name)}")
            arguments = json.dumps(call.arguments)
            if broken := violation(by_name[call.name].parameters, arguments):
                raise ValueError(f"expected arguments of {call.name} break its schema: {broken}")
