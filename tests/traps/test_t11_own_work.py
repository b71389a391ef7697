"""T11: what we and our server do to the machine is not what others do to us."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import builders
import psutil
import pytest
from foreign_work import burn_command, foreign_share, wait_until
from nano import evidence, measure, nano_spec, row_of

from orket_lib.measure.quality.host_verdicts import judge_run
from orket_lib.telemetry import windows
from orket_lib.telemetry.sampler_process import Sampler
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, RunStatus

QUIET = 0.05  # of all cores, used by others before a test that needs the machine for itself


def test_t11_the_load_that_inference_makes_is_not_foreign() -> None:
    # Four cores, ten seconds, all of them busy: 36 core seconds by the server, 2 by us.
    samples = [Sample(0.0, 100.0, 5.0, 7.0, 1, 1, 1), Sample(10.0, 140.0, 7.0, 43.0, 1, 1, 1)]
    assert windows.foreign_cpu_ratio(samples, 4) == pytest.approx(2 / 40)


def test_t11_the_load_average_is_judged_without_our_own_share() -> None:
    samples = [
        Sample(0.0, 0.0, 0.0, 0.0, 1, 1, 1, load_1min=4.0),
        Sample(30.0, 120.0, 3.0, 108.0, 1, 1, 1, load_1min=4.5),
    ]
    assert windows.foreign_load(samples, samples) == pytest.approx(4.5 - 111 / 30)


def test_t11_a_run_is_judged_by_the_whole_of_its_own_window() -> None:
    # Another program takes three of four cores from the 10th to the 12th second of twenty.
    samples = [
        Sample(at_s / 4, 3 * min(2.0, max(0.0, at_s / 4 - 10)), 0.0, 0.0, 1, 1, 1)
        for at_s in range(81)
    ]

    def share(start_s: float, end_s: float) -> float | None:
        answer = builders.answered((start_s, end_s))
        return judge_run(answer, samples, 4).telemetry.host.foreign_cpu_ratio

    assert share(0.1, 0.2) == share(8.0, 8.9) == share(13.0, 20.0) == 0.0
    assert share(10.9, 11.1) == pytest.approx(0.75)
    assert share(0.0, 20.0) == pytest.approx(6 / 80)


def test_t11_the_first_look_is_no_reading() -> None:
    sample = Sampler(os.getpid(), None, time.monotonic()).look()
    assert windows.foreign_cpu_ratio([sample], 4) == Null("NOT_SAMPLED")
    assert windows.foreign_cpu_ratio([], 4) == Null("NOT_SAMPLED")


def test_t11_a_server_that_burns_every_core_is_subtracted_from_a_real_machine() -> None:
    cores = psutil.cpu_count() or 1
    server = subprocess.Popen(burn_command(60, cores))
    try:
        sampler = Sampler(os.getpid(), server.pid, time.monotonic())
        first = sampler.look()
        wait_until(lambda: sum(psutil.Process(server.pid).cpu_times()[:2]) > 1.0, "1 s of CPU")
        last = sampler.look()
    finally:
        server.kill()
        server.wait()
    used = last.server_s - first.server_s
    foreign = windows.foreign_cpu_ratio([first, last], cores)
    assert used > 0.9
    assert not isinstance(foreign, Null)
    busy_s, foreign_s = last.busy_s - first.busy_s, foreign * cores * (last.at_s - first.at_s)
    assert foreign_s <= max(0.0, busy_s - used) + 0.05


def test_t11_our_own_children_are_ours() -> None:
    helper = subprocess.Popen(burn_command(60, 1))
    try:
        sampler = Sampler(os.getpid(), None, time.monotonic())
        first = sampler.look()
        wait_until(lambda: sum(psutil.Process(helper.pid).cpu_times()[:2]) > 0.6, "0.6 s of CPU")
        last = sampler.look()
    finally:
        helper.kill()
        helper.wait()
    assert last.own_s - first.own_s > 0.5
    assert last.top_pid != helper.pid


@pytest.mark.alone
def test_t11_inference_on_all_cores_does_not_pollute_itself(tmp_path: Path) -> None:
    cores = psutil.cpu_count() or 1
    before = foreign_share()
    if before > QUIET:
        pytest.skip(f"others use {before:.0%} of all cores: this machine can't show it now")
    if os.getloadavg()[0] > cores * 0.75:
        pytest.skip(f"others left a load of {os.getloadavg()[0]:.2f} on {cores} cores")
    wanted = nano_spec("Q8_0", tasks=6, threads=cores, probe_runs=4)
    report = measure(tmp_path / "cell", wanted)
    after = foreign_share()
    if after > QUIET:
        pytest.skip(f"others began to use {after:.0%} of all cores meanwhile")
    assert report.status is RunStatus.MEASURED
    assert (report.hosts[0].server_cpu_ratio or 0.0) > 0.2, "it did work"
    for reason in (Reason.HIGH_CPU_SATURATION, Reason.HIGH_SYSTEM_LOAD):
        assert [evidence(run, reason) for run in report.test_runs if evidence(run, reason)] == []
        assert reason not in [seen.reason for item in report.probes for seen in item.observations]
    row = row_of(report, Lane.LAB)
    assert (row.cpu_saturation_rate, row.system_load_rate) == (0.0, 0.0)
