"""The suite of faults notices what it is there to notice."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from bed import Bed, differences, line_to_type
from invocation import Result, call
from surroundings import KINDS

UNDISTURBED: dict[str, Any] = {"answers": {"F16 a 1 0": "x"}, "rows": [{"tasks": 3}]}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"answers": {"F16 a 1 0": "y"}}, "F16 a 1 0: 'y', not 'x'"),
        ({"answers": {}}, "F16 a 1 0: None, not 'x'"),
        ({"rows": [{"tasks": 2}]}, "0: tasks: 2, not 3"),
    ],
)
def test_what_differs_is_named(changed: dict[str, Any], named: str) -> None:
    assert differences(UNDISTURBED, UNDISTURBED) == []
    (line,) = differences(UNDISTURBED | changed, UNDISTURBED)
    assert line.endswith(named)


def test_the_line_to_type_is_found_in_a_message() -> None:
    text = "failed\n  after fixing this, run: snakemake -R check_needs --configfile my.yaml\nmore"
    assert line_to_type(text) == "snakemake -R check_needs --configfile my.yaml"
    assert line_to_type("stopped; the same command goes on from there") is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ('Traceback (most recent call last):\n  File "a.py"\nOSError: no\n', True),
        (
            'Traceback (most recent call last):\n  File "<frozen x>"\nKeyboardInterrupt\n',
            False,
        ),
        ("error: no\n", False),
    ],
)
def test_tracebacks_and_lost_answers_are_problems(tmp_path: Path, text: str, is_one: bool) -> None:
    bed = Bed(tmp_path / "base")
    open_folder = bed.folder / "storage/runs/m/q/d/open"
    open_folder.mkdir(parents=True)
    answer = {"key": "a", "round": 1, "run_index": 0}
    line = json.dumps({"kind": "answer", "data": answer}) + "\n"
    journal = open_folder / "journal.jsonl"
    journal.write_text(line)
    assert [it[:11] for it in bed.problems(Result(1, text))] == ["a traceback"] * is_one
    assert bed.steps_done() == 1
    journal.write_text(line * 2)
    assert any("measured twice in one journal" in it for it in bed.problems(Result(1, "")))
    journal.write_text("")
    assert any("before the interruption is lost" in it for it in bed.problems(Result(1, "")))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the environment of processes")
def test_a_process_that_outlives_its_call_is_named(tmp_path: Path) -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '1'], start_new_session=True)"
    (tmp_path / "leaving.py").write_text(code)
    env = {"PYTHONPATH": str(tmp_path)}
    result = call(tmp_path, [], env=env, module="leaving", last_breath_s=0.1)
    assert (result.code, result.left) == (0, ("sleep 1",))
    result = call(tmp_path, [], env=env, module="leaving", last_breath_s=5)
    assert result.left == ()


def test_every_process_of_a_sweep_is_struck_in_every_way() -> None:
    for target in ("snakemake", "job", "server", "sampler", "keeper", "script"):
        for way in ("kill", "term", "int", "pause", "stop-kill"):
            assert f"{way}-{target}" in KINDS
