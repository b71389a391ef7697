"""What the doctor found, as a person reads it."""

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
)
from orket_lib.artifacts.views.preflight import PreflightCheck
from orket_lib.doctor.suggestion import Suggestion

_GIB_IN_MIB = 1024
_MIB = 1024**2
_MOST_MODELS = 40


def doctor_text(report: DoctorReport, why: str | None, file: Path | None) -> str:
    """Return a report as text of short, aligned lines.

    Args:
        report: What was found.
        why: The suggestion in one sentence; None where there is none.
        file: Where the suggestion was written; None when it is printed.
    """
    parts = [
        "machine",
        *_machine(report.machine),
        "servers",
        *_servers(report.servers),
        *_models(report),
        "null in what is measured here",
        *_table([item.reading, item.reason, item.meaning] for item in report.missing),
    ]
    if report.machine.notes:
        parts += ["notes", *(f"  {note}" for note in report.machine.notes)]
    if report.checks is not None:
        parts += ["this config", *_checks(report.checks)]
        parts.append("this config can be run" if report.can_run else "this config can't be run")
    elif why is None:
        parts.append("nothing to suggest: no server, no GGUF file below models/ that can be served")
    else:
        parts += [f"suggestion: {why}", *_next_lines(file)]
    return "\n".join(_printable(line) for line in parts)


def _machine(machine: SeenMachine) -> list[str]:
    memory = f"{_size(machine.memory_free_mib)} free of {_size(machine.memory_total_mib)}"
    rows = [
        ["fingerprint", machine.fingerprint],
        ["CPUs", str(machine.cpus)],
        ["memory", memory],
        ["disk", f"{_size(machine.disk_free_mib)} free"],
        *(["GPU", _gpu(item)] for item in machine.gpus),
        *([["GPU", "none that a driver shows"]] if not machine.gpus else []),
        *([item.name, item.detail] for item in machine.programs),
    ]
    return _table(rows)


def _gpu(gpu: SeenGpu) -> str:
    if gpu.total_mib is None or gpu.free_mib is None:
        return f"{gpu.index}: {gpu.name}, shares the main memory"
    return f"{gpu.index}: {gpu.name}, {_size(gpu.free_mib)} free of {_size(gpu.total_mib)}"


def _servers(servers: Iterable[SeenServer]) -> list[str]:
    return _table(
        [
            server.provider,
            server.base_url,
            f"version {server.build}, {server.detail}" if server.build else server.detail,
        ]
        for server in servers
    )


def _models(report: DoctorReport) -> Iterator[str]:
    """Yield a table of the models of each server, and of the files."""
    places = [(f"models on {server.provider}", server.models) for server in report.servers]
    places.append(("files below models/", report.files))
    for place, models in places:
        if models:
            yield f"{place}, memory estimated for {report.n_ctx} tokens of context"
            head = ["name", "quant", "size", "context", "takes", "fits"]
            rows = [_model(model) for model in models[:_MOST_MODELS]]
            yield from _table([head, *rows])
            if len(models) > _MOST_MODELS:
                yield f"  ... and {len(models) - _MOST_MODELS} more"


def _model(model: SeenModel) -> list[str]:
    fits = "cloud: refused" if model.remote else model.fits if model.chats else "answers nothing"
    least = ">= " if model.at_least else ""
    return [
        model.name,
        model.quant_tag or "?",
        "?" if model.bytes is None else _size(model.bytes / _MIB),
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
        return [f"  written to {file}; try: snakemake -n --configfile {file}"]
    return [
        "  it is printed below; to have it in a file: orket doctor --suggest my.yaml",
        "  then: snakemake --configfile my.yaml",
    ]


def _table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows with their columns aligned."""
    listed = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    return [
        "  "
        + "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in listed
    ]


def _size(mib: float) -> str:
    return f"{mib / _GIB_IN_MIB:.1f} GiB" if mib >= _GIB_IN_MIB else f"{mib:.0f} MiB"


def _printable(line: str) -> str:
    """Return a line without what would move a cursor: names are whatever a server says."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


_WIDTH = 1000  # a line that is broken is harder to change


def suggestion_yaml(suggestion: Suggestion, file: str = "my.yaml") -> str:
    """Return a config file.

    Args:
        suggestion: The config.
        file: Its name, for the lines that say how it is used.
    """
    lines = [
        f"# Suggested by `orket doctor`: {_one_line(suggestion.why)}.",
        f"#   snakemake -n --configfile {file}    what would happen",
        f"#   snakemake --configfile {file}       the sweep",
        "",
    ]
    for key, value in suggestion.config.items():
        if key in suggestion.comments:
            lines.append(f"# {suggestion.comments[key]}:")
        lines.append(_entry(key, value))
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any) -> str:
    """Return a key with its value: lists on one line, tables with a line for each cell."""
    flow = None if isinstance(value, list) else False
    text: str = yaml.safe_dump(
        {key: value}, default_flow_style=flow, width=_WIDTH, sort_keys=False, allow_unicode=True
    )
    return text.rstrip("\n")


def _one_line(text: str) -> str:
    """Return text that can't leave its comment, whatever a server calls its models."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
