"""Quants of one model are one group, however vendors write their names."""

from __future__ import annotations

import pytest

from orket_lib.doctor.names import model_of, quant_of, same_name


@pytest.mark.parametrize(
    ("files", "quants"),
    [
        # The case: shards in folders named by the quant, Unsloth's own mixes, brackets.
        (
            {
                "models/Q4_K_M/nano-Q4_K_M-00001-of-00002.gguf": "Q4_K_M",
                "models/Q8_0/nano-Q8_0-00001-of-00002.gguf": "Q8_0",
            },
            ["Q4_K_M", "Q8_0"],
        ),
        (
            {
                "models/Qwen3-8B-UD-Q4_K_XL.gguf": "Q4_K_M",
                "models/Qwen3-8B-Q8_0.gguf": "Q8_0",
            },
            ["Q8_0", "UD-Q4_K_XL"],
        ),
        (
            {"models/My Model (Q4_K_M).gguf": "Q4_K_M", "models/My Model (Q8_0).gguf": "Q8_0"},
            ["Q4_K_M", "Q8_0"],
        ),
        # Further members.
        ({"m/Qwen3-8B.Q4_K_M.gguf": "Q4_K_M", "m/qwen3-8b-q8_0.gguf": "Q8_0"}, ["Q4_K_M", "Q8_0"]),
        ({"m/x-i1-IQ4_XS.gguf": "IQ4_XS", "m/x-Q8_0.gguf": "Q8_0"}, ["Q8_0", "i1-IQ4_XS"]),
        ({"m/x-Q4_K_L.gguf": "Q4_K_M", "m/x-Q4_K_M.gguf": "Q4_K_M"}, ["Q4_K_L", "Q4_K_M"]),
        ({"m/x_Q4_K_M.gguf": "Q4_K_M", "m/x-f16.gguf": "F16"}, ["F16", "Q4_K_M"]),
        ({"m/x [q4_k_m].gguf": "Q4_K_M", "m/x [BF16].gguf": "BF16"}, ["BF16", "Q4_K_M"]),
        (
            {"m/x-Q4_K_M-GGUF/x-q4_k_m.gguf": "Q4_K_M", "m/x-Q8_0-GGUF/x-q8_0.gguf": "Q8_0"},
            ["Q4_K_M", "Q8_0"],
        ),
        (
            {
                "models--u--x-GGUF/snapshots/0a1b/x-Q4_K_M.gguf": "Q4_K_M",
                "models--u--x-GGUF/snapshots/2c3d/x-Q8_0.gguf": "Q8_0",
            },
            ["Q4_K_M", "Q8_0"],
        ),
        (
            {"u/x-GGUF/x-F16.gguf": "F16", "models--u--x-GGUF/snapshots/0/x-Q8_0.gguf": "Q8_0"},
            ["F16", "Q8_0"],
        ),
        ({"m/x-GGUF/Q4_K_M.gguf": "Q4_K_M", "m/x-GGUF/Q8_0.gguf": "Q8_0"}, ["Q4_K_M", "Q8_0"]),
        ({"qwen3:8b-q4_K_M": "Q4_K_M", "qwen3:8b-q8_0": "Q8_0"}, ["Q4_K_M", "Q8_0"]),
        (
            {"hf.co/u/x-GGUF:UD-Q4_K_XL": "Q4_K_M", "hf.co/u/x-GGUF:Q8_0": "Q8_0"},
            ["Q8_0", "UD-Q4_K_XL"],
        ),
        ({"qwen3-8b@q4_k_m": "Q4_K_M", "qwen3-8b@q8_0": "Q8_0"}, ["Q4_K_M", "Q8_0"]),
    ],
)
def test_quants_of_one_model_are_found(files: dict[str, str], quants: list[str]) -> None:
    found = {name: str(quant_of(name, told)) for name, told in files.items()}
    assert len({same_name(model_of(name, quant)) for name, quant in found.items()}) == 1
    assert sorted(found.values()) == quants


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x:7b-base-q4_0": "Q4_0"}, {"x:7b-instruct-q8_0": "Q8_0"}),
        ({"m/a/x-Q4_K_M.gguf": "Q4_K_M"}, {"m/b/x-Q8_0.gguf": "Q8_0"}),
        ({"m/phi-3-Q4_K_M.gguf": "Q4_K_M"}, {"m/phi-4-Q8_0.gguf": "Q8_0"}),
        ({"m/x-q8_0-tuned-Q4_K_M.gguf": "Q4_K_M"}, {"m/x-Q8_0.gguf": "Q8_0"}),
        # Its name says another quant than its header.
        ({"m/x-Q8_0.gguf": "Q2_K"}, {"m/x-Q4_K_M.gguf": "Q4_K_M"}),
    ],
)
def test_other_models_are_not_taken_for_quants_of_one(
    one: dict[str, str], other: dict[str, str]
) -> None:
    (first, first_told), (second, second_told) = *one.items(), *other.items()
    names = (
        same_name(model_of(name, str(quant_of(name, told))))
        for name, told in ((first, first_told), (second, second_told))
    )
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("name", "told", "quant"),
    [
        ("x-UD-Q4_K_XL.gguf", "Q4_K_S", "UD-Q4_K_XL"),
        ("x-UD-Q4_K_XL.gguf", "Q8_0", "Q8_0"),  # the header knows better
        ("x-Q8_0.gguf", "Q2_K", "Q2_K"),
        ("x.gguf", "Q4_K_M", "Q4_K_M"),
        ("x-Q4_K_M.gguf", None, None),  # T1: a name is only a label
        ("x.gguf", None, None),
    ],
)
def test_the_name_tells_a_quant_only_where_the_header_cant(
    name: str, told: str | None, quant: str | None
) -> None:
    assert quant_of(name, told) == quant
