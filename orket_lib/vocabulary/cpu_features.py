"""CPU instructions that make llama.cpp faster, and what to say if a build doesn't use them.

A wheel has to run on many CPUs, so its build knows fewer of them than one made on the machine.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# Names in llama.cpp's `system_info`, and the flags in Linux's /proc/cpuinfo that all are needed.
_FLAGS = {
    "AVX": ("avx",),
    "F16C": ("f16c",),
    "FMA": ("fma",),
    "BMI2": ("bmi2",),
    "AVX2": ("avx2",),
    "AVX_VNNI": ("avx_vnni",),
    "AVX512": ("avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"),
    "AVX512_VBMI": ("avx512vbmi",),
    "AVX512_VNNI": ("avx512_vnni",),
    "AVX512_BF16": ("avx512_bf16",),
    "AMX_INT8": ("amx_int8", "amx_tile"),
    "NEON": ("asimd",),
    "FP16_VA": ("asimdhp",),
    "DOTPROD": ("asimddp",),
    "MATMUL_INT8": ("i8mm",),
    "SVE": ("sve",),
    "SME": ("sme",),
}
_USED = re.compile(r"(\w+) = 1\b")
BUILT = "llama.cpp/build/bin/llama-server"


def build_line(option: str) -> str:
    """Return the line that builds a llama-server with a CMake option of llama.cpp."""
    return (
        "git clone https://github.com/ggml-org/llama.cpp && "
        f"cmake -S llama.cpp -B llama.cpp/build {option} && "
        "cmake --build llama.cpp/build --target llama-server -j"
    )


NATIVE_BUILD = build_line("-DGGML_NATIVE=ON")


def features_of_cpu(cpuinfo: str) -> frozenset[str]:
    """Return llama.cpp's names of the features that a /proc/cpuinfo shows."""
    keys = ("flags", "Features")
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    flags = next((set(value.split()) for key, _, value in lines if key.strip() in keys), set())
    return frozenset(name for name, needed in _FLAGS.items() if flags.issuperset(needed))


def unused_features(system_info: str, cpu: Collection[str]) -> tuple[str, ...]:
    """Return the features of a CPU that a build doesn't use; none if it doesn't say what it uses.

    Args:
        system_info: Of the build, such as `CPU : AVX = 1 | AVX2 = 1 | LLAMAFILE = 1 |`.
        cpu: Features of the CPU.
    """
    used = set(_USED.findall(system_info))
    return tuple(name for name in _FLAGS if name in cpu and name not in used) if used else ()


def advice(unused: Collection[str], server: str | None = None) -> str:
    """Return what a build leaves unused of the CPU, and the line that changes it.

    Args:
        unused: At least one feature.
        server: A llama-server that was found; None for one that has to be built.
    """
    build = "" if server else f"; to build one for this CPU: {NATIVE_BUILD}"
    return f"{what_is_unused(unused)} (in the config: {native_server(server)}){build}"


def what_is_unused(unused: Collection[str]) -> str:
    """Return what a build leaves unused of the CPU; at least one feature."""
    return (
        f"the embedded llama.cpp doesn't use {', '.join(unused)} of this CPU; a native "
        "llama-server may be faster"
    )


def native_server(server: str | None = None) -> str:
    """Return the settings for a llama-server; None is the one that `NATIVE_BUILD` makes."""
    return f"provider: llama_server, server_binary: {server or BUILT}"
