"""Every reason for a null is in one table, with a meaning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orket_lib.artifacts.base import OLDER_FILE
from orket_lib.vocabulary.null_reasons import NullReason, meaning_of
from orket_lib.vocabulary.statuses import Outcome, RunStatus
from orket_lib.vocabulary.thresholds import FEWEST_BASELINES

LIBRARY = Path(__file__).parents[2] / "orket_lib"
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def _codes_in(source: str) -> Iterator[str]:
    """Yield the codes that are written out in calls of `Null`."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "Null"
        ):
            for part in ast.walk(node):
                if isinstance(part, ast.JoinedStr):  # a prefix, completed while running
                    break
                if isinstance(part, ast.Constant) and _CODE.fullmatch(str(part.value)):
                    yield str(part.value)


def test_codes_are_found_in_calls_of_null() -> None:
    source = 'x = Null("A_B" if y else "C")\nNull(f"D_{x}")\nother("E")'
    assert list(_codes_in(source)) == ["A_B", "C"]


def test_every_reason_in_the_library_is_in_the_table() -> None:
    unknown = {
        f"{path.relative_to(LIBRARY)}: {code}"
        for path in LIBRARY.rglob("*.py")
        for code in _codes_in(path.read_text(encoding="utf-8"))
        if code not in set(NullReason)
    }
    assert unknown == set()


def test_a_member_is_its_code_and_has_a_meaning() -> None:
    for name, member in NullReason.__members__.items():
        assert member == name
        assert member.meaning
        assert meaning_of(name) == member.meaning


@pytest.mark.parametrize(
    "reason",
    [
        OLDER_FILE,
        *(f"STATUS_{status.upper()}" for status in RunStatus),
        *(f"RUN_{outcome.upper()}" for outcome in (Outcome.ERROR, Outcome.TIMEOUT)),
        *(
            f"FEWER_THAN_{FEWEST_BASELINES}_{what}"
            for what in ("BASELINES", "BASELINES_HAVE_IT", "CLEAN_BASELINES")
        ),
        "EXIT_STATUS_3",
        "NVML_ERROR_999",
        "AMDSMI_ERROR_7",
        "GPU_METRICS_V1_9_NOT_READ",
    ],
)
def test_a_reason_that_is_put_together_while_running_has_a_meaning(reason: str) -> None:
    assert meaning_of(reason)


def test_an_unknown_reason_has_no_meaning() -> None:
    assert meaning_of("COMMAND_NOT_FOUND") == ""
