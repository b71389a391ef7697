"""Files of a sweep that are made on the way: what they are made from, and what they will take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from orket_lib.artifacts.views.preflight import NeededModel, Needs, PreflightCheck
from orket_lib.preflight.memory import Weighed
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.gguf.memory_estimate import shape_of
from orket_lib.providers.gguf.quantize import expected_bytes
from orket_lib.vocabulary.errors import LoadError

_MIB = 1024**2


def yet_to_be_made(needs: Needs) -> list[NeededModel]:
    """Return the models whose file is to be made and is not there."""
    return [model for model in needs.models if model.base and not _is_file(model.file)]


def look_at_recipes(needs: Needs) -> tuple[list[PreflightCheck], list[Weighed], float]:
    """Return a check for each base and matrix, what each made file takes, and MiB of disk."""
    checks, weighed, disk_bytes = [], [], 0
    missing = yet_to_be_made(needs)
    for base, models in _by_base(needs.models):
        try:
            facts = read_gguf(Path(base))
        except LoadError as error:
            detail = str(error).removeprefix(f"{base}: ")
            where = "name a whole GGUF file in quantize.base"
            checks.append(PreflightCheck(name=base, ok=False, detail=detail, remedy=where))
            continue
        takes = {model.name: expected_bytes(facts, model.quant_tag) for model in models}
        rest = sum(takes[model.name] for model in models if model in missing)
        disk_bytes += rest
        what = f"{facts.quant_tag or 'GGUF'}, {facts.bytes / _MIB:.1f} MiB"
        made = f"about {rest / _MIB:.0f} MiB to be made from it" if rest else "nothing to be made"
        checks.append(PreflightCheck(name=base, ok=True, detail=f"{what}; {made}"))
        shape = shape_of(facts.metadata)
        weighed += [Weighed(name, size, shape) for name, size in takes.items()]
    return [*checks, *_matrices(missing)], weighed, disk_bytes / _MIB


def _matrices(missing: Iterable[NeededModel]) -> Iterator[PreflightCheck]:
    for name in dict.fromkeys(model.imatrix for model in missing if model.imatrix):
        there = _is_file(name)
        yield PreflightCheck(
            name=name,
            ok=there,
            detail="an importance matrix" if there else "no such file",
            remedy=None if there else "name another in quantize.imatrix",
        )


def _by_base(models: Iterable[NeededModel]) -> Iterator[tuple[str, list[NeededModel]]]:
    bases: dict[str, list[NeededModel]] = {}
    for model in models:
        if model.base:
            bases.setdefault(model.base, []).append(model)
    yield from bases.items()


def _is_file(name: str | None) -> bool:
    return name is not None and Path(name).is_file()
