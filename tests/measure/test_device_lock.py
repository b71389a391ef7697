from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from orket_lib.measure.device_lock import device_lock, device_locks


def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "orket-locks" / "cpu.lock"


def test_a_device_is_locked_while_it_is_measured_and_free_after(tmp_path: Path) -> None:
    said: list[str] = []
    with device_lock("cpu", "one", said.append):
        assert not _is_free(tmp_path)
    assert _is_free(tmp_path)
    assert said == []


def test_a_failed_measurement_frees_the_device(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), device_lock("cpu", "one", print):
        raise ZeroDivisionError
    assert _is_free(tmp_path)


def test_who_has_to_wait_is_told_once_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    with device_lock("cpu", "measuring nano Q8_0", said.append):
        pass  # leaves the note of its holder behind
    other = FileLock(lock_file(tmp_path))
    other.acquire()

    def waiting(text: str) -> None:
        said.append(text)
        other.release()

    with device_lock("cpu", "two", waiting):
        assert not _is_free(tmp_path)
    (text,) = said
    assert text.startswith("waiting for the cpu: process ")
    assert "(measuring nano Q8_0)" in text


def test_several_devices_are_locked_together_the_processor_first(tmp_path: Path) -> None:
    gpu = lock_file(tmp_path).with_name("GPU-1.lock")
    said: list[str] = []
    other = FileLock(gpu)

    with device_lock("GPU-1", "measuring nano Q8_0", said.append):
        pass  # leaves the note of its holder behind
    other.acquire()

    def waiting(text: str) -> None:
        assert not _is_free(tmp_path), "the processor is held already"
        said.append(text)
        other.release()

    with device_locks(["GPU-1", "cpu", "GPU-1"], "two", waiting):
        assert not _is_free(tmp_path)
        assert not _is_free(tmp_path, gpu)
    assert _is_free(tmp_path) and _is_free(tmp_path, gpu)
    (text,) = said
    assert text.startswith("waiting for the GPU GPU-1: process ")


def _is_free(tmp_path: Path, path: Path | None = None) -> bool:
    probe = FileLock(path or lock_file(tmp_path), timeout=0)
    try:
        with probe:
            return True
    except TimeoutError:
        return False
