"""The commands that tools/fuzz.py runs with damaged files, and the good files."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil
from builders import metrics, report, row, spec, task
from contract_examples import example
from explorer_artifacts import context_ceiling, frontier, thermal_profile
from report_summaries import seven, summary

from orket_lib.artifacts.io import write_json, write_model
from orket_lib.artifacts.measurements.canary import CanaryPolicy, CanaryVerdict
from orket_lib.artifacts.measurements.request import AskedCell, AskedReceipts, AskedTasks
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.schemas import published, version_of
from orket_lib.artifacts.views.look import LookSettings
from orket_lib.artifacts.views.preflight import Needs, Preflight
from orket_lib.artifacts.views.receipt import CellReceipt, Receipt
from orket_lib.cli import main
from orket_lib.config.loading.files import read_sources
from orket_lib.config.loading.parse import draft
from orket_lib.tasks.bank import TaskBank, selection

ROOT = Path(__file__).resolve().parents[1]
MACHINE = "linux|testing_cpu|4|16|none"


def prepare(folder: Path) -> None:
    """Fill the current folder with files that the commands read besides the damaged one."""
    for name in ("config", "models"):
        (folder / name).symlink_to(ROOT / name)
    config = {"sweep": "s", "models": ["nano"], "quants": ["Q8_0"], "execution_lane": "ci"}
    matrix = draft(read_sources([], config)).config.model_dump(mode="json")
    for name, content in _files(matrix).items():
        if isinstance(content, dict | list):
            write_json(Path(name), content)
        else:
            write_model(Path(name), content)
    (folder / "s.yaml").write_text(json.dumps(config | _ARTIFACT), encoding="utf-8")
    _pretend_to_run(folder)


_ARTIFACT = {"artifact_template": "models/orket-nano/orket-nano-{quant}.gguf", "machine": MACHINE}


def _pretend_to_run(folder: Path) -> None:
    """Note that this process runs the sweep: `orket status` then starts no Snakemake."""
    own = psutil.Process()
    start = {"sweep": "s", "pid": own.pid, "started_s": own.create_time(), "at_s": time.time()}
    line = json.dumps(start | {"measuring": {}, "others": 1, "at_most": False})
    (folder / "logs/s").mkdir(parents=True)
    (folder / "logs/s/progress.jsonl").write_text(f"{line}\n", encoding="utf-8")


def _files(matrix: dict[str, Any]) -> dict[str, Any]:
    """Return the files of commands, by name; each is damaged in its turn."""
    policy = CanaryPolicy(
        enabled=False,
        latency_variance_threshold=0.03,
        drop_first_run=True,
        max_missing_telemetry_rate=0,
        max_age_hours=24,
    )
    settings = {
        "policy": row(metrics()).policy.model_dump(mode="json"),
        "execution_lane": "ci",
        "vram_profile": "safe",
        "provenance_ref": "fuzz",
        "quant_bits": {},
    }
    looks = example(LookSettings, whole=True) | {
        "models": {"nano": "nano"},
        "quants": {"nano": ["Q8_0"]},
        "baselines": {"nano": "Q8_0"},
        "ends": [1],
    }
    bank = TaskBank(
        schema_version="orket.task_bank.v1", bank_id="bank", tasks=tuple(map(task, (1, 2, 3)))
    )
    selected = selection(bank, bank.tasks)
    return {
        "matrix.json": matrix,
        "canary.json": example(CanaryVerdict, whole=False) | {"passed": True},
        "canary_policy.json": policy,
        "settings.json": RowSettings.model_validate(settings),
        "looks.json": LookSettings.model_validate(looks),
        "cells/nano/Q8_0/run.json": report(spec=spec(quant_tag="Q8_0", tasks=selected)),
        "nano/Q8_0.json": row(metrics(), execution_lane="ci"),
        "summary.json": summary(seven()),
        "needs.json": example(Needs, whole=True) | {"provider": "llama_server"},
        "preflight.json": example(Preflight, whole=True),
        "results/s/preflight.json": example(Preflight, whole=True),
        "results/s/cells/nano/Q8_0/receipt.json": example(CellReceipt, whole=True),
        "receipt.json": example(CellReceipt, whole=True) | {"parts": [], "batch": None},
        "side.json": example(Receipt, whole=True),
        "spec.json": AskedCell(artifact="x", spec=spec(tasks=selected)),
        "tasks.json": AskedTasks(bank="bank.json", tasks=selected, sandbox=()),
        "receipts.json": AskedReceipts(paths=("../receipt.json",)),
        "bank.json": bank,
        "frontier.json": frontier(),
        "context_256.json": context_ceiling(),
        "profile.json": thermal_profile(),
    } | {f"{version_of(kind)}.json": example(kind, whole=True) for kind in published()}


_LOOK = (
    "look --settings looks.json --rows settings.json --cells cells --model nano --batch 1 --out o"
)
_GRADE = "run-report --receipt receipt.json --spec spec.json --tasks tasks.json --out o"
# What reads each of the files; the others are as they should be.
_COMMANDS: dict[str, tuple[str, ...]] = {
    "matrix.json": ("summary --matrix matrix.json --canary canary.json --rows . --out o",),
    "canary.json": ("summary --matrix matrix.json --canary canary.json --rows . --out o",),
    "nano/Q8_0.json": ("summary --matrix matrix.json --canary canary.json --rows . --out o",),
    "settings.json": ("row --report cells/nano/Q8_0/run.json --settings settings.json --out o",),
    "cells/nano/Q8_0/run.json": (
        "row --report cells/nano/Q8_0/run.json --settings settings.json --baseline --out o",
        _LOOK,
        "baselines record --report cells/nano/Q8_0/run.json --bank bank.json --out o",
    ),
    "looks.json": (_LOOK,),
    "summary.json": (
        "frontier --summary summary.json --out o",
        "kpis --summary summary.json --out o",
        "kpi-gate --summary summary.json --out o",
        "report --summary summary.json --out-table o --out-scatter o2",
        "baselines compare --summary summary.json --bank bank.json --out o",
        "clocks --summary summary.json",
    ),
    "needs.json": ("preflight --needs needs.json --out o",),
    "preflight.json": ("require --preflight preflight.json",),
    "results/s/preflight.json": ("status s.yaml",),
    "results/s/cells/nano/Q8_0/receipt.json": ("status s.yaml",),
    "receipt.json": (
        _GRADE,
        "require --cells receipts.json",
    ),
    "side.json": ("sidecar-view --receipt side.json --settings settings.json --out o",),
    "spec.json": (_GRADE,),
    "tasks.json": (_GRADE,),
    "bank.json": ("tasks validate bank.json", "tasks list bank.json"),
    "receipts.json": ("require --cells receipts.json",),
    "canary_policy.json": ("canary-verdict --policy canary_policy.json --receipt r --out o",),
    "frontier.json": (
        "contracts --frontier frontier.json",
        "history add frontier.json --storage-root storage",
        "history list --storage-root storage",
    ),
    "context_256.json": (
        "contracts --context context_256.json",
        "context-ceiling --contexts 256 --summary-template context_{context}.json --out o",
    ),
    "profile.json": ("contracts --thermal profile.json",),
    "orket.canary_verdict.v1.json": ("require --canary orket.canary_verdict.v1.json",),
    "orket.kpi_gate.v1.json": ("require --kpi-gate orket.kpi_gate.v1.json",),
    "orket.regression.v1.json": ("require --regression orket.regression.v1.json",),
    "orket.fidelity_receipt.v1.json": ("kld --receipt orket.fidelity_receipt.v1.json --out o",),
    "orket.context_summary.v1.json": (
        "context-ceiling --contexts 1 --out o"
        " --summary-template orket.context_summary.v{context}.json",
    ),
    "orket.thermal_series.v1.json": (
        "thermal-profile --summaries orket.thermal_series.v1.json --frontier frontier.json --out o",
    ),
    "orket.history.v1.json": ("history list --storage-root .",),
    "orket.baselines.v1.json": (
        "baselines list",
        "baselines health",
        "baselines show --test-id text",
        "baselines resolve --test-id text --hardware-fingerprint text --quant-tag text",
    ),
}


# Where the files of stores are.
_STORES = {
    "orket.history.v1.json": "frontiers/x.json",
    "orket.baselines.v1.json": "storage/baselines/text.json",
}


def command_seeds() -> list[bytes]:
    """Return the files of commands, each after its name and a zero byte."""
    return [name.encode() + b"\0" + Path(name).read_bytes() for name in _COMMANDS]


def run_commands(data: bytes) -> None:
    """Run what reads a file, with this content in its place."""
    head, _, content = data.partition(b"\0")
    name = head.decode(errors="replace")
    if name not in _COMMANDS:
        return
    path = Path(_STORES.get(name, name))
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.is_file() else None
    path.write_bytes(content)
    try:
        for line in _COMMANDS[name]:
            main(line.split())
    finally:
        path.unlink() if before is None else path.write_bytes(before)
