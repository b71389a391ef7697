"""The programs are run."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from types import FrameType
from typing import Any

from family_contract import GrowingFamilyContract

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning import code_reading


class TestCodeReading(GrowingFamilyContract):
    family = code_reading

    def again(self, text: str, draft: Draft) -> Any:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(_program(text), {})
        line = printed.getvalue().removesuffix("\n")
        return line if isinstance(draft.evaluation["expected"], str) else int(line)

    def size(self, draft: Draft) -> int:
        """Return how many lines are executed."""
        steps = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal steps
            steps += event == "line"
            return trace

        code = compile(_program(draft.problem), "program", "exec")
        with redirect_stdout(io.StringIO()):
            sys.settrace(trace)
            try:
                exec(code, {})
            finally:
                sys.settrace(None)
        return steps


def _program(text: str) -> str:
    return text.split("```python\n")[1].split("\n```")[0]
