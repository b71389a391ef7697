"""The process that checks a model's text: which failures are the input's fault, and which not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import limited_functions as functions
import pytest
from task_forms import judged_by

from orket_lib.tasks.grading import limited_call as bounded
from orket_lib.tasks.grading.graders import Grading, judge
from orket_lib.tasks.grading.limited_call import NoAnswer, call_limited
from orket_lib.vocabulary.errors import SandboxError

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "regex": ({"type": "regex", "pattern": "a+"}, "aaa"),
    "json_schema": ({"type": "json_schema", "schema": {"type": "integer"}}, "1"),
    "ast_rules": ({"type": "ast_rules", "require": {"names": ["y"]}}, "y = 1"),
}


def test_values_travel_unchanged() -> None:
    for value in (None, [1, 2.5, {"a": "\ud800\x00\n"}], "x" * 1_000_000):
        assert call_limited(functions.echo, value=value) == value


def test_it_finds_modules_where_we_find_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also the tests' own, so the path was passed on."""
    monkeypatch.syspath_prepend(tmp_path)
    first, *path = call_limited(functions.search_path)
    assert path == list(map(str, sys.path))
    assert Path(first, "orket_lib").is_dir()


@posix
@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        (functions.spin, {}, "no result within 0.5 s of CPU time"),
        (functions.eat, {"mib": 400}, "the check failed: MemoryError"),
        (functions.fail, {"kind": "ValueError", "said": "x"}, "the check failed: ValueError: x"),
        (functions.fail, {"kind": "OverflowError", "said": "\ud800" * 999}, "OverflowError"),
        (functions.overflow, {}, "crashed with status -11"),
        (functions.die, {"number": signal.SIGABRT}, "crashed with status -6"),
        (functions.circle, {}, "the check failed: ValueError: Circular"),
    ],
)
def test_what_an_input_can_do_is_no_answer(
    function: Any, arguments: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "SECONDS", 0.5)
    monkeypatch.setattr(bounded, "MEMORY_MIB", 300)
    with pytest.raises(NoAnswer, match=said):
        call_limited(function, **arguments)


@posix
@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        (functions.die, {"number": signal.SIGKILL}, "was ended: status -9"),
        (functions.die, {"number": signal.SIGTERM}, "was ended: status -15"),
        (functions.need, {"module": "no_such_package"}, "was ended: ModuleNotFoundError"),
        (functions.fail, {"kind": "OSError", "said": "disk"}, "was ended: OSError: disk"),
        (functions.leave, {"status": 3}, "was ended: status 3"),
        (functions.sleep, {}, "too little CPU time within 1.5 s"),
    ],
)
def test_what_an_input_can_not_do_is_a_failure_of_ours(
    function: Any, arguments: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if function is functions.sleep:
        monkeypatch.setattr(bounded, "WALL_SECONDS", 1.5)
    with pytest.raises(SandboxError, match=said):
        call_limited(function, **arguments)


def out_of_processes(*_: object, **__: object) -> None:
    raise BlockingIOError(11, "Resource temporarily unavailable")


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("how", ["no package", "no process", "late", "killed"])
def test_a_check_of_ours_that_fails_is_not_run(
    kind: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = judged_by(ASKED[kind][0]), ASKED[kind][1]
    assert judge(asked, answer).passed
    if how == "no package":
        monkeypatch.setattr(bounded, "_CHILD", "import no_such_package")
    elif how == "no process":
        monkeypatch.setattr(subprocess, "run", out_of_processes)
    elif how == "late":
        monkeypatch.setattr(bounded, "WALL_SECONDS", 0.001)
    else:
        monkeypatch.setattr(bounded, "_CHILD", "import os; os.kill(os.getpid(), 9)")
    grading = judge(asked, answer)
    assert grading == Grading((), not_run=grading.not_run)
    assert (grading.not_run or "").startswith("the checking process ")
