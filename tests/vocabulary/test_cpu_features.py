"""What a build leaves unused of a CPU."""

from __future__ import annotations

import pytest

from orket_lib.vocabulary.cpu_features import (
    NATIVE_BUILD,
    advice,
    features_of_cpu,
    unused_features,
)

WHEEL = "CPU : SSE3 = 1 | SSSE3 = 1 | AVX = 1 | AVX2 = 1 | F16C = 1 | FMA = 1 | BMI2 = 1 | "
WHEEL += "LLAMAFILE = 1 | OPENMP = 1 | REPACK = 1 | "
AVX2 = "avx avx2 f16c fma bmi2"
AVX512 = "avx512f avx512cd avx512vl avx512dq avx512bw"


def unused(flags: str, build: str = WHEEL, key: str = "flags") -> tuple[str, ...]:
    return unused_features(build, features_of_cpu(f"processor\t: 0\n{key}\t\t: {flags}\n"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (f"{AVX2} {AVX512}", ("AVX512",)),
        (f"{AVX2} {AVX512} avx512_vnni avx512vbmi", ("AVX512", "AVX512_VBMI", "AVX512_VNNI")),
        (f"{AVX2} {AVX512} avx512_bf16", ("AVX512", "AVX512_BF16")),
        (f"{AVX2} {AVX512} amx_tile amx_int8", ("AVX512", "AMX_INT8")),
        (f"{AVX2} avx_vnni", ("AVX_VNNI",)),
    ],
)
def test_what_a_cpu_has_beyond_the_build_is_unused(flags: str, expected: tuple[str, ...]) -> None:
    assert unused(flags) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fp asimd asimddp i8mm", ("DOTPROD", "MATMUL_INT8")), ("asimd sve", ("SVE",))],
)
def test_arm_has_features_of_its_own(flags: str, expected: tuple[str, ...]) -> None:
    assert unused(flags, "CPU : NEON = 1 | ARM_FMA = 1 |", "Features") == expected


@pytest.mark.parametrize(
    ("flags", "build"),
    [
        pytest.param(AVX2, WHEEL, id="a CPU without more"),
        pytest.param(f"{AVX2} {AVX512}", f"{WHEEL}AVX512 = 1 |", id="a native build"),
        pytest.param(f"{AVX2} avx512f avx512cd", WHEEL, id="a half AVX512, which is not enough"),
        pytest.param(f"{AVX2} amx_tile", WHEEL, id="AMX without its integers"),
        pytest.param(f"{AVX2} {AVX512}", "", id="a build that says nothing"),
        pytest.param("", WHEEL, id="a system that lists no flags"),
    ],
)
def test_nothing_else_is(flags: str, build: str) -> None:
    assert unused(flags, build) == ()


def test_a_feature_that_a_build_says_it_lacks_is_unused() -> None:
    assert unused(f"{AVX2} {AVX512}", f"{WHEEL}AVX512 = 0 |") == ("AVX512",)


def test_the_advice_is_a_line_to_type_or_the_server_that_is_there() -> None:
    assert advice(["AVX512"]).endswith(NATIVE_BUILD)
    found = advice(["AVX512", "AMX_INT8"], "/usr/bin/llama-server")
    assert "doesn't use AVX512, AMX_INT8 of this CPU" in found
    assert "provider: llama_server, server_binary: /usr/bin/llama-server" in found
    assert NATIVE_BUILD not in found
