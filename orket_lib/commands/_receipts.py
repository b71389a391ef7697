"""The receipts of a sweep's cells."""

from __future__ import annotations

from pathlib import Path

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.request import AskedReceipts
from orket_lib.artifacts.views.receipt import AnyReceipt


def cell_receipts(listed: Path) -> list[AnyReceipt]:
    """Return the receipts of all cells and rounds of a sweep.

    Args:
        listed: Its `policy/receipts.json`.

    Raises:
        ArtifactError: The list or a receipt is missing or damaged.
    """
    cells = listed.parent.parent / "cells"
    return [
        read_model(cells / path, AnyReceipt) for path in read_model(listed, AskedReceipts).paths
    ]
