"""A workspace of its own for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

# Real cells are those of the tests of traps.
import pytest
from sweep_workspace import SMALL, Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a fresh workspace."""
    return Workspace(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Workspace]:
    """Return a workspace whose sweep has been run once, shared by the tests of a module."""
    made: list[Workspace] = []

    def get() -> Workspace:
        if not made:
            workspace = Workspace(tmp_path_factory.mktemp("finished"))
            result = workspace.run()
            assert result.code == 0, result.text
            made.append(workspace)
        made[0].config = dict(SMALL)
        return made[0]

    return get
