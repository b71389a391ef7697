"""`orket thermal-profile` and `measure-thermal`: what they take, refuse, and leave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, NOW, PROVENANCE, metrics, run, spec, unmeasured
from thermal_builders import RESTS, latencies, series

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.kpis import stability_kpis
from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.analysis.sessions import build_session
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.request import ServableCell, ServableCells
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.measurements.thermal_series import (
    ThermalSeries,
    ThermalSettings,
    ThermalSpec,
)
from orket_lib.artifacts.views.frontier import FrontierExplorer, FrontierSession
from orket_lib.artifacts.views.look import Look, Started
from orket_lib.artifacts.views.row import RowMetrics, RowSidecar
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.summary import CanarySummary, Summary
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.cli import main
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, RunStatus, VramProfile

LABELS = ("--execution-lane", "lab", "--vram-profile", "safe")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def card(**changes: Any) -> GpuSummary:
    nothing = dict.fromkeys(GpuSummary.readings(), Null("NOT_SUPPORTED"))
    values = {"session": 0, "uuid": "GPU-1", "name": "card", "index": 0, "source": "nvml"}
    counts = {"used": True, "samples": 9, "throttle_reasons": ()}
    return GpuSummary.of(**(nothing | values | counts | changes))


def summary(path: str, *rows: RowMetrics, **changes: Any) -> str:
    """Write the summary of a sweep and return its path."""
    by_model: dict[str, list[RowMetrics]] = {}
    for item in rows:
        by_model.setdefault(item.model_id, []).append(item)
    policy = FrontierPolicy(0.95, 10.0, include_invalid=False)
    sessions = [
        build_session(
            model, found, {one.quant_tag: task_scores([run(1)]) for one in found}, policy, Lane.LAB
        )
        for model, found in by_model.items()
    ]
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "execution_lane": Lane.LAB,
        "vram_profile": VramProfile.BALANCED,
        "hardware_fingerprint": MACHINE,
        "commit_sha": None,
        "matrix": {"sweep": "warm"},
        "canary": CanarySummary.of(
            enabled=False,
            passed=True,
            failed_reasons=(),
            adherence_variance=Null("OFF"),
            internal_latency_cv=Null("OFF"),
            latency_variance_threshold=0.03,
        ),
        "sessions": sessions,
        "stability_kpis": stability_kpis(list(by_model.values()), policy, Lane.LAB),
        "failed_rows": (),
    }
    write_model(Path(path), Summary(**(values | changes)))
    return path


def hot_row(
    latency: float, end_c: float = 60.0, start_c: float = 45.0, **changes: Any
) -> RowMetrics:
    gpu = card(temperature_start_c=start_c, temperature_end_c=end_c)
    return metrics("Q8_0", total_latency=latency, gpus=(gpu,), **changes)


def profile_of(*files: str, options: Sequence[str] = ()) -> ThermalProfile:
    assert main(["thermal-profile", "--summaries", *files, *options, "--out", "profile.json"]) == 0
    return read_model(Path("profile.json"), ThermalProfile)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["thermal-profile", *arguments, "--out", "profile.json"]) == 1
    assert not Path("profile.json").exists()
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_series_becomes_a_profile_with_a_picture_and_a_record() -> None:
    write_model(Path("series.json"), series(latencies(6, rise=0.03)))
    profile = profile_of(
        "series.json",
        options=(*LABELS, "--storage-root", "kept", "--out-plot", "profile.png"),
    )
    assert (profile.heat_soak_detected, profile.latency_trend) == (True, "rising")
    assert (profile.model_id, profile.quant_tag) == ("nano", "Q4_K_M")
    assert profile.served is not None
    assert profile.served.sha256 == "a" * 64
    assert [point.summary_path for point in profile.points] == ["series.json"] * 6
    assert Path("profile.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(Path("kept/thermal_profiles").glob("*.json"))) == 1


def test_the_store_of_thermal_profiles_may_be_named_itself() -> None:
    write_model(Path("series.json"), series(latencies(3)))
    profile_of("series.json", options=(*LABELS, "--storage-root", "kept/thermal_profiles"))
    assert len(list(Path("kept").rglob("*.json"))) == 1
    assert len(list(Path("kept/thermal_profiles").glob("*.json"))) == 1


def test_labels_come_from_the_frontier_of_the_sweep() -> None:
    write_model(Path("series.json"), series(latencies(6)))
    write_frontier("Q4_K_M")
    profile = profile_of("series.json", options=("--frontier", "frontier.json"))
    assert (profile.execution_lane, profile.sweep) == (Lane.CI, "warm")
    assert profile.provenance.config_sha256 == "f00d"


def test_a_series_alone_does_not_tell_its_lane(capsys: pytest.CaptureFixture[str]) -> None:
    write_model(Path("series.json"), series(latencies(6)))
    said = refusal(capsys, "--summaries", "series.json")
    assert "give --execution-lane and --vram-profile or --frontier" in said


def test_summaries_are_runs_in_the_order_given() -> None:
    rises = (1.0, 1.2, 1.4, 1.6)
    files = [summary(f"{n}.json", hot_row(value, 60 + n)) for n, value in enumerate(rises)]
    profile = profile_of(*files)
    assert profile.heat_soak_detected
    assert [point.total_latency for point in profile.points] == list(rises)
    assert [point.thermal_end_c for point in profile.points] == [60, 61, 62, 63]
    assert profile.points[0].cooldown_ok
    assert (profile.execution_lane, profile.vram_profile) == (Lane.LAB, VramProfile.BALANCED)
    assert (profile.sweep, profile.model_id, profile.quant_tag) == ("warm", "nano", "Q8_0")
    assert profile_of(*reversed(files)).latency_trend == "falling"


@pytest.mark.parametrize(
    "given",
    [("0.json,1.json,2.json",), ("0.json, 1.json", "2.json,"), ("0.json", ",1.json,2.json")],
    ids=str,
)
def test_summaries_may_have_commas_between_them(given: tuple[str, ...]) -> None:
    files = [summary(f"{n}.json", hot_row(1.0 + n / 1000)) for n in range(3)]
    assert [point.summary_path for point in profile_of(*given).points] == files


def test_a_comma_may_be_part_of_a_name() -> None:
    files = [summary(f"warm, again {n}.json", hot_row(1.0 + n / 1000)) for n in range(3)]
    assert [point.summary_path for point in profile_of(*files).points] == files


def test_commas_alone_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["thermal-profile", "--summaries", " , ", "--out", "profile.json"])
    assert left.value.code == 2
    assert "--summaries: must be a file, or files (got ' , ')" in capsys.readouterr().err


def test_the_threshold_options_count() -> None:
    files = [summary(f"{n}.json", hot_row(1.0 + n / 1000)) for n in range(3)]
    options = ("--cooldown-target-c", "40", "--polluted-thermal-threshold-c", "55")
    profile = profile_of(*files, options=(*options, "--monotonic-window", "3"))
    assert profile.cooldown_failure_rate == profile.polluted_run_rate == 1.0
    assert profile.thresholds.monotonic_window == 3


def test_a_summary_without_temperatures_gives_a_trend_and_no_verdict() -> None:
    rises = (1.0, 1.2, 1.4, 1.6)
    files = [
        summary(f"{n}.json", metrics("Q8_0", total_latency=value)) for n, value in enumerate(rises)
    ]
    profile = profile_of(*files)
    assert (profile.heat_soak_detected, profile.latency_trend) == (None, "rising")
    assert profile.points[0].null_reasons["thermal_end_c"] == "NOT_IN_SUMMARY"
    assert profile.null_reasons["cooldown_failure_rate"] == "NO_TEMPERATURE"
    assert "verdict is unavailable; latency rises" in profile.recommendation


def test_a_series_that_is_too_wild_to_tell_is_not_called_stable() -> None:
    wild = (1.0, 1.2, 1.4, 0.9)
    profile = profile_of(*(summary(f"{n}.json", hot_row(value)) for n, value in enumerate(wild)))
    assert (profile.heat_soak_detected, profile.latency_trend) == (None, "unknown")
    assert "stable" not in profile.recommendation
    assert "no thermal verdict over 4 runs: latency can't be judged" in profile.recommendation
    assert "a rise of up to 142% may hide" in profile.recommendation
    assert "it needs more or less noisy runs" in profile.recommendation


def probed(start_c: float | Null, end_c: float | Null, measured_at: str = NOW) -> RowSidecar:
    nothing = dict.fromkeys(RowSidecar.readings(), Null("NOT_PRINTED"))
    heat = {"thermal_start_c": start_c, "thermal_end_c": end_c}
    about = {"errors": (), "view_path": "view.json", "measured_at": measured_at}
    return RowSidecar.of(**(nothing | heat | about))


def day(number: int) -> str:
    return f"2026-11-{number + 1:02d}T00:00:00Z"


def test_temperatures_are_those_of_the_sidecars_where_the_summaries_have_none() -> None:
    rises = (1.0, 1.2, 1.4, 1.6)
    files = [
        summary(
            f"{n}.json",
            metrics("Q8_0", total_latency=value, sidecar=probed(45.0 + n, 60.0 + n, day(n))),
        )
        for n, value in enumerate(rises)
    ]
    profile = profile_of(*files, options=("--cooldown-target-c", "46"))
    assert [point.thermal_start_c for point in profile.points] == [45, 46, 47, 48]
    assert [point.thermal_end_c for point in profile.points] == [60, 61, 62, 63]
    assert {point.thermal_delta_c for point in profile.points} == {15.0}
    assert [point.cooldown_ok for point in profile.points] == [True, True, False, False]
    assert {point.temperature_of for point in profile.points} == {"sidecar"}
    assert profile.heat_soak_detected
    assert "temperatures by their sidecars: runs 1, 2, 3, 4" in profile.recommendation


def test_a_run_s_own_temperatures_win_over_those_of_its_sidecar() -> None:
    (point,) = profile_of(summary("0.json", hot_row(1.0, sidecar=probed(30.0, 99.0)))).points
    assert (point.thermal_start_c, point.thermal_end_c) == (45.0, 60.0)
    assert point.temperature_of == "run"


def test_a_card_that_does_not_tell_its_heat_leaves_it_to_the_sidecar() -> None:
    silent = metrics("Q8_0", gpus=(card(),), sidecar=probed(40.0, 70.0))
    (point,) = profile_of(summary("0.json", silent)).points
    assert (point.thermal_end_c, point.temperature_of) == (70.0, "sidecar")


def test_a_sidecar_without_temperatures_says_why() -> None:
    none = Null("NO_TEMPERATURE_SENSOR")
    (point,) = profile_of(summary("0.json", metrics("Q8_0", sidecar=probed(none, none)))).points
    assert point.null_reasons["thermal_end_c"] == "NO_TEMPERATURE_SENSOR"
    assert point.temperature_of == "run"


def test_the_heat_of_a_sidecar_that_sweeps_share_is_that_of_the_first() -> None:
    shared = probed(45.0, 60.0)
    files = [
        summary(f"{n}.json", metrics("Q8_0", total_latency=1.0 + n / 10, sidecar=shared))
        for n in range(2)
    ]
    first, second = profile_of(*files).points
    assert first.thermal_end_c == 60.0
    assert second.null_reasons["thermal_end_c"] == "SIDECAR_OF_AN_EARLIER_RUN"


def test_one_summary_shows_no_trend() -> None:
    profile = profile_of(summary("0.json", hot_row(1.0)))
    assert (profile.heat_soak_detected, profile.latency_trend) == (None, "unknown")
    assert "one run shows no trend" in profile.recommendation


def test_a_row_that_was_not_measured_is_a_point_without_numbers() -> None:
    files = [summary(f"{n}.json", hot_row(1.0 + n / 1000)) for n in range(3)]
    files.append(summary("3.json", unmeasured("Q8_0", 8.5)))
    *measured, lost = profile_of(*files).points
    assert all(not point.polluted for point in measured)
    assert lost.null_reasons["total_latency"] == "STATUS_LOAD_FAILED"
    assert (lost.polluted, lost.reasons) == (True, ("RUN_QUALITY_NOT_CLEAN",))


@pytest.mark.parametrize(
    ("second", "options", "words"),
    [
        pytest.param(
            (metrics("Q4_K_M", 4.9, total_latency=1.1),),
            (),
            "1.json: name --model-id and --quant-tag: there are nano Q8_0 and nano Q4_K_M",
            id="another quant",
        ),
        pytest.param(
            (hot_row(1.1), metrics("Q4_K_M", 4.9)),
            (),
            "1.json: name --model-id and --quant-tag: it has nano Q8_0, nano Q4_K_M",
            id="two quants",
        ),
        pytest.param(
            (hot_row(1.1),),
            ("--quant-tag", "Q2_K"),
            "0.json: has no row of Q2_K; it has nano Q8_0",
            id="unknown quant",
        ),
        pytest.param(
            (hot_row(1.1),),
            ("--model-id", "other", "--quant-tag", "Q8_0"),
            "0.json: has no row of other Q8_0; it has nano Q8_0",
            id="unknown model",
        ),
        pytest.param(
            (hot_row(1.0),), (), "1.json: is the same measurement as 0.json", id="made twice"
        ),
        pytest.param(
            (hot_row(1.1, artifact=metrics("Q2_K").artifact),),
            (),
            "their differences would look like heat",
            id="another file",
        ),
        pytest.param((), (), "1.json: has no row of any model; it has no row", id="no row"),
    ],
)
def test_never_another_row_than_the_one_asked_for(
    capsys: pytest.CaptureFixture[str],
    second: tuple[RowMetrics, ...],
    options: tuple[str, ...],
    words: str,
) -> None:
    files = [
        summary("0.json", hot_row(1.0)),
        summary("1.json", *second, generated_at="2026-11-24T00:00:00Z"),
    ]
    assert words in refusal(capsys, "--summaries", *files, *options)


def test_a_named_quant_is_taken_from_summaries_with_several() -> None:
    files = [
        summary(f"{n}.json", hot_row(1.0 + n / 1000), metrics("Q4_K_M", 4.9)) for n in range(3)
    ]
    assert profile_of(*files, options=("--quant-tag", "Q8_0")).quant_tag == "Q8_0"


def test_bad_files_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    good = summary("0.json", hot_row(1.0))
    assert "gone.json: no such file" in refusal(capsys, "--summaries", good, "gone.json")
    Path("copy.json").write_bytes(Path(good).read_bytes())
    assert "copy.json: has the same content as 0.json" in refusal(
        capsys, "--summaries", good, "copy.json"
    )
    assert "0.json: has the same content as 0.json" in refusal(capsys, "--summaries", good, good)
    Path("torn.json").write_text('{"schema_version": "orket.sum', encoding="utf-8")
    assert "torn.json" in refusal(capsys, "--summaries", good, "torn.json")
    Path("other.json").write_text('{"schema_version": "orket.row.v1"}', encoding="utf-8")
    assert "its schema_version is 'orket.row.v1'" in refusal(
        capsys, "--summaries", good, "other.json"
    )
    write_model(Path("series.json"), series(latencies(3)))
    assert "series.json: is a series; give it alone" in refusal(
        capsys, "--summaries", good, "series.json"
    )
    wrong = refusal(capsys, "--summaries", "series.json", "--quant-tag", "Q2_K", *LABELS)
    assert "series.json: is a series of nano Q4_K_M, not of Q2_K" in wrong


def test_other_machines_and_labels_that_differ_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [
        summary("0.json", hot_row(1.0)),
        summary("1.json", hot_row(1.1), hardware_fingerprint="elsewhere"),
    ]
    assert "1.json: is of machine elsewhere" in refusal(capsys, "--summaries", *files)
    summary("1.json", hot_row(1.1), execution_lane=Lane.CI)
    assert "give --execution-lane" in refusal(capsys, "--summaries", *files)
    assert profile_of(*files, options=("--execution-lane", "ci")).execution_lane is Lane.CI


def busy_row(latency: float) -> RowMetrics:
    """Return a row during which something else worked: in lane lab that pollutes."""
    load = Observation.of(Reason.HIGH_CPU_SATURATION, "foreign CPU 58 %")
    return hot_row(latency, run_quality_reasons=(load,))


def test_another_label_of_lane_is_no_other_judgement() -> None:
    files = [summary(f"{n}.json", busy_row(1 + n / 10), execution_lane=Lane.CI) for n in range(3)]
    as_measured = profile_of(*files)
    relabelled = profile_of(*files, options=("--execution-lane", "lab"))
    assert (relabelled.execution_lane, relabelled.measured_lane) == (Lane.LAB, Lane.CI)
    assert (as_measured.execution_lane, as_measured.measured_lane) == (Lane.CI, None)
    assert relabelled.points == as_measured.points
    assert not any(point.polluted for point in relabelled.points)
    assert relabelled.recommendation == as_measured.recommendation
    assert relabelled.recommendation.endswith("Lane ci: speeds are not evidence.")


def test_runs_of_several_lanes_are_judged_each_by_its_own() -> None:
    files = [
        summary("0.json", busy_row(1.0), execution_lane=Lane.CI),
        summary("1.json", busy_row(1.1)),
        summary("2.json", busy_row(1.2)),
    ]
    for label in ("ci", "lab"):
        profile = profile_of(*files, options=("--execution-lane", label))
        assert [point.polluted for point in profile.points] == [False, True, True]
        assert profile.recommendation.endswith("Lane ci: speeds are not evidence.")


def test_a_series_keeps_the_judgement_of_its_sweep_under_another_label() -> None:
    write_model(Path("series.json"), series(latencies(6)))
    write_frontier("Q4_K_M")
    options = ("--frontier", "frontier.json", "--execution-lane", "lab")
    profile = profile_of("series.json", options=options)
    assert (profile.execution_lane, profile.measured_lane) == (Lane.LAB, Lane.CI)
    assert profile.recommendation.endswith("Lane ci: speeds are not evidence.")


@pytest.mark.parametrize(
    "options",
    [
        ("--monotonic-window", "0"),
        ("--cooldown-target-c", "90"),
        ("--cooldown-target-c", "nan"),
        ("--polluted-thermal-threshold-c", "inf"),
    ],
    ids=str,
)
def test_thresholds_that_make_no_sense_are_wrong_usage(options: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["thermal-profile", "--summaries", "0.json", *options, "--out", "profile.json"])
    assert left.value.code == 2


def write_frontier(pick: str) -> None:
    """Write the frontier of a sweep with one model, cells and settings."""
    frontier = FrontierExplorer(
        generated_at=NOW,
        provenance=PROVENANCE.model_copy(update={"config_sha256": "f00d"}),
        execution_lane=Lane.CI,
        vram_profile=VramProfile.SAFE,
        hardware_fingerprint=MACHINE,
        model_id="nano",
        quant_tag=pick or "unknown",
        sweep="warm",
        include_invalid=False,
        sessions=(
            FrontierSession(
                model_id="nano",
                baseline_quant="Q8_0",
                minimum_viable_quant=pick,
                best_value_quant=pick,
                recommendation="",
                quant_rows=(),
            ),
        ),
    )
    write_model(Path("frontier.json"), frontier)
    write_model(Path("cells.json"), ServableCells(cells=(CELL,)))
    write_model(Path("settings.json"), SETTINGS)


_FIELDS = spec().model_dump(include=set(MeasurementSpec.model_fields) - {"sandbox"})
CELL = ServableCell(
    model_id="nano",
    model_slug="nano",
    quant_tag="Q4_K_M",
    artifact="nano.gguf",
    spec=MeasurementSpec(**_FIELDS),
)
STAMP = "20261123T150405.123Z"
SETTINGS = ThermalSettings(repeats=6, generations=5, rests=RESTS)
SERIES = (
    *("thermal-series", "--frontier", "frontier.json", "--cells", "cells.json"),
    *("--settings", "settings.json", "--model", "nano", "--out", "view/series.json"),
)


def test_a_series_in_storage_is_taken_from_there_and_no_verdict_is_asked() -> None:
    write_frontier("Q4_K_M")
    made = series(latencies(6))
    digest = ThermalSpec.of(CELL, SETTINGS).digest()
    write_model(Path("storage/thermal/nano/Q4_K_M", digest, STAMP, "series.json"), made)
    assert main([*SERIES, "--canary", "gone.json"]) == 0
    assert read_model(Path("view/series.json"), ThermalSeries) == made


def test_a_series_whose_server_died_is_measured_again(capsys: pytest.CaptureFixture[str]) -> None:
    write_frontier("Q4_K_M")
    ended: dict[str, Any] = {"status": RunStatus.CRASHED, "status_reason": "the server died"}
    digest = ThermalSpec.of(CELL, SETTINGS).digest()
    path = Path("storage/thermal/nano/Q4_K_M", digest, STAMP, "series.json")
    write_model(path, series(latencies(2), **ended))
    assert main([*SERIES, "--canary", "gone.json"]) == 1
    assert "gone.json" in capsys.readouterr().err


def test_what_is_not_in_storage_takes_a_passed_canary(capsys: pytest.CaptureFixture[str]) -> None:
    write_frontier("Q4_K_M")
    assert main([*SERIES, "--canary", "gone.json"]) == 1
    assert "gone.json" in capsys.readouterr().err


def test_no_pick_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    write_frontier("")
    assert main([*SERIES, "--canary", "gone.json"]) == 0
    view = read_model(Path("view/series.json"), ThermalSeries)
    assert (view.status, view.status_reason) == (RunStatus.NOT_RUN, "NO_QUANT_CHOSEN")
    profile = profile_of(
        "view/series.json", options=("--frontier", "frontier.json", "--out-plot", "profile.png")
    )
    assert (profile.quant_tag, profile.points, profile.served) == ("unknown", (), None)
    assert profile.hardware_fingerprint == MACHINE
    assert set(profile.null_reasons.values()) == {"NO_QUANT_CHOSEN"}
    assert profile.recommendation.startswith("nano: no thermal series: NO_QUANT_CHOSEN")
    assert Path("profile.png").is_file()


def test_a_series_that_a_budget_has_no_time_for_is_left_out() -> None:
    write_frontier("Q4_K_M")
    write_model(Path("started.json"), Started(started_at="2020-01-01T00:00:00Z"))
    look: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "model_id": "nano",
        "batch": 1,
        "batches": 1,
        "tasks": 40,
        "tasks_in_all": 40,
        "runs_per_task": 1,
        "certain": 0.975,
        "seconds": 59.0,
        "budget_seconds": 60.0,
        "quants": (),
    }
    write_model(Path("look.json"), Look(**look))
    budget = ["--look", "look.json", "--started", "started.json"]
    assert main([*SERIES, "--canary", "gone.json", *budget]) == 0
    view = read_model(Path("view/series.json"), ThermalSeries)
    assert view.status is RunStatus.NOT_RUN
    assert (view.status_reason or "").startswith("BUDGET_SPENT: it would take about ")
    assert (view.status_reason or "").endswith("1 s of 60 s are left")
    profile = profile_of("view/series.json", options=("--frontier", "frontier.json"))
    assert set(profile.null_reasons.values()) == {"BUDGET_SPENT"}
    assert "no thermal series: BUDGET_SPENT: it would take" in profile.recommendation


def test_a_damaged_series_is_not_measured_over(capsys: pytest.CaptureFixture[str]) -> None:
    write_frontier("Q4_K_M")
    digest = ThermalSpec.of(CELL, SETTINGS).digest()
    damaged = Path("storage/thermal/nano/Q4_K_M", digest, STAMP, "series.json")
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{", encoding="utf-8")
    assert main(list(SERIES)) == 1
    assert "series.json" in capsys.readouterr().err
    assert damaged.read_text(encoding="utf-8") == "{"


def test_a_model_that_is_not_in_the_sweep_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_frontier("Q4_K_M")
    assert main([word if word != "nano" else "other" for word in SERIES]) == 1
    assert "the sweep has no model 'other'; it has nano" in capsys.readouterr().err


def test_a_disturbed_row_of_a_summary_is_no_heat() -> None:
    from orket_lib.artifacts.views.run_report import Observation

    foreign = Observation.of(Reason.FOREIGN_GPU_PROCESS, "trainer (pid 410)")
    files = [summary(f"{n}.json", hot_row(1.0 + n / 1000)) for n in range(3)]
    files.append(summary("3.json", hot_row(1.5, run_quality_reasons=(foreign,))))
    profile = profile_of(*files)
    assert profile.points[3].reasons == ("RUN_QUALITY_NOT_CLEAN",)
    assert profile.speed is not None
    assert [one.counted for one in profile.speed.runs] == [True, True, True, False]
    assert profile.latency_trend == "steady"
