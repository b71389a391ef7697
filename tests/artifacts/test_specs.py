from __future__ import annotations

import json
import random
from typing import Any

import pytest
from builders import spec

from orket_lib.artifacts.digest import DIGEST_LENGTH, canonical_json, digest_of, sha256_of
from orket_lib.artifacts.measurements.runner import RunnerSettings
from orket_lib.artifacts.measurements.spec import (
    ArtifactIdentity,
    CanarySpec,
    ContextFill,
    ControlSettings,
    CooldownSettings,
    OffloadTargets,
    RunSpec,
    ServerIdentity,
    TaskSelection,
)

GOLDEN = "655128357e0d"
FILL = ContextFill(share=0.85, families=("retrieval",), depths=(0.5,), tasks_per_depth=1)


def test_the_digest_of_a_spec_is_the_same_in_every_version() -> None:
    """Change this value only together with `CONTRACT`: every measurement would be made again."""
    assert spec().digest() == GOLDEN


def test_canonical_json_is_independent_of_key_order() -> None:
    value = {"b": 1, "a": {"y": [1, 2], "x": None}, "c": "ä"}
    other = {"c": "ä", "a": {"x": None, "y": [1, 2]}, "b": 1}
    assert canonical_json(value) == canonical_json(other)
    assert canonical_json(value) == '{"a":{"x":null,"y":[1,2]},"b":1,"c":"ä"}'
    assert sha256_of(value) == sha256_of(other)


def test_the_order_of_a_list_is_content() -> None:
    assert sha256_of([1, 2]) != sha256_of([2, 1])


LOAD = {
    "variant": "kv8",
    "cache_type_k": "q8_0",
    "cache_type_v": "q4_0",
    "flash_attn": "on",
    "gpu_layers": 0,
    "batch_size": 64,
    "ubatch_size": 32,
}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_digest_of_what_json_does_not_have_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        digest_of({"a": value})


def test_a_digest_is_short_hexadecimal() -> None:
    assert len(spec().digest()) == DIGEST_LENGTH
    assert int(spec().digest(), 16) >= 0


def test_a_spec_that_was_stored_in_any_key_order_has_the_same_digest() -> None:
    items = list(spec().model_dump(mode="json").items())
    random.Random(1).shuffle(items)
    assert RunSpec.model_validate(json.loads(json.dumps(dict(items)))).digest() == GOLDEN


@pytest.mark.parametrize(
    "changes",
    [
        {"contract": 2},
        {"model_id": "other"},
        {"quant_tag": "Q8_0"},
        {"provider": "other"},
        {"provider_version": "1.1"},
        {"artifact": ArtifactIdentity(sha256="c" * 64)},
        {"artifact": ArtifactIdentity(sha256="a" * 64, pin="d")},
        {"artifact": ArtifactIdentity(sha256="a" * 64, tag="m:7b")},
        {"artifact": ArtifactIdentity(sha256="a" * 64, quantized_from="b" * 64)},
        {"artifact": ArtifactIdentity(sha256="a" * 64, imatrix="b" * 64)},
        {"server_args": ("-ngl", "99")},
        {"gpu_devices": ("0",)},
        {"runner": RunnerSettings(template=("agent", "{task_file}"))},
        {"n_ctx": 4096},
        {"n_ctx": None},
        {"temperature": 0.1},
        {"max_output_tokens": 97},
        {"task_timeout_sec": 31.0},
        {"thinking": "off"},
        {"thinking_budget": 64},
        *({name: value} for name, value in LOAD.items()),
        {"controls": ControlSettings(seed=8, threads=1)},
        {"controls": ControlSettings(threads=1)},
        {"controls": ControlSettings(seed=7, threads=2)},
        {"controls": ControlSettings(seed=7, threads=1, affinity_policy="0")},
        {"machine": "linux|other|4|16|none"},
    ],
    ids=lambda changes: ",".join(f"{key}={value}" for key, value in changes.items())[:60],
)
def test_whatever_a_measurement_depends_on_is_in_its_digest(changes: dict[str, Any]) -> None:
    assert spec(**changes).digest() != GOLDEN


@pytest.mark.parametrize(
    "changes",
    [
        {"controls": ControlSettings(seed=7, threads=1, warmup_steps=4)},
        {"tasks": TaskSelection(bank_id="bank", ids=(1, 3), sha256="c" * 64)},
        {"runs_per_task": 3},
        {"probe_runs": 3},
        {"context": FILL},
        {"on_server_death": "run"},
        {"rerun_polluted": 2},
        {"sandbox": ("rlimits",)},
        {"cooldown": CooldownSettings(target_c=50, timeout_sec=60)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_asked_and_what_judges_it_are_not_in_its_digest(changes: dict[str, Any]) -> None:
    assert spec(**changes).digest() == GOLDEN


def test_probes_depend_on_warm_up_cooldown_and_what_fills_the_context() -> None:
    warm = ControlSettings(seed=7, threads=1, warmup_steps=4)
    cool = CooldownSettings(target_c=50, timeout_sec=60)
    keys = {
        spec(**changes).probe_key
        for changes in ({}, {"controls": warm}, {"cooldown": cool}, {"context": FILL})
    }
    assert len(keys) == 4
    assert spec(probe_runs=9).probe_key == spec().probe_key


def test_no_field_of_a_spec_is_left_out_of_its_digest() -> None:
    later = {
        "server_args": ("-ngl", "99"),
        "gpu_devices": ("0",),
        "runner": RunnerSettings(template=("agent", "{task_file}")),
        "on_server_death": "run",
        "sandbox": ("rlimits",),
        "rerun_polluted": 1,
        "thinking": "off",
        "thinking_budget": 64,
        "server": ServerIdentity(address="http://127.0.0.1:8000"),
        "cooldown": CooldownSettings(target_c=50, timeout_sec=60),
        "context": FILL,
        "repeated_tasks": 1,
        "offload": OffloadTargets(decode_tps=30),
        **LOAD,
    }
    content = json.loads(spec(**later).canonical())
    assert set(content) == set(RunSpec.model_fields)


def test_a_canary_never_shares_a_digest_with_a_run() -> None:
    fields = spec().model_dump(exclude={"kind", "runs_per_task", "probe_runs"})
    canary = CanarySpec(**fields, runs=2)
    assert canary.digest() != spec().digest()
    assert canary.digest() != canary.model_copy(update={"runs": 3}).digest()


def test_a_spec_holds_no_path_and_no_label() -> None:
    fields = set(RunSpec.model_fields) | set(ArtifactIdentity.model_fields)
    assert not fields & {"path", "execution_lane", "vram_profile", "provenance_ref", "rounds"}
