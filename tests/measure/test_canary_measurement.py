from __future__ import annotations

from pathlib import Path

import pytest
from builders import PROVENANCE, spec, task
from fake_provider import FakeProvider, failing
from measured import measured_report
from silent import Silent

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.canary import CanaryMeasurement
from orket_lib.artifacts.measurements.request import AskedCanaries, AskedCanary, AskedReceipts
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.artifacts.views.receipt import CanaryReceipt, Receipt, TakenPart
from orket_lib.cli import main
from orket_lib.measure.canary import measure_canary
from orket_lib.providers.base import Source
from orket_lib.vocabulary.errors import LoadError, RequestTimedOut, ServerCrashed
from orket_lib.vocabulary.statuses import Outcome

TASKS = (task(1), task(2))
_RUN = spec().model_dump(exclude={"kind", "runs_per_task", "probe_runs"})
SPEC = CanarySpec(**_RUN, runs=3)


def measure(tmp_path: Path, facts: Path | None = None) -> CanaryMeasurement:
    source = Source(Path("nano.gguf"))
    return measure_canary(SPEC, source, TASKS, tmp_path, Silent(), PROVENANCE, facts)


def test_what_a_canary_found_out_the_first_cell_does_not_find_out_again(
    tmp_path: Path, provider: FakeProvider
) -> None:
    facts = tmp_path / "server_facts"
    (canary,) = measure(tmp_path, facts).sessions
    (session,) = measured_report(tmp_path / "cell", spec(), TASKS, facts=facts).sessions
    assert session.found_by == f"the session of nano Q4_K_M at {canary.started_at}"
    assert session.decode_clock_evidence == canary.decode_clock_evidence
    warm_ups = len(session.warmup.decode_seconds)
    assert len(provider.models[1].probes) == warm_ups + spec().probe_runs


def test_a_canary_runs_each_task_so_many_times_with_a_probe_beside(
    tmp_path: Path, provider: FakeProvider
) -> None:
    found = measure(tmp_path)
    assert found.failure is None
    assert [(run.test_id, run.run_index) for run in found.runs] == [
        (name, index) for index in range(3) for name in ("add-0001", "add-0002")
    ]
    assert {run.adherence_score for run in found.runs} == {1.0}
    # 512 tokens in 0.5 s and 127 intervals of 10 ms: the probe's, not the short answer's.
    assert [run.internal_model_seconds for run in found.runs] == [pytest.approx(1.77)] * 6
    # By our clock: its last of 128 chunks, 10 ms apart from 0.5 s on.
    assert [run.client_seconds for run in found.runs] == [pytest.approx(1.77)] * 6
    assert found.spec_digest == SPEC.digest()


@pytest.mark.parametrize("error", [LoadError("bad magic"), ServerCrashed("exit status 9")])
def test_a_model_that_can_not_be_measured_is_a_result(
    tmp_path: Path, provider: FakeProvider, error: Exception
) -> None:
    provider.load_error = error
    found = measure(tmp_path)
    assert (found.failure, found.runs) == (str(error), ())


def test_a_failed_task_is_a_run_that_scored_zero(tmp_path: Path, provider: FakeProvider) -> None:
    slow = failing(RequestTimedOut("slow"), lambda request: request.prompt == TASKS[1].prompt)
    provider.fault = slow
    runs = measure(tmp_path).runs
    assert [run.outcome for run in runs[:2]] == [Outcome.PASS, Outcome.TIMEOUT]
    assert runs[1].adherence_score == 0.0


def test_a_closing_canary_follows_the_cells_of_the_config_only(
    tmp_path: Path,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    stored = Path("storage/canary", SPEC.digest(), "closing", "20261129T162026.499Z", "canary.json")
    write_model(stored, measure(tmp_path))
    asked = AskedCanary(artifact="nano.gguf", spec=SPEC)
    asked_canaries = AskedCanaries(bank="bank.json", canaries=(asked,), max_age_hours=1)
    write_model(Path("spec.json"), asked_canaries)
    for quant, measured_at in (("Q8_0", "16:10:00"), ("dropped", "16:21:10")):
        cell_receipt(quant, f"2026-11-29T{measured_at}Z")
    arguments = ["measure-canary", "--spec", "spec.json", "--out", "receipt.json"]
    arguments += ["--preflight", "preflight.json", "--closing", "s/policy/receipts.json"]

    listed(["nano/Q8_0/receipt.json"])
    assert main(arguments) == 0
    (part,) = read_model(Path("receipt.json"), CanaryReceipt).parts
    assert part.path == stored.as_posix()

    listed(["nano/Q8_0/receipt.json", "nano/dropped/receipt.json"])
    assert main(arguments) == 1  # it has to be measured, and there is no preflight
    assert "preflight.json" in capsys.readouterr().err


def cell_receipt(quant: str, measured_at: str) -> None:
    part = TakenPart(kind="answers", path="answers.json", sha256="0" * 64, measured_at=measured_at)
    receipt = Receipt(generated_at=measured_at, provenance=PROVENANCE, parts=(part,))
    write_model(Path("s/cells/nano", quant, "receipt.json"), receipt)


def listed(paths: list[str]) -> None:
    write_model(Path("s/policy/receipts.json"), AskedReceipts(paths=tuple(paths)))
