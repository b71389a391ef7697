from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orket_lib.artifacts.io import sha256_of_file
from orket_lib.sweep import hash_cache as hashes
from orket_lib.sweep.hash_cache import HashCache


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were really hashed."""
    names: list[str] = []

    def spy(path: Path) -> str:
        names.append(path.name)
        return sha256_of_file(path)

    monkeypatch.setattr(hashes, "sha256_of_file", spy)
    return names


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


def test_an_unchanged_file_is_hashed_once(tmp_path: Path, model: Path, hashed: list[str]) -> None:
    cache = HashCache(tmp_path / "cache.json")
    first = cache.sha256(model)
    assert cache.sha256(model) == first == sha256_of_file(model)
    cache.save()
    assert HashCache(tmp_path / "cache.json").sha256(model) == first
    assert hashed == ["model.gguf"]


def _touch(path: Path) -> None:
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))


def _grow(path: Path) -> None:
    stat = path.stat()
    path.write_bytes(path.read_bytes() + b"!")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("change", [_touch, _grow], ids=["another time", "another size"])
def test_a_changed_file_is_hashed_again(
    tmp_path: Path, model: Path, hashed: list[str], change: Callable[[Path], None]
) -> None:
    cache = HashCache(tmp_path / "cache.json")
    cache.sha256(model)
    change(model)
    assert cache.sha256(model) == sha256_of_file(model)
    assert len(hashed) == 2


def test_the_way_a_path_is_written_does_not_matter(
    tmp_path: Path, model: Path, hashed: list[str]
) -> None:
    cache = HashCache(tmp_path / "cache.json")
    cache.sha256(model)
    (tmp_path / "deeper").mkdir()
    cache.sha256(tmp_path / "deeper" / ".." / "model.gguf")
    assert len(hashed) == 1


def test_nothing_is_written_without_save(tmp_path: Path, model: Path) -> None:
    HashCache(tmp_path / "cache.json").sha256(model)
    assert not (tmp_path / "cache.json").exists()


def test_nothing_new_writes_nothing(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "cache.json"
    cache = HashCache(path)
    cache.sha256(model)
    cache.save()
    path.unlink()
    cache.sha256(model)
    cache.save()
    assert not path.exists()


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '"x"', '{"MODEL": "abc"}', '{"MODEL": {"size": SIZE, "mtime_ns": MTIME}}'],
)
def test_a_damaged_cache_only_costs_time(
    tmp_path: Path, model: Path, hashed: list[str], damage: str
) -> None:
    path = tmp_path / "cache.json"
    stat = model.stat()
    text = damage.replace('"MODEL"', json.dumps(model.resolve().as_posix()))
    text = text.replace("SIZE", str(stat.st_size)).replace("MTIME", str(stat.st_mtime_ns))
    path.write_text(text, encoding="utf-8")
    cache = HashCache(path)
    assert cache.sha256(model) == sha256_of_file(model)
    assert hashed == ["model.gguf"]
    cache.save()
    assert list(json.loads(path.read_text(encoding="utf-8"))) == [model.resolve().as_posix()]
