"""The steps of a measurement in an open session: running a probe, or asking a task.

If the spec fills the context, prompts are filled first, by the tokenizer of the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.measurements.parts import Answer
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.run_report import Probe
from orket_lib.measure.runs.answers import Turn, ask_task
from orket_lib.measure.runs.filled_prompts import FilledPrompts
from orket_lib.measure.session.session import OpenSession
from orket_lib.measure.speed.probes import run_followed_probe, run_probe
from orket_lib.tasks.bank import Task


@dataclass(frozen=True)
class Steps:
    """The two kinds of steps.

    Attributes:
        probe: Runs the probe with an index.
        ask: Asks a task once.
    """

    probe: Callable[[int], Probe]
    ask: Callable[[Task, Turn], Answer]


def steps_of(opened: OpenSession, spec: RunSpec, runs: Path) -> Steps:
    """Return the steps of a session.

    Args:
        opened: The session.
        spec: Of the measurement.
        runs: Folder of a runner's runs.
    """
    if spec.context is None:
        return Steps(
            lambda index: run_probe(opened, index),
            lambda task, turn: ask_task(opened, spec, task, turn, runs),
        )
    prompts = FilledPrompts.of(opened, spec)
    return Steps(
        lambda index: run_followed_probe(opened, index, prompts),
        lambda task, turn: ask_task(opened, prompts.answer_spec, prompts.filled(task), turn, runs),
    )
