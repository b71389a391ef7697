"""Quantization tags: one spelling, one order.

The order is bits per weight (trap T18): counted from the file where there is one, else the nominal
value of this table. The nominal values are those that llama.cpp's `quantize` documents for
Llama 3.1 8B; block formats that it doesn't list carry their block's own bits.

Vendors publish their own mixes under their own tags: `UD-Q4_K_XL`, `Q4_K_L`, `i1-IQ4_XS`,
`Q4_0_4_4`, `Q4_K_M-imat`. llama.cpp does not know them, and the header of such a file holds the
type that the vendor started from. So a vendor's tag means that type's *family*, and the type's bits
until its file is read: the actual bits of a mix depend on its embeddings.

A tag may have a label after `@`: `Q4_K_M@bartowski` is the file of one maker, `Q4_K_M@kv8` a
variant of how it is served. The label says nothing about the type, and is kept as it is typed.
"""

from __future__ import annotations

import re

from orket_lib.vocabulary.slugs import LONGEST, slug

NOMINAL_BITS: dict[str, float] = {
    "F32": 32.0,
    "F16": 16.0,
    "BF16": 16.0,
    "Q8_0": 8.50,
    "Q6_K": 6.56,
    "Q5_1": 6.00,
    "Q5_K_M": 5.70,
    "Q5_K_S": 5.57,
    "Q5_0": 5.50,
    "Q4_1": 5.00,
    "Q4_K_M": 4.89,
    "IQ4_NL": 4.68,
    "Q4_K_S": 4.67,
    "Q4_0": 4.50,
    "IQ4_XS": 4.46,
    "Q3_K_L": 4.30,
    "MXFP4": 4.25,
    "Q3_K_M": 4.00,
    "IQ3_M": 3.76,
    "IQ3_S": 3.66,
    "Q3_K_S": 3.64,
    "IQ3_XS": 3.50,
    "IQ3_XXS": 3.25,
    "Q2_K": 3.16,
    "Q2_K_S": 2.97,
    "IQ2_M": 2.93,
    "IQ2_S": 2.74,
    "IQ2_XS": 2.59,
    "IQ2_XXS": 2.38,
    "IQ1_M": 2.15,
    "TQ2_0": 2.06,
    "IQ1_S": 2.00,
    "TQ1_0": 1.69,
}

# llama.cpp makes these only with an importance matrix, in every version that we know.
NEEDS_IMATRIX = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "Q2_K_S"})
UNQUANTIZED = frozenset({"F32", "F16", "BF16"})

_ALIASES = {"FP16": "F16", "FP32": "F32", "MXFP4 MOE": "MXFP4", "MXFP4_MOE": "MXFP4"}
_SIZES = {"Small": "_S", "Medium": "_M", "Large": "_L"}
_PLAIN_MEDIUM = {"Q2_K", "Q6_K"}  # sizes that have no suffix in the tag

# A vendor's tag: a prefix, one of our types or a size that only vendors have, anything after `-`.
_PREFIXES = {"UD": "UD-", "I1": "i1-"}  # Unsloth's dynamic mixes; made with an importance matrix
_PREFIXED = re.compile(rf"({'|'.join(_PREFIXES)})[-_](.+)")
_VENDOR_SIZE = re.compile(r"(Q[234568]_K)_X{0,2}L")
_REPACKED = re.compile(r"Q4_0_(?:4_4|4_8|8_8)")
_LARGEST = {  # the largest type of llama.cpp's own that a vendor's larger mix starts from
    "Q2_K": "Q2_K",
    "Q3_K": "Q3_K_L",
    "Q4_K": "Q4_K_M",
    "Q5_K": "Q5_K_M",
    "Q6_K": "Q6_K",
    "Q8_K": "Q8_0",
}
_SIZE = re.compile(r"_(?:XXS|XS|S|M|L|NL)$")
_LABEL = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-]")


def normalize_tag(tag: str) -> str:
    """Return the canonical spelling of a quant tag (`q4_k_m` and `FP16` become `Q4_K_M`, `F16`).

    `-` and `_` mean the same, except where they set off what a vendor added: `ud_q4-k-xl` becomes
    `UD-Q4_K_XL`, as its files are called.
    """
    plain, at, label = tag.strip().partition("@")
    return "".join(_parts(plain)) + at + label


def split_label(tag: str) -> tuple[str, str | None]:
    """Return a tag without its label, and the label; None without one."""
    plain, at, label = tag.partition("@")
    return plain, label if at else None


def is_label(text: str) -> bool:
    """Tell whether a text can be a label, and part of a path on every system."""
    return _LABEL.fullmatch(text) is not None


def is_vendor_tag(tag: str) -> bool:
    """Tell whether a tag is a vendor's name for a mix based on a known type."""
    return base_type(tag) is not None and _plain(tag) not in NOMINAL_BITS


def base_type(tag: str) -> str | None:
    """Return the llama.cpp type that a tag is based on; None for an unknown tag."""
    _, core, _ = _parts(split_label(tag)[0])
    return _type_of(core)


def can_be(asked: str, seen: str) -> bool | None:
    """Tell whether the tag that was read back fits the requested tag.

    A llama.cpp type must match exactly, a vendor's mix by its family: a `UD-Q4_K_XL` file may call
    itself `Q4_K_M` or `Q4_K_S`. None for an unknown requested tag.
    """
    if _plain(asked) == _plain(seen):
        return True
    wanted, found = base_type(asked), base_type(seen)
    if wanted is None:
        return None
    return is_vendor_tag(asked) and found is not None and _family(wanted) == _family(found)


def tag_of_ftype(ftype: str | None) -> str | None:
    """Return the tag for llama.cpp's description of a file type (`Q4_K - Medium` is `Q4_K_M`).

    None without a description, and for a type that llama.cpp does not know either.
    """
    if not ftype or ftype.startswith("unknown"):
        return None
    text = ftype.replace("(guessed)", "").strip()
    if text.lower().startswith("all "):
        text = text[4:]
    base, _, rest = text.partition(" - ")
    if base == "IQ3_S mix":
        return "IQ3_M"
    size = _SIZES.get(rest.strip(), "")
    return (
        normalize_tag(base)
        if base in _PLAIN_MEDIUM and size == "_M"
        else normalize_tag(base) + size
    )


def nominal_bits(tag: str) -> float | None:
    """Return the nominal bits per weight of a tag; None for an unknown tag.

    For a vendor's mix they are those of its base type, an approximation.
    """
    base = base_type(tag)
    return None if base is None else NOMINAL_BITS[base]


def is_path_safe(tag: str) -> bool:
    """Tell whether a tag can be part of a path on every system."""
    plain, label = split_label(tag)
    safe = plain[:1].isalnum() and slug(plain) == plain and len(tag) <= LONGEST
    return safe and (label is None or is_label(label))


def _plain(tag: str) -> str:
    return split_label(normalize_tag(tag))[0]


def _parts(tag: str) -> tuple[str, str, str]:
    """Return a vendor's prefix, the type, and a vendor's suffix, in canonical spelling."""
    text = tag.strip().upper()
    prefixed = _PREFIXED.fullmatch(text)
    prefix, rest = (_PREFIXES[prefixed[1]], prefixed[2]) if prefixed else ("", text)
    cuts = [len(rest), *(found.start() for found in reversed(list(re.finditer("-", rest))))]
    for cut in cuts:
        core = _canonical(rest[:cut])
        if _type_of(core) is not None:
            return prefix, core, rest[cut:]
    return "", _canonical(text), ""


def _canonical(core: str) -> str:
    plain = core.replace("-", "_")
    return _ALIASES.get(plain, plain)


def _type_of(core: str) -> str | None:
    if core in NOMINAL_BITS:
        return core
    if _REPACKED.fullmatch(core):
        return "Q4_0"
    larger = _VENDOR_SIZE.fullmatch(core)
    return _LARGEST[larger[1]] if larger else None


def _family(base: str) -> str:
    """Return a type without its size: `Q4_K` of `Q4_K_M`, `IQ4` of `IQ4_XS`."""
    return _SIZE.sub("", base)
