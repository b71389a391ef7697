"""A disk that is full, or gets full meanwhile: one last word that names it, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_disk import SmallDisk, small_disk_at
from sweep_workspace import Workspace

# Below the preflight's limit nothing is measured at all.
MIB = 256


@pytest.fixture
def one_cell(workspace: Workspace) -> Workspace:
    workspace.config |= {"quants": ["Q8_0"], "task_limit": 2, "probe_runs": 1}
    workspace.config["canary"] = {"runs": 0}
    return workspace


@pytest.fixture(
    params=[
        "storage",
        *(pytest.param(it, marks=pytest.mark.slow) for it in ("results", "logs", ".snakemake")),
    ]
)
def disk(request: pytest.FixtureRequest, one_cell: Workspace) -> Iterator[SmallDisk]:
    with small_disk_at(one_cell.folder / request.param, MIB) as disk:
        yield disk


def last_word(text: str) -> str:
    return text.rstrip().splitlines()[-1]


def said(disk: SmallDisk) -> str:
    return f"error: {disk.folder.name}: the disk at {disk.folder} is full (0.0 MiB free). Make room"


def test_nothing_is_begun_on_a_full_disk(one_cell: Workspace, disk: SmallDisk) -> None:
    disk.fill()
    result = one_cell.run()
    assert (result.code, "Traceback" in result.text) == (1, False)
    assert last_word(result.text).startswith(said(disk))
    assert not one_cell.sealed()


# By folder: the file after which nothing more can be written there. A log needs no room until
# there is something to say, so a sweep that goes well ends well without.
LAST = {
    "storage": "storage/runs/*/*/*/open/journal.jsonl",
    "results": "results/small/preflight.json",
    ".snakemake": "results/small/preflight.json",
}


@pytest.mark.slow
@pytest.mark.parametrize("disk", LAST, indirect=True)
def test_a_disk_that_fills_up_is_the_last_word_and_costs_no_measurement(
    one_cell: Workspace, disk: SmallDisk
) -> None:
    ended = threading.Event()

    def fill_up() -> None:
        while not ended.wait(0.005):
            if any(one_cell.folder.glob(LAST[disk.folder.name])):
                disk.fill()
                return

    other = threading.Thread(target=fill_up)
    other.start()
    result = one_cell.run()
    ended.set()
    other.join()
    assert (result.code, "Traceback" in result.text) == (1, False), result.text
    assert last_word(result.text).startswith(said(disk)), result.text
    parts = sorted(path.name for path in one_cell.folder.glob("storage/runs/*/*/*/parts/*/*.json"))
    assert parts in ([], ["answers.json", "index.json", "probes.json"])

    disk.empty()
    again = one_cell.run()
    assert again.code == 0, again.text
    assert one_cell.planned() == {}
    assert len(one_cell.sealed()) == 1
    assert not list(Path(one_cell.folder).rglob("failure.json"))
