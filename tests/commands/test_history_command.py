from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, PROVENANCE, metrics, row
from explorer_artifacts import context_ceiling, frontier

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.summaries import summarize
from orket_lib.artifacts.io import read_json, write_json, write_model
from orket_lib.artifacts.views.summary import CanarySummary, Summary
from orket_lib.cli import main
from orket_lib.stores.explorers import append, identity
from orket_lib.vocabulary.statuses import Lane, VramProfile


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "storage"


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    done = capsys.readouterr()
    assert "Traceback" not in done.err
    return code, done.out, done.err


def fill(root: Path) -> list[str]:
    """Keep three frontiers, the newest first; return their ids in the order of time."""
    entries = []
    for day in (3, 1, 2):
        entry: Any = frontier(generated_at=f"2026-11-0{day}T00:00:00Z")
        entry["sessions"][0]["quant_rows"][0]["total_latency"] = 1.0 / day
        append(root, entry, "test")
        entries.append(entry)
    return [identity(entry) for entry in (entries[1], entries[2], entries[0])]


def test_records_are_listed_by_time(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = fill(root)
    code, out, err = called(capsys, "history", "list")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ids
    _, out, err = called(capsys, "history", "list", "--json")
    assert err == ""
    assert [one["id"] for one in json.loads(out)["records"]] == ids
    _, out, err = called(capsys, "history", "list", "--json", "--model-id", "no such model")
    assert json.loads(out)["records"] == []
    assert err == "frontiers: no record of model 'no such model'\n"


def test_an_empty_store_is_said_and_is_no_error(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = "storage/frontiers: no records; storage has no stores (base"
    for as_json in ((), ("--json",)):
        code, _, err = called(capsys, "history", "list", *as_json)
        assert (code, err.startswith(nothing), len(err.splitlines())) == (0, True, 1)
    assert not root.exists()
    append(root, context_ceiling(), "test")
    assert called(capsys, "history", "list") == (
        0,
        "",
        "storage/frontiers: no records\n",
    )


def test_a_folder_that_holds_no_store_is_said(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("results").mkdir()
    code, _, err = called(capsys, "history", "list", "--storage-root", "results")
    assert (code, "results has no stores" in err) == (0, True)


@pytest.mark.parametrize("action", ["list", "compare 1 2", "plot --metric quant_rank --out a.png"])
def test_a_folder_that_is_not_there_is_an_error(
    root: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    code, _, err = called(capsys, "history", *action.split(), "--storage-root", "strage")
    assert (code, err) == (1, "error: --storage-root strage: no such folder\n")


def test_the_store_itself_may_be_named_in_place_of_the_folder_around_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = fill(Path("orket_storage"))
    for place in ("orket_storage", "orket_storage/frontiers"):
        _, out, _ = called(capsys, "history", "list", "--json", "--storage-root", place)
        assert [one["id"] for one in json.loads(out)["records"]] == ids
    write_json(Path("ceiling.json"), context_ceiling())
    kept_there = ("--storage-root", "orket_storage/context_ceilings")
    assert called(capsys, "history", "add", "ceiling.json", *kept_there)[0] == 0
    assert len(list(Path("orket_storage/context_ceilings").glob("*.json"))) == 1


def test_two_records_are_compared(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, _, last = fill(root)
    code, out, err = called(capsys, "history", "compare", first[:8], last)
    assert (code, err) == (0, "")
    assert "numbers   total_latency: 1.00 -> 0.333 (-66.7%)  (text text)" in out
    _, out, _ = called(capsys, "history", "compare", first, last, "--json")
    (change,) = json.loads(out)["changes"]
    assert change == {
        "kind": "numbers",
        "what": "total_latency",
        "old": 1.0,
        "new": 1 / 3,
        "where": ["text text"],
    }


@pytest.mark.parametrize(("wanted", "number"), [("zzz", "no"), ("", "3")])
def test_an_id_that_names_no_single_record_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], wanted: str, number: str
) -> None:
    first, *_ = fill(root)
    code, _, err = called(capsys, "history", "compare", wanted, first)
    assert code == 1
    assert f"'{wanted}' matches {number} ids" in err


def test_a_metric_is_drawn_and_printed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(root)
    code, out, _ = called(
        capsys, "history", "plot", "--metric", "total_latency", "--out", "a.png", "--json"
    )
    assert code == 0
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    (series,) = json.loads(out)["series"]
    assert [point["value"] for point in series["points"]] == [1.0, 0.5, 1 / 3]


def test_a_metric_that_a_store_does_not_have_is_refused_with_those_it_has(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(root)
    code, _, err = called(capsys, "history", "plot", "--metric", "speed", "--out", "a.png")
    assert code == 1
    assert "frontiers have no 'speed'; they have quant_rank, adherence_score" in err
    code, _, err = called(
        capsys,
        "history",
        "plot",
        "--metric",
        "total_latency",
        "--quant-tag",
        "Q1",
        "--out",
        "a.png",
    )
    assert (code, "no such record" in err) == (1, True)
    assert not Path("a.png").exists()


def test_a_damaged_file_is_reported_beside_what_can_be_read(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = fill(root)
    damaged = root / "frontiers" / "zzz.json"
    damaged.write_text("{", encoding="utf-8")
    code, out, err = called(capsys, "history", "list", "--json")
    assert code == 1
    assert [one["id"] for one in json.loads(out)["records"]] == ids
    assert "zzz.json: not valid JSON" in err
    assert damaged.read_text(encoding="utf-8") == "{"


def test_an_artifact_is_added_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(Path("ceiling.json"), context_ceiling())
    code, _, err = called(capsys, "history", "add", "ceiling.json")
    assert (code, "ceiling.json: added to " in err) == (0, True)
    code, _, err = called(capsys, "history", "add", "ceiling.json")
    assert (code, "ceiling.json: is already in " in err) == (0, True)
    _, out, _ = called(capsys, "history", "list", "--store", "context_ceilings", "--json")
    (record,) = json.loads(out)["records"]
    assert record["id"] == identity(context_ceiling())


def test_letters_that_a_terminal_obeys_are_not_printed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    append(root, context_ceiling(model_id="\x1b[2Jevil\nfake"), "test")
    _, out, _ = called(capsys, "history", "list", "--store", "context_ceilings")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 1


def summary() -> Summary:
    policy = FrontierPolicy(adherence_threshold=0.9, latency_ceiling=10, include_invalid=False)
    rows = [row(metrics("F16", 16.0, platform={"kernel": "6.1"})), row(metrics("Q8_0", 8.5))]
    return Summary(
        generated_at="2026-11-23T15:04:05.123Z",
        provenance=PROVENANCE,
        execution_lane=Lane.LAB,
        vram_profile=VramProfile.SAFE,
        hardware_fingerprint=MACHINE,
        commit_sha=None,
        matrix={},
        canary=CanarySummary.of(
            enabled=True,
            passed=True,
            failed_reasons=(),
            adherence_variance=0.0,
            internal_latency_cv=0.01,
            latency_variance_threshold=0.03,
        ),
        sessions=summarize(rows, ["nano"], policy, Lane.LAB).sessions,
        stability_kpis=summarize(rows, ["nano"], policy, Lane.LAB).stability_kpis,
        failed_rows=(),
    )


def test_orket_frontier_keeps_what_it_makes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(Path("summary.json"), summary())
    make = ("frontier", "--summary", "summary.json", "--out", "frontier.json")
    assert called(capsys, *make)[0] == 0
    assert not root.exists()
    for _ in range(2):
        assert called(capsys, *make, "--storage-root", "storage")[0] == 0
    assert called(capsys, *make, "--storage-root", "storage/frontiers")[0] == 0
    (history,) = root.rglob("*.json")
    (kept,) = read_json(history)["history"]
    first, second = kept["sessions"][0]["quant_rows"]
    assert first["served"]["platform"] == {"kernel": "6.1"}
    assert second["served"]["sha256"] == metrics("Q8_0").artifact.sha256

    history.write_text("", encoding="utf-8")
    Path("frontier.json").unlink()
    code, _, err = called(capsys, *make, "--storage-root", "storage")
    assert code == 1
    assert "not valid JSON" in err
    assert "frontier.json was written, but not added to its history" in err
    assert read_json(Path("frontier.json"))["model_id"] == "nano"
    assert history.read_bytes() == b""
