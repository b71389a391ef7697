from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from explorer_artifacts import context_ceiling, frontier, thermal_profile
from jsonschema import Draft202012Validator

from orket_lib.artifacts.history import History
from orket_lib.artifacts.io import read_json, write_json
from orket_lib.artifacts.schemas import schema_file
from orket_lib.stores.explorers import (
    CONTEXT_CEILINGS,
    FRONTIERS,
    THERMAL_PROFILES,
    append,
    identity,
)
from orket_lib.vocabulary.errors import ArtifactError

ROOT = Path(__file__).resolve().parents[2]
KEY = "linux_testing_cpu_4_16_none__lab__safe"


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        (frontier(), f"frontiers/{KEY}.json"),
        (context_ceiling(), f"context_ceilings/{KEY}__nano__Q4_K_M.json"),
        (thermal_profile(), f"thermal_profiles/{KEY}__nano__Q4_K_M.json"),
    ],
)
def test_an_artifact_goes_into_the_history_of_its_key(
    tmp_path: Path, entry: Any, path: str
) -> None:
    assert append(tmp_path, entry, "x") == (tmp_path / path, True)
    content = read_json(tmp_path / path)
    assert content == {"schema_version": "orket.history.v1", "history": [entry]}
    check = Draft202012Validator(read_json(ROOT / schema_file(History)))
    assert list(check.iter_errors(content)) == []


def test_the_same_artifact_made_again_is_one_record(tmp_path: Path) -> None:
    provenance = frontier()["provenance"] | {"commit_sha": "another"}
    again = frontier(generated_at="2026-12-24T00:00:00.000Z", provenance=provenance)
    path, _ = append(tmp_path, frontier(), "x")
    assert append(tmp_path, again, "x") == (path, False)
    assert read_json(path)["history"] == [frontier()]
    assert append(tmp_path, frontier(quant_tag="Q8_0"), "x") == (path, True)
    assert append(tmp_path, again, "x") == (path, False)
    assert len(read_json(path)["history"]) == 2


def test_identity_is_everything_but_time_and_provenance() -> None:
    first = frontier()
    for name in first:
        changed = first | {name: "something else"}
        same = identity(changed) == identity(first)
        assert same == (name in ("generated_at", "provenance")), name


def test_machines_lanes_profiles_models_and_quants_are_kept_apart(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"hardware_fingerprint": "linux|other|4|16|none"},
        {"hardware_fingerprint": None},
        {"execution_lane": "ci"},
        {"vram_profile": "stress"},
        {"model_id": "other"},
        {"quant_tag": "Q8_0"},
    ]
    paths = {append(tmp_path, context_ceiling(**one), "x")[0] for one in changes}
    assert len(paths) == len(changes)
    assert len(list(CONTEXT_CEILINGS.files(tmp_path))) == len(changes)


CONFUSABLE = [
    {"hardware_fingerprint": "a/b", "model_id": "m"},
    {"hardware_fingerprint": "a:b", "model_id": "m"},
    {"hardware_fingerprint": "a_b", "model_id": "m"},
    {"hardware_fingerprint": "a_b", "model_id": "m__Q8_0", "quant_tag": "x"},
    {"hardware_fingerprint": "a_b", "model_id": "m", "quant_tag": "Q8_0__x"},
    {"hardware_fingerprint": "unknown", "model_id": "m"},
    {"hardware_fingerprint": None, "model_id": "m"},
    {"hardware_fingerprint": "x" * 300, "model_id": "m"},
    {"hardware_fingerprint": "x" * 301, "model_id": "m"},
]


@pytest.mark.parametrize("order", [CONFUSABLE, CONFUSABLE[::-1]], ids=["forth", "back"])
def test_keys_that_become_one_name_stay_apart(tmp_path: Path, order: list[Any]) -> None:
    for number in (1, 2):
        for changes in order:
            append(tmp_path, context_ceiling(**changes, recommendation=f"{number}"), "x")
    histories = [file.read() for file in CONTEXT_CEILINGS.files(tmp_path)]
    assert len(histories) == len(order)
    assert all(len(history) == 2 for history in histories)
    for history in histories:
        assert len({CONTEXT_CEILINGS.key_of(entry) for entry in history}) == 1


@pytest.mark.parametrize(
    "name",
    [".", "..", "../../etc/passwd", "/etc/passwd", "a\\..\\b", "", "C:\\x", "\0", "\n", "ä/日"],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    for changes in itertools.chain(
        ({field: name} for field in ("hardware_fingerprint", "model_id", "quant_tag")),
        [{"hardware_fingerprint": name, "model_id": name, "quant_tag": name}],
    ):
        path, added = append(tmp_path / "root", thermal_profile(**changes), "x")
        assert added
        assert path.parent == tmp_path / "root" / "thermal_profiles"
        assert path.resolve().parent == path.parent.resolve()
        assert path.is_file()
    assert [entry.name for entry in tmp_path.iterdir()] == ["root"]
    assert all(file.read() for file in THERMAL_PROFILES.files(tmp_path / "root"))


def test_what_is_kept_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"f\.json: there is no history for 'orket\.run\.v1'"):
        append(tmp_path, {"schema_version": "orket.run.v1"}, "f.json")
    with pytest.raises(ArtifactError, match=r"f\.json: there is no history for None"):
        append(tmp_path, [], "f.json")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_artifact_that_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"f\.json: not a valid FrontierExplorer:\n  sessions"):
        append(tmp_path, frontier(sessions=1), "f.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", ["2026-13-45T00:00:00Z", "yesterday", ""])
def test_an_artifact_of_no_time_is_refused(tmp_path: Path, moment: str) -> None:
    """Records are sorted by it: one without would spoil the whole file for every reader."""
    with pytest.raises(ArtifactError, match=r"f\.json: not a valid .*\n  generated_at: "):
        append(tmp_path, frontier(generated_at=moment), "f.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("levels", [60, 985, 5000])
def test_an_artifact_that_later_readers_could_not_read_is_refused(
    tmp_path: Path, levels: int
) -> None:
    nested: Any = 1
    for _ in range(levels):
        nested = [nested]
    with pytest.raises(ArtifactError, match=r"f\.json: is nested more than 50 levels deep"):
        append(tmp_path, frontier(of_tomorrow=nested), "f.json")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_history_is_left_alone_and_no_other_is_begun(tmp_path: Path) -> None:
    path, _ = append(tmp_path, frontier(), "x")
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ArtifactError, match=r"none__lab__safe\.json: not valid JSON.*\n.*left as"):
        append(tmp_path, frontier(quant_tag="Q8_0"), "x")
    assert path.read_bytes() == before
    assert [file.path for file in FRONTIERS.files(tmp_path)] == [path]


def test_a_history_of_several_machines_is_reported(tmp_path: Path) -> None:
    path, _ = append(tmp_path, frontier(), "x")
    mixed = {"history": [frontier(), frontier(hardware_fingerprint="another")]}
    write_json(path, mixed)  # two files put into one
    with pytest.raises(ArtifactError, match="of different machines or models; it was left as it"):
        append(tmp_path, frontier(quant_tag="Q8_0"), "x")
    assert read_json(path) == mixed
    assert [file.path for file in FRONTIERS.files(tmp_path)] == [path]
