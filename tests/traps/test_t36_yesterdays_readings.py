"""T36: after the sampler's end, no run is filled with what it saw before."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from nano import measure, nano_spec
from silent import Silent

from orket_lib.artifacts.views.run_report import Probe, TestRun
from orket_lib.telemetry import sampler
from orket_lib.telemetry.sampler import read_samples
from orket_lib.telemetry.windows import NOT_SAMPLED
from orket_lib.vocabulary.reasons import Reason

AFTER_STEPS = 5  # of two probes and six answers
PERIOD_S = 0.5


class Ends(Silent):
    """Does something to the sampler in the middle of a measurement."""

    def __init__(self, what: int, folder: Path) -> None:
        self.last_s = 0.0
        self._what = what
        self._folder = folder
        self._steps = 0

    def step(self) -> None:
        """Wait for a look after the steps so far, then do it."""
        self._steps += 1
        if self._steps == AFTER_STEPS:
            time.sleep(2 * PERIOD_S)
            (running,) = (
                child
                for child in psutil.Process().children()
                if "orket_lib.telemetry.sampler_process" in child.cmdline()
            )
            running.send_signal(self._what)
            (samples,) = self._folder.rglob("samples-0.csv")
            self.last_s = read_samples(samples)[-1].at_s


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("what", ["SIGKILL", "SIGSTOP"])
def test_t36_a_sampler_that_dies_or_hangs_in_a_real_session_leaves_a_gap(
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sampler, "_STOP_TIMEOUT_S", 0.5)

    ends = Ends(getattr(signal, what), tmp_path)

    report = measure(tmp_path, nano_spec("Q2_K"), progress=ends)

    steps: list[Probe | TestRun] = [*report.probes, *report.test_runs]
    before = [step for step in steps if step.window_s[1] <= ends.last_s]
    after = [step for step in steps if step.window_s[1] > ends.last_s]
    assert len(before) >= AFTER_STEPS
    assert after
    assert not any(map(gaps, before))
    assert all(map(gaps, after))
    for step in after:
        host = step.host if isinstance(step, Probe) else step.telemetry.host
        assert host is not None
        assert {host.reading(name) for name in host.readings()} == {NOT_SAMPLED}
    word = "hung, and was killed" if what == "SIGSTOP" else "ended with status -9"
    assert f"the sampler {word}: runs without samples have no telemetry" in capfd.readouterr().err


def gaps(step: Probe | TestRun) -> bool:
    """Return whether a step says that it was not sampled."""
    seen = step.observations if isinstance(step, Probe) else step.telemetry.run_quality_reasons
    return Reason.TELEMETRY_GAP in {item.reason for item in seen}
