"""How the file of a cell is made that has none: from which base, with which matrix, and to where.

What is made lies where its content says: base, quant and matrix by their bytes name its folder. So
it is made once for all sweeps, a changed base is another file, and a file that was deleted can be
made again without anything being measured again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from orket_lib.artifacts.digest import digest_of
from orket_lib.artifacts.measurements.spec import ArtifactIdentity
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import Named, Recipe, filled, makes_files, pin_for
from orket_lib.config.shipped import located
from orket_lib.providers.gguf.file import read_gguf, shards
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.quants import NEEDS_IMATRIX, UNQUANTIZED, is_vendor_tag
from orket_lib.vocabulary.slugs import slug

Pair = tuple[str, str]


def recipe_for(config: SweepConfig, model: str) -> Recipe | None:
    """Return what missing quants of a model are made from, or None when the config names nothing.

    Nothing either where a server serves that is not ours to give files to.
    """
    base = _of_model(config.quantize_base, model)
    if base is None or not makes_files(config):
        return None
    return Recipe(base, _of_model(config.quantize_imatrix, model))


def find_recipes(
    config: SweepConfig, lacking: Sequence[Pair]
) -> tuple[dict[Pair, Named], list[str]]:
    """Return how cells are served whose file is not there, and why some can't be.

    Args:
        config: The config.
        lacking: Cells without a file, of models that have a recipe.
    """
    found: dict[Pair, Named] = {}
    problems: list[str] = []
    for model in dict.fromkeys(model for model, _ in lacking):
        recipe = recipe_for(config, model)
        assert recipe is not None
        whole, tag, wrong = _looked_at(config, recipe)
        problems += wrong
        for pair in (pair for pair in lacking if pair[0] == model):
            if tag == pair[1]:
                found[pair] = Named(path=recipe.base)
                continue
            cannot = list(_hindrances(config, pair, recipe))
            problems += cannot
            if whole and not cannot:
                found[pair] = Named(recipe=recipe)
    return found, problems


def requantized(config: SweepConfig, named: Mapping[Pair, Named]) -> Iterator[str]:
    """Yield a warning for each base that is quantized already."""
    if config.quantize_allow_requantize:
        for base in dict.fromkeys(what.recipe.base for what in named.values() if what.recipe):
            tag = read_gguf(base).quant_tag
            if tag is not None and tag not in UNQUANTIZED:
                yield (
                    f"quantize.base: {base.as_posix()} is {tag} already: what is made from it has "
                    "lost twice, and says little of a quant that is made from F16"
                )


def identity_of(recipe: Recipe, hashes: HashCache) -> ArtifactIdentity:
    """Return what a cell depends on that is made: the bytes that it is made from."""
    return ArtifactIdentity(
        quantized_from=hashes.sha256(recipe.base),
        imatrix=hashes.sha256(recipe.imatrix) if recipe.imatrix else None,
    )


def made_file(model: str, quant: str, identity: ArtifactIdentity) -> Path:
    """Return where the file of a cell lies that is made."""
    content = {"base": identity.quantized_from, "quant": quant, "imatrix": identity.imatrix}
    name = slug(model)
    return Path("storage/quantized", name, digest_of(content), f"{name}-{quant}.gguf")


def _looked_at(config: SweepConfig, recipe: Recipe) -> tuple[bool, str | None, list[str]]:
    """Return whether a base can be used, its quant, and what is wrong with it and the matrix."""
    base, wrong, tag = recipe.base, [], None
    if not base.is_file():
        wrong.append(f"quantize.base: there is no file {base.as_posix()}")
    elif len(parts := shards(base)) > 1:
        whole = f"llama-gguf-split --merge {base.as_posix()} WHOLE.gguf"
        wrong.append(
            f"quantize.base: {base.as_posix()} is one of {len(parts)} parts; type: {whole}"
        )
    else:
        try:
            tag = read_gguf(base).quant_tag
        except LoadError as error:
            wrong.append(f"quantize.base: {error}")
    if tag not in (None, *UNQUANTIZED) and not config.quantize_allow_requantize:
        wrong.append(
            f"quantize.base: {base.as_posix()} is {tag} already, and what is made from it would "
            "lose twice; name a file in F32, F16 or BF16, or set quantize.allow_requantize: true"
        )
    if recipe.imatrix and not recipe.imatrix.is_file():
        wrong.append(f"quantize.imatrix: there is no file {recipe.imatrix.as_posix()}")
    return not wrong, tag, wrong


def _hindrances(config: SweepConfig, pair: Pair, recipe: Recipe) -> Iterator[str]:
    model, quant = pair
    place = f"artifacts.{model}.{quant}"
    if is_vendor_tag(quant):
        yield f"{place}: there is no file, and llama-quantize makes no mix of a vendor's own"
    elif quant in NEEDS_IMATRIX and recipe.imatrix is None:
        yield f"{place}: there is no file, and making one takes quantize.imatrix"
    if pin_for(config, *pair):
        yield f"artifact_digest.{model}.{quant}: a file that is yet to be made has no digest"


def _of_model(files: str | dict[str, str] | None, model: str) -> Path | None:
    named = files.get(model) if isinstance(files, dict) else files
    return None if named is None else located(filled(named, model))
