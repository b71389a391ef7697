"""What a person reads of the doctor's findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orket_lib.artifacts.printed.doctor import (
    DoctorReport,
    MissingReading,
    SeenGpu,
    SeenMachine,
    SeenModel,
    SeenProgram,
    SeenServer,
)
from orket_lib.artifacts.views.preflight import PreflightCheck
from orket_lib.report.doctor import doctor_text

MACHINE = SeenMachine(
    fingerprint="linux|cpu|8|32|none",
    cpus=16,
    memory_total_mib=32 * 1024,
    memory_free_mib=20 * 1024,
    disk_free_mib=900,
    gpus=(
        SeenGpu(index=0, name="RTX", uuid="GPU-1", total_mib=24576, free_mib=12288),
        SeenGpu(index=1, name="GB10", uuid=None, total_mib=None, free_mib=None),
    ),
    programs=(SeenProgram(name="llama-server", path=None, detail="not on PATH"),),
    notes=("this is WSL",),
)
MODELS = (
    SeenModel(
        name="a:8b", quant_tag="Q4_K_M", bytes=5 << 30, n_ctx=131072, takes_mib=6000.0, fits="safe"
    ),
    SeenModel(name="b", takes_mib=300.4, at_least=True, bytes=1 << 20, fits="no", chats=True),
    SeenModel(name="c-cloud", quant_tag="MXFP4", remote="far"),
    SeenModel(name="embed", quant_tag="F16", chats=False),
)


def report(**changes: Any) -> DoctorReport:
    values: dict[str, Any] = {
        "machine": MACHINE,
        "n_ctx": 4096,
        "servers": (
            SeenServer(
                provider="ollama",
                base_url="http://127.0.0.1:11434",
                answers=True,
                detail="4 models",
                build="0.12.3",
                models=MODELS,
            ),
            SeenServer(
                provider="openai",
                base_url="http://127.0.0.1:8000",
                answers=False,
                detail="no answer",
            ),
        ),
        "files": (),
        "missing": (MissingReading(reading="energy", reason="NO_ENERGY_COUNTER", meaning="none"),),
    }
    return DoctorReport(**(values | changes))


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_every_part_is_there_and_aligned() -> None:
    found = lines(doctor_text(report(suggestion="models: [a]"), "a in two quants", None))
    assert found == [
        "machine",
        "  fingerprint   linux|cpu|8|32|none",
        "  CPUs          16",
        "  memory        20.0 GiB free of 32.0 GiB",
        "  disk          900 MiB free",
        "  GPU           0: RTX, 12.0 GiB free of 24.0 GiB",
        "  GPU           1: GB10, shares main memory",
        "  llama-server  not on PATH",
        "servers",
        "  ollama  http://127.0.0.1:11434  version 0.12.3, 4 models",
        "  openai  http://127.0.0.1:8000   no answer",
        "models on ollama, memory estimated for 4096 tokens of context",
        "  name     quant   size     context  needs       fits",
        "  a:8b     Q4_K_M  5.0 GiB  131072   5.9 GiB     safe",
        "  b        ?       1 MiB    ?        >= 300 MiB  no",
        "  c-cloud  MXFP4   ?        ?        ?           cloud: refused",
        "  embed    F16     ?        ?        ?           no chat model",
        "not measurable on this machine (null)",
        "  energy  NO_ENERGY_COUNTER  none",
        "notes",
        "  this is WSL",
        "suggestion: a in two quants",
        "  printed below; to write it to a file: orket doctor --suggest my.yaml",
        "  then: orket sweep my.yaml",
    ]


def test_what_was_written_is_named() -> None:
    text = doctor_text(report(suggestion="x"), "a", Path("mine.yaml"))
    assert lines(text)[-1] == "  written to mine.yaml; next: orket plan mine.yaml"


def test_the_checks_of_a_config_come_with_their_remedies() -> None:
    checks = (
        PreflightCheck(name="disk", ok=True, detail="plenty", remedy="not shown"),
        PreflightCheck(name="memory", ok=True, warning=True, detail="tight", remedy="--config x"),
        PreflightCheck(name="a:8b", ok=False, detail="not there", remedy="ollama pull a:8b"),
    )
    bad = report(checks=checks)
    assert not bad.can_run
    assert lines(doctor_text(bad, None, None))[-7:] == [
        "this config",
        "  ok    disk: plenty",
        "  warn  memory: tight",
        "        --config x",
        "  FAIL  a:8b: not there",
        "        ollama pull a:8b",
        "this config can't be run",
    ]
    good = report(checks=checks[:2])
    assert good.can_run
    assert lines(doctor_text(good, None, None))[-1] == "this config can be run"


def test_a_long_list_is_cut_and_says_so() -> None:
    many = tuple(SeenModel(name=f"models/m{number}", place="models") for number in range(50))
    found = lines(doctor_text(report(files=many), None, None))
    assert "files in models, memory estimated for 4096 tokens of context" in found
    assert "  ... and 10 more" in found
    assert "m39" in "".join(found)
    assert "m40" not in "".join(found)
    assert found[-1].startswith("nothing to suggest")


def test_a_name_without_end_leaves_the_table_readable() -> None:
    server = SeenServer(
        provider="openai",
        base_url="http://127.0.0.1:1",
        answers=True,
        detail="1 model",
        models=(SeenModel(name="x" * 3000),),
    )
    text = doctor_text(report(servers=(server,)), None, None)
    assert max(map(len, text.splitlines())) < 200
    assert "xxx..." in text
