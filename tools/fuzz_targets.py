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

from contract_examples import example, fixtures
from fuzz_commands import MACHINE, command_seeds, prepare, run_commands

from orket_lib.analysis.sidecar.payload import objects_in, printed_number
from orket_lib.artifacts.bundle import BundleManifest
from orket_lib.artifacts.io import read_json, read_model, sha256_of_file, write_model
from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.artifacts.schemas import published, version_of
from orket_lib.artifacts.views.summary import Summary
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
from orket_lib.tasks.bank import Task, load_bank
from orket_lib.tasks.grading.graders import NotRun, judge
from orket_lib.tasks.importing.import_bank import import_bank

__all__ = ["TARGETS", "Target", "prepare"]

ROOT = Path(__file__).resolve().parents[1]
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
    find_references(found.config, HashCache(Path("hashes.json")), MACHINE, found.bad)


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
    manifest["files"][0] |= {"path": "text", "sha256": sha256_of_file(Path("bank.json"))}
    pack(Path("seed.zip"), json.dumps(manifest).encode(), {"text": Path("bank.json")}, b"signature")
    with zipfile.ZipFile("plain.zip", "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
    return [Path("seed.zip").read_bytes(), Path("plain.zip").read_bytes()]


TARGETS = {
    "artifacts": Target(370, _artifact_seeds, _read_artifact),
    "config": Target(30, _config_seeds, _read_config),
    "commands": Target(20, command_seeds, run_commands),
    "report": Target(20, _summary_seeds, _render),
    "banks": Target(70, _bank_seeds, _read_bank),
    "streams": Target(220, _stream_seeds, _read_stream),
    "payloads": Target(100, _payload_seeds, _read_payload),
    "headers": Target(50, _header_seeds, _read_header),
    "answers": Target(80, _answer_seeds, _grade),
    "bundles": Target(20, _bundle_seeds, _unpack),
}
