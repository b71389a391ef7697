"""Preflight: look at everything that a sweep needs before anything expensive begins."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil

from orket_lib.artifacts.preflight import Needs, PreflightCheck

_MIB = 1024**2
_FREE_DISK_MIB = 200  # journals, samples and reports of a large sweep
_MEMORY_FACTOR = 1.1  # a model in memory against its file
_MEMORY_FIXED_MIB = 300  # runtime, context and client


def check_all(needs: Needs, workspace: Path) -> tuple[PreflightCheck, ...]:
    """Return one check for each thing that is needed."""
    if needs.refusals:  # nothing else matters then
        return tuple(_refusal(sentence) for sentence in needs.refusals)
    return (_runtime(), *_files(needs), _disk(workspace), _memory(needs))


def _refusal(sentence: str) -> PreflightCheck:
    return PreflightCheck(name="this version", ok=False, detail=sentence)


def _runtime() -> PreflightCheck:
    found = find_spec("xllamacpp") is not None
    hint = "found" if found else "not installed; type: pip install xllamacpp"
    return PreflightCheck(name="embedded llama.cpp", ok=found, detail=hint)


def _files(needs: Needs) -> Iterator[PreflightCheck]:
    for name in needs.files:
        problem = _gguf_problem(Path(name))
        yield PreflightCheck(name=name, ok=problem is None, detail=problem or "a GGUF file")


def _gguf_problem(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return None if stream.read(4) == b"GGUF" else "not a GGUF file"
    except OSError as error:
        return f"can't be read: {error.strerror}"


def _disk(workspace: Path) -> PreflightCheck:
    free = shutil.disk_usage(workspace).free / _MIB
    detail = f"{free:.0f} MiB free, {_FREE_DISK_MIB} MiB needed"
    return PreflightCheck(name="disk", ok=free >= _FREE_DISK_MIB, detail=detail)


def _memory(needs: Needs) -> PreflightCheck:
    sizes = [Path(name).stat().st_size / _MIB for name in needs.files if Path(name).is_file()]
    wanted = max(sizes, default=0) * _MEMORY_FACTOR + _MEMORY_FIXED_MIB
    free = psutil.virtual_memory().available / _MIB
    detail = f"{free:.0f} MiB available, about {wanted:.0f} MiB needed for the largest model"
    return PreflightCheck(name="memory", ok=free >= wanted, detail=detail)
