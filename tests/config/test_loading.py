from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orket_lib.config.loading import default_sweep_name, parse, read_config_files
from orket_lib.config.model import SweepConfig
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.statuses import Lane

MINIMAL: dict[str, Any] = {
    "models": ["nano"],
    "quants": ["Q8_0"],
    "task_bank": "bank.json",
    "artifact_template": "{model}-{quant}.gguf",
}


def config(**changes: Any) -> SweepConfig:
    return parse({**MINIMAL, **changes})


def problems_of(raw: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(raw)
    return caught.value.problems


def test_the_defaults_are_strict() -> None:
    found = config()
    assert found.runs_per_quant == 2
    assert found.probe_runs == 3
    assert found.temperature == 0
    assert found.adherence_threshold == 0.95
    assert found.latency_ceiling == 10
    assert found.canary_latency_variance_threshold == 0.03
    assert found.canary_drop_first_run is True
    assert found.canary_max_missing_telemetry_rate == 0
    assert found.canary_max_age_hours == 24
    assert found.row_max_missing_telemetry_rate == 0
    assert found.row_max_orchestration_overhead_ratio == 0.25
    assert found.include_invalid is False
    assert found.execution_lane is Lane.LAB


def test_sections_and_flat_keys_mean_the_same() -> None:
    flat = {"canary_runs": 10, "canary_drop_first_run": False, "row_max_system_load_rate": 0.5}
    sections = {
        "canary": {"runs": 10, "drop_first_run": False},
        "row": {"max_system_load_rate": 0.5},
    }
    assert config(**flat) == config(**sections)


def test_one_key_both_ways_with_one_value_is_fine() -> None:
    assert config(canary={"runs": 4}, canary_runs=4).canary_runs == 4


def test_one_key_both_ways_with_two_values_is_a_problem() -> None:
    (problem,) = problems_of({**MINIMAL, "canary": {"runs": 4}, "canary_runs": 5})
    assert problem == "canary_runs: given twice, as 4 and as 5"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            {"quant": ["Q8_0"]},
            "quant: there is no such key; did you mean `quants`? (got ['Q8_0'])",
            id="unknown key with a suggestion",
        ),
        pytest.param(
            {"canary": {"run": 3}},
            "canary_run: there is no such key; did you mean `canary_runs`? (got 3)",
            id="unknown key of a section",
        ),
        pytest.param(
            {"zzzz": 1}, "zzzz: there is no such key (got 1)", id="unknown key like no other"
        ),
        pytest.param(
            {"runs_per_quant": 0},
            "runs_per_quant: Input should be greater than or equal to 1 (got 0)",
            id="below its range",
        ),
        pytest.param(
            {"temperature": 2.5},
            "temperature: Input should be less than or equal to 2 (got 2.5)",
            id="above its range",
        ),
        pytest.param(
            {"temperature": float("nan")},
            "temperature: Input should be a finite number (got nan)",
            id="not a number",
        ),
        pytest.param(
            {"canary_runs": True},
            "canary_runs: must not be true or false (got True)",
            id="yes for a number",
        ),
        pytest.param(
            {"runs_per_quant": "many"},
            "runs_per_quant: Input should be a valid integer, unable to parse string as an "
            "integer (got 'many')",
            id="text for a number",
        ),
        pytest.param(
            {"quants": [4]}, "quants.0: Input should be a valid string (got 4)", id="number in list"
        ),
        pytest.param(
            {"quants": []},
            "quants: Value should have at least 1 item after validation, not 0 (got [])",
            id="empty list",
        ),
        pytest.param(
            {"quants": "q8_0, Q8_0"},
            "quants: a quant stands twice (got 'q8_0, Q8_0')",
            id="quant twice",
        ),
        pytest.param(
            {"quants": ["Q4/K"]},
            "quants: `Q4/K` is not a quant tag (letters, digits, `_`, `.`, `-`) (got ['Q4/K'])",
            id="quant that is no path",
        ),
        pytest.param(
            {"models": ["nano", "na"[:2] + "no"]},
            "models: `nano` stands twice (got ['nano', 'nano'])",
            id="model twice",
        ),
        pytest.param(
            {"models": ["a:b", "a/b"]},
            "models: `a:b` and `a/b` would share the folder `a_b` (got ['a:b', 'a/b'])",
            id="models with one slug",
        ),
        pytest.param(
            {"models": ["Nano", "nano"]},
            "models: `Nano` and `nano` would share the folder `nano` (got ['Nano', 'nano'])",
            id="models that Windows can not tell apart",
        ),
        pytest.param(
            {"models": ["nano", "Nano"]},
            "models: `nano` and `Nano` would share the folder `Nano` (got ['nano', 'Nano'])",
            id="the same the other way round",
        ),
        pytest.param(
            {"task_id_min": 5, "task_id_max": 4},
            "task_id_min: 5 is above task_id_max: 4",
            id="empty range",
        ),
        pytest.param(
            {"quants": ["Q9_Z", "Q8_0"]},
            "quants: Q9_Z: not a tag that we know; say how many bits per weight it has with "
            "quant_bits: {TAG: 4.5}",
            id="unknown quant without its bits",
        ),
        pytest.param(
            {"quant_bits": {"Q9_Z": 0}},
            "quant_bits: `Q9_Z`: 0.0 bits per weight is not between 0 and 64 (got {'Q9_Z': 0})",
            id="no bits",
        ),
        pytest.param(
            {"provider": "ollamma"},
            "provider: Input should be 'embedded'",
            id="unknown provider",
        ),
        pytest.param(
            {"execution_lane": "prod"},
            "execution_lane: Input should be 'lab' or 'ci' (got 'prod')",
            id="unknown lane names what is allowed",
        ),
        pytest.param({1: 2}, "1: Keys should be strings (got 1)", id="key that is no text"),
    ],
)
def test_a_problem_names_key_value_and_what_is_allowed(raw: dict[str, Any], expected: str) -> None:
    (problem,) = problems_of({**MINIMAL, **raw})
    assert problem.startswith(expected)


def test_all_problems_are_told_at_once() -> None:
    raw = {
        "models": ["nano"],
        "quants": ["Q8_0"],
        "runs_per_qant": 3,
        "temperature": "hot",
        "seed": -1,
        "canary": {"runs": -2},
        "canary_runs": 3,
    }
    found = problems_of(raw)
    keys = [line.partition(":")[0] for line in found]
    assert sorted(keys) == ["canary_runs", "runs_per_qant", "seed", "task_bank", "temperature"]
    assert any(line.startswith("task_bank: missing (path of the task bank)") for line in found)


def test_an_unknown_quant_is_fine_with_its_bits() -> None:
    found = config(quants="q9_z,Q8_0", quant_bits={"q9_z": 9.5})
    assert found.bits("Q9_Z") == 9.5
    assert found.bits("Q8_0") == 8.5


def test_lists_may_be_written_with_commas() -> None:
    found = config(models="a, b ,", quants=" q8_0,Q4_K_M")
    assert found.models == ("a", "b")
    assert found.quants == ("Q8_0", "Q4_K_M")


def test_artifacts_are_found_under_any_spelling_of_a_tag() -> None:
    assert config(artifacts={"nano": {"q8_0": "x"}}).artifacts == {"nano": {"Q8_0": "x"}}


@pytest.mark.parametrize("policy", ["all", "0", "0-3", "0-3,6", "1,2,4-5"])
def test_an_affinity_is_all_or_a_list(policy: str) -> None:
    assert config(affinity_policy=policy).affinity_policy == policy


@pytest.mark.parametrize("policy", ["", "none", "0-", "0,,1", "-1", "0 1"])
def test_another_affinity_is_a_problem(policy: str) -> None:
    (problem,) = problems_of({**MINIMAL, "affinity_policy": policy})
    assert problem.startswith("affinity_policy: ")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", ".hidden"])
def test_a_sweep_is_one_folder(name: str) -> None:
    (problem,) = problems_of({**MINIMAL, "sweep": name})
    assert problem.startswith("sweep: ")


@pytest.mark.parametrize(
    ("files", "expected"),
    [((), None), (("config/a.yaml",), "a"), (("a.yaml", Path("b") / "c.d.json"), "c.d")],
)
def test_a_sweep_without_a_name_has_that_of_its_last_file(
    files: tuple[str | Path, ...], expected: str | None
) -> None:
    assert default_sweep_name(files) == expected


def test_policies_are_the_config_keys_of_their_section() -> None:
    found = config(
        canary={"runs": 0, "drop_first_run": False, "max_age_hours": 1},
        row={"max_cpu_saturation_rate": 0.5},
    )
    assert found.canary_policy.enabled is False
    assert found.canary_policy.drop_first_run is False
    assert found.canary_policy.max_age_hours == 1
    assert found.row_policy.max_cpu_saturation_rate == 0.5


def test_a_resolved_config_means_itself() -> None:
    found = config(canary={"runs": 3}, quant_bits={"q9": 9}, models="a,b", execution_lane="ci")
    assert parse(found.model_dump(mode="json")) == found


def test_later_files_win_and_mappings_merge(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.json"
    one.write_text("canary:\n  runs: 3\n  task_limit: 2\nquants: [Q8_0]\n", encoding="utf-8")
    two.write_text('{"canary": {"runs": 5}, "quants": ["F16"]}', encoding="utf-8-sig")
    assert read_config_files([one, two]) == {
        "canary": {"runs": 5, "task_limit": 2},
        "quants": ["F16"],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param("a: 1".encode("utf-16"), "not UTF-8 (PowerShell's `>`", id="UTF-16"),
        pytest.param(b"a: [1", "while parsing", id="not YAML"),
        pytest.param(b"- a\n", "holds no mapping", id="a list"),
        pytest.param(b"", "holds no mapping", id="empty"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_config_files([path])
    (problem,) = caught.value.problems
    assert "mine.yaml: " in problem
    assert message in problem


def test_all_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config_files([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert len(caught.value.problems) == 2
