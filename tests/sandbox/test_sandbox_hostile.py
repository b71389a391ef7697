"""Hostile programs in every kind of sandbox: none gets anything, and each has its own outcome."""

from __future__ import annotations

import os

import pytest
from hostile_programs import ALL, Hostile
from hostile_runners import Runner
from sandbox_targets import Targets, run_outside, wait_for

NAMED = [pytest.param(program, id=program.name) for program in ALL]
SOME = [
    pytest.param(program, id=program.name, marks=() if number % 4 == 0 else pytest.mark.slow)
    for number, program in enumerate(ALL)
]


@pytest.mark.parametrize("program", SOME)
def test_a_hostile_program_is_contained(runner: Runner, targets: Targets, program: Hostile) -> None:
    seen = runner.run(targets, program)
    assert not targets.detects(program.seen_by, seen), seen
    assert seen.verdict in program.ends, seen
    if seen.status is not None:
        assert seen.status == program.status, seen
    # Whatever it was after, nothing of it goes on.
    assert wait_for(lambda: not targets.detects("left_over", seen)), seen
    assert not targets.detects("victim", seen)


@pytest.mark.slow
@pytest.mark.parametrize("program", NAMED)
def test_its_detector_would_have_noticed(targets: Targets, program: Hostile) -> None:
    if program.as_root and os.geteuid() != 0:
        pytest.skip("outside, only root could do that")
    seen = run_outside(targets, program)
    # A process that has just begun has no command line yet.
    assert wait_for(lambda: targets.detects(program.seen_by, seen)), seen
