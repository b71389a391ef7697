from __future__ import annotations

from typing import Any

import pytest

from orket_lib.config.loading.parse import parse
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


@pytest.mark.parametrize("policy", ["none", "0-", "0,,1", "-1", "0 1"])
def test_another_affinity_is_a_problem(policy: str) -> None:
    (problem,) = problems_of({**MINIMAL, "affinity_policy": policy})
    assert problem.startswith("affinity_policy: ")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", ".hidden"])
def test_a_sweep_is_one_folder(name: str) -> None:
    (problem,) = problems_of({**MINIMAL, "sweep": name})
    assert problem.startswith("sweep: ")


@pytest.mark.parametrize(
    ("key", "written", "means"),
    [
        ("threads", 0, None),
        ("affinity_policy", "", "all"),
        ("task_id_min", 0, None),
        ("task_id_max", 0, None),
        ("canary_task_id_min", 0, None),
        ("canary_task_id_max", 0, None),
        ("warmup_steps", 0, 3),
        ("hardware_sidecar_template", "", None),
        ("hardware_sidecar_profile", "", None),
        ("runner_template", "", None),
        ("context_sweep_profile", "", None),
        ("base_url", "", None),
        ("runtime_target", "", None),
        ("n_ctx", "", None),
    ],
)
def test_what_means_off_in_older_matrix_files_means_off(
    key: str, written: object, means: object
) -> None:
    found = config(**{key: written})
    assert getattr(found, key) == means
    assert found == config(**{key: means})


@pytest.mark.parametrize("key", ["sweep", "server_binary", "kpi_policy", "models", "temperature"])
def test_empty_text_is_null_only_where_null_is_allowed(key: str) -> None:
    assert getattr(config(), key) != ""
    if key == "kpi_policy":  # a path that is looked at later
        assert config(kpi_policy="").kpi_policy == ""
    else:
        (problem,) = problems_of({**MINIMAL, key: ""})
        assert problem.startswith(f"{key}: must be ")


@pytest.mark.parametrize("name", ["canary", "preflight"])
def test_a_sweep_may_be_called_what_a_folder_inside_each_sweep_is_called(name: str) -> None:
    assert config(sweep=name).sweep == name


@pytest.mark.parametrize(
    "braces", ["{}", "{1,3}", '{"depth": 3}', "{print $1}", "${HOME}", "${ENV:TOKEN}", "{a,b}"]
)
def test_braces_of_a_command_s_own_are_no_placeholders(braces: str) -> None:
    command = ("agent", "{task_file}", braces)
    assert config(runner_template=command).runner_template == command


def test_the_canary_takes_the_range_of_the_matrix_unless_it_has_one() -> None:
    matrix = {"task_id_min": 5, "task_id_max": 9}
    assert config(**matrix).canary_task_ids == (5, 9)
    assert config(**matrix, canary_task_id_min=0).canary_task_ids == (5, 9)
    assert config(**matrix, canary={"task_id_min": 2}).canary_task_ids == (2, None)
    assert config(**matrix, canary={"task_id_max": 3}).canary_task_ids == (None, 3)
    assert config().canary_task_ids == (None, None)


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
