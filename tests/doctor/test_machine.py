from __future__ import annotations

from pathlib import Path

import pytest

from orket_lib.doctor.machine import is_wsl, windows_address

WSL = "Linux version 5.15.153.1-microsoft-standard-WSL2 (root@941d701f84f1) (gcc 11.2.0)"
HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
LOCAL = "eth0\t0010A8C0\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0\n"
DEFAULT = "eth0\t00000000\t01101BAC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "version").write_text(WSL, encoding="utf-8")
    (tmp_path / "net" / "route").write_text(HEAD + LOCAL + DEFAULT, encoding="ascii")
    return tmp_path


def test_windows_is_at_the_default_gateway(proc: Path) -> None:
    assert is_wsl(proc)
    assert windows_address(proc) == "172.27.16.1"


def test_with_mirrored_networking_windows_has_no_address_of_its_own(proc: Path) -> None:
    (proc / "net" / "route").write_text(HEAD + LOCAL, encoding="ascii")
    assert windows_address(proc) is None
    (proc / "net" / "route").unlink()
    assert windows_address(proc) is None


def test_another_linux_is_none(proc: Path) -> None:
    (proc / "version").write_text("Linux version 6.1.0-18-amd64 (debian)", encoding="utf-8")
    assert not is_wsl(proc)
    assert windows_address(proc) is None
    assert not is_wsl(proc / "nowhere")
