from __future__ import annotations

import re
from pathlib import PureWindowsPath

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from orket_lib.vocabulary.quants import (
    NOMINAL_BITS,
    base_type,
    can_be,
    is_path_safe,
    is_vendor_tag,
    nominal_bits,
    normalize_tag,
    tag_of_ftype,
)

DESCENDING = (
    "F32",
    "F16",
    "Q8_0",
    "Q6_K",
    "Q5_K_M",
    "Q5_K_S",
    "Q4_K_M",
    "Q4_K_S",
    "Q4_0",
    "IQ4_XS",
    "Q3_K_L",
    "Q3_K_M",
    "Q3_K_S",
    "Q2_K",
    "IQ2_XXS",
    "IQ1_S",
)


TYPES = st.sampled_from(list(NOMINAL_BITS))
TAG_LIKE = st.text("QK48_-./: \nÄnul", max_size=6)
UNKNOWN = ("Q9_Z", "Q4_K_N", "Q4_K", "Q4_K_M_IMAT", "UD-Q9", "UD-", "Q4_K_XXXL", "XQ4_K_M", "")


def respelled(tags: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, str]]:
    """Return tags as people write them, each with its canonical spelling."""

    def written(tag: str, lower: list[bool], dashes: bool, blanks: str) -> tuple[str, str]:
        letters = [one.lower() if low else one for one, low in zip(tag, lower, strict=False)]
        text = "".join(letters) + tag[len(lower) :]
        return blanks + (text.replace("_", "-") if dashes else text) + blanks, tag

    return st.builds(
        written,
        tags,
        st.lists(st.booleans(), max_size=8),
        st.booleans(),
        st.sampled_from(["", " ", "\n"]),
    )


def test_quants_are_ordered_by_bits_per_weight() -> None:
    bits = [NOMINAL_BITS[tag] for tag in DESCENDING]
    assert bits == sorted(set(bits), reverse=True)


def test_half_and_full_precision_do_not_rank_below_two_bits() -> None:
    lowest = NOMINAL_BITS["Q2_K"]
    assert all(NOMINAL_BITS[tag] > lowest for tag in ("F32", "F16", "BF16"))


def test_four_bit_variants_do_not_tie() -> None:
    four = [bits for tag, bits in NOMINAL_BITS.items() if tag.startswith(("Q4", "IQ4"))]
    assert len(four) > 4
    assert len(set(four)) == len(four)


def test_every_tag_of_the_table_is_canonical_and_can_be_a_folder() -> None:
    for tag in NOMINAL_BITS:
        assert normalize_tag(tag) == tag
        assert is_path_safe(tag)


@given(respelled(TYPES))
@example((" Q8_0 ", "Q8_0"))
@example(("iq4-xs", "IQ4_XS"))
@example(("fp16", "F16"))
@example(("FP32", "F32"))
def test_a_tag_has_one_spelling(pair: tuple[str, str]) -> None:
    written, canonical = pair
    assert normalize_tag(written) == canonical
    assert base_type(written) == canonical
    assert not is_vendor_tag(written)
    assert nominal_bits(written) == NOMINAL_BITS[canonical]
    assert can_be(canonical, written)


FILE_TYPES = {
    "all F32": "F32",
    "F16": "F16",
    "BF16": "BF16",
    "Q4_0": "Q4_0",
    "Q5_1": "Q5_1",
    "Q8_0": "Q8_0",
    "Q2_K - Medium": "Q2_K",
    "Q2_K - Small": "Q2_K_S",
    "Q3_K - Small": "Q3_K_S",
    "Q3_K - Medium": "Q3_K_M",
    "Q3_K - Large": "Q3_K_L",
    "Q4_K - Small": "Q4_K_S",
    "Q4_K - Medium": "Q4_K_M",
    "Q5_K - Small": "Q5_K_S",
    "Q5_K - Medium": "Q5_K_M",
    "Q6_K": "Q6_K",
    "TQ1_0 - 1.69 bpw ternary": "TQ1_0",
    "TQ2_0 - 2.06 bpw ternary": "TQ2_0",
    "IQ1_S - 1.5625 bpw": "IQ1_S",
    "IQ2_XXS - 2.0625 bpw": "IQ2_XXS",
    "IQ3_XXS - 3.0625 bpw": "IQ3_XXS",
    "IQ3_S - 3.4375 bpw": "IQ3_S",
    "IQ3_S mix - 3.66 bpw": "IQ3_M",
    "IQ4_NL - 4.5 bpw": "IQ4_NL",
    "IQ4_XS - 4.25 bpw": "IQ4_XS",
    "MXFP4 MoE": "MXFP4",
}


def test_llama_cpp_names_its_file_types_in_words() -> None:
    assert {ftype: tag_of_ftype(ftype) for ftype in FILE_TYPES} == FILE_TYPES
    assert all(nominal_bits(tag) is not None for tag in FILE_TYPES.values())


@given(st.sampled_from(list(FILE_TYPES)))
def test_a_guess_of_llama_cpp_is_named_like_the_type(ftype: str) -> None:
    assert tag_of_ftype(f"(guessed) {ftype}") == FILE_TYPES[ftype]
    assert tag_of_ftype(f"{ftype} (guessed)") == FILE_TYPES[ftype]


VENDOR_TAGS = [
    # written, canonical, base type
    ("UD-Q4_K_XL", "UD-Q4_K_XL", "Q4_K_M"),
    ("ud_q4-k-xl", "UD-Q4_K_XL", "Q4_K_M"),
    ("UD-IQ2_M", "UD-IQ2_M", "IQ2_M"),
    ("UD-Q8_K_XL", "UD-Q8_K_XL", "Q8_0"),
    ("I1-q4_k_m", "i1-Q4_K_M", "Q4_K_M"),
    ("q4_k_l", "Q4_K_L", "Q4_K_M"),
    ("Q3_K_XL", "Q3_K_XL", "Q3_K_L"),
    ("Q2_K_L", "Q2_K_L", "Q2_K"),
    ("Q6_K_L", "Q6_K_L", "Q6_K"),
    ("Q4_0_4_4", "Q4_0_4_4", "Q4_0"),
    ("q4-0-8-8", "Q4_0_8_8", "Q4_0"),
    ("IQ4_XS-4.25bpw", "IQ4_XS-4.25BPW", "IQ4_XS"),
    ("q4-k-m-imat", "Q4_K_M-IMAT", "Q4_K_M"),
]


VENDORS = st.tuples(st.sampled_from(["UD-", "i1-", ""]), TYPES, st.sampled_from(["", "-IMAT"]))


@st.composite
def vendor_tags(draw: st.DrawFn) -> tuple[str, str, str]:
    prefix, base, suffix = draw(VENDORS)
    assume(prefix or suffix)
    written = draw(respelled(st.just(base)))[0].strip()
    return f"{prefix.lower()}{written}{suffix.lower()}", prefix + base + suffix, base


@given(st.sampled_from(VENDOR_TAGS) | vendor_tags())
@example(VENDOR_TAGS[1])
def test_a_vendors_tag_keeps_its_spelling_and_stands_for_a_type(tags: tuple[str, str, str]) -> None:
    written, canonical, base = tags
    assert normalize_tag(written) == canonical == normalize_tag(canonical)
    assert base_type(written) == base
    assert is_vendor_tag(written)
    assert is_path_safe(canonical)
    assert nominal_bits(written) == NOMINAL_BITS[base]
    assert can_be(written, canonical)
    assert can_be(written, base)
    assert not can_be(base, written)


def test_types_of_llama_cpp_are_nobodys_mix() -> None:
    assert not any(map(is_vendor_tag, NOMINAL_BITS))
    assert all(base_type(tag) == tag for tag in NOMINAL_BITS)


def test_vendors_tags_that_differ_get_folders_that_differ() -> None:
    canonical = {normalized for _, normalized, _ in VENDOR_TAGS} | set(NOMINAL_BITS)
    folders = {tag.lower() for tag in canonical}
    assert len(folders) == len(canonical)


@pytest.mark.parametrize(
    ("asked", "seen", "expected"),
    [
        ("Q4_K_M", "Q4_K_S", False),
        ("UD-Q4_K_XL", "Q4_K_M", True),
        ("UD-Q4_K_XL", "Q4_K_S", True),
        ("UD-Q4_K_XL", "Q4_K_XL", True),
        ("UD-Q4_K_XL", "Q3_K_M", False),
        ("UD-Q4_K_XL", "Q4_0", False),
        ("UD-Q4_K_XL", "IQ4_XS", False),
        ("UD-Q2_K_XL", "Q2_K_S", True),
        ("UD-IQ2_M", "IQ2_XXS", True),
        ("UD-IQ2_M", "IQ1_M", False),
        ("Q4_0_4_4", "Q4_0", True),
        ("Q4_0_4_4", "Q4_1", False),
        ("Q8_K_XL", "Q8_0", True),
        ("MINE", "MINE", True),
        ("MINE", "Q4_K_M", None),
    ],
)
def test_a_type_is_met_exactly_and_a_mix_by_its_family(
    asked: str, seen: str, expected: bool | None
) -> None:
    assert can_be(asked, seen) is expected


@given(TYPES, TYPES, st.sampled_from(UNKNOWN))
def test_a_type_is_met_by_no_other_and_never_by_an_unknown_tag(
    one: str, other: str, unknown: str
) -> None:
    assert can_be(one, other) is (one == other)
    assert can_be(one, unknown) is False
    assert can_be(f"UD-{one}", unknown) is False
    assert can_be(unknown, one) is None


@pytest.mark.parametrize("tag", UNKNOWN)
def test_a_tag_around_nothing_that_we_know_has_no_bits(tag: str) -> None:
    assert base_type(tag) is None
    assert nominal_bits(tag) is None
    assert not is_vendor_tag(tag)


@given(TAG_LIKE)
@example("")
@example("..")
@example("Q4\n")
@example("Q4.")
@example("NUL")
@example("Q4_Ä")
@example("Q" * 65)
def test_a_tag_that_can_not_be_a_path_is_seen(tag: str) -> None:
    fits = re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?", tag) and len(tag) <= 64
    assert is_path_safe(tag) is bool(fits and not PureWindowsPath(tag).is_reserved())


def test_a_label_is_kept_as_it_is_typed_and_says_nothing_of_the_type() -> None:
    tag = normalize_tag("q4-k-m@Bartowski.v2")
    assert tag == "Q4_K_M@Bartowski.v2"
    assert (base_type(tag), nominal_bits(tag)) == ("Q4_K_M", NOMINAL_BITS["Q4_K_M"])
    assert not is_vendor_tag(tag)
    assert can_be(tag, "Q4_K_M") and can_be(tag, "Q4_K_M@other")
    assert can_be(tag, "Q4_K_S") is False
    assert is_path_safe(tag)
    assert not any(map(is_path_safe, ("Q4_K_M@", "Q4_K_M@a b", "Q4_K_M@a@b", "Q4_K_M@a.", "@a")))
