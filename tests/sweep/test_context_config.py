"""Which context sweep a config asks for."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orket_lib.config.loading.parse import parse
from orket_lib.config.loading.provider_limits import serving_warnings
from orket_lib.config.model import SweepConfig
from orket_lib.report.plan import plan_text
from orket_lib.sweep.cells import Sweep, resolve
from orket_lib.sweep.context import find_contexts
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.plan import make_plan
from orket_lib.sweep.references import problems_of
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.workflow.targets import Targets

SHIPPED = Path(__file__).parents[2] / "config" / "context_profiles.json"


def config(**changes: Any) -> SweepConfig:
    base = {"models": ["m"], "quants": ["Q8_0", "Q4_K_M"], "task_bank": "bank.json"}
    return parse({**base, "context_profiles_config": str(SHIPPED), **changes})


def problem(**changes: Any) -> str:
    """Return the only problem of a config."""
    with pytest.raises(ConfigError) as error:
        config(**changes)
    (line,) = error.value.problems
    return line


def test_a_wanted_context_is_one_of_them() -> None:
    alone = find_contexts(config(wants={"context": 4096}))
    assert alone is not None
    assert alone.contexts == (4096,)
    among = find_contexts(config(wants={"context": 4096}, context_sweep_contexts="512, 8192"))
    assert among is not None
    assert among.contexts == (512, 4096, 8192)


def test_none_is_asked_for_by_default() -> None:
    assert find_contexts(config()) is None
    assert not config().sweeps_contexts


@pytest.mark.parametrize(
    ("name", "contexts", "limits"),
    [
        ("safe", (4096, 8192, 16384), (0.95, 250, 20)),
        ("balanced", (8192, 16384, 32768), (0.93, 350, 15)),
        ("stress", (16384, 32768, 65536), (0.90, 500, 10)),
    ],
)
def test_a_profile_gives_contexts_and_limits(
    name: str, contexts: tuple[int, ...], limits: tuple[float, ...]
) -> None:
    found = find_contexts(config(context_sweep_profile=name))
    assert found is not None
    assert found.contexts == contexts
    given = found.thresholds
    assert (given.adherence_min, given.ttft_ceiling_ms, given.decode_floor_tps) == limits


def test_what_the_config_names_wins_over_its_profile() -> None:
    found = find_contexts(
        config(
            context={
                "sweep_profile": "stress",
                "sweep_contexts": [2048, 512],
                "adherence_min": 0,
                "decode_floor_tps": 7,
            }
        )
    )
    assert found is not None
    assert found.contexts == (512, 2048)
    given = found.thresholds
    assert (given.adherence_min, given.ttft_ceiling_ms, given.decode_floor_tps) == (0, 500, 7)


def test_without_a_profile_limits_are_strict_and_defaults_are_said() -> None:
    found = find_contexts(config(context_sweep_contexts="512, 1024", include_invalid=True))
    assert found is not None
    given = found.thresholds
    assert (given.adherence_min, given.ttft_ceiling_ms, given.decode_floor_tps) == (0.95, 250, 20)
    assert given.include_invalid
    assert (found.search, found.quant_tag, found.fill.share) == ("all", None, 0.85)
    assert found.fill.families == ("retrieval", "reasoning")
    assert found.fill.depths == (0, 0.25, 0.5, 0.75, 1)


def test_every_key_is_taken() -> None:
    found = find_contexts(
        config(
            context_sweep_contexts=[512],
            context_tasks="retrieval",
            context_depths=0.5,
            context_tasks_per_depth=3,
            context_fill=0.7,
            context_search="bisect",
            context_quants="q4_k_m",
        )
    )
    assert found is not None
    fill = found.fill
    assert (fill.families, fill.depths, fill.tasks_per_depth) == (("retrieval",), (0.5,), 3)
    assert (fill.share, found.search, found.quant_tag) == (0.7, "bisect", "Q4_K_M")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"context": {"tasks": ["retreival"]}},
            "context.tasks.0: must be `retrieval` or `reasoning`; did you mean `retrieval`? "
            '(got "retreival")',
        ),
        ({"context_tasks": []}, "context_tasks: must be a list of `retrieval` or `reasoning`"),
        (
            {"context_tasks": "retrieval,retrieval"},
            "context_tasks: `retrieval` is listed more than once",
        ),
        ({"context_depths": [1.5]}, "context_depths.0: must be a number from 0 to 1 (got 1.5)"),
        ({"context_depths": [0.501, 0.502]}, "context_depths: `0.50` is listed more than once"),
        (
            {"context_sweep_contexts": [512, 512]},
            "context_sweep_contexts: `512` is listed more than once",
        ),
        ({"context_sweep_contexts": [128]}, "context_sweep_contexts.0: must be a whole number >="),
        (
            {"context_tasks_per_depth": 0},
            "context_tasks_per_depth: must be a whole number from 1 to 100 (got 0)",
        ),
        ({"context_fill": 1}, "context_fill: must be a number from 0.1 to 0.95 (got 1)"),
        ({"context_search": "half"}, "context_search: must be `all` or `bisect` or null (got"),
        (
            {"context_quants": "Q4_K_S"},
            "context.quants: must be one of quants: Q8_0, Q4_K_M; did you mean `Q4_K_M`? (got",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_is_wrong_is_said_with_what_is_allowed(changes: dict[str, Any], message: str) -> None:
    assert problem(**changes).startswith(message)


def test_an_unknown_profile_is_named_with_those_that_there_are() -> None:
    (line,) = problems_of(find_contexts, config(context_sweep_profile="safest"))
    assert line.startswith("context_sweep_profile: ")
    assert line.endswith('has safe, balanced, stress; did you mean `safe`? (got "safest")')


def test_a_damaged_profiles_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "profiles.json"
    profiles = {"profiles": {"twice": {"contexts": [512, 512], "adherence_min": 1}}}
    broken.write_text(json.dumps(profiles), encoding="utf-8")
    asked = config(context_sweep_profile="twice", context_profiles_config=str(broken))
    (line,) = problems_of(find_contexts, asked)
    assert "profiles.twice: not a valid ContextProfile" in line
    assert "contexts: `512` is listed more than once" in line
    assert "ttft_ceiling_ms" in line
    assert "decode_floor_tps" in line
    assert "missing" in line


def test_a_mistake_in_a_profile_that_is_not_asked_for_is_no_reason_to_refuse(
    tmp_path: Path,
) -> None:
    good = {"contexts": [512], "adherence_min": 1, "ttft_ceiling_ms": 0, "decode_floor_tps": 0}
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps({"profiles": {"bad": {"contexts": 5}, "good": good}}))
    asked = {"context_profiles_config": str(file)}
    found = find_contexts(config(**asked, context_sweep_profile="good"))
    assert found is not None
    assert found.contexts == (512,)
    (line,) = problems_of(find_contexts, config(**asked, context_sweep_profile="bad"))
    assert "profiles.bad: not a valid ContextProfile" in line


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"provider": "openai", "base_url": "http://127.0.0.1:1"}, True),
        ({"provider": "llama_server", "base_url": "http://127.0.0.1:1"}, True),
        ({"provider": "llama_server"}, False),
        ({"provider": "ollama"}, False),
    ],
)
def test_a_server_that_runs_already_keeps_its_context(
    changes: dict[str, Any], warned: bool
) -> None:
    asked = config(**changes, context_sweep_contexts=[4096])
    said = [line for line in serving_warnings(asked) if line.startswith("context: ")]
    assert (
        said
        == [
            """context: a running server keeps its own context, whatever is asked for; \
contexts beyond it become points that say so, and smaller ones are filled within it; if the server \
doesn't report its context, no point is valid (CONTEXT_MISMATCH)"""
        ][: int(warned)]
    )
    plain = config(**changes)
    assert not any(line.startswith("context: ") for line in serving_warnings(plain))


def sweep(folder: Path, **changes: Any) -> Sweep:
    base = {"models": ["nano"], "quants": ["Q8_0"], "artifact_template": "models/nano-{quant}.gguf"}
    found = parse({**base, "task_bank": "bank.json", "sweep": "s", **changes})
    return resolve(found, HashCache(folder / "hashes.json"), "machine")


def targets(folder: Path, **changes: Any) -> Targets:
    return Targets(sweep(folder, **changes))


def test_the_plan_says_what_would_be_tried(folder: Path) -> None:
    changes = {"context_sweep_contexts": [512, 1024], "context_search": "bisect"}
    plan = make_plan(sweep(folder, **changes), None, None)
    assert plan.context_sweep is not None
    assert plan.context_sweep.contexts == (512, 1024)
    assert (
        "512, 1024, bisected, at the recommended quant: 20 tasks (retrieval, "
        "reasoning), 85% of the context filled; adherence >= 0.95, TTFT <= 250 ms"
    ) in plan_text(plan)
    assert make_plan(sweep(folder), None, None).context_sweep is None


def test_the_default_target_names_every_product_of_a_context_sweep(folder: Path) -> None:
    found = targets(folder, context_sweep_contexts=[1024, 512])
    plain = targets(folder)
    assert [path for path in found.all_files() if path not in plain.all_files()] == [
        "results/s/policy/cells.json",
        "results/s/policy/context.json",
        "results/s/context_sweep/nano/context_512.json",
        "results/s/context_sweep/nano/context_1024.json",
        "results/s/context_sweep/nano/receipt.json",
        "results/s/context_sweep/nano/context_ceiling.json",
        "results/s/context_sweep/nano/context_ceiling.png",
        "results/s/context_sweep/nano/context_kept.ok",
    ]
    assert set(found.rendered()) - set(plain.rendered()) == {
        "results/s/policy/context.json",
        "results/s/policy/cells.json",
    }
    assert json.loads(found.policy_json("context"))["contexts"] == [512, 1024]
    cells = json.loads(found.policy_json("cells"))["cells"]
    assert [cell["quant_tag"] for cell in cells] == ["Q8_0"]


def test_several_quants_are_measured_by_themselves_and_bisected() -> None:
    found = find_contexts(config(context={"sweep_contexts": [512], "quants": "all"}))
    assert found is not None
    assert (found.quants, found.quant_tag, found.search) == (("Q8_0", "Q4_K_M"), None, "bisect")
    listed = find_contexts(
        config(context={"sweep_contexts": [512], "quants": "q4_k_m, q8_0", "search": "all"})
    )
    assert listed is not None
    assert (listed.quants, listed.search) == (("Q4_K_M", "Q8_0"), "all")
    one = find_contexts(config(context={"sweep_contexts": [512], "quants": ["Q4_K_M"]}))
    assert one is not None
    assert (one.quants, one.quant_tag, one.search) == ((), "Q4_K_M", "all")
    assert "listed more than once" in problem(context_quants="Q8_0,q8_0")
    alone = "context_quants: `all` is not one of several quants"
    assert problem(context_quants="all,Q8_0").startswith(alone)


@pytest.mark.parametrize("tag", ["q4_k_m", None])
def test_the_older_key_of_one_quant_still_works(tag: str | None) -> None:
    found = find_contexts(config(context_sweep_contexts=[512], context_quant_tag=tag))
    assert found is not None
    assert (found.quants, found.quant_tag) == ((), tag and "Q4_K_M")


def test_each_of_several_quants_has_files_of_its_own(folder: Path) -> None:
    (folder / "models/nano-Q4_K_M.gguf").write_bytes(
        (folder / "models/nano-Q8_0.gguf").read_bytes()
    )
    changes = {"context_sweep_contexts": [512], "quants": ["Q4_K_M", "Q8_0"]}
    plain, found = targets(folder, **changes), targets(folder, **changes, context_quants="all")
    place = "results/s/context_sweep/nano"
    assert [path for path in found.all_files() if path not in plain.all_files()] == [
        f"{place}/context_quants.json",
        f"{place}/context_quants.png",
        f"{place}/Q8_0/receipt.json",
        f"{place}/Q4_K_M/receipt.json",
        f"{place}/Q8_0/context_512.json",
        f"{place}/Q4_K_M/context_512.json",
    ]
    contexts = found.contexts
    assert contexts.receipts_before("nano", "Q8_0") == []
    assert contexts.beside_option("nano", "Q8_0") == "--beside "
    assert contexts.beside_option("nano", "Q4_K_M") == f"--beside {place}/Q8_0/receipt.json"
    assert len(contexts.receipts_before("nano")) == 2
    assert plain.contexts.beside_option("nano") == ""


def test_a_sweep_without_contexts_has_no_such_product(folder: Path) -> None:
    found = targets(folder)
    assert not any("context" in path for path in (*found.all_files(), *found.rendered()))
    assert (found.contexts.files("context_ceiling.json"), found.contexts.ceiling_options()) == (
        [],
        "",
    )
    assert found.contexts.summary_pattern() == ["results/s/context_sweep/{model}/context_.json"]


def test_limits_are_options_of_the_command(folder: Path) -> None:
    found = targets(folder, context_sweep_profile="safe", include_invalid=True)
    assert found.contexts.ceiling_options() == (
        "--contexts 4096 8192 16384 --adherence-min 0.95 --ttft-ceiling-ms 250"
        " --decode-floor-tps 20 --include-invalid"
    )


def test_limits_are_handed_on_as_they_are(folder: Path) -> None:
    third = 1 / 3
    found = targets(
        folder,
        context_sweep_contexts=[512],
        context_adherence_min=third,
        context_ttft_ceiling_ms=1234567.8,
        thermal_repeats=3,
        thermal_cooldown_target_c=50.1234567,
    )
    options = dict(
        pairwise(f"{found.contexts.ceiling_options()} {found.thermal.profile_options()}".split())
    )
    assert float(options["--adherence-min"]) == third
    assert float(options["--ttft-ceiling-ms"]) == 1234567.8
    assert float(options["--cooldown-target-c"]) == 50.1234567


def test_both_quants_are_tags_as_quants_writes_them() -> None:
    found = config(thermal_quant_tag="q4_k_m", thermal_repeats=3)
    assert found.thermal_quant_tag == "Q4_K_M"
