from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from explorer_artifacts import frontier

from orket_lib.analysis.history.compare import StoredArtifact, compare, described, over_time
from orket_lib.artifacts.history import HistoryList, HistoryOverTime
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.report.history import comparison_text, list_text
from orket_lib.report.plots.history import plot_history


def kept(day: int, latency: float | None = 1.0, **changes: object) -> StoredArtifact:
    entry = frontier(generated_at=f"2026-11-{day:02}T00:00:00Z", **changes)
    row = entry["sessions"][0]["quant_rows"][0]
    row["total_latency"] = latency
    if latency is None:
        row["null_reasons"] = {"total_latency": "NO_CONTENT"}
    return StoredArtifact(f"{day:012x}", "frontiers", FrontierExplorer.model_validate(entry))


def drawn(tmp_path: Path, *records: StoredArtifact) -> float:
    """Return the share of a picture that is coloured; axes and texts are grey."""
    series = over_time(records, "total_latency")
    target = tmp_path / "deep" / "picture.png"
    plot_history(HistoryOverTime(metric="total_latency", series=series), target)
    pixels = matplotlib.image.imread(target)
    return float((np.ptp(pixels[..., :3], axis=-1) > 0.3).mean())


def test_a_list_says_when_where_and_what_came_of_it() -> None:
    text = list_text(HistoryList(records=[described(kept(1)), described(kept(2))]))
    assert text.splitlines()[0] == (
        "000000000001  2026-11-01T00:00:00Z  text, testing, lab, safe  text: text (best value text)"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (kept(1), kept(2, 1.1), "numbers   total_latency: 1.00 -> 1.10 (+10.0%)  (text text)"),
        (kept(1, 0.0), kept(2, 1.1), "numbers   total_latency: 0 -> 1.10  (text text)"),
        (kept(1), kept(2, None), "numbers   total_latency: 1.00 -> none  (text text)"),
        (kept(1), kept(2, include_invalid=False), "settings  include_invalid: yes -> no"),
        (kept(1), kept(2), "no difference in what both records contain"),
    ],
)
def test_a_comparison_says_each_change_on_a_line(
    old: StoredArtifact, new: StoredArtifact, expected: str
) -> None:
    first, second, only = comparison_text(compare(old, new)).splitlines()
    assert (first[:20], second[:20]) == ("old  000000000001  2", "new  000000000002  2")
    assert only.strip() == expected


def test_a_picture_shows_what_is_there(tmp_path: Path) -> None:
    nothing = drawn(tmp_path, kept(1, None))
    one = drawn(tmp_path, kept(1))
    line = drawn(tmp_path, kept(1), kept(2, 5.0), kept(3, None), kept(4, 2.0))
    assert 0 == nothing < one < line


def test_names_with_signs_of_formulas_are_drawn_as_they_are(tmp_path: Path) -> None:
    entry = frontier()
    entry["sessions"][0]["model_id"] = r"$\frac{broken _underscored_"
    artifact = FrontierExplorer.model_validate(entry)
    assert drawn(tmp_path, StoredArtifact("1", "frontiers", artifact)) > 0
