"""Bundles: the same files make the same bytes, and nothing leaves the folder or goes unnoticed."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from orket_lib.artifacts.bundle import BundledFile, BundleManifest
from orket_lib.stores.bundles import MANIFEST, is_plain, pack, unpack
from orket_lib.vocabulary.errors import ArtifactError

CONTENT = {
    "results/a/policy/matrix.json": b"{}",
    "results/a/cells/m/Q8_0/receipt.json": b'{"parts": []}',
    "results/a/quant_sweep/sweep_table.csv": b"a,b\n",
    "storage/runs/m/Q8_0/0/parts/1/answers.json": b"[1, 2, 3]" * 50,
    "storage/runs/m/Q8_0/0/parts/1/samples-0.csv.gz": bytes(range(256)),
    "storage/runs/m/Q8_0/0/parts/1/server.log": b"",
    "inputs/bank/bank.json": "Übung".encode(),
}


def manifest_of(content: dict[str, bytes], **changed: Any) -> bytes:
    files = tuple(
        BundledFile(path=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in content.items()
    )
    fields: dict[str, Any] = {
        "sweep": "a",
        "bank": "inputs/bank/bank.json",
        "kpi_policy": "inputs/bank/bank.json",
        "bundled_with": {},
        "files": files,
    }
    manifest = BundleManifest.model_construct(**fields | changed)
    return manifest.model_dump_json().encode()


def packed(folder: Path, name: str = "a.zip") -> Path:
    paths = {}
    for number, (inside, data) in enumerate(CONTENT.items()):
        paths[inside] = folder / f"{name}.{number}"
        paths[inside].write_bytes(data)
    pack(folder / name, manifest_of(CONTENT), paths, None)
    return folder / name


def test_a_file_that_changes_while_it_is_packed_makes_no_bundle(tmp_path: Path) -> None:
    name, path = next(iter(CONTENT)), tmp_path / "summary.json"
    path.write_text("another")
    with pytest.raises(ArtifactError, match=r"summary\.json: changed while it was packed"):
        pack(tmp_path / "a.zip", manifest_of(CONTENT), {name: path}, None)
    assert list(tmp_path.iterdir()) == [path]


def raw(path: Path, entries: dict[str, bytes], manifest: bytes | None = None) -> Path:
    """Write an archive as a stranger may."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, manifest or manifest_of(CONTENT))
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_the_same_files_make_the_same_bytes_and_come_out_again(tmp_path: Path) -> None:
    one, other = packed(tmp_path), packed(tmp_path, "b.zip")
    assert one.read_bytes() == other.read_bytes()
    out = tmp_path / "out"
    unpacked = unpack(one, out)
    assert unpacked.problems == ()
    assert not unpacked.signature
    assert {name: (out / name).read_bytes() for name in CONTENT} == CONTENT


@pytest.mark.parametrize("name", [name for name, data in CONTENT.items() if data])
def test_a_changed_byte_is_found_in_each_kind_of_file(name: str, tmp_path: Path) -> None:
    data = bytearray(CONTENT[name])
    data[len(data) // 2] ^= 1
    bundle = raw(tmp_path / "a.zip", CONTENT | {name: bytes(data)})
    (problem,) = unpack(bundle, tmp_path / "out").problems
    assert problem.startswith(f"{name}: changed: its SHA-256 is ")


def test_every_changed_byte_of_an_archive_is_found(tmp_path: Path) -> None:
    good = packed(tmp_path).read_bytes()
    known = unpack(tmp_path / "a.zip", tmp_path / "good").identity
    bad = tmp_path / "bad.zip"
    for place in range(0, len(good), 29):
        bad.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        try:
            unpacked = unpack(bad, tmp_path / f"bad-{place}")
        except ArtifactError:
            continue
        same = {
            name: (tmp_path / f"bad-{place}" / name).read_bytes()
            for name in CONTENT
            if (tmp_path / f"bad-{place}" / name).is_file()
        }
        # A byte that only says when or on which system a file was packed changes nothing.
        assert unpacked.problems or (unpacked.identity == known and same == CONTENT), place


def test_missing_and_additional_files_are_named(tmp_path: Path) -> None:
    entries = dict(CONTENT)
    entries.pop("inputs/bank/bank.json")
    problems = unpack(
        raw(tmp_path / "a.zip", entries | {"results/a/x": b"x"}), tmp_path / "out"
    ).problems
    assert sorted(problems) == [
        "inputs/bank/bank.json: missing",
        "results/a/x: is not in the manifest",
    ]
    assert not (tmp_path / "out" / "results/a/x").exists()


@pytest.mark.parametrize(
    "name",
    ["../x", "/tmp/x", "a/../../x", "a//x", "C:/x", "a\\..\\x", "./x", "a/\x1b[2J", "", "x" * 1001],
)
def test_no_path_leaves_the_folder(name: str, tmp_path: Path) -> None:
    assert not is_plain(name)
    bundle = raw(tmp_path / "a.zip", {name or "?": b"x"}, manifest_of({name: b"x"}))
    (problem, *_) = [it for it in unpack(bundle, tmp_path / "in/out").problems if "no path" in it]
    assert problem == f"{name}: no path inside a bundle; not unpacked"
    assert {it.name for it in tmp_path.rglob("*")} == {"a.zip", "in", "out", MANIFEST}


def test_a_link_is_unpacked_as_the_file_that_the_manifest_says(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("results/a/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(MANIFEST, manifest_of({link.filename: b"/etc/passwd"}))
        archive.writestr(link, b"/etc/passwd")
    unpacked = unpack(tmp_path / "a.zip", tmp_path / "out")
    assert unpacked.problems == ()
    assert not (tmp_path / "out" / link.filename).is_symlink()


def test_a_file_is_read_no_further_than_the_manifest_says(tmp_path: Path) -> None:
    bomb = zipfile.ZipInfo("results/a/zeros")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(MANIFEST, manifest_of({bomb.filename: b"0"}))
        archive.writestr(bomb, bytes(2**24))
    (problem,) = unpack(tmp_path / "a.zip", tmp_path / "out").problems
    assert problem == "results/a/zeros: changed: more than 1 bytes"
    assert (tmp_path / "out/results/a/zeros").stat().st_size <= 2**20


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        (Path(os.devnull), "must be a file"),
        (b"no archive", "not a bundle"),
        ({}, "it has no manifest.json"),
        ({MANIFEST: "{}"}, "not a valid BundleManifest"),
        ({MANIFEST: json.dumps({"schema_version": "orket.bundle.v9"})}, "expected 'orket.bundle."),
        ({MANIFEST: manifest_of({}, sweep="../x").decode()}, "sweep: must match"),
    ],
)
def test_what_is_no_bundle_is_refused(content: Any, said: str, tmp_path: Path) -> None:
    bundle = content if isinstance(content, Path) else tmp_path / "a.zip"
    if isinstance(content, bytes):
        bundle.write_bytes(content)
    elif isinstance(content, dict):
        with zipfile.ZipFile(bundle, "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    with pytest.raises(ArtifactError, match=said):
        unpack(bundle, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(MANIFEST, manifest_of({}))
        archive.writestr(MANIFEST, manifest_of(CONTENT))
    with pytest.raises(ArtifactError, match="a name occurs twice"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
