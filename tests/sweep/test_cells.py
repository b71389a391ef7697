from __future__ import annotations

import hashlib
import json
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import yaml
from builders import MACHINE

from orket_lib.artifacts.measurements.parts import Item
from orket_lib.artifacts.measurements.request import AskedCanaries, AskedCell
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import CanarySpec, OffloadTargets
from orket_lib.config.loading.parse import parse
from orket_lib.sweep.cells import Sweep, resolve
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.load import load_sweep
from orket_lib.sweep.plan import make_plan, needs, place
from orket_lib.sweep.requests import servable_cells
from orket_lib.sweep.schedule import priorities
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.workflow.targets import Targets

ROOT = Path(__file__).resolve().parents[2]
QUANTS = ("Q8_0", "Q4_K_M")
pytestmark = pytest.mark.usefixtures("folder")


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
        folder = f"storage/runs/nano/{cell.quant_tag}/{cell.digest}"
        assert cell.store.folder.as_posix() == folder


def test_a_model_in_parts_is_another_one_when_any_part_changes(folder: Path) -> None:
    parts = [folder / "models" / f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
    for part in parts:
        part.write_bytes(b"a part")
    table = {"nano": {"Q8_0": "models/m-00001-of-00002.gguf"}}
    before = digests(quants="Q8_0", artifacts=table)
    assert before == digests(quants="Q8_0", artifacts=table)
    parts[1].write_bytes(b"another part")
    assert not set(before) & set(digests(quants="Q8_0", artifacts=table))


def test_the_table_of_files_wins_over_the_template() -> None:
    table = {"nano": {"q8_0": "models/nano-Q4_K_M.gguf"}}
    first = sweep(artifacts=table).cells[0]
    assert first.path == Path("models/nano-Q4_K_M.gguf")


def test_a_template_may_use_the_slug(folder: Path) -> None:
    (folder / "models" / "a_b-Q8_0.gguf").write_bytes(b"x")
    cells = sweep(models="a:b", quants="Q8_0", artifact_template="models/{slug}-{quant}.gguf").cells
    assert cells[0].path == Path("models/a_b-Q8_0.gguf")
    assert cells[0].store.folder.as_posix().startswith("storage/runs/a_b/Q8_0/")


def test_all_missing_files_are_named_at_once() -> None:
    found = problems(quants="Q8_0,Q6_K,Q5_K_M", artifact_template="models/{model}-{quant}.gguf")
    assert found == [
        "artifacts.nano.Q6_K, .Q5_K_M: file not found "
        '(got "models/nano-Q6_K.gguf", "models/nano-Q5_K_M.gguf")',
    ]


def test_cells_without_a_name_for_their_file_are_named() -> None:
    found = problems(artifact_template=None)
    assert found == [
        "artifacts.nano.Q8_0, .Q4_K_M: no file named; set artifact_template or artifacts"
    ]


def test_an_empty_selection_is_told_with_the_ids_that_there_are() -> None:
    found = problems(task_id_min=9, canary_task_id_min=7)
    assert found == [
        "task_id_min, task_id_max, canary_task_id_min, canary_task_id_max: no task is selected; "
        "bank.json has ids 1 to 4",
    ]


def test_a_canary_without_a_range_of_its_own_asks_the_matrix_s_tasks() -> None:
    def asked(**changes: Any) -> list[int]:
        (canary,) = sweep(**changes).canaries
        return [int(identity) for identity in canary.tasks.ids]

    ranged = {"task_id_min": 3, "task_id_max": 4}
    assert asked(**ranged) == [3]
    assert asked(**ranged, canary_task_limit=9) == [3, 4]
    assert asked(**ranged, canary_task_id_max=2) == [1]
    plan = make_plan(sweep(**ranged), None, None)
    assert (plan.canary.task_id_min, plan.canary.task_id_max) == (3, 4)


def test_a_canary_asks_tasks_with_tools_only_where_there_are_no_others(folder: Path) -> None:
    def asked(*with_tools: int) -> list[int]:
        bank = json.loads((folder / "bank.json").read_text(encoding="utf-8"))
        tool = {"name": "add", "description": "Add.", "parameters": {"type": "object"}}
        for task in bank["tasks"]:
            task.pop("tools", None)
            if task["id"] in with_tools:
                task["tools"] = [tool]
        (folder / "bank.json").write_text(json.dumps(bank), encoding="utf-8")
        (canary,) = sweep().canaries
        return list(canary.tasks.ids)

    assert (asked(), asked(1, 2), asked(1, 2, 3, 4)) == ([1], [3], [1])


def test_an_empty_range_of_the_matrix_is_not_told_of_the_canary_as_well() -> None:
    assert problems(task_id_min=9) == [
        "task_id_min, task_id_max: no task is selected; bank.json has ids 1 to 4"
    ]


def test_t23_the_reference_bank_on_another_model_is_warned_of(folder: Path) -> None:
    copyfile(ROOT / "config" / "task_banks" / "reference.json", folder / "bank.json")
    (warning,) = [one for one in sweep().warnings if "task_bank" in one]
    assert warning.startswith("task_bank: bank.json was made for the reference model orket-nano; ")
    assert warning.endswith("nano. Use `task_bank: general`")
    for quant in QUANTS:
        (folder / "models" / f"orket-nano-{quant}.gguf").write_bytes(b"x")
    own = sweep(models=["orket-nano"], artifact_template="models/orket-nano-{quant}.gguf")
    assert not [one for one in own.warnings if "task_bank" in one]


def test_t23_the_default_bank_is_for_the_models_of_people() -> None:
    def bank(**changes: Any) -> object:
        keys = {key: value for key, value in raw(**changes).items() if key != "task_bank"}
        return str(parse(keys).task_bank)

    assert bank() == "config/task_banks/general.json"
    assert bank(models=["orket-nano", "x"]) == "config/task_banks/general.json"
    assert bank(models=["orket-nano"]) == "config/task_banks/reference.json"
    assert bank(models="orket-nano") == "config/task_banks/reference.json"
    assert parse(raw(task_bank="mixed")).task_bank == "config/task_banks/mixed.json"


def test_a_missing_bank_is_a_config_error() -> None:
    assert problems(task_bank="no.json") == ["task_bank: no.json: there is no such file"]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 3},
        {"n_ctx": 1024},
        {"temperature": 0.5},
        {"threads": 2},
        {"affinity_policy": "0"},
        {"max_output_tokens": 9},
        {"task_timeout_sec": 9},
        {"thinking": False},  # YAML's `off`
        {"thinking_budget": 64},
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
        {"canary_on_latency": "quality_only"},
        {"thinking": "default"},
        {"wants": {"context": 1024}},
        {"row_max_system_load_rate": 1},
        {"quant_bits": {"Q8_0": 8.4}},
        {"machine": MACHINE},
        {"task_limit": 4},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_label_or_threshold_measures_nothing_again(change: dict[str, Any]) -> None:
    assert digests(**change) == digests()


@pytest.mark.parametrize(
    ("selected", "ids"),
    [
        ({}, (1, 2, 3, 4)),
        ({"task_categories": ["words"]}, (2, 4)),
        ({"task_tiers": [1, 3]}, (1, 2, 3)),
        ({"task_categories": ["add", "words"], "task_tiers": [1], "task_limit": 2}, (1, 2)),
        ({"task_categories": ["words"], "task_id_min": 3}, (4,)),
        ({"task_tiers": [1, 3], "task_id_min": 2, "task_limit": 1}, (2,)),
    ],
    ids=str,
)
def test_tasks_are_selected_by_category_and_tier_and_then_by_number(
    folder: Path, selected: dict[str, Any], ids: tuple[int, ...]
) -> None:
    path = folder / "bank.json"
    bank = json.loads(path.read_text())
    for task, family, tier in zip(
        bank["tasks"], ("add", "words", "add", "words"), (1, 1, 3, 6), strict=True
    ):
        task |= {"family": family, "tier": tier}
    path.write_text(json.dumps(bank))
    assert {cell.spec.tasks.ids for cell in sweep(**selected).cells} == {ids}


def test_a_changed_task_is_asked_again_and_no_other_one(folder: Path) -> None:
    def asked() -> list[frozenset[Item]]:
        return [wanted.answers for cell in sweep().cells for wanted in cell.wanted]

    path = folder / "bank.json"
    before, bank = asked(), json.loads(path.read_text())
    bank["tasks"][3]["prompt"] += " Really?"
    path.write_text(json.dumps(bank))
    for old, new in zip(before, asked(), strict=True):
        assert len(old) == len(new) == 4 * 2
        assert len(old - new) == len(new - old) == 2
    bank["tasks"][2]["expected"] = 12345
    changed = asked()
    path.write_text(json.dumps(bank))
    assert asked() == changed


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
    (canary,) = found.canaries
    assert isinstance(canary, CanarySpec)
    assert (canary.quant_tag, canary.runs) == ("Q8_0", 3)
    assert canary.tasks.ids == (3, 4)


def test_a_file_that_is_no_model_costs_neither_the_canary_nor_the_plan(folder: Path) -> None:
    copyfile(ROOT / "models/orket-nano/orket-nano-Q4_K_M.gguf", "models/nano-Q4_K_M.gguf")
    (folder / "models" / "nano-Q8_0.gguf").write_bytes(
        b"version https://git-lfs.github.com/spec/v1"
    )
    found = sweep()
    assert [canary.quant_tag for canary in found.canaries] == ["Q4_K_M"]
    assert [cell.quant_tag for cell in found.cells] == list(QUANTS)
    assert found.warnings == (
        "artifacts.nano.Q8_0: models/nano-Q8_0.gguf is a Git LFS pointer, not the file itself; "
        "type: git lfs pull",
    )


@pytest.mark.parametrize(
    ("there", "hint"),
    [
        ("nano-F16-00001-of-00002.gguf", "; there is nano-F16-00001-of-00002.gguf, name that"),
        ("nano-F16.gguf.part1of2", "; there is nano-F16.gguf.part1of2: put them together; type:"),
        ("nano-F16.gguf.crdownload", "; there is nano-F16.gguf.crdownload: finish the download"),
        ("nano-F16.gguf/README.md", "; it is a folder: name a file in it"),
        ("nano-F32.gguf", ""),
    ],
)
def test_a_missing_file_is_told_with_what_is_there(there: str, hint: str, folder: Path) -> None:
    path = folder / "models" / there
    path.parent.mkdir(exist_ok=True)
    path.touch()
    (said,) = problems(quants="F16")
    assert f'file not found (got "models/nano-F16.gguf"){hint}' in said
    assert hint or said.endswith(")")


def test_the_canary_of_each_model_is_its_first_cell(folder: Path) -> None:
    for quant in QUANTS:
        (folder / "models" / f"mini-{quant}.gguf").write_bytes(quant.encode())
    found = sweep(models=["nano", "mini"], canary={"scope": "each_model"})
    watched = [(canary.model_id, canary.quant_tag) for canary in found.canaries]
    assert watched == [("nano", "Q8_0"), ("mini", "Q8_0")]
    asked = AskedCanaries.model_validate_json(Targets(found).canary_spec_json())
    assert [Path(it.artifact).name for it in asked.canaries] == [
        "nano-Q8_0.gguf",
        "mini-Q8_0.gguf",
    ]


def test_no_canary_runs_are_no_canary() -> None:
    found = sweep(canary_runs=0)
    assert found.canaries == ()
    assert AskedCanaries.model_validate_json(Targets(found).canary_spec_json()).canaries == ()


def test_a_rendered_spec_has_the_digest_of_its_folder() -> None:
    targets = Targets(sweep())
    for cell in sweep().cells:
        asked = AskedCell.model_validate_json(targets.spec_json("nano", cell.quant_tag))
        assert asked.spec.digest() == cell.digest
        assert asked.artifact == str(cell.path)


def test_what_is_asked_is_no_part_of_what_is_served() -> None:
    base = sweep().cells[0].digest
    for changes in (
        {"task_limit": 1},
        {"runs_per_quant": 3},
        {"probe_runs": 5},
        {"warmup_steps": 9},
        {"adherence_threshold": 0.5},
        {"rounds": 2},
        {"again": "all"},
    ):
        assert sweep(**changes).cells[0].digest == base, changes
    assert sweep(max_output_tokens=7).cells[0].digest != base


def test_a_sweep_names_every_product() -> None:
    files = Targets(sweep(sweep="mine")).all_files()
    assert len(files) == len(set(files))
    assert sum(name.endswith("/run.json") for name in files) == 2
    assert "results/mine/quant_sweep/nano/Q8_0.json" in files
    assert "results/mine/quant_sweep/sweep_summary.json" in files
    assert all("\\" not in name for name in files)


def write(name: str, **changes: Any) -> str:
    Path(name).write_text(yaml.safe_dump(raw(**changes)), encoding="utf-8")
    return name


def named(files: list[str], **overrides: Any) -> str:
    return load_sweep(files, overrides, remember=False).config.sweep


def test_a_sweep_is_called_what_its_last_file_is_called() -> None:
    files = [write("mine.yaml"), write("other one.yaml")]
    assert named(files) == "other_one"
    assert named(files[:1]) == "mine"
    assert named(files, sweep="given") == "given"
    assert named([write("2024.yaml", sweep=2024)]) == "2024"
    assert named([], **raw()) == "sweep"


@pytest.mark.parametrize("last", ["copy.yaml", "empty.yaml"])
def test_a_name_that_a_copy_took_along_is_refused_with_what_to_type(last: str) -> None:
    write("mine.yaml", sweep="mine")
    copyfile("mine.yaml", "copy.yaml")
    Path("empty.yaml").write_text("seed: 3\n", encoding="utf-8")
    files = ["mine.yaml", last] if last == "empty.yaml" else [last]
    assert named(["mine.yaml"]) == "mine"
    with pytest.raises(ConfigError) as caught:
        named(files)
    assert caught.value.problems == (
        f"sweep: must be `{Path(last).stem}`, the name of the last config file, or be left out; "
        f'to use another name, pass --config sweep=NAME (got "mine" in {files[0]})',
    )
    assert named(files, sweep="mine") == "mine"


def test_the_shipped_config_is_the_reference_sweep_and_its_copies_are_sweeps_of_their_own(
    folder: Path,
) -> None:
    (folder / "models" / "orket-nano").symlink_to(ROOT / "models" / "orket-nano")
    (folder / "config" / "task_banks").symlink_to(ROOT / "config" / "task_banks")
    shipped = ROOT / "config" / "config.yaml"
    (folder / "link.yaml").symlink_to(shipped)
    copyfile(shipped, folder / "mine.yaml")
    assert named([str(shipped)]) == "reference"
    assert named(["link.yaml"]) == "reference"
    assert named(["mine.yaml"]) == "mine"
    assert named([str(shipped), "mine.yaml"]) == "mine"
    assert named([str(shipped)], sweep="other") == "other"


def test_forty_cells_without_a_file_are_one_message() -> None:
    quants = [f"Q{number}" for number in range(40)]
    with pytest.raises(ConfigError) as caught:
        sweep(quants=quants, quant_bits={quant: index + 1 for index, quant in enumerate(quants)})
    (problem,) = caught.value.problems
    assert problem.startswith("artifacts.nano.Q0, .Q1, .Q2, ")
    assert all(f".{quant}" in problem for quant in quants)
    assert problem.endswith('"models/nano-Q4.gguf" and 35 more)')


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    mine = write("mine.yaml")
    before = sorted(folder.rglob("*"))
    load_sweep([mine], {}, remember=False)
    assert sorted(folder.rglob("*")) == before
    load_sweep([mine], {}, remember=True)
    assert (folder / "storage" / "artifact_hashes.json").is_file()


def tagged(**changes: Any) -> dict[str, Any]:
    return {"provider": "ollama", "tag_template": "{model}:{quant}", **changes}


def test_a_tag_needs_no_server_and_no_file_to_be_planned() -> None:
    cells = sweep(**tagged(artifact_template=None)).cells
    assert [str(cell.model) for cell in cells] == ["nano:Q8_0", "nano:Q4_K_M"]
    assert [cell.path for cell in cells] == [None, None]
    identity = cells[0].spec.artifact
    assert (identity.sha256, identity.tag, identity.pin) == (None, "nano:Q8_0", None)
    assert cells[0].spec.provider_version is None


def test_the_table_of_tags_wins_over_the_template() -> None:
    cells = sweep(**tagged(tags={"nano": {"q4_k_m": "nano:q4_K_M"}})).cells
    assert [str(cell.model) for cell in cells] == ["nano:Q8_0", "nano:q4_K_M"]


def test_a_cell_without_a_tag_is_named() -> None:
    (problem,) = problems(**tagged(tag_template=None, quants="Q8_0", tags={"nanoo": {"Q8_0": "x"}}))
    assert problem == (
        "tags.nano.Q8_0: no tag of provider `ollama` named; set tag_template or tags"
        "; did you mean `nanoo`?"
    )


def test_a_pinned_tag_is_another_measurement_and_a_pinned_file_the_same() -> None:
    pin = "sha256:" + "AB" * 32
    pinned = sweep(**tagged(quants="Q8_0", artifact_digest=pin)).cells[0]
    assert pinned.spec.artifact.pin == "ab" * 32
    assert pinned.digest != sweep(**tagged(quants="Q8_0")).cells[0].digest

    sha256 = hashlib.sha256(b"Q8_0").hexdigest()
    table = {"nano": {"q8_0": sha256[:12]}}
    assert digests(artifact_digest=table) == digests()


def test_a_file_that_is_not_the_pinned_one_is_refused() -> None:
    found = problems(artifact_digest={"nano": {"Q8_0": "0" * 64, "Q4_K_M": "1" * 64}})
    assert [line.partition(":")[0] for line in found] == [
        "artifact_digest.nano.Q8_0",
        "artifact_digest.nano.Q4_K_M",
    ]
    assert hashlib.sha256(b"Q8_0").hexdigest() in found[0]


def test_llama_server_takes_a_file_where_one_is_named_and_a_tag_otherwise() -> None:
    by_file = sweep(provider="llama_server").cells[0]
    assert by_file.path == Path("models/nano-Q8_0.gguf")
    running = {"provider": "llama_server", "base_url": "http://127.0.0.1:8080"}
    by_tag = sweep(**tagged(**running, artifact_template=None)).cells[0]
    assert by_tag.model.tag == "nano:Q8_0"


def test_a_llama_server_that_is_to_be_started_needs_a_file() -> None:
    started = tagged(provider="llama_server", artifact_template=None, quants="Q8_0")
    assert problems(**started) == [
        "artifacts.nano.Q8_0: no file named; set artifact_template or artifacts"
    ]


def test_what_a_dead_server_costs_is_no_part_of_what_is_served() -> None:
    assert digests(on_server_death="row") == digests(on_server_death="run") == digests()


def test_one_file_for_two_cells_is_allowed_and_told() -> None:
    found = sweep(artifact_template="models/nano-Q8_0.gguf")
    assert found.warnings[0] == (
        "models/nano-Q8_0.gguf serves nano Q8_0 and nano Q4_K_M: these cells can't differ"
    )


def test_a_runner_is_another_measurement_and_its_labels_are_only_then() -> None:
    runner = "agent --task {task_file}"
    assert digests(runtime_target="edge") == digests()
    with_runner = digests(runner_template=runner)
    assert not set(with_runner) & set(digests())
    for changes in (
        {"runner_template": f"{runner} --fast"},
        {"runtime_target": "edge"},
        {"execution_mode": "batch"},
        {"runtime_env": {"AGENT_DEPTH": 3}},
    ):
        changed = digests(**{"runner_template": runner} | changes)
        assert not set(changed) & set(with_runner)
    assert sweep(runner_template=runner).canaries[0].runner is not None


def test_a_runner_s_program_is_needed_unless_it_is_another_one_for_each_task() -> None:
    assert needs(sweep(runner_template="agent {task_file}")).programs == {
        "runner_template": "agent"
    }
    assert needs(sweep(runner_template="{run_dir}/agent {task_file}")).programs == {}
    assert needs(sweep()).programs == {}


def test_models_that_differ_in_a_separator_get_folders_of_their_own(folder: Path) -> None:
    (folder / "models" / "a_b-Q8_0.gguf").write_bytes(b"x")
    changes = {"quants": "Q8_0", "artifact_template": "models/{slug}-{quant}.gguf"}
    (alone,) = sweep(models="a:b", **changes).cells
    both = sweep(models="a:b,a/b,nano", artifacts={"nano": {"Q8_0": "bank.json"}}, **changes)
    views = Targets(both).rows()
    assert len({view.lower() for view in views}) == 3
    assert views[2].endswith("/nano/Q8_0.json")
    # Nothing is measured again because another model came: what was measured stays where it is.
    assert both.cells[0].store.folder == alone.store.folder != both.cells[1].store.folder
    asked = AskedCanaries.model_validate_json(Targets(both).canary_spec_json())
    assert [it.artifact for it in asked.canaries] == ["models/a_b-Q8_0.gguf"]


def test_more_rounds_are_more_files_and_no_other_measurement() -> None:
    one, three = sweep(), sweep(rounds=3)
    assert [cell.digest for cell in one.cells] == [cell.digest for cell in three.cells]
    targets = Targets(three)
    files = set(targets.all_files())
    for cell in three.cells:
        folder = f"{three.results}/cells/nano/{cell.quant_tag}"
        assert targets.run_reports("nano", cell.quant_tag) == [
            f"{folder}/run.json",
            f"{folder}/round-2/run.json",
            f"{folder}/round-3/run.json",
        ]
        assert set(targets.run_reports("nano", cell.quant_tag)) <= files
        assert {f"{folder}/spec.json", f"{folder}/round-3/receipt.json"} <= files
    assert (
        make_plan(three, None, None).expected_runs == 3 * make_plan(one, None, None).expected_runs
    )


def test_every_other_round_is_measured_backwards_model_by_model() -> None:
    found = sweep(models=["a", "b"], artifact_template="models/nano-{quant}.gguf", rounds=3)
    forward = list(QUANTS)
    ranks = priorities(found.cells)
    assert sorted(ranks, key=lambda turn: -ranks[turn]) == [
        (model, quant, part)
        for model in ("a", "b")
        for part, order in (("", forward), ("/round-2", forward[::-1]), ("/round-3", forward))
        for quant in order
    ]
    assert Targets(found).priority("a", QUANTS[0], "/round-2") == ranks["a", QUANTS[0], "/round-2"]
    assert min(ranks.values()) > 0


OLLAMA = {"provider": "ollama", "tags": {"Q4_K_M": "gemma3:4b"}, "temperature": 0.5}


def test_models_of_several_servers_stand_in_one_sweep() -> None:
    found = sweep(models={"nano": None, "gemma3": OLLAMA}, threads=2, server_args=["-fa", "on"])
    assert [(cell.model_id, cell.quant_tag, str(cell.model)) for cell in found.cells] == [
        ("nano", "Q8_0", "models/nano-Q8_0.gguf"),
        ("nano", "Q4_K_M", "models/nano-Q4_K_M.gguf"),
        ("gemma3", "Q4_K_M", "gemma3:4b"),
    ]
    nano, _, gemma = (cell.spec for cell in found.cells)
    assert (nano.provider, nano.temperature, nano.controls.threads) == ("embedded", 0.0, 2)
    # What is set for the sweep's server is not set for one of another kind.
    assert (gemma.provider, gemma.temperature, gemma.controls.threads) == ("ollama", 0.5, None)
    # A model's own settings change nothing about the others.
    assert [cell.digest for cell in found.cells[:2]] == digests(threads=2)
    places = place(found.config)
    assert places.of("nano") == places.of("anything else") == ServerLocation()
    needed = needs(found)
    assert (needed.provider, [it.name for it in needed.models]) == (
        "embedded",
        ["models/nano-Q8_0.gguf", "models/nano-Q4_K_M.gguf"],
    )
    (other,) = needed.others
    assert (other.provider, [it.name for it in other.models]) == ("ollama", ["gemma3:4b"])


def test_a_model_s_own_server_is_where_its_jobs_look() -> None:
    own = {"provider": "ollama", "base_url": "http://127.0.0.1:11500", "tags": {"Q4_K_M": "x"}}
    own |= {"api_key": "${ENV:KEY}"}
    places = place(sweep(models={"nano": None, "x": own}).config)
    assert places.of("x").base_url == "http://127.0.0.1:11500"
    assert places.of("x").api_key == "${ENV:KEY}"
    assert places.of("nano").base_url is None


def test_a_sweep_s_models_are_all_on_one_machine() -> None:
    far = {"provider": "ollama", "base_url": "http://10.1.2.3:11434", "allow_remote": True}
    (problem,) = problems(models={"nano": None, "x": {**far, "tags": {"Q4_K_M": "x"}}})
    assert problem.startswith("models: must all be served by one machine")


def test_the_sweep_s_quants_narrow_those_of_each_model() -> None:
    found = sweep(models={"nano": None, "gemma3": OLLAMA}, quants=["Q4_K_M"])
    assert found.config.pairs == (("nano", "Q4_K_M"), ("gemma3", "Q4_K_M"))
    assert parse({"models": {"gemma3": OLLAMA}}).quants == ("Q4_K_M",)


def test_a_search_for_layers_is_in_the_digest_with_its_targets_and_not_with_what_it_finds() -> None:
    search = {"provider": "llama_server", "gpu_layers": "search"}
    cell = sweep(**search, canary={"runs": 3}).cells[0]
    assert (cell.spec.gpu_layers, cell.spec.offload) == ("search", OffloadTargets())
    wants = {"decode_tps": 30, "vram_gib": 8, "memory_gib": 6, "latency_s": 2}
    aimed = sweep(**search, wants=wants, canary={"runs": 3})
    assert aimed.cells[0].spec.offload == OffloadTargets(decode_tps=30, vram_gib=6)
    assert aimed.cells[0].digest != cell.digest
    # One search for all that is measured of the cell.
    (first, *_) = servable_cells(aimed).cells
    assert first.spec.folder == aimed.canaries[0].folder == aimed.cells[0].spec.folder
    rest = {"latency_s": 2}
    assert digests(**search, wants=rest)[0] == cell.digest
    plain = sweep(provider="llama_server", gpu_layers=4, wants=wants).cells[0].spec
    assert (plain.gpu_layers, plain.offload) == (4, None)


def test_a_variant_or_a_model_searches_for_itself() -> None:
    found = sweep(
        provider="llama_server", variants={"gpu": {"gpu_layers": "search"}}, quants="Q8_0"
    )
    assert [cell.spec.gpu_layers for cell in found.cells] == [None, "search"]
    assert found.cells[1].spec.offload == OffloadTargets()
    own = sweep(provider="llama_server", models={"nano": {"gpu_layers": "search"}})
    assert {cell.spec.gpu_layers for cell in own.cells} == {"search"}
