"""Cells whose file is not there and is made from another one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from builders import MACHINE

from orket_lib.artifacts.io import sha256_of_file
from orket_lib.artifacts.measurements.request import AskedCanaries, AskedCell, AskedSidecar
from orket_lib.artifacts.views.preflight import QUANTIZE_BINARY
from orket_lib.cli import main
from orket_lib.config.loading.cross_checks import warnings_of
from orket_lib.config.loading.parse import parse
from orket_lib.report.plan import plan_text
from orket_lib.sweep.cells import Cell, Sweep, resolve
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.plan import make_plan, needs
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.workflow.targets import Targets

MODELS = Path(__file__).resolve().parents[2] / "models" / "orket-nano"


@pytest.fixture(autouse=True)
def base(folder: Path) -> Path:
    """A real base in the folder with the two files."""
    path = folder / "models" / "base.gguf"
    copyfile(MODELS / "orket-nano-F16.gguf", path)
    return path


def raw(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "models": ["nano"],
        "quants": ["F16", "Q8_0", "Q3_K_M"],
        "task_bank": "bank.json",
        "artifact_template": "models/{model}-{quant}.gguf",
        "quantize": {"base": "models/base.gguf"},
    }
    return values | changes


def sweep(**changes: Any) -> Sweep:
    return resolve(parse(raw(**changes)), HashCache(Path("cache.json")), MACHINE)


def cells(**changes: Any) -> dict[str, Cell]:
    return {cell.quant_tag: cell for cell in sweep(**changes).cells}


def problems(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        sweep(**changes)
    return list(caught.value.problems)


def test_a_file_that_is_there_is_used_as_it_is() -> None:
    found = cells()["Q8_0"]
    assert found.path == Path("models/nano-Q8_0.gguf")
    assert found.spec.artifact.sha256 == hashlib.sha256(b"Q8_0").hexdigest()
    assert found.model.recipe is None


def test_a_missing_file_is_made_and_depends_on_what_it_is_made_from(base: Path) -> None:
    made = cells()["Q3_K_M"]
    identity = made.spec.artifact
    assert identity.quantized_from == sha256_of_file(base)
    assert (identity.sha256, identity.tag, identity.imatrix) == (None, None, None)
    assert made.path is not None
    assert made.path.match("storage/quantized/nano/*/nano-Q3_K_M.gguf")
    assert made.model.recipe is not None
    assert made.model.recipe.base == Path("models/base.gguf")


def test_a_cell_of_the_bases_own_quant_is_the_base(base: Path) -> None:
    own = cells()["F16"]
    assert own.path == Path("models/base.gguf")
    assert own.spec.artifact.sha256 == sha256_of_file(base)


def test_without_a_template_everything_is_made() -> None:
    found = cells(artifact_template=None, quants="Q8_0,Q2_K")
    assert all(cell.model.recipe for cell in found.values())


def test_what_is_made_is_another_file_when_its_content_is(folder: Path, base: Path) -> None:
    (folder / "matrix.gguf").write_bytes(b"one")
    plain = cells()["Q3_K_M"]
    weighted = {"base": "models/base.gguf", "imatrix": "matrix.gguf"}
    with_matrix = cells(quantize=weighted)["Q3_K_M"]
    (folder / "matrix.gguf").write_bytes(b"two")
    with_another = cells(quantize=weighted)["Q3_K_M"]
    copyfile(MODELS / "orket-nano-Q8_0.gguf", base)
    other_base = cells(quantize={"base": "models/base.gguf", "allow_requantize": True})["Q3_K_M"]
    assert len({cell.path for cell in (plain, with_matrix, with_another, other_base)}) == 4
    assert len({cell.digest for cell in (plain, with_matrix, with_another, other_base)}) == 4
    assert with_another.spec.artifact.imatrix == hashlib.sha256(b"two").hexdigest()


def test_where_the_base_lies_and_what_makes_it_is_no_reason_to_measure_again(base: Path) -> None:
    before = cells()["Q3_K_M"]
    copyfile(base, "moved.gguf")
    after = cells(quantize={"base": "moved.gguf", "binary": "/opt/llama-quantize"})["Q3_K_M"]
    assert (after.digest, after.path) == (before.digest, before.path)


def test_measurements_of_files_keep_the_digests_that_they_had() -> None:
    identity = cells()["Q8_0"].spec.artifact
    assert set(identity.model_dump(mode="json")) == {"sha256", "tag", "pin"}


def test_each_model_has_a_base_of_its_own(folder: Path) -> None:
    copyfile(MODELS / "orket-nano-F16.gguf", folder / "models" / "b_c-F16.gguf")
    (folder / "models" / "nano-F16.gguf").write_bytes(b"F16")
    changes = {"models": ["nano", "b:c"], "quants": ["F16", "Q2_K"]}
    (folder / "models" / "nano-Q2_K.gguf").write_bytes(b"Q2_K")
    for named in ({"b:c": "models/b_c-F16.gguf"}, "models/{slug}-F16.gguf"):
        found = sweep(quantize={"base": named}, **changes).cells
        assert [cell.model.recipe is not None for cell in found] == [False, False, False, True]
        assert [cell.path for cell in found][2] == Path("models/b_c-F16.gguf")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"quantize": {"base": "models/no.gguf"}},
            ["quantize.base: file not found: models/no.gguf"],
            id="no base",
        ),
        pytest.param(
            {"quantize": {"base": "models/nano-Q8_0.gguf"}},
            ["quantize.base: models/nano-Q8_0.gguf: not a readable GGUF file: it is no model"],
            id="base that is no model",
        ),
        pytest.param(
            {"quantize": {"base": str(MODELS / "orket-nano-Q8_0.gguf")}},
            ["is already Q8_0", "set quantize.allow_requantize: true"],
            id="base that is quantized",
        ),
        pytest.param(
            {"quantize": {"base": "models/base.gguf", "imatrix": "no.dat"}},
            ["quantize.imatrix: file not found: no.dat"],
            id="no matrix",
        ),
        pytest.param(
            {"quants": "Q2_K_S,IQ2_XS"},
            ["nano.Q2_K_S, .IQ2_XS: file not found, and making it needs quantize.imatrix"],
            id="quants that take a matrix",
        ),
        pytest.param(
            {"quants": "UD-Q4_K_XL"},
            ["artifacts.nano.UD-Q4_K_XL: file not found, and llama-quantize can't make a vendor's"],
            id="a vendor's mix",
        ),
        pytest.param(
            {"artifact_digest": {"nano": {"Q3_K_M": "a" * 64}}},
            ["artifact_digest.nano.Q3_K_M: a file that has not been made yet can't be pinned"],
            id="pin",
        ),
        pytest.param(
            {"quantize": {"base": {"other": "models/base.gguf"}}},
            [
                "artifacts.nano.F16, .Q3_K_M: file not found "
                '(got "models/nano-F16.gguf", "models/nano-Q3_K_M.gguf")'
            ],
            id="base of another model",
        ),
    ],
)
def test_what_can_not_be_made_is_said_before_anything_starts(
    changes: dict[str, Any], says: list[str]
) -> None:
    found = "\n".join(problems(**changes))
    for part in says:
        assert part in found


def test_each_problem_of_a_base_is_told_once() -> None:
    assert problems(quants="Q2_K,Q3_K_M,Q6_K", quantize={"base": "models/no.gguf"}) == [
        "quantize.base: file not found: models/no.gguf"
    ]


def test_a_base_in_parts_is_refused_with_the_line_that_merges_it(base: Path) -> None:
    base.rename(base.with_name("base-00001-of-00003.gguf"))
    (line,) = problems(quants="Q2_K", quantize={"base": "models/base-00001-of-00003.gguf"})
    assert "llama-gguf-split --merge models/base-00001-of-00003.gguf" in line


def test_a_base_that_is_quantized_and_allowed_is_told() -> None:
    quantize = {"base": str(MODELS / "orket-nano-Q8_0.gguf"), "allow_requantize": True}
    (warning,) = sweep(quants="Q2_K", quantize=quantize).warnings
    assert "orket-nano-Q8_0.gguf is already Q8_0: quants made from it lose quality twice" in warning
    assert not any(line.startswith("quantize") for line in sweep().warnings)


def test_a_server_that_runs_takes_no_files() -> None:
    changes = {"provider": "ollama", "tag_template": "{model}:{quant}", "artifact_template": None}
    config = parse(raw(**changes))
    assert any(line.startswith("quantize: no effect") for line in warnings_of(config))
    assert all(cell.model.tag for cell in sweep(**changes).cells)


def test_llama_server_of_ours_takes_what_is_made() -> None:
    found = cells(provider="llama_server", artifact_template=None, quants="Q2_K")
    assert found["Q2_K"].model.recipe is not None


def test_the_plan_says_what_is_made_from_what(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("matrix.dat").write_bytes(b"one")
    quantize = {"base": "models/base.gguf", "imatrix": "matrix.dat"}
    plan = make_plan(sweep(quantize=quantize), None, None)
    lines = {line.split()[1]: line for line in plan_text(plan).splitlines() if ".gguf" in line}
    assert "made from models/base.gguf (imatrix matrix.dat)  (to be measured" in lines["Q3_K_M"]
    assert "made from" not in lines["F16"] + lines["Q8_0"]
    assert {file.path for file in plan.provenance.inputs} == {
        "matrix.dat",
        "models/base.gguf",
        "models/nano-Q8_0.gguf",
    }
    Path("mine.yaml").write_text(json.dumps(raw(quantize=quantize)), encoding="utf-8")
    assert main(["plan", "mine.yaml", "--json"]) == 0
    planned = {cell["quant_tag"]: cell for cell in json.loads(capsys.readouterr().out)["cells"]}
    assert planned["Q3_K_M"]["made_from"]["base"]["sha256"] == sha256_of_file(base)
    assert planned["Q8_0"]["made_from"] is None


def test_the_preflight_is_told_what_is_made_and_with_what() -> None:
    needed = needs(sweep())
    assert needed.programs[QUANTIZE_BINARY] == "llama-quantize"
    models = {model.quant_tag: model for model in needed.models}
    assert models["Q3_K_M"].base == "models/base.gguf"
    assert models["Q8_0"].base is None
    assert QUANTIZE_BINARY not in needs(sweep(quants="F16,Q8_0")).programs


def test_each_measurement_is_told_how_its_file_is_made() -> None:
    found = sweep(quants="Q3_K_M,Q8_0", hardware_sidecar_profile="cpu_only")
    targets = Targets(found)
    made, there = found.cells
    asked = AskedCell.model_validate_json(targets.spec_json("nano", "Q3_K_M"))
    assert asked.artifact == str(made.path)
    assert asked.recipe is not None
    assert asked.recipe.base == "models/base.gguf"
    (canary,) = AskedCanaries.model_validate_json(targets.canary_spec_json()).canaries
    sidecar = AskedSidecar.model_validate_json(
        targets.content(f"{found.results}/cells/nano/Q3_K_M/sidecar_spec.json")
    )
    assert canary.recipe == sidecar.recipe == asked.recipe
    assert AskedCell.model_validate_json(targets.spec_json("nano", "Q8_0")).recipe is None
    assert there.path is not None


def test_tags_that_only_a_file_can_tell_apart_are_told() -> None:
    config = parse(raw(quants="Q4_K_L,Q4_K_M,Q8_0"))
    assert [line for line in warnings_of(config) if line.startswith("quants: ")] == [
        "quants: Q4_K_L, Q4_K_M all count as 4.89 bits per weight if their files can't be read; "
        "set quant_bits to tell them apart"
    ]
    assert not warnings_of(parse(raw(quants="Q4_K_L,Q4_K_M", quant_bits={"Q4_K_L": 5.3})))
    assert not warnings_of(parse(raw(quants="F16,BF16")))
