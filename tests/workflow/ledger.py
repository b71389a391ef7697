"""What is sealed below storage/, and whether an invocation lost any of it or measured it twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_RECEIPTS = {
    "measure_cell": "cells/*/*/receipt.json",
    "measure_canary": "canary/receipt.json",
    "measure_sidecar": "cells/*/*/sidecar_receipt.json",
    "measure_contexts": "context_sweep/*/receipt.json",
    "measure_thermal": "thermal/*/receipt.json",
}
Items = dict[tuple[str, str], int]  # (kind, item as JSON): how often it is sealed


@dataclass(frozen=True)
class Asked:
    """What an invocation is asked to measure again.

    Attributes:
        rules: Of the jobs.
        paths: Of the receipts.
        everything: All of it.
        part: Of the cells, where not all of it: `probes` or `runs`.
    """

    rules: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    everything: bool = False
    part: str = ""

    def forces(self, rule: str, receipt: str = "") -> bool:
        """Tell whether a job measures again."""
        return self.everything or rule in self.rules or receipt in self.paths

    @property
    def anything(self) -> bool:
        """Whether anything is."""
        return bool(self.rules or self.paths or self.everything or self.part)


@dataclass(frozen=True)
class Ledger:
    """The store at one moment; all paths are relative to its root.

    Attributes:
        files: SHA-256 of each sealed file.
        parts: The items of each sealed part of a cell, by the cell's folder and the part's name.
        attempts: The times of the whole measurements (canary, sidecar, series), by folder.
        failed: Those of them that say nothing of the model, as (folder, time).
        journals: The lines of what is under way, by the cell's folder.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, Items]] = field(default_factory=dict)
    attempts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    failed: frozenset[tuple[str, str]] = frozenset()
    journals: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> Ledger:
        """Read the store."""
        parts: dict[str, dict[str, Items]] = {}
        for index in sorted(root.glob("runs/*/*/*/parts/*/index.json")):
            cell = index.parents[2].relative_to(root).as_posix()
            found = parts.setdefault(cell, {}).setdefault(index.parent.name, {})
            for part in json.loads(index.read_bytes())["parts"]:
                for item in part["items"]:
                    key = (part["kind"], json.dumps(item))
                    found[key] = found.get(key, 0) + 1
        attempts: dict[str, set[str]] = {}
        failed = set()
        for path in _attempts(root):
            folder = path.parents[1].relative_to(root).as_posix()
            attempts.setdefault(folder, set()).add(path.parent.name)
            if _says_nothing(json.loads(path.read_bytes())):
                failed.add((folder, path.parent.name))
        sealed = [
            *root.glob("runs/*/*/*/parts/*/**/*"),
            *(inner for path in _attempts(root) for inner in path.parent.rglob("*")),
        ]
        return cls(
            files={
                path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sealed
                if path.is_file()
            },
            parts=parts,
            attempts={folder: frozenset(times) for folder, times in attempts.items()},
            failed=frozenset(failed),
            journals={
                path.parents[1].relative_to(root).as_posix(): _whole_lines(path.read_bytes())
                for path in root.glob("runs/*/*/*/open/journal.jsonl")
            },
        )

    def newest(self, folder: str) -> str:
        """Return when the newest whole measurement of a folder was made; empty without one."""
        good = {time for time in self.attempts.get(folder, ()) if (folder, time) not in self.failed}
        return max(good, default="")

    def times_measured(self, cell: str, item: tuple[str, str]) -> int:
        """Return how often an item of a cell is sealed."""
        return sum(part.get(item, 0) for part in self.parts.get(cell, {}).values())


def _attempts(root: Path) -> list[Path]:
    kinds = (
        ("canary/*", "canary"),
        ("canary/*/closing", "canary"),
        ("sidecars/*/*/*", "sidecar"),
        ("thermal/*/*/*", "series"),
    )
    return [
        path for folder, name in kinds for path in sorted(root.glob(f"{folder}/[0-9]*/{name}.json"))
    ]


def _says_nothing(content: dict[str, Any]) -> bool:
    """Tell whether a canary or a series ended by what may pass."""
    return bool(content.get("failure")) or content.get("status") in ("crashed", "incomplete")


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


@dataclass(frozen=True)
class Change:
    """What an invocation did to the store.

    Attributes:
        root: Of the store.
        before: It.
        after: It.
        asked: What was to be measured again.
        cells: The sweep's cells: receipt by folder in the store.
        results: Folder of the sweep's views.
        products: All of them.
    """

    root: Path
    before: Ledger
    after: Ledger
    asked: Asked
    cells: Mapping[str, str]
    results: Path
    products: Set[str]

    def not_measured(self) -> Iterator[str]:
        """Yield the receipts that were asked for anew and name nothing that is new."""
        for rule, pattern in _RECEIPTS.items():
            for path in self.results.glob(pattern):
                name = path.relative_to(self.results.parents[1]).as_posix()
                forced = self.asked.forces(rule, name) or (
                    rule == "measure_cell" and bool(self.asked.part)
                )
                if name not in self.products:
                    continue  # of what the config no longer asks for
                parts = json.loads(path.read_bytes())["parts"]
                files = {part["path"].removeprefix("storage/") for part in parts}
                if forced and files and not files - self.before.files.keys():
                    yield f"{name} was to be measured again, and was not"

    def problems(self) -> Iterator[str]:
        """Yield what was lost, changed, or measured twice."""
        for path, digest in self.before.files.items():
            if path not in self.after.files:
                yield f"a sealed file is gone: {path}"
            elif self.after.files[path] != digest:
                yield f"a sealed file was changed: {path}"
        for cell, parts in self.after.parts.items():
            new = sorted(parts.keys() - self.before.parts.get(cell, {}).keys())
            if len(new) > 1:
                yield f"{cell} was measured {len(new)} times: {new}"
            for name in new:
                yield from self._again(cell, name, parts[name])
        yield from self._journals()
        for folder, times in self.after.attempts.items():
            new = sorted(times - self.before.attempts.get(folder, frozenset()))
            if len(new) > 1 or (new and not self._may_measure(folder)):
                yield f"{folder} was measured again for no reason: {new}"

    def _again(self, cell: str, name: str, items: Items) -> Iterator[str]:
        """Yield what of a new part was there before and not asked for again."""
        begun = _items_of(self.before.journals.get(cell, b""))
        for item, count in items.items():
            there = self.before.times_measured(cell, item)
            if count > 1 or (there and item not in begun and not self._forced(cell, item[0])):
                yield f"measured again for no reason: {cell} {name} {item}"
        journal = (self.root / cell / "parts" / name / "journal.jsonl").read_bytes()
        if twice := _repeated(journal):
            yield f"measured twice in one journal: {cell} {name} {twice}"

    def _forced(self, cell: str, kind: str) -> bool:
        if cell not in self.cells:
            contexts = any("context_sweep" in path for path in self.asked.paths)
            return self.asked.forces("measure_contexts") or contexts
        part = {"probes": "probes", "runs": "answers"}.get(self.asked.part)
        return part == kind or self.asked.forces("measure_cell", self.cells[cell])

    def _journals(self) -> Iterator[str]:
        """Yield the unfinished measurements of which lines were lost."""
        for cell, lines in self.before.journals.items():
            new = self.after.parts.get(cell, {}).keys() - self.before.parts.get(cell, {}).keys()
            now = [self.after.journals.get(cell, b"")]
            now += [(self.root / cell / "parts" / it / "journal.jsonl").read_bytes() for it in new]
            if not any(content.startswith(lines) for content in now):
                yield f"what was measured of {cell} before the interruption is lost"
        for cell, lines in self.after.journals.items():
            if twice := _repeated(lines):
                yield f"measured twice in one journal: {cell} {twice}"
            there = self.before.journals.get(cell, b"")
            for item in _items_of(lines).keys() - _items_of(there).keys():
                if self.before.times_measured(cell, item) and not self._forced(cell, item[0]):
                    yield f"measured again for no reason: {cell} open {item}"

    def _may_measure(self, folder: str) -> bool:
        """Tell whether there was none yet that would do, or another was asked for."""
        kind = folder.split("/")[0]
        rule = {"canary": "measure_canary", "sidecars": "measure_sidecar"}.get(
            kind, "measure_thermal"
        )
        closing = folder.endswith("/closing")
        rule = "measure_closing_canary" if closing else rule
        receipts = {"measure_canary": "canary/receipt.json", "measure_thermal": "thermal/"}
        word = receipts.get(rule, "sidecar_receipt.json")
        if self.asked.forces(rule) or any(word in path for path in self.asked.paths):
            return True
        newest = self.before.newest(folder)
        if not closing:
            return not newest
        last = max(max(self.after.parts.get(cell, {}), default="") for cell in self.cells)
        return newest < last


def _items_of(journal: bytes) -> dict[tuple[str, str], int]:
    """Return the items that the lines of a journal hold, and how often."""
    found: dict[tuple[str, str], int] = {}
    for line in journal.splitlines():
        entry = json.loads(line)
        data = entry["data"]
        if entry["kind"] == "probe":
            item = ("probes", json.dumps([data["key"], data["round"], data["probe"]["index"]]))
        elif entry["kind"] == "answer":
            item = ("answers", json.dumps([data["key"], data["round"], data["run_index"]]))
        else:
            continue
        found[item] = found.get(item, 0) + 1
    return found


def _repeated(journal: bytes) -> list[tuple[str, str]]:
    return [item for item, count in _items_of(journal).items() if count > 1]


def change_of(folder: Path, config: str, before: Ledger, asked: Asked) -> Change:
    """Return what a call of a sweep did to the store.

    Args:
        folder: In which it was run.
        config: Its file.
        before: The store before it.
        asked: What it was to measure again.
    """
    from orket_lib.sweep.load import load_sweep
    from orket_lib.workflow.targets import Targets

    with contextlib.chdir(folder):
        resolved = load_sweep([config], {}, remember=False)
    receipts = f"{resolved.results}/cells/{{}}/{{}}/receipt.json"
    return Change(
        root=folder / "storage",
        before=before,
        after=Ledger.of(folder / "storage"),
        asked=asked,
        cells={
            cell.spec.folder: receipts.format(cell.model_slug, cell.quant_tag)
            for cell in resolved.cells
        },
        results=folder / resolved.results,
        products=set(Targets(resolved).all_files()),
    )
