"""The commits of the working folder and of the code, which are two things."""

import subprocess
from pathlib import Path

import pytest

from orket_lib.sweep.git_state import checkout_state, code_commit


def test_the_commit_of_the_code_is_not_that_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_commit()
    monkeypatch.chdir(tmp_path)
    author = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    for words in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *words], check=True)
    mine, dirty = checkout_state()
    assert (len(mine or ""), dirty) == (40, False)
    assert code_commit() == code != mine


def test_installed_code_has_no_commit_of_a_checkout_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.setattr("orket_lib.sweep.git_state.__file__", str(tmp_path / "git_state.py"))
    assert code_commit() is None
