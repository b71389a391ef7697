"""Two ways to serve a file: what they answer differently, why, and whether one is faster."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from agreement import Agreement, Difference, Speed, TokenChoice, Way, compare
from bench.__main__ import main
from nano import bank, nano_file, nano_spec
from overhead import Estimate

from orket_lib.providers.base import Source

SERVER = "ORKET_LLAMA_SERVER"


def way(tag: str, served: str | None = None) -> Way:
    return Way(nano_spec(tag), Source(nano_file(served or tag)))


@pytest.mark.slow
def test_a_file_agrees_with_itself(tmp_path: Path) -> None:
    tasks = bank().tasks[::42]
    found = compare(way("Q8_0"), way("Q8_0"), tasks, 6, tmp_path)
    assert found.tasks == len(tasks) == 4
    assert found.differences == ()
    assert found.identical == 1.0
    for speed in found.speeds:
        assert 0 < speed.low <= speed.median <= speed.high


@pytest.mark.slow
def test_two_files_differ_and_each_difference_has_its_margins(tmp_path: Path) -> None:
    tasks = bank().tasks[::12]
    found = compare(way("F16"), way("F16", "Q2_K"), tasks, 6, tmp_path)
    assert found.differences, "with equal answers this test could not fail"
    assert found.identical == pytest.approx(1 - len(found.differences) / len(tasks))
    for item in found.differences:
        assert item.test_id in {task.test_id for task in tasks}
        assert item.position is not None
        assert item.choices is not None
        one, other = item.choices
        assert one.token != other.token
        for choice in item.choices:
            assert choice.margin is not None
            assert choice.margin >= 0, "greedy: the likeliest token is the one that is chosen"
            assert choice.likeliest[0][0] == choice.token


def agreement(ratio: Estimate, *speeds: Speed) -> Agreement:
    return Agreement(10, (Difference("a", None, None),), (speeds[0], speeds[1]), ratio)


STEADY, SHAKY = Speed(100.0, 99.0, 101.0), Speed(100.0, 60.0, 140.0)


@pytest.mark.parametrize(
    ("ratio", "speeds", "within"),
    [
        pytest.param(Estimate(0.02, -0.01, 0.05), (STEADY, STEADY), True, id="not significant"),
        pytest.param(Estimate(0.02, 0.01, 0.03), (STEADY, STEADY), False, id="real"),
        pytest.param(Estimate(-0.02, -0.03, -0.01), (STEADY, STEADY), False, id="real and slower"),
        pytest.param(Estimate(0.005, 0.001, 0.01), (STEADY, STEADY), True, id="real and tiny"),
        pytest.param(Estimate(0.3, 0.1, 0.5), (STEADY, SHAKY), True, id="less than the host's"),
    ],
)
def test_a_difference_in_speed_is_real_and_larger_than_the_noise(
    ratio: Estimate, speeds: tuple[Speed, Speed], within: bool
) -> None:
    assert agreement(ratio, *speeds).within_noise is within


def test_a_speed_is_a_median_between_its_tenths() -> None:
    found = Speed.of([float(rate) for rate in range(1, 100)])
    assert (found.median, found.low, found.high) == (50.0, 10.0, 90.0)
    assert found.noise == pytest.approx(0.8)


def test_one_token_alone_has_no_margin() -> None:
    assert TokenChoice("a", (("a", 0.0),)).margin is None
    assert TokenChoice("a", (("a", -0.1), ("b", -2.1))).margin == pytest.approx(2.0)


def command(small: Path, *options: str) -> list[str]:
    """Return the command for a few tasks."""
    chosen = bank().model_copy(update={"tasks": bank().tasks[::42]})
    small.write_text(chosen.model_dump_json(by_alias=True), encoding="utf-8")
    fixed = ["providers", "--bank", str(small), "--threads", "1", "--probes", "6"]
    return [*fixed, *options]


@pytest.mark.timed
def test_the_command_tells_both_and_judges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--b", "embedded", "--model", str(nano_file("Q2_K")), "--json"]
    assert main(command(tmp_path / "bank.json", *options)) == 0
    found = json.loads(capsys.readouterr().out)[nano_file("Q2_K").as_posix()]
    assert (found["tasks"], found["identical"], found["differences"]) == (4, 1.0, [])
    assert isinstance(found["within_noise"], bool)


def test_two_files_of_one_name_are_judged_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Difference("a", None, None)
    found = iter(
        Agreement(1, differences, (STEADY, STEADY), Estimate(0, 0, 0))
        for differences in ((one,), ())
    )
    monkeypatch.setattr("providers.compare", lambda *_: next(found))
    files = [tmp_path / folder / "x.gguf" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(nano_file("Q2_K").read_bytes())
    options = ["--model", *map(str, files), "--json"]
    assert main(command(tmp_path / "bank.json", *options)) == 3
    told = json.loads(capsys.readouterr().out)
    assert [item["identical"] for item in told.values()] == [0.0, 1.0]


@pytest.mark.timed
@pytest.mark.skipif(SERVER not in os.environ, reason=f"{SERVER} names no llama-server")
def test_a_real_llama_server_agrees_with_the_embedded_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(nano_file(tag)) for tag in ("F16", "Q4_K_M")]
    options = ["--server-binary", os.environ[SERVER], "--model", *files]
    assert main(command(tmp_path / "bank.json", *options)) == 0
    told = capsys.readouterr().out
    assert told.count("answers are identical") == 2
    assert told.count("the noise of both") == 2


@pytest.mark.parametrize("probes", ["5", "0"])
def test_too_few_probes_are_refused(probes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["providers", "--probes", probes, "--model", "x.gguf"])
    assert caught.value.code == 2
    assert "at least 6" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "--b", "embedded", "--model", "no.gguf"]) == 1
    told = capsys.readouterr().err
    assert "no.gguf" in told
    assert "Traceback" not in told
