"""The readers that tools/fuzz.py feeds, and the good inputs that it damages."""

from __future__ import annotations

import json
import os
import random
import re
import time
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from builders import metrics, report, row, spec, task
from contract_examples import example, fixtures
from explorer_artifacts import context_ceiling, frontier, thermal_profile
from report_summaries import seven, summary

from orket_lib.analysis.sidecar.payload import objects_in, printed_number
from orket_lib.artifacts.io import read_json, read_model, write_json, write_model
from orket_lib.artifacts.measurements.canary import CanaryPolicy, CanaryVerdict
from orket_lib.artifacts.measurements.request import AskedCell, AskedReceipts, AskedTasks
from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.artifacts.schemas import published, version_of
from orket_lib.artifacts.views.bundle import BundleManifest
from orket_lib.artifacts.views.look import LookSettings
from orket_lib.artifacts.views.preflight import Needs, Preflight
from orket_lib.artifacts.views.receipt import CellReceipt, Receipt
from orket_lib.artifacts.views.row import RowSettings
from orket_lib.artifacts.views.summary import Summary
from orket_lib.cli import main
from orket_lib.config.loading.files import read_sources
from orket_lib.config.loading.parse import draft
from orket_lib.measure.runs.runner_result import NoResult, read_result
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.llama_cpp.client import llama_tokens
from orket_lib.providers.ollama.stream import assemble as ollama_answer
from orket_lib.providers.wire.chat_stream import assemble
from orket_lib.providers.wire.http import StampedStream
from orket_lib.providers.wire.prometheus import samples
from orket_lib.providers.wire.refusals import error_text
from orket_lib.report.markdown import render_markdown
from orket_lib.report.page.page import render_page
from orket_lib.report.terminal import markdown_table, terminal_summary
from orket_lib.stores.bundles import pack, unpack
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.references import find_references
from orket_lib.tasks.bank import Task, TaskBank, load_bank, selection
from orket_lib.tasks.grading.graders import NotRun, judge
from orket_lib.tasks.importing.import_bank import import_bank

ROOT = Path(__file__).resolve().parents[1]
_MACHINE = "linux|testing_cpu|4|16|none"
# Graders that start a process for each answer; the tests of limited_call are about those.
_IN_A_PROCESS = {"regex", "json_schema", "reasoning_gym", "ast_rules"}


class Target(NamedTuple):
    """A reader.

    Attributes:
        weight: Its share of the inputs.
        seeds: Makes good inputs, in a folder that `prepare` has filled.
        feed: Reads one input; raises OrketError to refuse it.
    """

    weight: int
    seeds: Callable[[], list[bytes]]
    feed: Callable[[bytes], None]


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


_ARTIFACT = {"artifact_template": "models/orket-nano/orket-nano-{quant}.gguf", "machine": _MACHINE}


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
        "quants": ["Q8_0"],
        "baseline": "Q8_0",
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


def _command_seeds() -> list[bytes]:
    """Return the files of commands, each after its name and a zero byte."""
    return [name.encode() + b"\0" + Path(name).read_bytes() for name in _COMMANDS]


def _run_commands(data: bytes) -> None:
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


def _artifact_seeds() -> list[bytes]:
    examples = [json.dumps(example(kind, whole=whole)) for kind in published() for whole in (0, 1)]
    frozen = [path.read_text("utf-8") for kind in published() for path in fixtures(kind)]
    return [text.encode() for text in examples + frozen]


@cache
def _kinds() -> dict[str, Any]:
    return {version_of(kind): kind for kind in published()}


def _read_artifact(data: bytes) -> None:
    path = Path("artifact.json")
    path.write_bytes(data)
    content = read_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    kind = _kinds().get(version) if isinstance(version, str) else None
    made = read_model(path, kind or Summary)
    write_model(path, made)
    assert read_model(path, kind or Summary) == made, "not the same after it was written"


def _read_config(data: bytes) -> None:
    Path("fuzz.yaml").write_bytes(data)
    found = draft(read_sources(["fuzz.yaml"], {}))
    find_references(found.config, HashCache(Path("hashes.json")), _MACHINE, found.bad)


def _config_seeds() -> list[bytes]:
    paths = [*(ROOT / "config").rglob("*.yaml"), *(ROOT / "config" / "presets").rglob("*.json")]
    return [path.read_bytes() for path in paths]


def _read_bank(data: bytes) -> None:
    name = "fuzz.csv" if data[:1] not in b"[{" else "fuzz.json"
    Path(name).write_bytes(data)
    try:
        load_bank(Path(name))
    finally:
        import_bank(Path(name), "fuzz")


def _bank_seeds() -> list[bytes]:
    table = b"question,answer\nWhat is 1 + 1?,2\nWhich letter?,B\n"
    lines = b'{"prompt": "a", "answer": "b"}\n{"question": "c", "choices": ["d", "e"], "answer": 1}'
    small = json.dumps(read_json(Path("bank.json"))).encode()
    return [table, lines, small]


def _read_stream(data: bytes) -> None:
    cuts = sorted(random.Random(len(data)).randrange(len(data) + 1) for _ in range(4))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    reads = [(1.0 + index / 10, part) for index, part in enumerate(parts)]
    for read in (lambda it: assemble(it, llama_tokens), ollama_answer):
        stream = StampedStream(reads=reads, written_s=0.5, connect_s=None)
        try:
            read(stream)
        finally:
            text = data.decode(errors="replace")
            samples(text)
            error_text(text)


def _stream_seeds() -> list[bytes]:
    chunk: dict[str, Any] = {"choices": [{"delta": {"content": "a"}, "finish_reason": None}]}
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"completion_tokens": 3}}
    events = [chunk, chunk, last | {"timings": {"predicted_n": 3, "predicted_ms": 2.5}}]
    sse = "".join(f"data: {json.dumps(it)}\n\n" for it in events) + "data: [DONE]\n\n"
    ollama = [{"message": {"content": "a"}, "done": False}, {"done": True, "eval_count": 3}]
    whole = {"choices": [{"message": {"content": "a", "tool_calls": []}, "finish_reason": "stop"}]}
    texts = [sse, "\n".join(map(json.dumps, ollama)), json.dumps(whole), 'a_total{b="c"} 1\n']
    return [text.encode() for text in texts]


def _read_payload(data: bytes) -> None:
    text = data.decode(errors="replace")
    found = objects_in(text)
    printed_number(found, "ttft_ms")
    try:
        read_result(CapturedText(text=text, end=None, bytes=len(data)))
    except NoResult:
        return


def _payload_seeds() -> list[bytes]:
    fields = {"ttft_ms": 1.5, "generation_tokens_per_second": 3, "answer": "a", "score": 0.5}
    return [json.dumps(fields).encode(), b"log line\n" + json.dumps([fields]).encode()]


def _read_header(data: bytes) -> None:
    path = Path("fuzz-Q8_0.gguf")
    path.write_bytes(data)
    os.truncate(path, len(data) + 2**21)  # sparse
    read_gguf(path)


def _header_seeds() -> list[bytes]:
    paths = sorted((ROOT / "models" / "orket-nano").glob("*.gguf"))
    return [path.read_bytes()[: 2**15] for path in paths[:2]]


@cache
def _tasks() -> tuple[Task, ...]:
    banks = [ROOT / "config" / "task_banks" / f"{name}.json" for name in ("reference", "general")]
    found = [it for bank in banks if bank.is_file() for it in load_bank(bank).tasks]
    return tuple(found[:: max(1, len(found) // 60)])


def _grade(data: bytes) -> None:
    answer = data.decode(errors="replace")
    for one in random.Random(len(data)).sample(_tasks(), 3):
        types = set(re.findall(r'"type":\s*"(\w+)"|"grader":\s*"(\w+)"', one.model_dump_json()))
        if not {name for pair in types for name in pair} & _IN_A_PROCESS:
            try:
                judge(one, answer)
            except NotRun:
                continue


def _answer_seeds() -> list[bytes]:
    answers = (
        "The answer is **1,234.5 kg**.",
        "<think>Let me see: 3 + 4 = 7.</think>\n\\boxed{7}",
        '```json\n{"a": [1, 2, {"b": null}], "c": "d"}\n```',
        "(B) because A is wrong. Final answer: B",
        "def f(x):\n    return x + 1\n\nprint(f(2))",
        "- one\n- two\n- twenty-three\n| a | b |\n|---|---|\n| 1 | 2 |",
        " " * 300 + "(" * 300 + "1" * 300 + "," * 300 + "**" * 300,
    )
    return [text.encode() for text in answers]


def _render(data: bytes) -> None:
    Path("render.json").write_bytes(data)
    found = read_model(Path("render.json"), Summary)
    render_markdown(found, [], True)
    render_page(found, True, [], [], [])
    markdown_table(found)
    terminal_summary(found, "report.md", 80)


def _summary_seeds() -> list[bytes]:
    return [Path("summary.json").read_bytes()]


def _unpack(data: bytes) -> None:
    Path("fuzz.zip").write_bytes(data)
    folder = Path("unpacked", str(time.monotonic_ns()))
    unpack(Path("fuzz.zip"), folder)


def _bundle_seeds() -> list[bytes]:
    manifest = example(BundleManifest, whole=True) | {"sweep": "s"}
    pack(Path("seed.zip"), json.dumps(manifest).encode(), {"text": Path("bank.json")}, b"signature")
    with zipfile.ZipFile("plain.zip", "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
    return [Path("seed.zip").read_bytes(), Path("plain.zip").read_bytes()]


TARGETS = {
    "artifacts": Target(370, _artifact_seeds, _read_artifact),
    "config": Target(30, _config_seeds, _read_config),
    "commands": Target(20, _command_seeds, _run_commands),
    "report": Target(20, _summary_seeds, _render),
    "banks": Target(70, _bank_seeds, _read_bank),
    "streams": Target(220, _stream_seeds, _read_stream),
    "payloads": Target(100, _payload_seeds, _read_payload),
    "headers": Target(50, _header_seeds, _read_header),
    "answers": Target(80, _answer_seeds, _grade),
    "bundles": Target(20, _bundle_seeds, _unpack),
}
