"""When a receipt makes its job due again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orket_lib.artifacts.io import write_json
from orket_lib.telemetry.allowance import memory
from orket_lib.telemetry.allowance.memory import MemoryAllowance
from orket_lib.vocabulary.units import MIB
from orket_lib.workflow.receipts import receipt_state


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.json").write_text("{}", encoding="utf-8")


def state(**content: Any) -> tuple[int, bool]:
    write_json(Path("receipt.json"), {"attempt": 3, "interrupted": [], "parts": []} | content)
    return receipt_state(Path("receipt.json"))


def test_a_receipt_of_what_the_store_still_has_is_settled() -> None:
    assert state() == (3, False)
    assert state(parts=[{"path": "there.json"}]) == (3, False)


def test_a_failure_that_may_pass_is_tried_again() -> None:
    assert state(interrupted=["killed from outside"]) == (3, True)


@pytest.mark.parametrize(("machine_mib", "again"), [(400, False), (410, False), (22000, True)])
def test_a_lack_of_memory_under_a_limit_is_tried_again_without_it(
    machine_mib: int, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = MemoryAllowance(machine_mib * MIB, machine_mib * MIB, ())
    monkeypatch.setattr(memory, "memory_allowance", lambda: allowed)
    assert state(memory_limit_mib=400) == (3, again)
    assert state(memory_limit_mib=None) == (3, False)


def test_a_part_that_was_deleted_is_measured_again() -> None:
    assert state(parts=[{"path": "there.json"}, {"path": "gone.json"}]) == (3, True)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"attempt": 1, "parts": [3]}'])
def test_one_that_can_not_be_read_is_of_no_attempt(content: bytes) -> None:
    Path("receipt.json").write_bytes(content)
    assert receipt_state(Path("receipt.json")) == (0, False)
    assert receipt_state(Path("no.json")) == (0, False)
