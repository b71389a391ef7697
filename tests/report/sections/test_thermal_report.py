"""The thermal series in report, terminal and picture: what was seen, and why something was not."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import pytest
from matplotlib.figure import Figure
from page_texts import page_text
from report_summaries import section, seven, summary
from thermal_builders import LIMITS, NO_SENSOR, findings, latencies, series

from orket_lib.analysis.thermal.recommendation import thermal_recommendation
from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.report.plots.thermal import mark_runs, plot_thermal
from orket_lib.report.plots.thermal_columns import columns_of
from orket_lib.report.sections.thermal import thermal_section
from orket_lib.report.terminal import terminal_summary
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, VramProfile

HOT = Observation.of(Reason.THERMAL_THROTTLE, "GPU 0 slowed by sw_thermal | up to 88 C")


def profile(made: ThermalSeries) -> ThermalProfile:
    found = findings(made)
    return ThermalProfile.of(
        generated_at="2026-01-02T03:04:05Z",
        provenance=Provenance(ref="test", commit_sha=None, dirty=None),
        execution_lane=Lane.LAB,
        vram_profile=VramProfile.SAFE,
        hardware_fingerprint="linux|testing_cpu|4|16|none",
        model_id="nano",
        quant_tag="Q4_K_M",
        thresholds=LIMITS,
        recommendation=thermal_recommendation("nano Q4_K_M", found, LIMITS, Lane.LAB, None),
        **{name: getattr(found, name) for name in vars(found)},
    )


SOAK = series(latencies(6, rise=0.03), heat=[60, 64, 67, 69, 70, 90.0], seen={5: (HOT,)})
BLIND = series(latencies(6), heat=NO_SENSOR, rested=Null("NO_SENSOR"))


def test_a_report_without_a_series_has_no_such_section() -> None:
    assert "hermal series" not in page_text(summary(seven()))


def test_a_series_has_its_sentence_and_its_runs() -> None:
    made = profile(SOAK).model_copy(update={"model_id": "orket-nano"})
    part = section(page_text(summary(seven()), thermal=[made]), "Thermal series")
    assert "orket-nano Q4_K_M: thermal series" in part
    assert "not thermally stable: latency rises" in part
    rows = [line.split("|")[1:-1] for line in part.splitlines() if line.startswith("| ")]
    assert [cells[0].strip() for cells in rows[1:]] == ["1", "2", "3", "4", "5", "6"]
    assert rows[6][4].strip() == "45.0"
    assert rows[6][6].strip() == "yes"
    assert "THERMAL_END_ABOVE_THRESHOLD, RUN_QUALITY_NOT_CLEAN" in rows[6][8].replace("\\", "")
    assert "run 6: THERMAL_THROTTLE: GPU 0 slowed by sw_thermal \\| up to 88 C" in part


def test_what_disturbed_a_run_is_told() -> None:
    busy = Observation.of(Reason.HIGH_CPU_SATURATION, "foreign CPU use 40%")
    made = profile(series(latencies(6), seen={2: (busy, busy), 5: (HOT,)}))
    notes = thermal_section(made).notes
    assert [note for note in notes if note.startswith("run ")] == [
        f"run 6: THERMAL_THROTTLE: {HOT.evidence}",
        "run 3: HIGH_CPU_SATURATION: foreign CPU use 40%",
    ]


def test_what_no_sensor_told_is_a_dash_with_its_reason() -> None:
    found = thermal_section(profile(BLIND))
    assert {cells[4] for cells in found.rows} == {"—"}
    assert {cells[3] for cells in found.rows} == {"—"}
    why = "NO_TEMPERATURE_SENSOR (run 1, 2, 3, 4, 5, 6)"
    assert f"no thermal_end_c: {why}" in found.notes


def test_a_profile_of_an_older_version_is_still_a_section() -> None:
    old = profile(SOAK).model_copy(update={"speed": None, "throttling": ()})
    assert thermal_section(old).rows[0][2] == "—"


def test_the_terminal_says_it_in_a_line() -> None:
    text = terminal_summary(summary(seven()), "report.md", further=["thermal: nano: steady."])
    assert "\nthermal: nano: steady.\n" in text


@pytest.mark.parametrize("made", [SOAK, BLIND, series([])], ids=["heat", "no sensor", "nothing"])
def test_a_picture_is_drawn_of_whatever_there_is(tmp_path: Path, made: ThermalSeries) -> None:
    plot_thermal(profile(made), made, tmp_path / "thermal.png")
    plot_thermal(profile(made), None, tmp_path / "of_summaries.png")
    for path in tmp_path.glob("*.png"):
        height, width, _ = matplotlib.image.imread(path).shape
        assert width == 1650
        assert height > 300


def test_a_panel_without_data_says_why() -> None:
    heat, clock, power, speed = columns_of(profile(BLIND), BLIND)
    assert heat.missing == "nothing to draw: this machine has no temperature sensor"
    assert len(clock.points) == 24
    assert power.missing == "nothing to draw: this machine has no readable energy counter"
    assert len(speed.points) == 30
    assert len(speed.means) == 6
    assert speed.note.startswith("steady state: ")
    nothing = series([], status_reason="NO_QUANT_CHOSEN")
    words = "nothing to draw: no quant is recommended, so nothing was run"
    assert {column.missing for column in columns_of(profile(nothing), nothing)} == {words}


def test_a_picture_counts_its_runs_from_1() -> None:
    axes = Figure().add_subplot()
    mark_runs(axes, [repeat.window_s for repeat in SOAK.repeats])
    assert [text.get_text() for text in axes.texts] == ["run 1", "2", "3", "4", "5", "6"]


def test_the_same_profile_is_the_same_picture(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        plot_thermal(profile(SOAK), SOAK, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
