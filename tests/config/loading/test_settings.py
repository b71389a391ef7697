"""Sections, aliases, older keys; what wins over what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orket_lib.config.loading.files import Source, read_overrides, read_sources
from orket_lib.config.loading.parse import DEPRECATED_KEYS, Draft, draft
from orket_lib.vocabulary.errors import ConfigError

MINIMAL: dict[str, Any] = {
    "models": ["nano"],
    "quants": ["Q8_0"],
    "task_bank": "bank.json",
    "artifact_template": "{model}-{quant}.gguf",
}


OPENAI = {"provider": "openai", "base_url": "http://localhost:1"}


def drafted(*contents: dict[str, Any]) -> Draft:
    return draft(Source(content) for content in (MINIMAL, *contents))


def bomb(merged: bool) -> str:
    """Return nine mappings, each of which holds ten times the one before, or merges ten of it."""
    lines = ["a0: &a0 {k: 1}"]
    for level in range(1, 10):
        ten = [f"*a{level - 1}"] * 10
        inside = f"<<: [{', '.join(ten)}]"
        if not merged:
            inside = ", ".join(f"k{number}: {alias}" for number, alias in enumerate(ten))
        lines.append(f"a{level}: &a{level} {{{inside}}}")
    return "\n".join(lines)


def written(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


@pytest.mark.parametrize(
    ("flat", "section"),
    [
        ({"canary_runs": 9}, {"canary": {"runs": 9}}),
        ({"row_max_system_load_rate": 0.5}, {"row": {"max_system_load_rate": 0.5}}),
        ({"context_sweep_contexts": [4096]}, {"context": {"sweep_contexts": [4096]}}),
        ({"context_adherence_min": 0.9}, {"context": {"adherence_min": 0.9}}),
        ({"hardware_sidecar_profile": "x"}, {"hardware_sidecar": {"profile": "x"}}),
        ({"hardware_sidecar_timeout_sec": 9}, {"hardware_sidecar": {"timeout_sec": 9}}),
        ({"thermal_repeats": 3}, {"thermal": {"repeats": 3}}),
        ({"kpi_policy": "x.json"}, {"kpi": {"policy": "x.json"}}),
        ({"include_invalid": True}, {"allow_polluted_frontier": True}),
    ],
    ids=lambda value: ",".join(value),
)
def test_a_setting_may_be_spelled_both_ways(flat: dict[str, Any], section: dict[str, Any]) -> None:
    assert drafted(flat).config == drafted(section).config != drafted().config
    assert not drafted(section).problems


def test_a_section_whose_lines_are_commented_out_is_no_mistake() -> None:
    assert drafted({"canary": None}).problems == ()


def test_later_sources_win_however_a_setting_is_spelled() -> None:
    assert drafted({"canary": {"runs": 3}}, {"canary_runs": 4}).config.canary_runs == 4
    assert drafted({"canary_runs": 3}, {"canary": {"runs": 4}}).config.canary_runs == 4
    assert drafted({"model_id": "old"}, {"models": "new"}).config.models == ("new",)
    kept = drafted({"canary": {"runs": 3, "task_limit": 2}}, {"canary": {"runs": 4}}).config
    assert (kept.canary_runs, kept.canary_task_limit) == (4, 2)


def test_tables_merge_and_lists_are_replaced() -> None:
    one = {"tags": {"a": {"Q8_0": "x"}}, "models": ["a", "b"]}
    two = {"tags": {"a": {"Q6_K": "y"}, "b": {}}, "models": ["c"]}
    found = drafted(one, two).config
    assert found.tags == {"a": {"Q8_0": "x", "Q6_K": "y"}, "b": {}}
    assert found.models == ("c",)


def test_yaml_and_json_with_a_bom_are_read_and_the_command_line_wins(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.json"
    one.write_text("canary:\n  runs: 3\nlatency_ceiling: 1e-3\nseed: 1\n", encoding="utf-8")
    two.write_text('{\n\t"canary": {"task_limit": 2},\n\t"seed": 2}', encoding="utf-8-sig")
    overrides = read_overrides(["seed=3", "quants=q8_0,F16", "canary={runs: 7}"])
    found = draft([Source(MINIMAL), *read_sources([one, two], overrides)])
    assert found.problems == ()
    config = found.config
    assert (config.seed, config.canary_runs, config.canary_task_limit) == (3, 7, 2)
    assert config.latency_ceiling == 0.001
    assert config.quants == ("Q8_0", "F16")


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("a=1", 1),
        ("a=1e3", 1000.0),
        ("a=True", True),
        ("a=true", "true"),
        ("a=x,y", "x,y"),
        ("a=[x, 1]", ["x", "1"]),
        ("a={b: 9}", {"b": "9"}),
        ("a=", None),
        ("a=[x", "[x"),
        ("a=b=c", "b=c"),
    ],
)
def test_values_of_the_command_line_are_read_as_snakemake_reads_them(
    pair: str, expected: object
) -> None:
    snakemake = pytest.importorskip("snakemake.cli")
    assert read_overrides([pair]) == {"a": expected}
    assert snakemake.parse_config([f"key{pair[1:]}"]) == {"key": expected}


def test_null_on_the_command_line_is_null() -> None:
    sources = read_sources([], read_overrides(["seed=null", "hardware_sidecar={profile: null}"]))
    found = draft([Source({**MINIMAL, "seed": 3, "hardware_sidecar_profile": "x"}), *sources])
    assert (found.config.seed, found.config.hardware_sidecar_profile) == (None, None)


def test_pairs_without_a_sign_are_named() -> None:
    with pytest.raises(ConfigError, match=r"--config seed, --config my\.yaml: must be key=value"):
        read_overrides(["seed", "runs_per_quant=3", "my.yaml"])


OLD_VALUES: dict[str, Any] = {
    "model_id": "old",
    "quant_tags": "Q6_K",
    "context_quant_tag": "pick",
    "out_dir": "out",
    "summary_out": "out/summary.json",
    "model_hash": "abc",
    "sanitize_model_cache": True,
    "lmstudio_base_url": "http://127.0.0.1:1234",
    "lmstudio_timeout_sec": 77,
    "venue": "standard",
    "flow": "default",
}


@pytest.mark.parametrize("name", DEPRECATED_KEYS)
def test_an_older_key_gets_exactly_one_warning_that_says_what_replaces_it(name: str) -> None:
    old = {name: OLD_VALUES[name]}
    found = drafted(old, old)  # two files of the same kind
    assert found.problems == ()
    warnings = [line for line in found.warnings if line.startswith(f"{name}: ")]
    assert len(warnings) == 1
    assert DEPRECATED_KEYS[name].hint in warnings[0]


def test_older_keys_are_mapped() -> None:
    new = {key: value for key, value in MINIMAL.items() if key not in ("models", "quants")}
    found = draft([Source({**new, **OLD_VALUES, "tag_template": "{model}"})])
    assert found.problems == ()
    config = found.config
    assert (config.models, config.quants) == (("old",), ("Q6_K",))
    assert (config.provider, config.base_url) == ("lmstudio", "http://127.0.0.1:1234")
    assert config.task_timeout_sec == 77


def test_a_new_key_wins_over_the_older_one_beside_it() -> None:
    found = drafted({"model_id": "old", "models": "new"})
    assert found.config.models == ("new",)
    assert found.warnings == (
        "model_id: deprecated key, ignored because of `models`; write `models`, a list",
    )


def test_a_wrong_value_is_told_under_the_name_that_was_written() -> None:
    assert drafted({"lmstudio_timeout_sec": 0}).problems == (
        "lmstudio_timeout_sec: must be a number > 0 (got 0)",
    )


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"base_url": "http://localhost:1"}, "base_url: no effect: provider `embedded` starts"),
        ({"gpu_devices": 0}, "gpu_devices: no effect: provider `embedded`"),
        ({"exclusive": True}, "exclusive: no effect: provider `embedded`"),
        ({"runtime_env": {"A": 1}}, "runtime_env: no effect"),
        ({"thermal_repeats": 2}, "thermal_repeats: 2 can't show a trend: at least 3 are needed"),
        (
            {"thermal": {"repeats": 4, "monotonic_window": 4}},
            "thermal_monotonic_window: 4 consecutive rises need 5 repeats",
        ),
        (
            {"thermal_quant_tag": "Q4_K_M"},
            "thermal_quant_tag: no effect: there is no thermal series",
        ),
        ({"canary_runs": 2}, "canary_runs: 2 leaves 1 to judge by"),
        ({"server_args": ["-ngl", 99]}, "server_args: no effect"),
        ({"api_key": "${ENV:KEY}"}, "api_key: no effect"),
        ({"provider": "llama_server", "exclusive": True}, "exclusive: no effect"),
        ({"provider": "llama_server", "api_key": "${ENV:KEY}"}, "api_key: no effect"),
        (
            {"provider": "llama_server", "base_url": "http://[::1]:1", "gpu_devices": 0},
            "gpu_devices: no effect",
        ),
        ({"provider": "lmstudio", "gpu_devices": 0}, "gpu_devices: no effect"),
        ({"provider": "ollama", "gpu_devices": 0}, "gpu_devices: no effect"),
        ({"provider": "ollama", "threads": 8}, "threads: provider `ollama` sends it and reads it"),
        (OPENAI | {"gpu_devices": 0}, "gpu_devices: no effect"),
        (OPENAI | {"exclusive": True}, "exclusive: no effect: provider `openai`"),
        (OPENAI | {"n_ctx": 4096}, "n_ctx: provider `openai` can't set it"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_has_no_effect_is_told_once(changes: dict[str, Any], warning: str) -> None:
    (found,) = drafted(changes).warnings
    assert found.startswith(warning)


@pytest.mark.parametrize("provider", ["ollama", "openai", "lmstudio"])
def test_a_seed_that_cannot_be_read_back_is_told_where_it_matters(provider: str) -> None:
    drawn = OPENAI | {"provider": provider, "seed": 7, "temperature": 0.7}
    (found,) = drafted(drawn).warnings
    assert found.startswith(f"seed: provider `{provider}`")
    assert drafted(drawn | {"temperature": 0}).warnings == ()


@pytest.mark.parametrize(
    ("provider", "control", "value"),
    [
        ("embedded", "threads", 2),
        ("embedded", "affinity_policy", 0),
        ("embedded", "seed", 1),
        ("llama_server", "threads", 2),
        ("ollama", "threads", 2),
        ("ollama", "seed", 1),
        ("lmstudio", "seed", 1),
    ],
)
def test_a_control_that_the_provider_applies_is_fine(
    provider: str, control: str, value: int
) -> None:
    assert drafted({"provider": provider, control: value}).problems == ()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_this_machine_needs_no_permission(host: str) -> None:
    server = {"provider": "ollama", "base_url": f"http://{host}:11434/"}
    found = drafted(server)
    assert found.problems == ()
    assert found.config.base_url == f"http://{host}:11434"


def test_another_machine_is_fine_where_it_is_allowed() -> None:
    far = {"provider": "ollama", "base_url": "http://10.0.0.7:11434", "allow_remote": True}
    assert drafted(far).problems == ()


def test_a_key_that_is_written_out_is_not_repeated() -> None:
    (problem,) = draft([Source({**MINIMAL, "api_key": "sk-1234567"})]).problems
    assert "${ENV:NAME}" in problem
    assert "sk-1234567" not in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: " + "9" * 5000, "can't be read: line 1: Exceeds the limit"),
        ("sweep: 2026-02-30", "can't be read: line 1: day is out of range"),
        ("models: " + "[" * 3000, "its aliases (`*name`) repeat too much, or it is nested"),
        ("seed: 1\nlist:\n- 5\n- 2026-02-30", "can't be read: line 4: day is out of range"),
        ("models: &m [*m]", "its aliases (`*name`) repeat too much, or"),
        ("a: " + "[" * 80 + "]" * 80, "its aliases (`*name`) repeat too much, or it is nested too"),
        (bomb(merged=False), "its aliases (`*name`) repeat too much, or"),
        (bomb(merged=True), "can't be read: its aliases (`*name`) repeat too much, or"),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_no_parser_can_read_is_one_problem(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "my.yaml").write_text(text)
    (source, _) = read_sources([tmp_path / "my.yaml"], {})
    assert not source.readable
    assert source.problems[0].startswith(f"my.yaml: {said}")


@pytest.mark.parametrize("typed", ["quick=true", "quick=True", "quick=yes", "quick=1"])
def test_quick_on_the_command_line_is_quick(typed: str) -> None:
    """Snakemake reads `True`; the rest stays text until the fields convert it."""
    config = drafted(read_overrides([typed])).config
    assert config.in_batches
    assert (config.quick, config.runs_per_quant, config.budget_seconds) == (True, 1, 60)


def test_quick_may_be_turned_off() -> None:
    assert not drafted(read_overrides(["quick=false"])).config.in_batches
