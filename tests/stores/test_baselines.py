"""Histories of baselines: what is pinned or new stays, times order, names stay in their folder."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import builders
import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from orket_lib.analysis.baselines.records import baselines_of
from orket_lib.artifacts.baseline import Baseline, BaselineHistory, BaselineMetadata
from orket_lib.artifacts.io import read_json, write_json
from orket_lib.artifacts.schemas import schema_file
from orket_lib.stores.baselines import AddedRecords, BaselineStore
from orket_lib.stores.retention import Per
from orket_lib.vocabulary.errors import ArtifactError

ROOT = Path(__file__).resolve().parents[2]
TASK = "add-0001"
START = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)


def record(ref: str, created_at: str = builders.NOW, quant: str = "Q4_K_M") -> Baseline:
    (first, _) = baselines_of(
        builders.report(), {"add-0001": "r1", "add-0002": "r1"}, clean=True
    ).values()
    changes = {"test_run_id": ref, "created_at": created_at, "quant_tag": quant}
    metadata = first.baseline_metadata.model_dump() | changes
    return first.model_copy(update={"baseline_metadata": BaselineMetadata(**metadata)})


def refs(records: tuple[Baseline, ...]) -> list[str]:
    return [item.baseline_metadata.test_run_id for item in records]


def written(moment: datetime, chance: random.Random) -> str:
    """Return one of the ways to write a time: other offsets, fractions, `Z`, none at all."""
    offset = timezone(timedelta(minutes=chance.choice((-570, -60, 0, 60, 345, 840))))
    there = moment.astimezone(offset)
    form = chance.randrange(4)
    if form == 0:
        return moment.isoformat().replace("+00:00", "Z")
    if form == 1:
        return moment.replace(tzinfo=None).isoformat()
    return there.isoformat(timespec="microseconds" if form == 2 else "auto")


@pytest.mark.parametrize("seed", range(20))
def test_no_pinned_record_is_lost_and_the_newest_unpinned_stay(tmp_path: Path, seed: int) -> None:
    """The store behaves like a simple model of it under random operations."""
    chance, store = random.Random(seed), BaselineStore(tmp_path)
    moments: dict[str, datetime] = {}
    quants: dict[str, str] = {}
    there: dict[str, bool] = {}  # pinned, by ref

    for step in range(40):
        action = chance.choice(("record", "record", "record", "pin", "unpin", "prune"))
        some = chance.choice([*there, "unknown"])
        if action == "record":
            ref = f"run-{step}"
            # Fractions that differ late, whole seconds, and now and then the same moment twice.
            shift = timedelta(seconds=chance.randrange(4), microseconds=chance.choice((0, 1, 500)))
            moments[ref], quants[ref] = START + shift, chance.choice(("Q8_0", "Q2_K"))
            store.add(TASK, [record(ref, written(moments[ref], chance), quants[ref])])
            there[ref] = False
        elif action in ("pin", "unpin"):
            assert store.pin(TASK, some, action == "pin") is (some in there)
            if some in there:
                there[some] = action == "pin"
        else:
            keep, per = chance.randrange(1, 5), chance.choice(list(Per))
            planned = refs(store.prune(TASK, keep, per, dry_run=True))
            assert sorted(refs(store.history(TASK))) == sorted(there)
            gone = refs(store.prune(TASK, keep, per))
            assert gone == planned
            left = {ref: pinned for ref, pinned in there.items() if ref not in gone}
            assert not any(there[ref] for ref in gone)
            groups = defaultdict(list)
            for ref, pinned in there.items():
                if not pinned:
                    groups[quants[ref] if per is Per.CELL else ""].append(ref)
            for group in groups.values():
                kept = [ref for ref in group if ref in left]
                assert len(kept) == min(keep, len(group))
                newest_gone = max((moments[ref] for ref in group if ref in gone), default=START)
                assert all(moments[ref] >= newest_gone for ref in kept)
            there = left
        history = store.history(TASK)
        assert sorted(refs(history)) == sorted(there)
        assert [moments[ref] for ref in refs(history)] == sorted(moments[ref] for ref in there)
        assert {
            item.baseline_metadata.test_run_id: item.baseline_metadata.pinned for item in history
        } == there


def test_times_are_compared_as_times_and_not_as_text(tmp_path: Path) -> None:
    store = BaselineStore(tmp_path)
    oldest_first = [
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00.5Z",
        "2026-11-23T10:00:00.75",
        "2026-11-23T12:00:01+02:00",
        "2026-11-23T04:30:02-05:30",
        "2026-11-23T10:00:03.000001Z",
    ]
    for moment in reversed(oldest_first):
        store.add(TASK, [record(moment, moment)])

    assert refs(store.history(TASK)) == oldest_first
    assert refs(store.prune(TASK, 1, Per.TEST)) != []
    assert refs(store.history(TASK)) == oldest_first[-1:]


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="created_at"):
        record("run", "yesterday")


@pytest.mark.parametrize(
    "test_id",
    [
        "../escaped",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "C:\\x",
        "con",
        "nul.txt",
        "x" * 300,
        ".hidden",
        "tab\tand\nline",
        "ünïcode",
        "\x00",
        "trailing.",
        "a b",
        "a:b",
        "a_b",
    ],
)
def test_a_test_id_can_not_leave_the_folder(tmp_path: Path, test_id: str) -> None:
    root = tmp_path / "storage"
    store = BaselineStore(root)

    store.add(test_id, [record("run")])

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parent == root / "baselines" for path in files)
    assert [path.suffix for path in store.files()] == [".json"]
    assert store.test_ids() == (test_id,)
    assert refs(store.history(test_id)) == ["run"]


def test_names_that_look_alike_are_histories_of_their_own(tmp_path: Path) -> None:
    store = BaselineStore(tmp_path)
    names = ["a_b", "a b", "a:b", "a/b", "a\\b", "é", "è"]
    for name in names:
        store.add(name, [record(f"run of {name}")])

    assert sorted(store.test_ids()) == sorted(names)
    assert {name: refs(store.history(name)) for name in names} == {
        name: [f"run of {name}"] for name in names
    }


def test_the_same_measurement_twice_is_one_record_and_stays_pinned(tmp_path: Path) -> None:
    store = BaselineStore(tmp_path)
    assert refs(store.add(TASK, [record("run"), record("run")]).added) == ["run"]
    store.pin(TASK, "run", True)

    assert store.add(TASK, [record("run")]) == AddedRecords((), ())

    (only,) = store.history(TASK)
    assert only.baseline_metadata.pinned


def test_a_measurement_that_grew_stays_one_record_and_pinned(tmp_path: Path) -> None:
    """More rounds are more runs of the same measurement; a shorter report takes nothing back."""
    store, shorter = BaselineStore(tmp_path), record("run")
    telemetry = shorter.gold_telemetry.model_copy(update={"runs": 4, "adherence_score": 0.5})
    fuller = shorter.model_copy(update={"gold_telemetry": telemetry})
    store.add(TASK, [shorter, record("other")])
    store.pin(TASK, "run", True)

    assert refs(store.add(TASK, [fuller]).replaced) == ["run"]
    assert store.add(TASK, [shorter]) == AddedRecords((), ())

    first, second = store.history(TASK)
    assert (first.gold_telemetry, first.baseline_metadata.pinned) == (telemetry, True)
    assert second == record("other")
    at_once = BaselineStore(tmp_path / "at once")
    assert refs(at_once.add(TASK, [shorter, fuller]).added) == ["run"]
    assert [item.gold_telemetry.runs for item in at_once.history(TASK)] == [4]


def test_a_record_from_before_a_field_learns_it_when_it_is_recorded_again(tmp_path: Path) -> None:
    store, today = BaselineStore(tmp_path), record("run")
    metadata = today.baseline_metadata.model_copy(update={"clean": None})
    store.add(TASK, [today.model_copy(update={"baseline_metadata": metadata})])
    assert refs(store.add(TASK, [today]).replaced) == ["run"]
    assert store.history(TASK) == (today,)


def test_fields_of_a_newer_version_survive_pinning_and_pruning(tmp_path: Path) -> None:
    store = BaselineStore(tmp_path)
    store.add(TASK, [record("old", "2026-01-01"), record("new", "2026-01-02")])
    content = read_json(store.path(TASK))
    content["history"][1]["gold_telemetry"]["of_tomorrow"] = 1
    content["history"][1]["baseline_metadata"]["of_tomorrow"] = 2
    write_json(store.path(TASK), content)

    store.pin(TASK, "new", True)
    store.pin(TASK, "new", False)
    assert refs(store.prune(TASK, 1, Per.TEST)) == ["old"]

    assert read_json(store.path(TASK)) == content | {"history": content["history"][1:]}


def test_a_file_is_what_its_published_schema_says(tmp_path: Path) -> None:
    store = BaselineStore(tmp_path)
    store.add(TASK, [record("one"), record("other")])
    store.pin(TASK, "one", True)
    content = read_json(store.path(TASK))
    check = Draft202012Validator(read_json(ROOT / schema_file(BaselineHistory)))
    assert list(check.iter_errors(content)) == []
    assert len(BaselineHistory(**content).history) == 2


def test_looking_for_a_task_without_history_makes_no_file(tmp_path: Path) -> None:
    store = BaselineStore(tmp_path)
    assert store.history("none") == ()
    assert store.pin("none", "run", True) is False
    assert store.prune("none", 1, Per.TEST) == ()
    assert list(tmp_path.iterdir()) == []


def test_a_file_under_another_tasks_name_is_refused(tmp_path: Path) -> None:
    store = BaselineStore(tmp_path)
    store.add(TASK, [record("run")])
    moved = store.path(TASK).rename(store.folder / "other-0001.json")

    with pytest.raises(ArtifactError, match=r"holds add-0001, whose file is add-0001\.json"):
        store.test_ids()
    with pytest.raises(ArtifactError, match="test_id is 'add-0001'"):
        store.history("other-0001")
    assert refs((Baseline(**read_json(moved)["history"][0]),)) == ["run"]
