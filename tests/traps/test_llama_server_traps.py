"""T1, T2 and T8 on a running llama-server: its own report counts, not the label.

The server is the embedded one, which answers the same routes as any other `llama-server`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measured import measured_report
from nano import nano_file, nano_spec, row_of, tasks_of
from silent import Silent

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ControlSettings, RunSpec
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider
from orket_lib.providers.llama_cpp.model import LlamaModel
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, RunStatus

QUESTION = GenerationRequest("Sort 3 1 2", 16, 0.0, seed=7, timeout_s=30.0)


@contextmanager
def server_of_others(folder: Path, tag: str, n_ctx: int = 2048) -> Iterator[LlamaModel]:
    spec = nano_spec(tag, n_ctx=n_ctx)
    log = folder / "of_others.log"
    with EmbeddedProvider().serve(spec, Source(nano_file(tag)), log) as owner:
        yield owner


def cell(tag: str, **changes: Any) -> RunSpec:
    held: dict[str, Any] = {"provider": "llama_server", "runs_per_task": 1, "probe_runs": 1}
    controls = ControlSettings(seed=7, warmup_steps=2)
    return nano_spec(tag, tasks=2, **(held | changes)).model_copy(update={"controls": controls})


def measure(
    folder: Path, owner: LlamaModel, wanted: RunSpec, progress: Silent | None = None
) -> RunReport:
    place = ServerLocation(base_url=owner.address.base_url, api_key=owner.address.api_key)
    source = Source(nano_file(wanted.quant_tag), place)
    tasks = tasks_of(wanted)
    return measured_report(folder / "cell", wanted, tasks, source, progress)


def test_t01_a_running_server_is_believed_about_itself_only_as_far_as_its_file_goes(
    tmp_path: Path,
) -> None:
    with server_of_others(tmp_path, "Q8_0") as owner:
        right = measure(tmp_path / "right", owner, cell("Q8_0"))
        wrong = measure(tmp_path / "wrong", owner, cell("Q4_K_M"))
    assert right.observations == ()
    assert row_of(right).valid, row_of(right).invalid_because
    assert wrong.status is RunStatus.LOAD_FAILED
    assert wrong.status_reason is not None
    assert "orket-nano-Q8_0.gguf" in wrong.status_reason
    assert wrong.test_runs == (), "not a moment is spent on another model"


def test_t02_the_context_of_a_running_server_is_its_own(tmp_path: Path) -> None:
    with server_of_others(tmp_path, "Q2_K", n_ctx=1024) as owner:
        report = measure(tmp_path, owner, cell("Q2_K"))
    assert [(seen.reason, seen.evidence) for seen in report.observations] == [
        (Reason.CONTEXT_MISMATCH, "asked for 2048, served 1024")
    ]
    for lane in Lane:
        assert not row_of(report, lane).valid


class Intruding(Silent):
    """Another client asks the server something, once, between two of our steps."""

    def __init__(self, owner: LlamaModel) -> None:
        self._owner = owner
        self._steps = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps == 1:
            self._owner.generate(QUESTION)


def test_t08_a_request_of_somebody_else_pollutes_the_run_that_it_fell_into(tmp_path: Path) -> None:
    with server_of_others(tmp_path, "Q2_K") as owner:
        report = measure(tmp_path, owner, cell("Q2_K"), Intruding(owner))
    first, second = report.test_runs
    seen = [item.reason for item in first.telemetry.run_quality_reasons]
    assert Reason.FOREIGN_REQUESTS in seen
    for other in (report.probes[0].observations, second.telemetry.run_quality_reasons):
        assert Reason.FOREIGN_REQUESTS not in [item.reason for item in other]
    row = row_of(report, Lane.LAB)
    assert Reason.FOREIGN_REQUESTS in [item.reason for item in row.run_quality_reasons]
    assert not row.valid
