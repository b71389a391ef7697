"""What a container or job limits is said before anything is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.views.preflight import Needs, PreflightCheck
from orket_lib.preflight import checks, memory
from orket_lib.preflight.memory import FreeMemory, ModelSize, memory_checks
from orket_lib.processes import device_lock, lock_folder
from orket_lib.processes.lock_folder import REMEDY, VARIABLE
from orket_lib.telemetry.allowance.cpus import CpuAllowance, Quota

ALL = CpuAllowance(8, 4, None, 4, None)
HALF = CpuAllowance(8, 4, None, 4, Quota(0.5, "/box"))
TWO = CpuAllowance(8, 4, frozenset({0, 1}), 2, None)
SERVED = Needs(
    provider="openai", place=ServerLocation(base_url="http://127.0.0.1:1", server_binary=None)
)


def cpu_checks(
    patch: pytest.MonkeyPatch, allowed: CpuAllowance, needs: Needs
) -> list[PreflightCheck]:
    patch.setattr(checks, "cpu_allowance", lambda: allowed)
    return list(checks._cpus(needs))


def test_t33_half_a_cpu_is_a_warning_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = cpu_checks(monkeypatch, HALF, Needs(provider="embedded"))
    assert (check.ok, check.warning) == (True, True)
    assert check.detail.startswith("0.5 of 8 may be used (quota of 0.5 CPUs of cgroup /box)")
    assert "default threads: 1" in check.detail
    assert check.remedy == "give this container or job at least one whole CPU"


def test_t33_whole_cpus_are_said_and_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = cpu_checks(monkeypatch, TWO, Needs(provider="embedded"))
    assert not check.warning
    assert check.detail == ("2 of 8 may be used (affinity or cpuset: CPU 0-1); default threads: 2")


@pytest.mark.parametrize(
    ("allowed", "needs"), [(ALL, Needs(provider="embedded")), (HALF, SERVED)], ids=["all", "theirs"]
)
def test_no_limit_and_a_server_of_others_need_no_word(
    monkeypatch: pytest.MonkeyPatch, allowed: CpuAllowance, needs: Needs
) -> None:
    assert cpu_checks(monkeypatch, allowed, needs) == []


def memory_check(patch: pytest.MonkeyPatch, limited_by: str | None) -> PreflightCheck:
    free = FreeMemory("main memory", 300.0, False, 400.0, limited_by)
    patch.setattr(memory, "free_memory_for", lambda _: free)
    (check,) = memory_checks(Needs(provider="embedded"), [ModelSize("m.gguf", 900 << 20, None)])
    return check


def test_t33_a_limit_of_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check = memory_check(monkeypatch, "limit of 400 MiB: memory.max of cgroup /box")
    assert "(vram_profile safe; limit of 400 MiB: memory.max of cgroup /box)" in check.detail
    assert check.remedy == "a smaller quant or n_ctx, or a larger limit"


def test_a_machine_that_is_too_small_has_no_limit_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    check = memory_check(monkeypatch, None)
    assert check.detail.endswith("(vram_profile safe)")
    assert check.remedy == "a smaller quant or n_ctx"


def test_another_folder_of_locks_is_a_warning_and_none_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(checks._locks()) == [], "the usual folder"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "shared"))
    (check,) = checks._locks()
    assert (check.ok, check.warning, check.remedy) == (True, True, REMEDY)
    monkeypatch.delenv(VARIABLE)
    gone = tmp_path / "gone"
    monkeypatch.setattr(device_lock, "_machine_folder", lambda: gone)
    monkeypatch.setattr(lock_folder, "_INSTEAD", gone)
    (check,) = checks._locks()
    assert not check.ok
    assert check.remedy == REMEDY
    assert "No such file or directory" in check.detail
    assert REMEDY not in check.detail
