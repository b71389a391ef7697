"""`orket baselines` as it is typed: exit codes, JSON, and what it says of mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import builders
import pytest
from contract_examples import example

from orket_lib.artifacts.io import read_json, write_json, write_model
from orket_lib.artifacts.views.regression import Regression
from orket_lib.artifacts.views.run_report import Observation, RunReport
from orket_lib.artifacts.views.summary import Summary
from orket_lib.cli import main
from orket_lib.stores.baselines import BaselineStore
from orket_lib.stores.files import HistoryFile
from orket_lib.tasks.bank import TaskBank, selection
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import RunStatus

BANK = TaskBank(
    schema_version="orket.task_bank.v1", bank_id="bank", tasks=(builders.task(1), builders.task(2))
)
DAYS = ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00.5+02:00", "2026-11-03T00:00:00Z")

Orket = Callable[..., tuple[int, Any, str]]


def report(day: int, **changes: Any) -> RunReport:
    spec = builders.spec(tasks=selection(BANK, BANK.tasks))
    return builders.report(spec=spec, measured_at=DAYS[day], **changes)


@pytest.fixture
def orket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Orket:
    """Return a call of `orket baselines`: exit code, standard output as JSON, standard error."""
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "bank.json", BANK.model_dump(mode="json"))
    for day in range(3):
        write_model(tmp_path / f"run-{day}.json", report(day))

    def call(*arguments: str) -> tuple[int, Any, str]:
        code = main(["baselines", *arguments])
        shown = capsys.readouterr()
        return code, json.loads(shown.out) if "--json" in arguments else shown.out, shown.err

    return call


@pytest.fixture
def recorded(orket: Orket) -> list[str]:
    """Record three measurements, the newest first; return their refs, the oldest first."""
    paths = [f"run-{day}.json" for day in (2, 0, 1)]
    code, receipt, _ = orket("record", "--report", *paths, "--bank", "bank.json", "--json")
    assert code == 0
    newest, oldest, middle = (item["test_run_id"] for item in receipt["recorded"])
    return [oldest, middle, newest]


def refs(orket: Orket, test_id: str = "add-0001") -> list[str]:
    _, shown, _ = orket("show", "--test-id", test_id, "--json")
    return [item["baseline_metadata"]["test_run_id"] for item in shown["history"]]


def test_records_carry_what_they_are_of(orket: Orket, recorded: list[str]) -> None:
    _, shown, _ = orket("show", "--test-id", "add-0001", "--json")
    first = shown["history"][0]
    assert first["baseline_metadata"] == {
        "test_run_id": recorded[0],
        "model_id": "nano",
        "model_hash": "a" * 64,
        "quant_tag": "Q4_K_M",
        "bank_id": "bank",
        "hardware_fingerprint": builders.MACHINE,
        "task_revision": selection(BANK, BANK.tasks[:1]).sha256[:12],
        "settings_digest": first["baseline_metadata"]["settings_digest"],
        "build": "test",
        "created_at": DAYS[0],
        "execution_lane": None,
        "clean": True,
        "pinned": False,
    }
    assert first["gold_telemetry"]["adherence_score"] == 1.0
    assert first["gold_telemetry"]["total_latency"] == pytest.approx(0.32)
    assert first["gold_telemetry"]["null_reasons"] == {"peak_vram_mib": "NO_GPU_USED"}
    assert refs(orket) == recorded


def test_listing_counts_records_cells_and_pins(orket: Orket, recorded: list[str]) -> None:
    orket("pin-baseline", "--baseline-ref", recorded[0])
    code, shown, _ = orket("list", "--json")
    assert code == 0
    assert [
        (item["test_id"], item["records"], item["pinned"], item["cells"])
        for item in shown["histories"]
    ] == [("add-0001", 3, 1, 1), ("add-0002", 3, 1, 1)]
    _, text, _ = orket("list")
    assert "add-0002" in text


def test_resolving_takes_the_newest_or_says_what_is_in_the_way(
    orket: Orket, recorded: list[str]
) -> None:
    of_task = ("resolve", "--test-id", "add-0001", "--json")
    code, found, _ = orket(*of_task)
    assert (code, found["status"]) == (0, "OK")
    assert found["baseline"]["baseline_metadata"]["test_run_id"] == recorded[-1]
    for option, value, status in (
        ("--model-id", "another", "NO_BASELINE"),
        ("--hardware-fingerprint", "another", "HW_MISMATCH"),
        ("--task-revision", "another", "REV_MISMATCH"),
    ):
        code, found, _ = orket(*of_task, option, value)
        assert (code, found) == (
            3,
            {"test_id": "add-0001", "status": status, "baseline": None},
        )
    code, found, _ = orket(*of_task, "--baseline-ref", recorded[0])
    assert found["baseline"]["baseline_metadata"]["test_run_id"] == recorded[0]
    with pytest.raises(SystemExit):
        orket("resolve")


def test_an_unknown_ref_is_one_message_and_no_traceback(orket: Orket, recorded: list[str]) -> None:
    for arguments in (
        ("resolve", "--test-id", "add-0001", "--baseline-ref", "unknown"),
        ("pin-baseline", "--baseline-ref", "unknown"),
        ("unpin-baseline", "--baseline-ref", "unknown", "--test-id", "add-0001"),
    ):
        code, _, error = orket(*arguments)
        assert code == 1
        assert error.startswith("error: unknown: no baseline")
    assert refs(orket) == recorded


def test_pruning_keeps_pins_and_says_first_what_would_go(orket: Orket, recorded: list[str]) -> None:
    orket("pin-baseline", "--baseline-ref", recorded[0], "--test-id", "add-0001")
    policy = ("--keep-last", "1", "--json")

    _, planned, _ = orket("prune", *policy, "--dry-run")
    assert refs(orket) == recorded
    code, done, _ = orket("prune", *policy)

    assert code == 0
    assert done == planned | {"dry_run": False}
    assert refs(orket) == [recorded[0], recorded[2]]
    assert refs(orket, "add-0002") == [recorded[2]]
    orket("unpin-baseline", "--baseline-ref", recorded[0])
    orket("prune", *policy)
    assert refs(orket) == [recorded[2]]


@pytest.mark.parametrize("action", ["prune", "pin-baseline"])
def test_nothing_is_changed_before_every_history_was_read(
    orket: Orket, recorded: list[str], tmp_path: Path, action: str
) -> None:
    """What is wrong is deep inside the last file: its head alone looks fine."""
    store = BaselineStore(tmp_path / "storage")
    content = read_json(store.path("add-0002"))
    content["history"][1]["baseline_metadata"]["created_at"] = "yesterday"
    write_json(store.path("add-0002"), content)
    before = store.path("add-0001").read_bytes()

    options = ("--keep-last", "1") if action == "prune" else ("--baseline-ref", recorded[0])
    code, _, error = orket(action, *options)

    assert (code, "created_at" in error) == (1, True)
    assert store.path("add-0001").read_bytes() == before


def test_what_was_done_is_told_when_a_later_history_can_not_be_changed(
    orket: Orket, recorded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = HistoryFile.update

    def full_disk(self: HistoryFile, change: Any) -> Any:
        if self.path.name == "add-0002.json":
            raise ArtifactError(f"{self.path}: can't be written: No space left on device")
        return write(self, change)

    monkeypatch.setattr(HistoryFile, "update", full_disk)

    code, done, error = orket("pin-baseline", "--baseline-ref", recorded[0], "--json")
    assert (code, done["test_ids"], "No space left" in error) == (1, ["add-0001"], True)
    code, done, error = orket("prune", "--keep-last", "1", "--json")
    assert (code, "No space left" in error) == (1, True)
    assert done["removed"] == [
        {"test_id": "add-0001", "baseline_ref": recorded[1], "created_at": DAYS[1]}
    ]
    assert refs(orket) == [recorded[0], recorded[2]]


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_keeping_none_is_wrong_usage(
    orket: Orket, recorded: list[str], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        orket("prune", "--keep-last", value)
    assert stopped.value.code == 2
    said = f"must be a whole number >= 1 (got '{value}')"
    assert said in capsys.readouterr().err
    assert refs(orket) == recorded


def test_health_names_what_is_damaged_and_still_shows_the_rest(
    orket: Orket, recorded: list[str], tmp_path: Path
) -> None:
    code, shown, _ = orket("health", "--keep-last", "2", "--json")
    assert code == 0
    assert [item["outdated"] for item in shown["histories"]] == [1, 1]
    path = BaselineStore(tmp_path / "storage").path("add-0001")
    path.write_text("{", encoding="utf-8")

    code, shown, error = orket("health", "--json")

    assert code == 1
    assert [bool(item["problem"]) for item in shown["histories"]] == [True, False]
    assert "add-0001.json: " in error
    assert path.read_text(encoding="utf-8") == "{"
    code, _, error = orket("prune", "--keep-last", "1")
    assert (code, "not valid JSON" in error) == (1, True)


def test_health_counts_what_is_of_another_machine_and_of_another_revision(
    orket: Orket, recorded: list[str], tmp_path: Path
) -> None:
    """Of three records, one is made another machine's, one another revision's."""
    store = BaselineStore(tmp_path / "storage")
    content = read_json(store.path("add-0001"))
    first, second, _ = (entry["baseline_metadata"] for entry in content["history"])
    revision = first["task_revision"]
    first |= {"hardware_fingerprint": "elsewhere", "task_revision": "older"}
    second["task_revision"] = "older"
    write_json(store.path("add-0001"), content)
    here = ("--hardware-fingerprint", builders.MACHINE)

    code, shown, _ = orket("health", *here, "--task-revision", revision, "--json")

    assert code == 0
    uses = ("matching", "other_machine", "other_revision")
    assert [tuple(item[name] for name in uses) for item in shown["histories"]] == [
        (1, 1, 1),
        (0, 0, 3),  # the revision of one task is none of another
    ]
    assert tuple(shown[name] for name in uses) == (1, 1, 4)
    _, shown, _ = orket("health", *here, "--json")
    assert tuple(shown[name] for name in uses) == (5, 1, 0)
    _, shown, _ = orket("health", "--json")
    assert tuple(shown[name] for name in uses) == (6, 0, 0)
    of_task = ("--test-id", "add-0001", "--task-revision", revision)
    _, text, totals = orket("health", *here, *of_task)
    head, line = text.splitlines()
    assert "matching  other machine  other revision" in head
    assert line.split()[:8] == ["add-0001", "3", "0", "1", "0", "1", "1", "1"]
    assert totals == "3 records: 1 matching, 1 other machine, 1 other revision\n"


def test_showing_what_is_not_there_says_so(orket: Orket, recorded: list[str]) -> None:
    code, _, error = orket("show", "--test-id", "add-1")
    assert (code, "--test-id add-1: has no baselines" in error) == (1, True)
    code, _, error = orket("show", "--test-id", "add-0001", "--quant-tag", "Q9")
    assert (code, "no baseline of that model and quant; it has nano Q4_K_M" in error) == (
        1,
        True,
    )


def test_a_measurement_that_is_named_twice_is_recorded_once(orket: Orket) -> None:
    twice = ("--report", "run-0.json", "run-0.json", "--bank", "bank.json", "--json")
    for added in (2, 0):
        code, receipt, _ = orket("record", *twice)
        assert code == 0
        (only,) = receipt["recorded"]
        assert (only["tasks"], only["added"], only["replaced"]) == (2, added, 0)
    assert len(refs(orket)) == 1


def test_a_disturbed_measurement_is_recorded_as_one(orket: Orket, tmp_path: Path) -> None:
    """Its answers are as good as any; its times are none that lane lab may be held to."""
    busy = Observation.of(Reason.HIGH_CPU_SATURATION, "foreign work")
    runs = (builders.run(1), builders.run(2, reasons=(busy,)))
    write_model(tmp_path / "busy.json", report(0, test_runs=runs))

    _, receipt, error = orket("record", "--report", "busy.json", "--bank", "bank.json", "--json")

    assert [item["clean"] for item in receipt["recorded"]] == [False]
    assert "disturbed, so lane lab will not use its times: nano Q4_K_M" in error
    _, shown, _ = orket("show", "--test-id", "add-0001", "--json")
    assert shown["history"][0]["baseline_metadata"]["clean"] is False


def test_an_empty_storage_is_fine(orket: Orket, tmp_path: Path) -> None:
    for action in ("list", "health", "prune"):
        code, _, error = orket(action)
        assert code == 0
        assert error.startswith("storage/baselines: no records; storage has no stores")
    assert not (tmp_path / "storage").exists()


def test_a_folder_that_is_not_there_is_an_error_but_for_recording(orket: Orket) -> None:
    place = ("--storage-root", "kept/baselines")
    for action in ("list", "health", "prune"):
        code, _, error = orket(action, *place)
        assert (code, error) == (1, "error: --storage-root kept: no such folder\n")
    orket("record", "--report", "run-0.json", "--bank", "bank.json", *place)
    for root in ("kept", "kept/baselines"):
        code, shown, _ = orket("list", "--json", "--storage-root", root)
        assert [item["records"] for item in shown["histories"]] == [1, 1]


def test_retention_counts_per_task_where_nothing_else_is_asked(
    orket: Orket, recorded: list[str], tmp_path: Path
) -> None:
    """Three records of two cells: one newest of the task, or one of each of its cells."""
    store = BaselineStore(tmp_path / "storage")
    content = read_json(store.path("add-0001"))
    content["history"][0]["baseline_metadata"]["quant_tag"] = "Q2_K"
    write_json(store.path("add-0001"), content)
    of_task = ("--keep-last", "1", "--test-id", "add-0001", "--json")
    for per, outdated in (((), 2), (("--per", "test"), 2), (("--per", "cell"), 1)):
        _, shown, _ = orket("health", *of_task, *per)
        assert [item["outdated"] for item in shown["histories"]] == [outdated]
        _, planned, _ = orket("prune", *of_task, *per, "--dry-run")
        assert len(planned["removed"]) == outdated


def test_a_storage_that_can_not_be_looked_into_is_not_empty(orket: Orket, tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "baselines").write_text("no folder", encoding="utf-8")
    for action in ("list", "health", "prune"):
        code, _, error = orket(action)
        assert code == 1
        assert "storage/baselines: can't be read: Not a directory" in error


def test_pruning_a_task_that_is_not_there_says_so(orket: Orket, recorded: list[str]) -> None:
    code, _, error = orket("prune", "--test-id", "add-9999")
    assert code == 1
    assert (
        "--test-id add-9999: has no baselines; `orket baselines list` shows the tasks that do"
        in error
    )


def test_a_summary_that_names_no_bank_is_one_message(orket: Orket, tmp_path: Path) -> None:
    write_json(tmp_path / "summary.json", example(Summary, whole=False))
    for action in ("record", "compare"):
        code, _, error = orket(action, "--summary", "summary.json")
        assert code == 1
        assert "--summary: has no task_bank; give it with --bank" in error


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"status": RunStatus.CRASHED, "status_reason": "died", "test_runs": ()},
            "status is crashed",
        ),
        (
            {"observations": (Observation.of(Reason.QUANT_IDENTITY_MISMATCH, "Q8_0"),)},
            "QUANT_IDENTITY_MISMATCH",
        ),
    ],
    ids=["not measured", "another quant"],
)
def test_what_is_no_measurement_of_the_cell_is_no_baseline(
    orket: Orket, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    write_model(tmp_path / "bad.json", report(0, **changes))
    _, receipt, error = orket("record", "--report", "bad.json", "--bank", "bank.json", "--json")
    assert receipt["recorded"] == []
    assert [item["reason"] for item in receipt["not_recorded"]] == [reason]
    assert f"not recorded: nano Q4_K_M: {reason}" in error
    assert not (tmp_path / "storage").exists()


def compared(ref: str, gates: bool) -> dict[str, Any]:
    """Return a comparison that found a measurement worse."""
    found = example(Regression, whole=True)
    (cell,) = found["cells"]
    (metric,) = cell["metrics"]
    metric |= {"verdict": "REGRESSED", "gates": gates}
    cell |= {"model_id": "nano", "quant_tag": "Q4_K_M", "test_run_id": ref}
    return found


def test_what_got_worse_is_no_baseline_where_that_gates(
    orket: Orket, recorded: list[str], tmp_path: Path
) -> None:
    record = ("record", "--report", "run-2.json", "--bank", "bank.json", "--json")
    for gates, kept in ((True, 0), (False, 1)):
        write_json(tmp_path / "regression.json", compared(recorded[2], gates))
        code, receipt, _ = orket(*record, "--regression", "regression.json")
        assert (code, len(receipt["recorded"])) == (0, kept)
    assert orket(*record[:-1], "--regression", "bank.json")[0] == 1


def test_a_comparison_of_another_measurement_says_nothing_of_this_one(
    orket: Orket, recorded: list[str], tmp_path: Path
) -> None:
    write_json(tmp_path / "regression.json", compared(recorded[0], gates=True))
    code, _, error = orket(
        *("record", "--report", "run-2.json", "--bank", "bank.json"),
        *("--regression", "regression.json"),
    )
    assert code == 1
    assert f"is of another measurement of nano Q4_K_M: {recorded[0]}" in error


def test_a_bank_that_changed_can_not_say_what_was_measured(orket: Orket, tmp_path: Path) -> None:
    changed = BANK.model_dump(mode="json")
    changed["tasks"][0]["prompt"] = "Another question?"
    write_json(tmp_path / "bank.json", changed)
    code, _, error = orket("record", "--report", "run-0.json", "--bank", "bank.json")
    assert code == 1
    assert "bank.json: has changed since these tasks were measured" in error
    code, _, error = orket("record", "--report", "run-0.json")
    assert (code, "--bank" in error) == (1, True)
