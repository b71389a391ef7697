from __future__ import annotations

from pathlib import Path

import pytest

from orket_lib.processes.which import find_program


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the working folder, which is also the home folder, and not in PATH."""
    path = tmp_path / "llama-thing"
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return path


def test_a_bare_name_is_looked_for_in_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_program("llama-thing") is None
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_program("llama-thing") == str(program)


@pytest.mark.parametrize("name", ["./llama-thing", "~/llama-thing"])
def test_a_path_is_a_path(name: str, program: Path) -> None:
    found = find_program(name)
    assert found is not None
    assert Path(found).resolve() == program
    program.chmod(0o644)
    assert find_program(name) is None
