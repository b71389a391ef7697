"""The findings of `orket doctor` as text, and the config that it suggests as YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from orket_lib.artifacts.printed.doctor import (
    DoctorReport,
    SeenGpu,
    SeenMachine,
    SeenModel,
    SeenServer,
    UnusableModel,
)
from orket_lib.artifacts.views.preflight import PreflightCheck
from orket_lib.doctor.suggested import Suggestion
from orket_lib.report.formatting import aligned
from orket_lib.vocabulary.text import printable, visible
from orket_lib.vocabulary.units import MIB, MIB_PER_GIB

_MOST_MODELS = 40
_LONGEST_NAME = 120


def doctor_text(report: DoctorReport, why: str | None, file: Path | None) -> str:
    """Return a report as text of short, aligned lines.

    Args:
        report: The findings.
        why: The suggestion in one sentence; None if there is none.
        file: File of the suggestion; None if it is printed.
    """
    parts = [
        "machine",
        *_machine(report.machine),
        "servers",
        *_servers(report.servers),
        *_models(report),
        *_unusable(report.unusable),
        "not measurable on this machine (null)",
        *aligned(([item.reading, item.reason, item.meaning] for item in report.missing), indent=2),
    ]
    if report.machine.notes:
        parts += ["notes", *(f"  {note}" for note in report.machine.notes)]
    if report.checks is not None:
        parts += ["this config", *_checks(report.checks)]
        parts.append("this config can be run" if report.can_run else "this config can't be run")
    elif why is None:
        parts += f"nothing to suggest: {report.no_suggestion}".splitlines()
    else:
        parts += [f"suggestion: {why}", *_next_lines(file)]
    return visible("\n".join(line.replace("\n", " ") for line in parts))


def _machine(machine: SeenMachine) -> list[str]:
    memory = f"{_size(machine.memory_free_mib)} free of {_size(machine.memory_total_mib)}"
    if machine.memory_limit:
        memory = f"{memory} ({machine.memory_limit})"
    rows = [
        ["fingerprint", machine.fingerprint],
        ["CPUs", _cpus(machine)],
        ["memory", memory],
        ["disk", f"{_size(machine.disk_free_mib)} free"],
        *(["GPU", _gpu(item)] for item in machine.gpus),
        *([["GPU", "none reported by a driver"]] if not machine.gpus else []),
        *([item.name, item.detail] for item in machine.programs),
    ]
    return aligned(rows, indent=2)


def _cpus(machine: SeenMachine) -> str:
    """Return the CPUs that may be used, and what limits them."""
    limits = list(machine.cpu_limits)
    if machine.cpu_time_limit_s is not None:
        limits.append(f"ulimit -t: {machine.cpu_time_limit_s:g} s of CPU time for a process")
    if not limits or machine.cpus_usable is None:
        return str(machine.cpus)
    threads = f"; default threads: {machine.default_threads}"
    return f"{machine.cpus_usable:g} of {machine.cpus} may be used ({'; '.join(limits)}){threads}"


def _gpu(gpu: SeenGpu) -> str:
    if gpu.total_mib is None or gpu.free_mib is None:
        return f"{gpu.index}: {gpu.name}, shares main memory"
    return f"{gpu.index}: {gpu.name}, {_size(gpu.free_mib)} free of {_size(gpu.total_mib)}"


def _servers(servers: Iterable[SeenServer]) -> list[str]:
    rows = (
        [
            server.provider,
            server.base_url,
            f"version {server.build}, {server.detail}" if server.build else server.detail,
        ]
        for server in servers
    )
    return aligned(rows, indent=2)


def _models(report: DoctorReport) -> Iterator[str]:
    """Yield a table of the models of each server, and of the GGUF files."""
    places = {f"models on {server.provider}": list(server.models) for server in report.servers}
    for model in report.files:
        places.setdefault(f"files in {model.place}", []).append(model)
    for place, models in places.items():
        if models:
            yield f"{place}, memory estimated for {report.n_ctx} tokens of context"
            head = ["name", "quant", "size", "context", "needs", "fits"]
            rows = [_model(model) for model in models[:_MOST_MODELS]]
            yield from aligned([head, *rows], indent=2)
            if len(models) > _MOST_MODELS:
                yield f"  ... and {len(models) - _MOST_MODELS} more"


def _unusable(files: Sequence[UnusableModel]) -> Iterator[str]:
    """Yield each file that is no model, and what to do about it."""
    if files:
        yield "files that can't be served"
    for file in files[:_MOST_MODELS]:
        yield f"  {file.name}: {file.detail}"
        yield f"        {file.remedy}"


def _model(model: SeenModel) -> list[str]:
    fits = "cloud: refused" if model.remote else model.fits if model.chats else "no chat model"
    least = ">= " if model.at_least else ""
    return [
        printable(model.within, _LONGEST_NAME),
        model.quant_tag or "?",
        "?" if model.bytes is None else _size(model.bytes / MIB),
        "?" if model.n_ctx is None else str(model.n_ctx),
        "?" if model.takes_mib is None else f"{least}{_size(model.takes_mib)}",
        fits,
    ]


def _checks(checks: Iterable[PreflightCheck]) -> Iterator[str]:
    for check in checks:
        mark = "warn" if check.ok and check.warning else "ok" if check.ok else "FAIL"
        yield f"  {mark:<4}  {check.name}: {check.detail}"
        if check.remedy and (check.warning or not check.ok):
            yield f"        {check.remedy}"


def _next_lines(file: Path | None) -> list[str]:
    if file is not None:
        return [f"  written to {file}; next: orket plan {file}"]
    return [
        "  printed below; to write it to a file: orket doctor --suggest my.yaml",
        "  then: orket sweep my.yaml",
    ]


def _size(mib: float) -> str:
    return f"{mib / MIB_PER_GIB:.1f} GiB" if mib >= MIB_PER_GIB else f"{mib:.0f} MiB"


def suggestion_yaml(suggestion: Suggestion, file: str = "my.yaml") -> str:
    """Return a config file.

    Args:
        suggestion: The config.
        file: Its name, for the comment that shows how to use it.
    """
    lines = [
        f"# Suggested by orket: {visible(suggestion.why, keep='')}.",
        f"#   orket plan {file}     shows what would run",
        f"#   orket sweep {file}    runs the sweep",
        "",
    ]
    for key, value in suggestion.config.items():
        if key in suggestion.comments:
            lines.append(f"# {suggestion.comments[key]}:")
        lines.append(_entry(key, value))
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any) -> str:
    """Return a key with its value: lists on one line, mappings on several."""
    flow = None if isinstance(value, list) else False

    def dumped(allow_unicode: bool) -> str:
        return str(
            yaml.safe_dump(
                {key: value},
                default_flow_style=flow,
                width=1000,
                sort_keys=False,
                allow_unicode=allow_unicode,
            )
        ).rstrip("\n")

    text = dumped(allow_unicode=True)
    return text if visible(text) == text else dumped(allow_unicode=False)
