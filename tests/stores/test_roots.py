"""What a person may name as the place of the stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from orket_lib.stores.roots import StoreName, storage_root


@pytest.mark.parametrize("name", StoreName)
def test_a_folder_that_is_called_like_a_store_is_one(tmp_path: Path, name: str) -> None:
    for make in (False, True):
        if make:
            (tmp_path / "kept" / name).mkdir(parents=True)
        assert storage_root(tmp_path / "kept" / name) == tmp_path / "kept"
        assert storage_root(tmp_path / "kept") == tmp_path / "kept"


def test_a_folder_that_holds_stores_is_no_store_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "frontiers" / "frontiers").mkdir(parents=True)
    assert storage_root(tmp_path / "frontiers") == tmp_path / "frontiers"


@pytest.mark.parametrize(
    ("inside", "named", "root"),
    [
        ("kept/frontiers", ".", ".."),
        ("kept/frontiers/deeper", "..", "../.."),
        ("kept", "frontiers", "."),
        ("kept", ".", "."),
        ("", "kept/frontiers/", "kept"),
    ],
)
def test_a_relative_path_is_known_by_the_folder_that_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, named: str, root: str
) -> None:
    (tmp_path / "kept" / "frontiers" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / inside)
    assert storage_root(Path(named)).resolve() == Path(root).resolve()
