from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from explorer_artifacts import context_ceiling, frontier, thermal_profile

from orket_lib.analysis.history.compare import (
    METRICS,
    StoredArtifact,
    by_time,
    compare,
    described,
    over_time,
)
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.stores.files import Entry
from orket_lib.vocabulary.statuses import Lane

KINDS: dict[str, Any] = {
    "frontiers": FrontierExplorer,
    "context_ceilings": ContextCeiling,
    "thermal_profiles": ThermalProfile,
}


def kept(entry: Entry, store: str = "frontiers", id_: str = "1") -> StoredArtifact:
    return StoredArtifact(id_, store, KINDS[store].model_validate(entry))


def with_rows(*tags: str, **changes: Any) -> Entry:
    """Return a frontier with a row for each quant; `changes` are those of its first row."""
    entry = frontier()
    (session,) = entry["sessions"]
    (row,) = session["quant_rows"]
    session["model_id"] = "nano"
    session["quant_rows"] = [copy.deepcopy(row) | {"quant_tag": tag} for tag in tags]
    session["quant_rows"][0] |= changes
    return entry


def without(*picks: str) -> Entry:
    entry = with_rows("F16")
    return entry | {"sessions": [entry["sessions"][0] | dict.fromkeys(picks, "")]}


def changes(old: Entry, new: Entry, store: str = "frontiers") -> list[tuple[Any, ...]]:
    found = compare(kept(old, store), kept(new, store)).changes
    return [(one.kind, one.what, one.old, one.new, one.where) for one in found]


def test_records_are_in_the_order_of_their_times_and_not_of_their_letters() -> None:
    moments = [
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00.5Z",
        "2026-11-23T12:00:01+02:00",
        "2026-11-23T05:00:02-05:00",
        "2026-11-23T10:00:03.000001Z",
        "2026-11-23T10:00:04",
    ]
    records = [kept(frontier(generated_at=moment)) for moment in moments]
    shuffled = random.Random(3).sample(records, k=len(records))
    assert [one.artifact.generated_at for one in by_time(shuffled)] == moments
    assert sorted(moments) != moments


def test_equal_records_have_no_change() -> None:
    for store, entry in (
        ("frontiers", frontier()),
        ("context_ceilings", context_ceiling()),
        ("thermal_profiles", thermal_profile()),
    ):
        later = entry | {"generated_at": "2027-01-01T00:00:00Z"}
        comparison = compare(kept(entry, store), kept(later, store))
        assert (comparison.changes, comparison.notes) == ((), ())


SERVED = {"sha256": "a", "digest": None, "build": "b10359", "platform": {"nvidia_driver": "550"}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"served": SERVED | {"platform": {"nvidia_driver": "570"}}},
            ("driver", "nvidia_driver", "550", "570", ("nano F16",)),
        ),
        (
            {"served": SERVED | {"build": "b10400"}},
            ("build", "build", "b10359", "b10400", ("nano F16",)),
        ),
        ({"served": SERVED | {"sha256": "c"}}, ("artifact", "sha256", "a", "c", ("nano F16",))),
        ({"served": SERVED | {"digest": "c"}}, ("artifact", "digest", None, "c", ("nano F16",))),
        ({"valid": False}, ("validity", "valid", True, False, ("nano F16",))),
        ({"total_latency": 2.5}, ("numbers", "total_latency", 0.5, 2.5, ("nano F16",))),
        (
            {"total_latency": None, "null_reasons": {"total_latency": "NO_CONTENT"}},
            ("numbers", "total_latency", 0.5, None, ("nano F16",)),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_one_change_of_a_row_is_one_change(change: dict[str, Any], expected: Any) -> None:
    old = with_rows("F16", "Q2_K", served=SERVED)
    assert changes(old, with_rows("F16", "Q2_K", **({"served": SERVED} | change))) == [expected]


def test_what_changed_for_all_rows_is_said_once() -> None:
    old, new = with_rows("F16", "Q2_K"), with_rows("F16", "Q2_K")
    for row in new["sessions"][0]["quant_rows"]:
        row["served"]["build"] = "b10400"
    assert changes(old, new) == [("build", "build", "text", "b10400", ("nano F16", "nano Q2_K"))]


def test_changes_are_ordered_from_causes_to_numbers() -> None:
    old = with_rows("F16", served=SERVED)
    new = with_rows("F16", served=SERVED | {"build": "x"}, total_latency=2.0, valid=False)
    new["sessions"][0]["minimum_viable_quant"] = ""
    new["hardware_fingerprint"] = "another"
    assert [one[:2] for one in changes(old, new)] == [
        ("machine", "hardware_fingerprint"),
        ("build", "build"),
        ("verdict", "minimum_viable_quant"),
        ("validity", "valid"),
        ("numbers", "total_latency"),
    ]


def test_a_quant_that_only_one_record_has_is_one_change() -> None:
    assert changes(with_rows("F16", "Q2_K"), with_rows("F16", "Q4_K_M")) == [
        ("rows", "quant", "there", None, ("nano Q2_K",)),
        ("rows", "quant", None, "there", ("nano Q4_K_M",)),
    ]


def test_a_record_from_before_builds_were_noted_claims_no_change_of_them() -> None:
    comparison = compare(kept(with_rows("F16", served=None)), kept(with_rows("F16")))
    assert comparison.changes == ()
    assert comparison.notes == ("nano F16: the old record doesn't contain driver, build and file",)


def test_thresholds_and_verdicts_of_the_other_stores_are_compared() -> None:
    new = context_ceiling(safe_context_ceiling=4096)
    new["thresholds"] = new["thresholds"] | {"adherence_min": 0.9}
    assert changes(context_ceiling(), new, "context_ceilings") == [
        ("settings", "adherence_min", 0.5, 0.9, ()),
        ("verdict", "safe_context_ceiling", 1, 4096, ("nano Q4_K_M",)),
    ]
    hot = thermal_profile(heat_soak_detected=False)
    hot["points"][0]["polluted"] = False
    assert changes(thermal_profile(), hot, "thermal_profiles") == [
        ("verdict", "heat_soak_detected", True, False, ("nano Q4_K_M",)),
        ("validity", "polluted", True, False, ("nano Q4_K_M run 1",)),
    ]


def test_records_that_count_their_runs_from_0_have_the_same_runs() -> None:
    point = thermal_profile()["points"][0]
    old, new = (
        thermal_profile(points=[point | {"run_index": first + run} for run in range(2)])
        for first in (0, 1)
    )
    assert changes(old, new, "thermal_profiles") == []


def test_a_metric_over_time_has_a_series_for_each_quant_and_its_nulls() -> None:
    early = with_rows("F16", "Q2_K", total_latency=3.0) | {"generated_at": "2026-01-01T00:00:00Z"}
    late = with_rows(
        "F16", "Q2_K", total_latency=None, null_reasons={"total_latency": "X"}, valid=False
    ) | {"generated_at": "2026-01-02T00:00:00Z"}
    series = over_time([kept(late, id_="2"), kept(early, id_="1")], "total_latency")
    assert [one.name for one in series] == ["nano F16", "nano Q2_K"]
    first = series[0].points
    assert [(one.id, one.value, one.valid) for one in first] == [
        ("1", 3.0, True),
        ("2", None, False),
    ]
    assert first[1].null_reasons == {"value": "X"}
    (only,) = over_time([kept(late), kept(early)], "total_latency", quant="Q2_K")
    assert only.name == "nano Q2_K"


def test_another_sweep_or_config_is_said() -> None:
    provenance = frontier()["provenance"]
    new = frontier(sweep="other", provenance=provenance | {"config_sha256": "c" * 64})
    assert changes(frontier(), new) == [
        ("settings", "sweep", "text", "other", ()),
        ("settings", "config", "text", "c" * 12, ()),
    ]


def test_machines_lanes_and_sweeps_are_never_one_series() -> None:
    records = [
        kept(frontier()),
        kept(frontier(execution_lane="ci")),
        kept(frontier(hardware_fingerprint="another")),
        kept(frontier(sweep="other")),
    ]
    series = over_time(records, "adherence_score")
    assert len({one.name for one in series}) == len(series) == 4
    assert all(len(one.points) == 1 for one in series)
    assert any("another" in one.name for one in series)
    assert {one.execution_lane for one in series} == {"ci", "lab"}


@pytest.mark.parametrize("store", METRICS)
def test_every_metric_of_a_store_can_be_had(store: str) -> None:
    entry = {
        "frontiers": frontier(),
        "context_ceilings": context_ceiling(),
        "thermal_profiles": thermal_profile(),
    }[store]
    for metric in METRICS[store]:
        (series,) = over_time([kept(entry, store)], metric)
        assert series.points[0].value is not None


@pytest.mark.parametrize(
    ("store", "entry", "verdict"),
    [
        ("frontiers", with_rows("F16"), "nano: text (best value text)"),
        ("frontiers", without("best_value_quant"), "nano: text"),
        ("frontiers", without("best_value_quant", "minimum_viable_quant"), "nano: no quant"),
        (
            "context_ceilings",
            context_ceiling(safe_context_ceiling=8192),
            "nano Q4_K_M: 8192 tokens",
        ),
        (
            "context_ceilings",
            context_ceiling(
                safe_context_ceiling=None, null_reasons={"safe_context_ceiling": "NONE_PASSED"}
            ),
            "nano Q4_K_M: no tokens",
        ),
        ("thermal_profiles", thermal_profile(), "nano Q4_K_M: heat soak"),
        (
            "thermal_profiles",
            thermal_profile(heat_soak_detected=None),
            "nano Q4_K_M: no thermal verdict",
        ),
    ],
)
def test_a_record_is_described_by_its_verdict(store: str, entry: Entry, verdict: str) -> None:
    assert described(kept(entry, store)).verdicts == (verdict,)


def test_speeds_of_lane_ci_stay_those_of_lane_ci_under_another_label() -> None:
    entry = context_ceiling(execution_lane="lab", measured_lane="ci")
    (series,) = over_time([kept(entry, "context_ceilings")], "safe_context_ceiling")
    assert series.execution_lane is Lane.CI
