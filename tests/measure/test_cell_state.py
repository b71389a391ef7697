"""What `orket status` says of a cell that is not measured."""

from __future__ import annotations

from pathlib import Path

from builders import spec

from orket_lib.measure.cell_state import cell_state
from orket_lib.stores.parts import CellStore, Wanted


def test_a_cell_without_any_measurement_is_not_measured_and_no_more(tmp_path: Path) -> None:
    wanted = spec()
    store = CellStore(tmp_path / wanted.digest())
    state, detail, _ = cell_state(store, wanted, Wanted.of(wanted))
    assert (state, detail) == ("not measured", "")


def test_what_differs_from_an_earlier_measurement_is_said(tmp_path: Path) -> None:
    wanted, old = spec(n_ctx=4096), spec(n_ctx=2048)
    earlier = CellStore(tmp_path / old.digest())
    earlier.describe(old)
    (earlier.folder / "parts" / "20261129T120000.000Z").mkdir(parents=True)
    store = CellStore(tmp_path / wanted.digest())
    _, detail, _ = cell_state(store, wanted, Wanted.of(wanted))
    assert detail == "an earlier measurement has n_ctx 2048 instead of 4096"
