"""T29: what measuring a slow server costs, over the wire, with and without a canary before it.

The server works forty times as fast as the one that is meant, and so does the budget's clock; what
is judged are the seconds that the tokens it was asked for would have taken.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import PROVENANCE, spec
from measured import measured_report
from nano import bank
from openai_server import OpenAiSimulator
from silent import Silent
from simulator_backends import WordBackend

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import (
    ArtifactIdentity,
    CanarySpec,
    ControlSettings,
    RunSpec,
)
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.canary import measure_canary
from orket_lib.measure.session import session
from orket_lib.measure.speed.budget import BUDGET
from orket_lib.providers.base import Source
from orket_lib.tasks.bank import selection
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.reasons import Reason

TAG = "lamp-7b"
PROMPT_TPS, DECODE_TPS, FASTER = 20, 5, 40
TASKS = bank().tasks[:3]


def simulator(kind: str) -> OpenAiSimulator:
    backend = WordBackend(
        piece_s=1 / DECODE_TPS / FASTER, word_s=1 / PROMPT_TPS / FASTER, before="well " * 30
    )
    return OpenAiSimulator(backend, [TAG], kind=kind)  # type: ignore[arg-type]


def cell() -> RunSpec:
    return spec(
        provider="openai",
        artifact=ArtifactIdentity(tag=TAG),
        controls=ControlSettings(seed=7, warmup_steps=50),
        tasks=selection(bank(), TASKS),
        machine=hardware_fingerprint(),
        runs_per_task=1,
        probe_runs=3,
    )


def measured(folder: Path, server: OpenAiSimulator) -> RunReport:
    source = Source(None, ServerLocation(base_url=server.base_url))
    facts = folder / "server_facts"
    return measured_report(folder / "cell", cell(), TASKS, source, facts=facts)


def canary(folder: Path, server: OpenAiSimulator) -> None:
    fields = cell().model_dump(exclude={"kind", "runs_per_task", "probe_runs", "on_server_death"})
    seen = measure_canary(
        CanarySpec(**fields, runs=2),
        Source(None, ServerLocation(base_url=server.base_url)),
        TASKS,
        folder,
        Silent(),
        PROVENANCE,
        facts=folder / "server_facts",
    )
    assert seen.failure is None


def seconds(server: OpenAiSimulator) -> list[tuple[bool, float]]:
    """Return of each request whether it was a task, and how long the slow server works on it."""
    questions = {task.prompt for task in TASKS}
    found = []
    for body in server.asked("/v1/chat/completions"):
        prompt = body["messages"][0]["content"]
        graded = prompt in questions
        tokens = 32 if graded else body["max_tokens"]
        words = len(prompt.split()) + WordBackend.TEMPLATE
        found.append((graded, words / PROMPT_TPS + (tokens - 1) / DECODE_TPS))
    return found


@pytest.fixture(autouse=True)
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BUDGET", BUDGET.scaled(1 / FASTER))


@pytest.mark.parametrize("kind", ["vllm", "plain"])
def test_t29_a_slow_server_is_asked_the_first_task_within_a_minute(
    tmp_path: Path, kind: str
) -> None:
    server = simulator(kind)
    with server.running():
        report = measured(tmp_path, server)
    work = seconds(server)
    first = next(index for index, (graded, _) in enumerate(work) if graded)
    assert sum(took for _, took in work[:first]) <= 60.0
    assert [graded for graded, _ in work[first:]] == [True] * 3 + [False] * 3, "probes come last"
    assert {probe.output_tokens for probe in report.probes} == {32}
    for probe in report.probes:
        # A busy machine may read the quick clock's chunks in bursts.
        missing = probe.null_reasons.get("generation_tokens_per_second")
        assert missing in (None, "STREAM_BUFFERED")
        assert Reason.PROBE_SHORTENED in {seen.reason for seen in probe.observations}


def test_t29_with_a_canary_it_is_a_minute_beside_the_canarys_own_runs(tmp_path: Path) -> None:
    server = simulator("plain")  # which tells the least, so most is to be found out
    with server.running():
        canary(tmp_path, server)
        before = seconds(server)
        measured(tmp_path, server)
    work = seconds(server)
    own_runs = next(index for index, (graded, _) in enumerate(before) if graded)
    first = next(index for index, (graded, _) in enumerate(work[len(before) :]) if graded)
    others = [*work[:own_runs], *work[len(before) : len(before) + first]]
    assert sum(took for _, took in others) <= 60.0
