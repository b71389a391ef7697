"""Which sidecar a config asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import spec

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.sidecar_fields import PLACEHOLDERS
from orket_lib.config.loading.parse import parse
from orket_lib.config.model import SweepConfig
from orket_lib.measure.sidecar.sidecar import command_of
from orket_lib.providers.base import Source
from orket_lib.sweep.references import problems_of
from orket_lib.sweep.sidecar import find_sidecar, sidecar_spec
from orket_lib.vocabulary.errors import ConfigError

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "config" / "sidecar_profiles.json"


def config(**changes: Any) -> SweepConfig:
    base = {"models": ["m"], "quants": ["Q8_0"], "task_bank": "bank.json"}
    return parse({**base, "sidecar_profiles_config": str(SHIPPED), **changes})


def test_none_is_asked_for_by_default() -> None:
    assert find_sidecar(config()) is None


@pytest.mark.parametrize(
    ("template", "arguments"),
    [
        ("tool --m '{model_id} x' \"{out_file}\"", ("tool", "--m", "{model_id} x", "{out_file}")),
        (["C:\\tools\\probe.exe", "a b"], ("C:\\tools\\probe.exe", "a b")),
    ],
)
def test_a_text_is_split_and_a_list_is_taken_as_it_is(
    template: object, arguments: tuple[str, ...]
) -> None:
    found = find_sidecar(config(hardware_sidecar_template=template))
    assert found is not None
    assert (found.template, found.backend, found.timeout_sec) == (arguments, "any", 120.0)


@pytest.mark.parametrize("template", ["tool 'open", "   ", [], [""]])
def test_a_template_without_a_command_is_refused(template: object) -> None:
    (problem,) = problems_of(find_sidecar, config(hardware_sidecar_template=template))
    assert problem.startswith("hardware_sidecar_template: ")


@pytest.mark.parametrize(
    ("name", "backend"), [("cpu_only", "cpu"), ("nvidia", "nvidia"), ("amd", "amd")]
)
def test_the_shipped_profiles_measure_themselves(name: str, backend: str) -> None:
    found = find_sidecar(config(hardware_sidecar_profile=name))
    assert found is not None
    assert (found.backend, found.template, found.timeout_sec) == (backend, None, 900.0)


def test_llama_bench_is_a_ready_template_that_says_what_it_can_not_know() -> None:
    chosen = config(hardware_sidecar_profile="llama-bench")
    found = find_sidecar(chosen)
    assert found is not None
    assert found.backend == "any"
    assert found.template is not None
    assert found.template[:3] == ("llama-bench", "-m", "{model_path}")
    assert set(found.not_measured) >= {"ttft_ms", "kernel_launch_ms", "model_load_ms"}
    assert sidecar_spec(chosen, found, spec()).not_measured == found.not_measured


def test_a_template_of_one_s_own_keeps_its_digest() -> None:
    found = find_sidecar(config(hardware_sidecar_template="tool"))
    assert found is not None
    one = sidecar_spec(config(hardware_sidecar_template="tool"), found, spec())
    assert "not_measured" not in one.model_dump(mode="json")


def test_only_a_limit_that_the_config_names_wins_over_the_profile_s() -> None:
    named = config(hardware_sidecar={"profile": "cpu_only", "timeout_sec": 120})
    found = find_sidecar(named)
    assert found is not None
    assert found.timeout_sec == 120.0


def test_a_profile_that_there_is_not_is_named_with_the_nearest() -> None:
    (problem,) = problems_of(find_sidecar, config(hardware_sidecar_profile="nvida"))
    assert "cpu_only, nvidia, amd, llama-bench" in problem
    assert "did you mean `nvidia`?" in problem


@pytest.mark.parametrize(
    "content",
    [
        None,
        "{",
        "{}",
        '{"profiles": {"x": {"backend": "tpu"}}}',
        '{"profiles": {"x": {"backend": "cpu", "timeout": 5}}}',
        '{"profiles": {"x": {"backend": "cpu", "timeout_sec": 0}}}',
        '{"profiles": {"x": {"backend": "cpu", "not_measured": ["ttft"]}}}',
    ],
)
def test_a_profiles_file_that_can_not_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "profiles.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"sidecar_profiles_config: .*profiles\.json"):
        find_sidecar(config(hardware_sidecar_profile="x", sidecar_profiles_config=str(path)))


def profiles_file(folder: Path, **profiles: Any) -> str:
    path = folder / "profiles.json"
    path.write_text(json.dumps({"profiles": profiles}), encoding="utf-8")
    return str(path)


def test_a_mistake_in_a_profile_that_is_not_asked_for_is_no_reason_to_refuse(
    tmp_path: Path,
) -> None:
    file = profiles_file(
        tmp_path,
        typo={"backend": "cpu", "tempalte": None},
        braces={"backend": "cpu", "template": "tool {nope}"},
        good={"backend": "cpu", "template": "tool {quant_tag}"},
    )
    asked = {"sidecar_profiles_config": file}
    found = find_sidecar(config(**asked, hardware_sidecar_profile="good"))
    assert found is not None
    assert found.template == ("tool", "{quant_tag}")
    (problem,) = problems_of(find_sidecar, config(**asked, hardware_sidecar_profile="typo"))
    assert "profiles.typo: not a valid SidecarProfile:\n  tempalte: " in problem
    (problem,) = problems_of(find_sidecar, config(**asked, hardware_sidecar_profile="braces"))
    assert "profiles.braces.template: `{nope}` is no placeholder; valid are {model_path}" in problem


def test_every_placeholder_of_a_sidecar_is_filled_in() -> None:
    template = tuple(f"{{{name}}}" for name in PLACEHOLDERS)
    found = find_sidecar(config(hardware_sidecar_template=template))
    assert found is not None
    one = sidecar_spec(config(hardware_sidecar_template=template), found, spec())
    command = command_of(one, Source(None, ServerLocation()), Path("out.json"))
    assert not any("{" in word for word in command)


def test_a_profile_s_own_template_is_named_when_it_is_wrong(tmp_path: Path) -> None:
    path = profiles_file(tmp_path, x={"backend": "cpu", "template": "tool 'open"})
    changed = config(hardware_sidecar_profile="x", sidecar_profiles_config=path)
    (problem,) = problems_of(find_sidecar, changed)
    assert "profiles.x.template" in problem


def test_a_template_s_spec_has_its_labels_and_nothing_of_the_provider() -> None:
    changed = config(
        hardware_sidecar_template="tool",
        runtime_target="edge",
        execution_mode="batch",
        runtime_env={"THREADS": "4"},
    )
    found = find_sidecar(changed)
    assert found is not None
    one = sidecar_spec(changed, found, spec())
    assert (one.runtime_target, one.execution_mode) == ("edge", "batch")
    assert (one.environment, one.serving) == ({"THREADS": "4"}, None)
    # Serving differently, or asking other tasks, is nothing to a foreign command.
    other = spec(n_ctx=4096, runs_per_task=9, probe_runs=9, temperature=1.0)
    assert sidecar_spec(changed, found, other).digest() == one.digest()
    assert sidecar_spec(changed, found, spec(quant_tag="Q2_K")).digest() != one.digest()


def test_our_own_spec_serves_as_the_cell_does_and_has_no_labels() -> None:
    changed = config(hardware_sidecar_profile="cpu_only", runtime_target="edge")
    found = find_sidecar(changed)
    assert found is not None
    one = sidecar_spec(changed, found, spec())
    assert one.runtime_target is None
    assert sidecar_spec(changed, found, spec(runs_per_task=9)).digest() == one.digest()
    assert sidecar_spec(changed, found, spec(n_ctx=4096)).digest() != one.digest()
