"""Tasks with one call each; `changes` name the keys that differ from a plain one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.bank import StructuredTask
from orket_lib.tasks.grading import observations

ROOT = Path(__file__).resolve().parents[2]

ADD = {
    "type": "function_examples",
    "function_name": "add",
    "examples": [{"args": [2, 3], "expected": 5}, {"args": [-1, 1], "expected": 0}],
}


@pytest.fixture
def patterns_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    match_in_this_process(monkeypatch)


def match_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Match patterns, which must be harmless, without a child process and its time limit."""

    def call(function: Callable[..., Any], **arguments: Any) -> Any:
        return function(**arguments)

    monkeypatch.setattr(observations, "call_limited", call)


def content(**changes: Any) -> dict[str, Any]:
    """Return a structured task as written in a bank."""
    return {
        "id": 1,
        "tier": 1,
        "instruction": "Write the word stone.",
        "evaluation": {"type": "exact", "expected": "stone"},
    } | changes


def structured(**changes: Any) -> StructuredTask:
    """Return a structured task."""
    return StructuredTask.model_validate(content(**changes))


def judged_by(*evaluations: dict[str, Any]) -> StructuredTask:
    """Return a task with these graders."""
    return structured(evaluation=list(evaluations))


def walled() -> Sandbox:
    """Return a sandbox with walls, or skip the test."""
    found = find_sandbox()
    if isinstance(found, Unavailable):
        pytest.skip(f"no sandbox: {found.reason}")
    return found
