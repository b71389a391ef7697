from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, task

from orket_lib.artifacts.io import write_json
from orket_lib.artifacts.spec import CanarySpec, RunSpec
from orket_lib.config import workspace
from orket_lib.config.hashes import HashCache
from orket_lib.config.loading import parse
from orket_lib.config.resolve import Sweep, resolve
from orket_lib.config.targets import Targets
from orket_lib.config.workspace import load_sweep
from orket_lib.vocabulary.errors import ConfigError

QUANTS = ("Q8_0", "Q4_K_M")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two model files and a bank of four tasks."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for quant in QUANTS:
        (tmp_path / "models" / f"nano-{quant}.gguf").write_bytes(quant.encode())
    bank = {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "bank",
        "tasks": [task(number).model_dump(mode="json") for number in (1, 2, 3, 4)],
    }
    write_json(tmp_path / "bank.json", bank)
    return tmp_path


def raw(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "models": ["nano"],
        "quants": list(QUANTS),
        "task_bank": "bank.json",
        "artifact_template": "models/{model}-{quant}.gguf",
    }
    return base | changes


def sweep(**changes: Any) -> Sweep:
    return resolve(parse(raw(**changes)), HashCache(Path("cache.json")), MACHINE)


def digests(**changes: Any) -> list[str]:
    return [cell.digest for cell in sweep(**changes).cells]


def problems(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        sweep(**changes)
    return list(caught.value.problems)


def test_every_cell_is_resolved_to_the_bytes_of_one_file() -> None:
    cells = sweep().cells
    assert [(cell.model_id, cell.quant_tag) for cell in cells] == [("nano", q) for q in QUANTS]
    for cell in cells:
        assert cell.path == Path(f"models/nano-{cell.quant_tag}.gguf")
        assert cell.spec.artifact.sha256 == hashlib.sha256(cell.quant_tag.encode()).hexdigest()
        assert cell.folder == f"storage/runs/nano/{cell.quant_tag}/{cell.digest}"


def test_the_table_of_files_wins_over_the_template() -> None:
    table = {"nano": {"q8_0": "models/nano-Q4_K_M.gguf"}}
    first = sweep(artifacts=table).cells[0]
    assert first.path == Path("models/nano-Q4_K_M.gguf")


def test_a_template_may_use_the_slug(folder: Path) -> None:
    (folder / "models" / "a_b-Q8_0.gguf").write_bytes(b"x")
    cells = sweep(models="a:b", quants="Q8_0", artifact_template="models/{slug}-{quant}.gguf").cells
    assert cells[0].path == Path("models/a_b-Q8_0.gguf")
    assert cells[0].folder.startswith("storage/runs/a_b/Q8_0/")


def test_all_missing_files_are_named_at_once() -> None:
    found = problems(quants="Q8_0,Q6_K,Q5_K_M", artifact_template="models/{model}-{quant}.gguf")
    assert found == [
        "artifacts.nano.Q6_K: there is no file models/nano-Q6_K.gguf",
        "artifacts.nano.Q5_K_M: there is no file models/nano-Q5_K_M.gguf",
    ]


def test_cells_without_a_name_for_their_file_are_named() -> None:
    found = problems(artifact_template=None)
    assert [line.partition(":")[0] for line in found] == [
        "artifacts.nano.Q8_0",
        "artifacts.nano.Q4_K_M",
    ]


def test_an_empty_selection_is_told_with_the_ids_that_there_are() -> None:
    found = problems(task_id_min=9, canary_task_id_min=7)
    assert found == [
        "task_id_min, task_id_max: no task is selected; bank.json has ids 1 to 4",
        "canary_task_id_min, canary_task_id_max: no task is selected; bank.json has ids 1 to 4",
    ]


def test_a_missing_bank_is_a_config_error() -> None:
    assert problems(task_bank="no.json") == ["task_bank: no.json: there is no such file"]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 3},
        {"n_ctx": 1024},
        {"temperature": 0.5},
        {"runs_per_quant": 3},
        {"probe_runs": 4},
        {"task_limit": 2},
        {"threads": 2},
        {"affinity_policy": "0"},
        {"warmup_steps": 4},
        {"max_output_tokens": 9},
        {"task_timeout_sec": 9},
        {"machine": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_setting_that_matters_is_another_measurement(change: dict[str, Any]) -> None:
    assert not set(digests(**change)) & set(digests())


@pytest.mark.parametrize(
    "change",
    [
        {"sweep": "other"},
        {"execution_lane": "ci"},
        {"vram_profile": "stress"},
        {"provenance_ref": "x"},
        {"adherence_threshold": 0.5},
        {"latency_ceiling": 1},
        {"include_invalid": True},
        {"canary_runs": 0},
        {"row_max_system_load_rate": 1},
        {"quant_bits": {"Q8_0": 8.4}},
        {"machine": MACHINE},
        {"task_limit": 4},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_label_or_threshold_measures_nothing_again(change: dict[str, Any]) -> None:
    assert digests(**change) == digests()


def test_a_moved_model_is_not_measured_again_and_a_changed_one_is(folder: Path) -> None:
    before = digests()
    (folder / "models").rename(folder / "elsewhere")
    assert digests(artifact_template="elsewhere/{model}-{quant}.gguf") == before
    (folder / "elsewhere" / "nano-Q8_0.gguf").write_bytes(b"other weights")
    after = digests(artifact_template="elsewhere/{model}-{quant}.gguf")
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_the_canary_is_the_first_cell_with_its_own_tasks() -> None:
    found = sweep(canary={"runs": 3, "task_limit": 2, "task_id_min": 3})
    assert isinstance(found.canary, CanarySpec)
    assert (found.canary.quant_tag, found.canary.runs) == ("Q8_0", 3)
    assert found.canary.tasks.ids == (3, 4)
    assert found.canary_path == found.cells[0].path


def test_no_canary_runs_are_no_canary() -> None:
    found = sweep(canary_runs=0)
    assert found.canary is None
    assert Targets(found).canary_measurement() == []
    assert Targets(found).canary_option() == ""


def test_a_rendered_spec_has_the_digest_of_its_folder() -> None:
    targets = Targets(sweep())
    for cell in sweep().cells:
        assert RunSpec.model_validate_json(targets.spec_json(cell.digest)).digest() == cell.digest
    with pytest.raises(KeyError, match="no cell of this config"):
        targets.spec_json("000000000000")


def test_a_sweep_names_every_product() -> None:
    files = Targets(sweep(sweep="mine")).all_files()
    assert len(files) == len(set(files))
    assert sum(name.endswith("/run.json") for name in files) == 2
    assert "results/mine/quant_sweep/nano/Q8_0.json" in files
    assert "results/mine/quant_sweep/sweep_summary.json" in files
    assert all("\\" not in name for name in files)


def test_a_sweep_is_named_after_its_file_unless_it_has_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workspace, "hardware_fingerprint", lambda: MACHINE)
    assert load_sweep(raw(), ["config/mine.yaml"], remember=False).results == "results/mine"
    named = load_sweep(raw(sweep="given"), ["config/mine.yaml"], remember=False)
    assert named.results == "results/given"
    assert load_sweep(raw(), [], remember=False).config.sweep == "sweep"


def test_a_dry_run_writes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "hardware_fingerprint", lambda: MACHINE)
    before = sorted(folder.rglob("*"))
    load_sweep(raw(), ["mine.yaml"], remember=False)
    assert sorted(folder.rglob("*")) == before
    load_sweep(raw(), ["mine.yaml"], remember=True)
    assert (folder / "storage" / "artifact_hashes.json").is_file()
