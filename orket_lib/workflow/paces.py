"""How fast each quant of a sweep is on this machine, as far as is known before it is measured.

A quant that was measured here has a pace: the time of a session, a graded run and a probe. Another
quant has that of the measured one whose file is nearest in size, in proportion. Before that there
is only the size of the file, with rough assumptions, which a running sweep corrects after its first
cell (see `report.progress`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import log2
from pathlib import Path

from orket_lib.analysis.active_time import Pace, pace_of
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.parts import Part
from orket_lib.artifacts.measurements.spec import PROBE_OUTPUT_TOKENS, PROBE_PROMPT_TOKENS
from orket_lib.stores.parts import PARTS
from orket_lib.sweep.cells import Cell, Sweep
from orket_lib.telemetry.fingerprint import is_remote
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.providers import PROVIDERS

Paces = dict[tuple[str, str], Pace | None]  # of each (model, quant)

# What is assumed of a machine that has measured nothing yet.
_CPU_BYTES_PER_S, _GPU_BYTES_PER_S = 20e9, 400e9  # of weights, for each token
_PROMPT_SPEED_UP = 10  # tokens of a prompt per generated token
_ASKED_TOKENS, _ANSWER_TOKENS = 300, 150
_DISK_BYTES_PER_S, _READY_S, _LONGEST_PROBE_S = 1e9, 15.0, 10.0
_MEASURED = "at the pace of earlier measurements here"
_ASSUMED = (
    f"by the size of the files alone ({_CPU_BYTES_PER_S / 1e9:.0f} GB of weights per second, "
    f"{_GPU_BYTES_PER_S / 1e9:.0f} on a GPU, {_ANSWER_TOKENS} tokens per answer); the first cell "
    "shows the real pace"
)
_NEWEST = 4  # measurements of a cell that are read: a batch may have no probes


def paces_of(sweep: Sweep, pace_here: Callable[[Cell], Pace | None]) -> tuple[Paces, str]:
    """Return the pace of each (model, quant), and what the paces are from."""
    found = {
        (cell.model_id, cell.quant_tag): (_bytes(cell), pace)
        for cell in sweep.cells
        if (pace := pace_here(cell))
    }
    known = list(found.values())
    paces = {
        pair: found[pair][1] if pair in found else _like(cell, known, sweep)
        for cell in sweep.cells
        if (pair := (cell.model_id, cell.quant_tag))
    }
    return paces, _MEASURED if known else _ASSUMED


def _like(cell: Cell, known: Sequence[tuple[int | None, Pace]], sweep: Sweep) -> Pace | None:
    """Return the pace of a quant that was never measured."""
    size = _bytes(cell)
    if not known:
        return None if size is None else _assumed(size, sweep, cell)
    sized = [(bytes_, pace) for bytes_, pace in known if bytes_]
    if size is None or not sized:
        return sorted((pace for _, pace in known), key=lambda it: it.run_s)[len(known) // 2]
    nearest, pace = min(sized, key=lambda it: abs(log2(it[0] / size)))
    ratio = size / nearest
    return replace(
        pace,
        run_s=pace.run_s * ratio,
        probe_s=pace.probe_s * ratio,
        prompt_token_s=pace.prompt_token_s * ratio,
    )


def _assumed(size: int, sweep: Sweep, cell: Cell) -> Pace | None:
    """Return a pace by the size of the file alone; None for an unknown machine."""
    if is_remote(sweep.machine) or sweep.config.machine:
        return None
    on_gpu = has_gpus(sweep.machine) and not PROVIDERS[cell.spec.provider].on_cpu
    token_s = size / (_GPU_BYTES_PER_S if on_gpu else _CPU_BYTES_PER_S)
    prompt_token_s = token_s / _PROMPT_SPEED_UP
    answered = min(_ANSWER_TOKENS, cell.spec.max_output_tokens)
    probe_s = PROBE_PROMPT_TOKENS * prompt_token_s + PROBE_OUTPUT_TOKENS * token_s
    return Pace(
        session_s=size / _DISK_BYTES_PER_S + _READY_S,
        run_s=_ASKED_TOKENS * prompt_token_s + answered * token_s,
        probe_s=min(_LONGEST_PROBE_S, probe_s),
        prompt_token_s=prompt_token_s,
    )


def stored_pace(cell: Cell) -> Pace | None:
    """Return the pace of a cell's newest measurements; those with other settings count as well."""
    stamps = sorted(
        cell.store.folder.parent.glob(f"*/{PARTS}/*"), key=lambda path: path.name, reverse=True
    )
    read: list[Part] = []
    for folder in stamps[:_NEWEST]:
        parts = list(_parts(folder))
        same = [it for it in parts if it.spec.provider == cell.spec.provider]
        read += [it for it in same if not it.spec.context]
        if any(part.probes for part in read) and any(part.answers for part in read):
            break
    return pace_of(read)


def _parts(folder: Path) -> Iterator[Part]:
    for name in ("probes.json", "answers.json"):
        path = folder / name
        try:
            if path.is_file():
                yield read_model(path, Part)
        except ArtifactError:
            continue


def _bytes(cell: Cell) -> int | None:
    return cell.path.stat().st_size if cell.path and cell.path.is_file() else None


def has_gpus(machine: str) -> bool:
    """Return whether a machine has GPUs, by its fingerprint."""
    return not machine.endswith("|none")
