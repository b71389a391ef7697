"""T34: two kinds of machine have two fingerprints, and one machine has one."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from orket_lib.telemetry import cpu_model, fingerprint
from orket_lib.telemetry.fingerprint import hardware_fingerprint, machine_of, older_fingerprints

ARM = "CPU implementer\t: {}\nCPU architecture: 8\nCPU part\t: {}\n"
PI5 = (
    ARM.format("0x41", "0xd0b")
    + "\nRevision\t: c04170\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
)
PI4 = ARM.format("0x41", "0xd08") + "\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
ALTRA = ARM.format("0x41", "0xd0c")
BIG_LITTLE = ARM.format("0x41", "0xd05") + ARM.format("0x41", "0xd0b")
X86 = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Linux on ARM, 4 cores, 8 GiB and no GPU."""
    pretend(monkeypatch, "Linux", "aarch64", "")
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 4)
    monkeypatch.setattr(psutil, "Process", SimpleNamespace)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8 << 30))

    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    for cached in (hardware_fingerprint, older_fingerprints):
        cached.cache_clear()


def pretend(patch: pytest.MonkeyPatch, system: str, machine: str, processor: str) -> None:
    patch.setattr(platform, "system", lambda: system)
    patch.setattr(platform, "machine", lambda: machine)
    patch.setattr(platform, "processor", lambda: processor)


def linux(root: Path, cpuinfo: str, **files: str) -> str:
    """Return the fingerprint of a Linux machine; files are named with `__` for `/`."""
    contents = {"proc/cpuinfo": cpuinfo} | {k.replace("__", "/"): v for k, v in files.items()}
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return hardware_fingerprint(root / "sys", root)


def mac(monkeypatch: pytest.MonkeyPatch, brand: str | None, gpu_cores: int | None = None) -> str:
    """Return the fingerprint of a Mac whose `sysctl` prints a brand."""

    def run(command: list[str], **_: object) -> SimpleNamespace:
        printed = {"sysctl": brand, "ioreg": gpu_cores and f'  "gpu-core-count" = {gpu_cores}'}
        if printed[command[0]] is None:
            raise FileNotFoundError(command[0])
        return SimpleNamespace(stdout=f"{printed[command[0]]}\n")

    monkeypatch.setattr(subprocess, "run", run)
    hardware_fingerprint.cache_clear()
    return hardware_fingerprint(Path("/nowhere"), Path("/nowhere"))


def test_t34_boards_and_servers_of_one_size_are_told_apart(tmp_path: Path) -> None:
    found = [
        linux(tmp_path / "pi5", PI5),
        linux(tmp_path / "pi4", PI4),
        linux(tmp_path / "altra", ALTRA),
        linux(tmp_path / "rented", ALTRA, sys__class__dmi__id__product_name="m6g.xlarge\n"),
        linux(tmp_path / "rk3588", BIG_LITTLE),
        linux(tmp_path / "rock5", BIG_LITTLE, **{"proc__device-tree__model": "Radxa ROCK 5B\0"}),
        linux(tmp_path / "orange", BIG_LITTLE, **{"proc__device-tree__model": "Orange Pi 5\0"}),
    ]
    assert len(set(found)) == len(found)
    assert found[0] == "linux|raspberry_pi_5_model_b_rev_1.0_aarch64_0x41:0xd0b|4|8|none"
    assert found[2] == "linux|aarch64_0x41:0xd0c|4|8|none"


def test_32_bit_arm_has_one_model_name_for_all_boards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "Linux", "armv7l", "")
    name = "model name\t: ARMv7 Processor rev 3 (v7l)\n"
    assert linux(tmp_path / "4", name + PI4) != linux(tmp_path / "5", name + PI5)


@pytest.mark.parametrize(
    ("machine", "one", "other"),
    [
        ("ppc64le", "cpu\t: POWER9\nmachine\t: PowerNV", "cpu\t: POWER10\nmachine\t: pSeries"),
        ("mips64", "cpu model\t: Loongson-3A4000", "cpu model\t: Cavium Octeon III"),
        ("loongarch64", "Model Name\t: Loongson-3A5000", "Model Name\t: Loongson-3A6000"),
        ("riscv64", "isa\t: rv64\nuarch\t: sifive,u74-mc", "isa\t: rv64\nuarch\t: thead,c910"),
    ],
)
def test_other_architectures_have_their_own_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, one: str, other: str
) -> None:
    pretend(monkeypatch, "Linux", machine, "")
    assert linux(tmp_path / "one", one) != linux(tmp_path / "other", other)


@pytest.mark.parametrize(
    ("architecture", "processor", "brands"),
    [
        ("arm64", "arm", ("Apple M1 Pro", "Apple M4")),
        ("x86_64", "i386", ("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", "Intel(R) Core(TM) i5")),
    ],
)
def test_macs_are_told_apart_by_their_brand(
    monkeypatch: pytest.MonkeyPatch, architecture: str, processor: str, brands: tuple[str, str]
) -> None:
    pretend(monkeypatch, "Darwin", architecture, processor)
    assert mac(monkeypatch, brands[0]) != mac(monkeypatch, brands[1])


def test_a_mac_with_an_apple_chip_has_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "Darwin", "arm64", "arm")
    assert mac(monkeypatch, "Apple M1 Pro", 14) == (
        "darwin|apple_m1_pro|4|8|apple_gpu,_14_cores_x_1"
    )
    assert mac(monkeypatch, "Apple M1 Pro", 16) != mac(monkeypatch, "Apple M1 Pro", 14)
    assert mac(monkeypatch, None) == "darwin|arm|4|8|apple_gpu_x_1"


def test_x86_is_named_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "Linux", "x86_64", "")
    dmi = {"sys__class__dmi__id__product_name": "c5.large\n"}
    assert linux(tmp_path / "one", X86) == linux(tmp_path / "two", X86, **dmi)
    assert hardware_fingerprint(tmp_path / "sys", tmp_path / "one") == "linux|amd_epyc|4|8|none"
    assert older_fingerprints(tmp_path / "sys", tmp_path / "one") == ()


@pytest.mark.parametrize(
    "changed",
    [
        PI5.replace("\nRevision", "\nSerial\t\t: 1000\nRevision"),
        PI5.replace("CPU part", "BogoMIPS\t: 54.00\nCPU part"),
        PI5.replace("CPU part", "CPU revision\t: 2\nCPU part"),
        ARM.format("0x41", "0xd0b") + PI5,
        PI5.replace("CPU part\t", "CPU part \t"),
    ],
    ids=["serial number", "clock", "stepping", "number of CPUs shown", "spaces"],
)
def test_what_differs_between_two_boots_is_not_in_it(tmp_path: Path, changed: str) -> None:
    assert linux(tmp_path / "one", PI5) == linux(tmp_path / "two", changed)


@pytest.mark.parametrize("name", ["", "Default string", "To Be Filled By O.E.M."])
def test_a_placeholder_of_the_firmware_is_no_name(tmp_path: Path, name: str) -> None:
    found = linux(tmp_path, ALTRA, sys__class__dmi__id__product_name=name)
    assert found == "linux|aarch64_0x41:0xd0c|4|8|none"


def test_a_board_s_name_can_t_add_a_part(tmp_path: Path) -> None:
    found = linux(tmp_path, ALTRA, sys__class__dmi__id__product_name="a|b")
    assert found.count("|") == 4


def test_the_older_name_of_a_machine_is_still_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux(tmp_path, PI5)
    older = older_fingerprints(tmp_path / "sys", tmp_path)
    assert older == ("linux|aarch64|4|8|none",)
    monkeypatch.setattr(fingerprint, "older_fingerprints", lambda: older)
    monkeypatch.setattr(fingerprint, "hardware_fingerprint", lambda: "new")
    assert machine_of(None, older[0]) == older[0]
    assert machine_of(None, "new") == "new"
    assert machine_of(None, "another") == "new"
    assert machine_of("HOST", older[0]) == "remote|host"


def test_a_limit_of_cpus_is_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cgroup_tree import V2, add_tree

    whole = linux(tmp_path / "whole", PI5)
    add_tree(tmp_path / "half", V2, {"/a": {"cpu.max": "50000 100000"}}, "/a")
    half = linux(tmp_path / "half", PI5)
    assert half == whole.replace("|4|", "|0.5_of_4|")
    assert older_fingerprints(tmp_path / "sys", tmp_path / "half") == ()


def test_a_limit_of_memory_is_not(tmp_path: Path) -> None:
    from cgroup_tree import V2, add_tree

    add_tree(tmp_path / "limited", V2, {"/a": {"memory.max": "1000000"}}, "/a")
    assert linux(tmp_path / "limited", PI5) == linux(tmp_path / "whole", PI5)


def test_the_name_in_windows_registry_is_asked_for_on_windows_only() -> None:
    assert cpu_model._windows_name() == ""
