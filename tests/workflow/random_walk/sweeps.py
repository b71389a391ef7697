"""The two sweeps of the walk, and what a person does to them between two calls of Snakemake."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invocation import ROOT, Strike
from ledger import Asked

QUANTS = ("Q8_0", "Q4_K_M", "Q2_K")
# A tool that says at once what a sidecar may say.
_TOOL = """
import json

numbers = dict.fromkeys(["memory_total_mb", "memory_used_mb", "kernel_ms", "load_ms"], 1)
print(json.dumps(numbers | {"ttft": 10.0, "prompt_tps": 1.0, "generation_tps": 2.0}))
"""
_SMALLEST: dict[str, Any] = {
    "models": ["orket-nano"],
    "quants": ["Q8_0", "Q4_K_M"],
    "artifact_template": "models/{model}/{model}-{quant}.gguf",
    "task_bank": "config/task_banks/reference.json",
    "task_limit": 2,
    "runs_per_quant": 1,
    "probe_runs": 1,
    "n_ctx": 1024,
    "max_output_tokens": 32,
    "seed": 7,
    "threads": 1,
    "execution_lane": "ci",
    # Wide open: the walk is about files, on machines that do other things beside.
    "row_max_orchestration_overhead_ratio": 1.0,
    "latency_ceiling": 1000,
    "canary": {"runs": 3, "latency_variance_threshold": 100},
}
_CONTEXT = {"sweep_contexts": [256], "tasks": ["retrieval"], "tasks_per_depth": 1}
_THERMAL = {"repeats": 1, "generations": 2, "cooldown_timeout_sec": 1}
_SIDECAR = {"template": [sys.executable, "tool.py", "{quant_tag}"], "timeout_sec": 30}
_NO_LIMITS = {"min_determinism_rate": None, "min_frontier_success_rate": None}
MEASURING = (
    *("measure_canary", "measure_cell", "measure_sidecar", "measure_contexts", "measure_thermal"),
)
_VIEWS = ("make_run_report", "make_row", "make_summary", "make_frontier", "judge_kpis")


@dataclass
class Step:
    """One invocation to come.

    Attributes:
        sweep: Its name.
        targets: Before the options.
        options: Of Snakemake.
        asked: What it is to measure again.
        fault: A job that fails in it; empty = none.
        strike: What breaks into it; None = nothing.
        first: Of a call before it.
    """

    sweep: str
    targets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    asked: Asked = field(default_factory=Asked)
    fault: str = ""
    strike: Strike | None = None
    first: tuple[str, ...] = ()


class Sweeps:
    """The folder in which both are run, and their configs.

    Args:
        folder: Empty.
        dice: Of the walk.
    """

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder = folder
        self.dice = dice
        for name in ("Snakefile", "rules", "profiles", "config", "models"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "tool.py").write_text(_TOOL, encoding="utf-8")
        self.configs = {
            name: _SMALLEST | {"kpi_policy": f"{name}_limits.json"} for name in ("a", "b")
        }
        self.configs["b"] |= {"context": _CONTEXT, "hardware_sidecar": _SIDECAR}
        self.configs["a"] |= {"thermal": _THERMAL}
        for name, config in self.configs.items():
            self.configs[name] = _measured_further(config)
            self.write_limits(name, _NO_LIMITS)
        self.before = {name: [json.dumps(config)] for name, config in self.configs.items()}

    def write(self, name: str) -> None:
        """Write the config file of a sweep."""
        text = json.dumps(self.configs[name], indent=1)
        (self.folder / f"{name}.json").write_text(text, encoding="utf-8")
        self.before[name].append(json.dumps(self.configs[name]))

    def write_limits(self, name: str, limits: dict[str, Any]) -> None:
        """Write the KPI policy of a sweep."""
        path = self.folder / f"{name}_limits.json"
        path.write_text(json.dumps(limits), encoding="utf-8")

    def change(self, step: Step, **values: Any) -> None:
        """Change the config of the step's sweep; None takes a key out."""
        config = self.configs[step.sweep] | values
        self.configs[step.sweep] = _measured_further(
            {key: value for key, value in config.items() if value is not None}
        )


def _measured_further(config: dict[str, Any]) -> dict[str, Any]:
    """Return a config that names the quant of its contexts and series: few tasks pick none."""
    named = {"context": "quants", "thermal": "quant_tag"}
    last = config["quants"][-1]
    return config | {key: config[key] | {named[key]: last} for key in named if key in config}


Edit = Callable[[Sweeps, Step], None]


def _set(key: str, *values: Any) -> Edit:
    """Return the edit that gives a key any of some values."""
    return lambda it, step: it.change(step, **{key: it.dice.choice(values)})


def _quants(it: Sweeps, step: Step) -> None:
    it.change(step, quants=it.dice.sample(QUANTS, k=it.dice.randint(1, 2)))


def _canary(it: Sweeps, step: Step) -> None:
    canary = {"runs": it.dice.choice([3, 3, 4, 0]), "closing": it.dice.random() < 0.2}
    canary["closing"] = canary["closing"] and canary["runs"] > 0
    limit = it.dice.choice([0, 90, 100, 100])
    it.change(step, canary=canary | {"latency_variance_threshold": limit})


def _context(it: Sweeps, step: Step) -> None:
    contexts = it.dice.choice([[256], [512], [256, 512]])
    search = it.dice.choice(["all", "bisect"])
    changed = _CONTEXT | {"sweep_contexts": contexts, "search": search}
    it.change(step, context=it.dice.choice([None, changed, changed]))


def _thermal(it: Sweeps, step: Step) -> None:
    changed = _THERMAL | {
        "repeats": it.dice.choice([1, 2]),
        "monotonic_window": it.dice.choice([1, 2]),
    }
    it.change(step, thermal=it.dice.choice([None, changed, changed]))


def _sidecar(it: Sweeps, step: Step) -> None:
    changed = _SIDECAR | {"timeout_sec": it.dice.choice([30, 31])}
    it.change(step, hardware_sidecar=it.dice.choice([None, changed, changed]))


def _limits(it: Sweeps, step: Step) -> None:
    limits = {"min_frontier_success_rate": it.dice.choice([0.1, 0.5, 0.9])}
    it.write_limits(
        step.sweep, limits | {"min_determinism_rate": it.dice.choice([None, None, None, 1])}
    )


def _repaired(it: Sweeps, step: Step) -> None:
    it.write_limits(step.sweep, _NO_LIMITS)
    it.change(step, canary={"runs": 3, "latency_variance_threshold": 100})


def _revert(it: Sweeps, step: Step) -> None:
    it.configs[step.sweep] = json.loads(it.dice.choice(it.before[step.sweep]))


def _like_the_other(it: Sweeps, step: Step) -> None:
    other = it.configs["b" if step.sweep == "a" else "a"]
    it.configs[step.sweep] = other | {"kpi_policy": f"{step.sweep}_limits.json"}


def _lost_results(it: Sweeps, step: Step) -> None:
    folder = it.folder / "results"
    shutil.rmtree(it.dice.choice([folder, folder / step.sweep]), ignore_errors=True)


def _lost_file(it: Sweeps, step: Step) -> None:
    files = sorted(path for path in (it.folder / "results").rglob("*") if path.is_file())
    for path in it.dice.sample(files, k=min(len(files), it.dice.randint(1, 3))):
        path.unlink()


def _lost_metadata(it: Sweeps, step: Step) -> None:
    shutil.rmtree(it.folder / ".snakemake", ignore_errors=True)


def _lost_logs(it: Sweeps, step: Step) -> None:
    shutil.rmtree(it.folder / "logs", ignore_errors=True)


def _again(it: Sweeps, step: Step) -> None:
    rules = tuple(it.dice.sample(MEASURING, k=it.dice.randint(1, 2)))
    step.targets, step.options = (), ("-R", *rules)
    step.asked = Asked(rules=frozenset(rules))


def _views_again(it: Sweeps, step: Step) -> None:
    step.targets, step.options, step.asked = (), ("-R", it.dice.choice(_VIEWS)), Asked()


def _one_receipt_again(it: Sweeps, step: Step) -> None:
    found = sorted((it.folder / "results" / step.sweep).rglob("*receipt.json"))
    names = [path.relative_to(it.folder).as_posix() for path in found]
    if names:
        # One of an earlier config is refused.
        step.targets, step.options = (it.dice.choice(names),), ("-f",)
        step.asked = Asked(paths=frozenset(step.targets))


def _part_again(it: Sweeps, step: Step) -> None:
    part = it.dice.choice(["probes", "runs"])
    step.targets, step.options, step.asked = (), ("--config", f"again={part}"), Asked(part=part)


def _all_again(it: Sweeps, step: Step) -> None:
    step.targets, step.options, step.asked = (), ("-F",), Asked(everything=True)


def _by_time_only(it: Sweeps, step: Step) -> None:
    step.targets, step.options, step.asked = (), ("--rerun-triggers", "mtime"), Asked()


def _touch(it: Sweeps, step: Step) -> None:
    step.first = ("--touch",)


def _delete_all(it: Sweeps, step: Step) -> None:
    step.first = ("--delete-all-output",)


def _fault(it: Sweeps, step: Step) -> None:
    quants = it.configs[step.sweep]["quants"]
    jobs = ["measure-canary:", "preflight:", "measure-thermal:", "measure-contexts:", "row:Q"]
    jobs += ["summary:results", "kpi-gate:results", "report:md", "frontier:results", "context:"]
    step.fault = it.dice.choice([f"measure-cell:{it.dice.choice(quants)}", *jobs])


def _strike(it: Sweeps, step: Step) -> None:
    # Where nothing is to be done, there is nothing to break into.
    it.dice.choice([_quants, _canary, _thermal, _lost_results, _lost_results, _again])(it, step)
    step.strike = Strike.at_random(it.dice, MEASURING)


# What is rare costs much: measurements that no other config shares.
EDITS: dict[str, tuple[Edit, float]] = {
    "quants": (_quants, 3),
    "tasks": (_set("task_limit", 2, 3, 4), 2),
    "runs": (_set("runs_per_quant", 1, 2), 2),
    "probes": (_set("probe_runs", 1, 2), 2),
    "max_output_tokens": (_set("max_output_tokens", 32, 24), 0.5),
    "n_ctx": (_set("n_ctx", 1024, 768), 0.5),
    "canary": (_canary, 2),
    "threshold": (_set("adherence_threshold", 0.1, 0.5, 0.95), 2),
    "row_policy": (_set("row_max_orchestration_overhead_ratio", 0.5, 0.9, 1.0), 2),
    "latency": (_set("latency_ceiling", 500, 1000), 1),
    "limits": (_limits, 2),
    "context": (_context, 2),
    "thermal": (_thermal, 2),
    "sidecar": (_sidecar, 2),
    "repaired": (_repaired, 5),
    "revert": (_revert, 4),
    "like_the_other": (_like_the_other, 2),
    "lost_results": (_lost_results, 2),
    "lost_file": (_lost_file, 3),
    "lost_metadata": (_lost_metadata, 2),
    "lost_logs": (_lost_logs, 0.5),
    "again": (_again, 2),
    "views_again": (_views_again, 1),
    "one_receipt_again": (_one_receipt_again, 1.5),
    "part_again": (_part_again, 1),
    "all_again": (_all_again, 0.3),
    "by_time_only": (_by_time_only, 2),
    "touch": (_touch, 1),
    "delete_all": (_delete_all, 1),
    "fault": (_fault, 3),
    "strike": (_strike, 9),
}
