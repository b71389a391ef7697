"""How missing model files are made with llama-quantize: from what, and where they are put.

The folder of a made file is named by the hashes of base and importance matrix and by the quant. So
sweeps share it, a changed base gives another file, and a deleted file can be made again without
measuring again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from orket_lib.artifacts.digest import digest_of
from orket_lib.artifacts.measurements.spec import ArtifactIdentity
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import ModelRef, Recipe, filled, makes_files, pin_for
from orket_lib.config.shipped import located
from orket_lib.providers.gguf.file import read_gguf, shards
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.quants import NEEDS_IMATRIX, UNQUANTIZED, is_vendor_tag
from orket_lib.vocabulary.slugs import slug

Pair = tuple[str, str]


def recipe_for(config: SweepConfig, model: str) -> Recipe | None:
    """Return what missing quants of a model are made from, or None if they can't be made.

    A server that the sweep doesn't start can't be given files.
    """
    base = _of_model(config.quantize_base, model)
    if base is None or not makes_files(config):
        return None
    return Recipe(base, _of_model(config.quantize_imatrix, model))


def find_recipes(
    config: SweepConfig, lacking: Sequence[Pair]
) -> tuple[dict[Pair, ModelRef], list[str]]:
    """Return the models of cells whose file is missing, and why some can't be made.

    Args:
        config: The config.
        lacking: Cells without a file whose models have a recipe.
    """
    found: dict[Pair, ModelRef] = {}
    problems: list[str] = []
    for model in dict.fromkeys(model for model, _ in lacking):
        recipe = recipe_for(config, model)
        assert recipe is not None
        tag, wrong = _checked(config, recipe)
        problems += wrong
        for pair in (pair for pair in lacking if pair[0] == model):
            if tag == pair[1]:
                found[pair] = ModelRef(path=recipe.base)
                continue
            why_not = list(_cannot_make(config, pair, recipe))
            problems += why_not
            if not wrong and not why_not:
                found[pair] = ModelRef(recipe=recipe)
    return found, problems


def requantized(config: SweepConfig, models: Mapping[Pair, ModelRef]) -> Iterator[str]:
    """Yield a warning for each base that is already quantized."""
    if config.quantize_allow_requantize:
        for base in dict.fromkeys(ref.recipe.base for ref in models.values() if ref.recipe):
            tag = read_gguf(base).quant_tag
            if tag is not None and tag not in UNQUANTIZED:
                yield (
                    f"quantize.base: {base.as_posix()} is already {tag}: quants made from it lose "
                    "quality twice, and say little about quants made from F16"
                )


def identity_of(recipe: Recipe, hashes: HashCache) -> ArtifactIdentity:
    """Return what a made file depends on: the bytes that it is made from."""
    return ArtifactIdentity(
        quantized_from=hashes.sha256(recipe.base),
        imatrix=hashes.sha256(recipe.imatrix) if recipe.imatrix else None,
    )


def made_file(model: str, quant: str, identity: ArtifactIdentity) -> Path:
    """Return the path of a made file."""
    content = {"base": identity.quantized_from, "quant": quant, "imatrix": identity.imatrix}
    name = slug(model)
    return Path("storage/quantized", name, digest_of(content), f"{name}-{quant}.gguf")


def _checked(config: SweepConfig, recipe: Recipe) -> tuple[str | None, list[str]]:
    """Return the quant of a base, and the problems of the base and its importance matrix."""
    base, wrong, tag = recipe.base, [], None
    if not base.is_file():
        wrong.append(f"quantize.base: file not found: {base.as_posix()}")
    elif len(parts := shards(base)) > 1:
        whole = f"llama-gguf-split --merge {base.as_posix()} WHOLE.gguf"
        wrong.append(f"quantize.base: {base.as_posix()} is one of {len(parts)} parts; run: {whole}")
    else:
        try:
            tag = read_gguf(base).quant_tag
        except LoadError as error:
            wrong.append(f"quantize.base: {error}")
    if tag not in (None, *UNQUANTIZED) and not config.quantize_allow_requantize:
        wrong.append(
            f"quantize.base: {base.as_posix()} is already {tag}, so quants made from it would lose "
            "quality twice; name an F32, F16 or BF16 file, or set quantize.allow_requantize: true"
        )
    if recipe.imatrix and not recipe.imatrix.is_file():
        wrong.append(f"quantize.imatrix: file not found: {recipe.imatrix.as_posix()}")
    return tag, wrong


def _cannot_make(config: SweepConfig, pair: Pair, recipe: Recipe) -> Iterator[str]:
    model, quant = pair
    key = f"artifacts.{model}.{quant}"
    if is_vendor_tag(quant):
        yield f"{key}: file not found, and llama-quantize can't make a vendor's own mix"
    elif quant in NEEDS_IMATRIX and recipe.imatrix is None:
        yield f"{key}: file not found, and making it needs quantize.imatrix"
    if pin_for(config, *pair):
        yield f"artifact_digest.{model}.{quant}: a file that has not been made yet can't be pinned"


def _of_model(files: str | dict[str, str] | None, model: str) -> Path | None:
    named = files.get(model) if isinstance(files, dict) else files
    return None if named is None else located(filled(named, model))
