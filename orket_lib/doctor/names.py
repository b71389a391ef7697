"""The model and the quant in the name of a file or tag, as vendors write them.

`Q4_K_M/Qwen3-8B-Q4_K_M-00001-of-00002.gguf`, `Qwen3-8B-UD-Q4_K_XL.gguf`, `qwen3:8b-q8_0` and
`Qwen3 8B (Q8_0)` are quants of one model each.
"""

from __future__ import annotations

import re

from orket_lib.vocabulary.quants import base_type, can_be, is_vendor_tag, normalize_tag

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
# Of Hugging Face's cache: the repository `u/x` in the revision 0a1b.
_CACHED = re.compile(r"\bmodels--([^/]+?)--([^/]+)/snapshots/[^/]+/")
_BETWEEN = re.compile(r"[-_.:@\s(\[{]+")
_CLOSING = ")]} "
# Suffixes of vendors; anything else after a quant belongs to the model.
_TYPE = re.compile(
    r"(?i)(ud[-_]|i1[-_])?(i?q\d\w*|t?q\d_\d|b?f16|f32|fp16|fp32|mxfp4\w*)(-imat\w*)?"
)


def split_name(name: str) -> tuple[str, str | None]:
    """Return a name without its quant, and the quant in it, if there is one.

    Args:
        name: Of a file, without folders, or of a tag.
    """
    stem = _SHARD.sub("", name.removesuffix(".gguf"))
    bare = stem.rstrip(_CLOSING)
    starts = [(0, 0), *(found.span() for found in _BETWEEN.finditer(bare))]
    for end, start in starts:
        quant = bare[start:]
        if _TYPE.fullmatch(quant) and base_type(quant) is not None:
            return bare[:end], normalize_tag(quant)
    return stem, None


def quant_of(name: str, reported: str | None) -> str | None:
    """Return the quant of a model: a vendor's tag in its name, which no header has, or `reported`.

    Without a reported quant it is None: a name alone is only a label (T1).

    Args:
        name: Of the file or tag, which may have folders.
        reported: By the header or the server.
    """
    _, named = split_name(name.rpartition("/")[2])
    if named is None or reported is None or not can_be(named, reported):
        return reported
    return named if is_vendor_tag(named) else reported


def model_of(name: str, quant: str) -> str:
    """Return the name of a model that all its quants share; a name without the quant is kept.

    Args:
        name: Of the file or tag, which may have folders.
        quant: Of it.
    """
    name = _CACHED.sub(r"\1/\2/", name)
    *folders, last = name.split("/")
    stem, named = split_name(last)
    if named is None or can_be(named, quant) is False:
        return name.removesuffix(".gguf")
    kept = [folder for folder in map(_without_quant, folders) if folder is not None]
    return "/".join([*kept, stem] if stem else kept) or name


def same_name(name: str) -> str:
    """Return one spelling for all spellings of a name."""
    return re.sub(r"[-_. ]+", "-", name.casefold())


def _without_quant(folder: str) -> str | None:
    """Return a folder without the quant in its name; None for one that is named by a quant."""
    suffix = re.search(r"(?i)[-_.]gguf$", folder)
    bare = folder[: suffix.start()] if suffix else folder
    stem, named = split_name(bare)
    if named is None:
        return folder
    return f"{stem}{suffix[0] if suffix else ''}" if stem else None
