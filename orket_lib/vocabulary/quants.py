"""Quantization tags: one spelling, one order.

The order is bits per weight (trap T18): counted from the file where there is one, else the nominal
value of this table. The nominal values are those that llama.cpp's `quantize` documents for
Llama 3.1 8B; block formats that it doesn't list carry their block's own bits.
"""

from __future__ import annotations

import re

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

_ALIASES = {"FP16": "F16", "FP32": "F32", "MXFP4 MOE": "MXFP4", "MXFP4_MOE": "MXFP4"}
_SIZES = {"Small": "_S", "Medium": "_M", "Large": "_L"}
_PLAIN_MEDIUM = {"Q2_K", "Q6_K"}  # sizes that have no suffix in the tag


def normalize_tag(tag: str) -> str:
    """Return the canonical spelling of a quant tag (`q4_k_m` and `FP16` become `Q4_K_M`, `F16`)."""
    canonical = tag.strip().upper().replace("-", "_")
    return _ALIASES.get(canonical, canonical)


def tag_of_ftype(ftype: str | None) -> str | None:
    """Return the tag for llama.cpp's description of a file type (`Q4_K - Medium` is `Q4_K_M`).

    None for no description, and for the one of a type that llama.cpp doesn't know either.
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
    """Return the nominal bits per weight of a tag, or None for one that we don't know."""
    return NOMINAL_BITS.get(normalize_tag(tag))


def is_path_safe(tag: str) -> bool:
    """Tell whether a tag can be part of a path on every system."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", tag) is not None
