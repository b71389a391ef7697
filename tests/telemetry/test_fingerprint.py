"""Another card is another machine; whatever changes without it isn't."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pynvml
import pytest
from amd_tree import CONSUMER, RDNA, add_card
from nvml_replay import load_trace, nvml_of

from orket_lib.telemetry.fingerprint import hardware_fingerprint


def gpus(sysfs: Path) -> str:
    """Return what a fingerprint says of the GPUs; the rest is this machine's."""
    hardware_fingerprint.cache_clear()
    return hardware_fingerprint(sysfs).split("|")[-1]


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    hardware_fingerprint.cache_clear()


@pytest.fixture
def no_nvidia(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)


@pytest.mark.usefixtures("no_nvidia")
@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        pytest.param([], "none", id="no card"),
        pytest.param([RDNA], "amd_radeon_pro_w7900_x_1", id="a card with a name"),
        pytest.param([RDNA, RDNA], "amd_radeon_pro_w7900_x_2", id="two of a kind"),
        pytest.param([CONSUMER], "amd_gpu_744c_rev_c8_x_1", id="a card without a name"),
        pytest.param(
            [CONSUMER, {**CONSUMER, "revision": "0xcc\n"}],
            "amd_gpu_744c_rev_c8_x_1+amd_gpu_744c_rev_cc_x_1",
            id="two models with one chip",
        ),
    ],
)
def test_amd_cards_are_in_the_fingerprint(
    tmp_path: Path, cards: list[Mapping[str, str]], expected: str
) -> None:
    for number, files in enumerate(cards):
        add_card(tmp_path, number, files)
    assert gpus(tmp_path) == expected


@pytest.mark.usefixtures("no_nvidia")
def test_a_card_in_another_slot_and_with_more_in_use_is_the_same_machine(tmp_path: Path) -> None:
    add_card(tmp_path / "one", 0, CONSUMER)
    add_card(tmp_path / "two", 4, {**CONSUMER, "mem_info_vram_used": "1\n"})
    assert gpus(tmp_path / "one") == gpus(tmp_path / "two")


@pytest.mark.parametrize(
    ("trace", "expected"),
    [("two_cards", "nvidia_h100_80gb_hbm3_x_2"), ("mig", "nvidia_a100-sxm4-80gb_x_1")],
)
def test_nvidia_s_names_stay_as_they_are_beside_an_amd_card_too(
    tmp_path: Path, trace: str, expected: str
) -> None:
    add_card(tmp_path)
    with nvml_of(load_trace(trace)):
        assert gpus(tmp_path) == expected


def test_amd_s_own_library_is_not_even_loaded(tmp_path: Path) -> None:
    (tmp_path / "amdsmi.py").write_text("", encoding="ascii")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from orket_lib.telemetry.fingerprint import hardware_fingerprint\n"
        "hardware_fingerprint(); print('amdsmi' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
