"""The files of a sweep before it starts: there, whole, and of the quant that they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from orket_lib.artifacts.views.preflight import NeededModel, Needs, PreflightCheck
from orket_lib.preflight.memory import Weighed
from orket_lib.providers.gguf.file import GgufFacts, read_gguf
from orket_lib.providers.gguf.memory_estimate import shape_of
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.quants import can_be

_MIB = 1024**2


def look_at_files(needs: Needs) -> tuple[list[PreflightCheck], list[Weighed]]:
    """Return a check for each model file, and what each takes."""
    checks, weighed = [], []
    for name, models in _by_file(needs.models):
        try:
            facts = read_gguf(Path(name))
        except LoadError as error:
            detail = str(error).removeprefix(f"{name}: ")
            where = "put a whole GGUF file there, or name another in artifacts"
            checks.append(PreflightCheck(name=name, ok=False, detail=detail, remedy=where))
            continue
        checks.append(_described(name, facts, [model.quant_tag for model in models]))
        weighed.append(Weighed(name, facts.bytes, shape_of(facts.metadata)))
    return checks, weighed


def _by_file(models: Iterable[NeededModel]) -> Iterator[tuple[str, list[NeededModel]]]:
    files: dict[str, list[NeededModel]] = {}
    for model in models:
        if model.file and not model.base:
            files.setdefault(model.file, []).append(model)
    yield from files.items()


def _described(name: str, facts: GgufFacts, asked: list[str]) -> PreflightCheck:
    """Return the check of a whole file; another quant spoils its rows, and stops nothing."""
    size = f"{facts.bytes / _MIB:.1f} MiB, {facts.bits_per_weight:.2f} bits per weight"
    others = [tag for tag in asked if facts.quant_tag and can_be(tag, facts.quant_tag) is False]
    if not others:
        return PreflightCheck(name=name, ok=True, detail=f"{facts.quant_tag or 'GGUF'}, {size}")
    detail = f"its header says {facts.quant_tag}, asked for {', '.join(others)}: invalid rows"
    return PreflightCheck(name=name, ok=True, warning=True, detail=detail)
