from __future__ import annotations

import json
from pathlib import Path

import pytest
from explorer_artifacts import context_ceiling, frontier_of_text, thermal_profile

from orket_lib.artifacts.io import write_json
from orket_lib.cli import main

ALL = ("--frontier", "frontier.json", "--context", "context.json", "--thermal", "thermal.json")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_json(Path("frontier.json"), frontier_of_text())
    write_json(Path("context.json"), context_ceiling())
    write_json(Path("thermal.json"), thermal_profile())


def test_what_is_as_published_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contracts", *ALL]) == 0
    done = capsys.readouterr()
    assert (done.out, done.err) == ("", "frontier, context, thermal: valid\n")


def test_violations_of_all_files_are_listed_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    broken = frontier_of_text()
    del broken["model_id"]
    write_json(Path("frontier.json"), broken)
    points = [context_ceiling()["points"][0] | {"context": "4096"}]
    write_json(Path("context.json"), context_ceiling(points=points))

    assert main(["contracts", *ALL, "--json", "--log", "log.txt"]) == 3

    done = capsys.readouterr()
    expected = [
        "frontier:missing:model_id",
        'context:points.0.context:must be a whole number, is "4096"',
    ]
    result = json.loads(done.out)
    assert (result["passed"], result["violations"]) == (False, expected)
    assert [one["path"] for one in result["checked"]] == list(ALL[1::2])
    for line in expected:
        assert f"  {line}\n" in done.err
    assert Path("log.txt").read_text(encoding="utf-8") == done.err


def test_another_version_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_json(Path("frontier.json"), frontier_of_text(schema_version="explorer.frontier.v2"))
    assert main(["contracts", "--frontier", "frontier.json"]) == 3
    assert "explorer.frontier.v2" in capsys.readouterr().err


def test_an_artifact_of_another_kind_is_no_frontier(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contracts", "--frontier", "context.json"]) == 3
    assert "frontier:missing:sessions" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "{", "[NaN]"])
def test_what_can_not_be_read_could_not_be_judged(
    capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is None:
        Path("frontier.json").unlink()
    else:
        Path("frontier.json").write_text(content, encoding="utf-8")
    assert main(["contracts", "--frontier", "frontier.json"]) == 1
    assert "error: frontier.json: " in capsys.readouterr().err


def test_nothing_to_check_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["contracts"])
    assert ended.value.code == 2
    assert "name --frontier, --context or --thermal" in capsys.readouterr().err


def test_of_several_files_the_one_that_is_wrong_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = thermal_profile()
    del broken["thresholds"]
    write_json(Path("second.json"), broken)
    assert main(["contracts", "--thermal", "thermal.json", "second.json", "--json"]) == 3
    done = capsys.readouterr()
    result = json.loads(done.out)
    assert result["violations"] == ["second.json: thermal:missing:thresholds"]
    assert [one["path"] for one in result["checked"]] == ["thermal.json", "second.json"]
    assert "violates the published contract: thermal.json, second.json" in done.err


def test_names_of_quants_that_have_no_row_are_refused_beside_every_other_violation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (session,) = frontier_of_text()["sessions"]
    session |= {"minimum_viable_quant": "Q9", "best_value_quant": "Q8"}
    del session["recommendation"]
    write_json(Path("frontier.json"), frontier_of_text(sessions=[session]))

    assert main(["contracts", "--frontier", "frontier.json", "--json"]) == 3

    done = capsys.readouterr()
    assert json.loads(done.out)["violations"] == [
        "frontier:missing:sessions.0.recommendation",
        'frontier:quant_tag:must be "Q9", by the first session\'s minimum_viable_quant, is "text"',
        'frontier:sessions.0.minimum_viable_quant:names "Q9", which is not there; there are "text"',
        'frontier:sessions.0.best_value_quant:names "Q8", which is not there; there are "text"',
    ]
    assert "Traceback" not in done.err
