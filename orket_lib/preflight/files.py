"""Model files: whether they are complete and of the right quant, and what missing ones take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from orket_lib.artifacts.views.preflight import NeededModel, PreflightCheck, ServerNeeds
from orket_lib.preflight.memory import ModelSize
from orket_lib.providers.gguf.file import GgufFacts, bits_of_weight, read_servable
from orket_lib.providers.gguf.memory_estimate import shape_of
from orket_lib.providers.gguf.quantize import expected_bytes
from orket_lib.vocabulary.errors import UnusableFile
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.quants import can_be
from orket_lib.vocabulary.units import MIB

_TEMPLATE = "tokenizer.chat_template"
_NO_TEMPLATE = (
    "it has no chat template, as models have that are not trained to answer: questions go through "
    "llama.cpp's default one. Choose the file of an instruction-tuned model (-Instruct, -it)"
)


def check_files(needs: ServerNeeds) -> tuple[list[PreflightCheck], list[ModelSize]]:
    """Return a check for each model file, and the size of each model."""
    checks: list[PreflightCheck] = []
    sizes: list[ModelSize] = []
    unusable: list[int] = []
    by_file = _grouped((model.file, model) for model in needs.models if not model.base)
    for name, models in by_file.items():
        try:
            facts = read_servable(Path(name))
        except UnusableFile as error:
            if error.evidence.cause is Cause.UNREADABLE:
                unusable.append(len(checks))
            checks.append(_unusable(name, error))
            continue
        checks.append(_file_check(name, facts, [model.quant_tag for model in models]))
        sizes.append(ModelSize(name, facts.bytes, shape_of(facts.metadata)))
    if sizes:  # one bad file costs only its own cells
        for index in unusable:
            checks[index] = checks[index].of_one_model()
    return checks, sizes


def files_to_make(needs: ServerNeeds) -> list[NeededModel]:
    """Return the models whose file is missing and can be made."""
    return [model for model in needs.models if model.base and not _is_file(model.file)]


def check_bases(needs: ServerNeeds) -> tuple[list[PreflightCheck], list[ModelSize], float]:
    """Return a check for each base and importance matrix, model sizes, and MiB of disk needed."""
    checks, sizes, disk_bytes = [], [], 0
    missing = files_to_make(needs)
    for base, models in _grouped((model.base, model) for model in needs.models).items():
        try:
            facts = read_servable(Path(base))
        except UnusableFile as error:
            checks.append(_unusable(base, error))
            continue
        expected = {model.name: expected_bytes(facts, model.quant_tag) for model in models}
        to_make = sum(expected[model.name] for model in models if model in missing)
        disk_bytes += to_make
        made = f"about {to_make / MIB:.0f} MiB to be made from it" if to_make else "nothing to make"
        detail = f"{facts.quant_tag or 'GGUF'}, {facts.bytes / MIB:.1f} MiB; {made}"
        checks.append(_right_file(base, facts, detail))
        shape = shape_of(facts.metadata)
        sizes += [ModelSize(name, size, shape) for name, size in expected.items()]
    return [*checks, *_matrix_checks(missing)], sizes, disk_bytes / MIB


def _unusable(name: str, error: UnusableFile) -> PreflightCheck:
    return PreflightCheck(name=name, ok=False, detail=error.what, remedy=error.remedy)


def _file_check(name: str, facts: GgufFacts, asked: list[str]) -> PreflightCheck:
    """Return the check of a complete file; another quant is a warning, its rows are invalid."""
    size = f"{facts.bytes / MIB:.1f} MiB, {bits_of_weight(facts.bits_per_weight)}"
    others = [tag for tag in asked if facts.quant_tag and can_be(tag, facts.quant_tag) is False]
    if facts.unknown_types:
        types = ", ".join(map(str, facts.unknown_types))
        detail = f"{size}: its tensors have types that are not known here ({types}); whether it "
        detail += "loads is the server's to say"
        return PreflightCheck(name=name, ok=True, warning=True, detail=detail)
    if not others:
        return _right_file(name, facts, f"{facts.quant_tag or 'GGUF'}, {size}")
    detail = f"its header says {facts.quant_tag}, asked for {', '.join(others)}: invalid rows"
    return PreflightCheck(name=name, ok=True, warning=True, detail=detail)


def _right_file(name: str, facts: GgufFacts, detail: str) -> PreflightCheck:
    """Return the check of a file that is as asked for; a base model hardly answers questions."""
    if _TEMPLATE in facts.metadata:
        return PreflightCheck(name=name, ok=True, detail=detail)
    return PreflightCheck(name=name, ok=True, warning=True, detail=f"{detail}; {_NO_TEMPLATE}")


def _matrix_checks(missing: Iterable[NeededModel]) -> Iterator[PreflightCheck]:
    for name in dict.fromkeys(model.imatrix for model in missing if model.imatrix):
        found = _is_file(name)
        yield PreflightCheck(
            name=name,
            ok=found,
            detail="an importance matrix" if found else "file not found",
            remedy=None if found else "name another in quantize.imatrix",
        )


def _grouped(models: Iterable[tuple[str | None, NeededModel]]) -> dict[str, list[NeededModel]]:
    """Return models by file, in order; those without a file are left out."""
    groups: dict[str, list[NeededModel]] = {}
    for name, model in models:
        if name:
            groups.setdefault(name, []).append(model)
    return groups


def _is_file(name: str | None) -> bool:
    return name is not None and Path(name).is_file()
