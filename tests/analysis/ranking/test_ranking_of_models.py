"""All models of a sweep in one ranking."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from builders import metrics, row, unmeasured
from hypothesis import given
from hypothesis import strategies as st

from orket_lib.analysis.ranking.models import MEMORY_SIZES_GIB, best_that_fits, rank_models
from orket_lib.artifacts.views.ranking import MemoryKind, RankedCell, Ranking
from orket_lib.artifacts.views.row import Row, TaskScore
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, Quality

GIB = 1024.0
BUSY: dict[str, Any] = {
    "run_quality_status": Quality.POLLUTED,
    "valid": False,
    "invalid_because": ("run quality is POLLUTED",),
    "quality_spoiled_by": (),
}
SPOILED = BUSY | {"quality_spoiled_by": ("CONTEXT_MISMATCH: 512 instead of 2048",)}


def scores(right: Sequence[int], tasks: Sequence[int] = range(100)) -> tuple[TaskScore, ...]:
    return tuple(
        TaskScore(test_id=f"t{n}", passed=n in right, adherence_score=float(n in right))
        for n in tasks
    )


def cell(model: str, quant: str, right: int, tasks: int = 100, **changes: Any) -> Row:
    """Return a row that gets the first `right` of its tasks right, and needs 1 GiB."""
    return row(
        metrics(quant, 8.0, model_id=model, adherence_score=right / tasks, **changes),
        scores(range(right), range(tasks)),
    )


def ranked(*rows: Row, include_invalid: bool = False, lane: Lane = Lane.LAB) -> Ranking:
    found = rank_models(rows, include_invalid, lane)
    assert found is not None
    return found


def ranks(found: Ranking) -> dict[str, int]:
    return {cell.name: cell.rank for cell in found.cells}


def test_one_model_needs_no_ranking() -> None:
    assert rank_models([cell("a", "Q8_0", 90), cell("a", "Q2_K", 10)], False, Lane.LAB) is None
    assert rank_models([], False, Lane.LAB) is None


def test_all_cells_are_in_one_ranking() -> None:
    found = ranked(
        cell("big", "Q8_0", 60),
        cell("big", "Q2_K", 20),
        cell("small", "Q8_0", 90),
        cell("small", "Q2_K", 40),
    )
    assert ranks(found) == {"small Q8_0": 1, "big Q8_0": 2, "small Q2_K": 3, "big Q2_K": 4}
    best, second, *_ = found.cells
    assert (best.behind_best, best.behind_previous) == (None, None)
    assert second.behind_best == second.behind_previous
    assert second.behind_best is not None
    assert second.behind_best.adherence == pytest.approx(0.3)
    assert second.behind_best.low < 0.3 < second.behind_best.high
    assert best.low < best.adherence < best.high


def test_ties_chain_and_the_distance_to_the_best_is_shown() -> None:
    """Each is three tasks behind the one above: no neighbour is proved better, the first one is."""
    found = ranked(*(cell("a" if n % 2 else "b", f"Q{n}", 90 - 3 * n) for n in range(4)))
    assert [item.rank for item in found.cells] == [1, 1, 1, 1]
    proved = [item.behind_best.proved for item in found.cells if item.behind_best]
    assert proved == [False, True, True]


def test_a_rank_counts_the_cells_above_it() -> None:
    found = ranked(cell("a", "Q8_0", 90), cell("b", "Q8_0", 90), cell("b", "Q2_K", 30))
    assert [item.rank for item in found.cells] == [1, 1, 3]


def test_only_tasks_that_all_were_asked_count() -> None:
    early = cell("a", "Q8_0", 40, tasks=40)  # left after the first batch, all of it right
    found = ranked(early, cell("b", "Q8_0", 90), cell("b", "Q2_K", 30))
    assert found.tasks == 40
    assert {item.name: item.adherence for item in found.cells} == {
        "a Q8_0": 1.0,
        "b Q8_0": 1.0,
        "b Q2_K": 0.75,
    }


def test_nothing_in_common_is_no_ranking() -> None:
    other = row(metrics("Q8_0", 8.0, model_id="b"), scores(range(9), range(200, 210)))
    found = ranked(cell("a", "Q8_0", 40), other)
    assert (found.tasks, found.cells) == (0, ())
    assert found.conclusions[0].startswith("no ranking of the models: a Q8_0 (there is no task")
    assert {item.model_id for item in found.best_that_fits} == {None}


def test_quality_alone_decides_who_is_ranked() -> None:
    found = ranked(
        cell("a", "Q8_0", 90, **BUSY),
        cell("b", "Q8_0", 80, **SPOILED),
        row(unmeasured("Q2_K", 3.0).model_copy(update={"model_id": "b"}), ()),
    )
    assert ranks(found) == {"a Q8_0": 1}
    assert {item.quant_tag: item.reason for item in found.unranked} == {
        "Q8_0": "CONTEXT_MISMATCH: 512 instead of 2048",
        "Q2_K": "it did not load",
    }
    assert "not ranked: b Q2_K (it did not load); b Q8_0 (CONTEXT_MISMATCH" in found.conclusions[-1]
    asked = ranked(cell("a", "Q8_0", 90), cell("b", "Q8_0", 80, **SPOILED), include_invalid=True)
    assert len(asked.cells) == 2


@pytest.mark.parametrize(
    ("changes", "lane", "pareto", "reason"),
    [
        pytest.param({}, Lane.LAB, False, None, id="beaten in all"),
        pytest.param({"generation_tokens_per_second": 300.0}, Lane.LAB, True, None, id="faster"),
        pytest.param({"generation_tokens_per_second": 300.0}, Lane.CI, False, None, id="lane ci"),
        pytest.param({"peak_memory_rss": 100.0}, Lane.CI, True, None, id="smaller"),
        pytest.param(
            {"generation_tokens_per_second": Null("NO_PROBE")},
            *(Lane.LAB, None, {"generation_tokens_per_second": "NO_PROBE"}),
            id="no speed",
        ),
        pytest.param(BUSY, Lane.LAB, None, {"generation_tokens_per_second": "TIMES_DISTURBED"}),
        pytest.param(
            {"peak_memory_rss": Null("NOT_SAMPLED")},
            *(Lane.LAB, None, {"memory_mib": "NOT_SAMPLED", "fits_mib": "NOT_SAMPLED"}),
            id="no memory",
        ),
    ],
)
def test_the_pareto_set_is_over_all_models(
    changes: dict[str, Any], lane: Lane, pareto: bool | None, reason: dict[str, str] | None
) -> None:
    good = cell("a", "Q8_0", 90, generation_tokens_per_second=200.0)
    found = ranked(good, cell("b", "Q8_0", 60, **changes), lane=lane)
    assert found.cells[0].pareto
    assert found.cells[1].pareto is pareto
    assert found.cells[1].null_reasons == (reason or {})


def test_the_best_that_fits_is_by_vram_where_a_gpu_serves() -> None:
    found = ranked(
        cell("big", "F16", 95, peak_vram_mib=14 * GIB, peak_memory_rss=20 * GIB),
        cell("big", "Q4_K_M", 90, peak_vram_mib=8 * GIB, peak_memory_rss=20 * GIB),
        cell("small", "F16", 60, peak_memory_rss=5 * GIB),
    )
    fits = {item.gib: (item.model_id, item.quant_tag, item.by) for item in found.best_that_fits}
    assert tuple(fits) == MEMORY_SIZES_GIB
    assert fits == {
        4: (None, None, None),
        8: ("big", "Q4_K_M", MemoryKind.VRAM),
        12: ("big", "Q4_K_M", MemoryKind.VRAM),
        16: ("big", "F16", MemoryKind.VRAM),
        24: ("big", "F16", MemoryKind.VRAM),
        48: ("big", "F16", MemoryKind.VRAM),
    }
    assert (
        "best that fits (by VRAM): 4 GiB: none; 8 to 12 GiB: big Q4_K_M; 16 to 48 GiB: big F16"
        in found.conclusions
    )


def test_memory_that_is_unknown_fits_nowhere() -> None:
    """A GPU may be in use, so main memory alone would promise too much."""
    hidden: dict[str, Any] = {"peak_vram_mib": Null("VRAM_NOT_MEASURED")}
    found = ranked(cell("a", "Q8_0", 90, **hidden), cell("b", "Q8_0", 60))
    assert {item.model_id for item in found.best_that_fits} == {"b"}
    found = ranked(cell("a", "Q8_0", 90, **hidden), cell("b", "Q8_0", 60, **hidden))
    assert (
        "best that fits: unknown, because no memory was measured (VRAM_NOT_MEASURED)"
        in found.conclusions
    )


def test_the_smaller_model_may_be_the_better_one() -> None:
    found = ranked(
        cell("big", "F16", 60, peak_memory_rss=15 * GIB),
        cell("big", "Q4_K_M", 58, peak_memory_rss=5 * GIB),
        cell("small", "F16", 91, peak_memory_rss=3 * GIB),
        cell("small", "Q4_K_M", 90, peak_memory_rss=1 * GIB),
        cell("small", "Q2_K", 20, peak_memory_rss=0.5 * GIB),
    )
    assert found.conclusions == (
        "best of all: small F16, adherence 0.910 (0.842 to 0.955) on 100 tasks; these tasks can't "
        "tell it from small Q4_K_M; small Q4_K_M needs the least memory of these",
        "best of big: F16 is behind by 0.310 (0.216 to 0.398)",
        "best that fits (by RAM, as no GPU serves): 4 to 48 GiB: small F16",
    )


def test_models_as_good_as_each_other_are_not_ranked_apart_in_words() -> None:
    found = ranked(cell("big", "F16", 91, peak_memory_rss=9 * GIB), cell("small", "F16", 90))
    best, other, _ = found.conclusions
    assert "these tasks can't tell it from small F16; small F16 needs the least memory" in best
    assert other.startswith("best of small: F16 may be as good (behind by 0.010 (-")


def test_the_best_of_the_bad_is_said_to_be_bad() -> None:
    found = ranked(cell("a", "F16", 6), cell("b", "F16", 5))
    assert "even the best one fails most of these tasks" in found.conclusions[0]


CELLS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 30),
        st.sampled_from([0.5, 3.0, 7.9, 20.0, 100.0, None]),
    ),
    min_size=2,
    max_size=7,
)


def _rows(drawn: list[tuple[str, int, float | None]]) -> list[Row]:
    return [
        cell(
            model,
            f"Q{number}",
            right,
            tasks=30,
            peak_memory_rss=Null("NOT_SAMPLED") if gib is None else gib * GIB,
        )
        for number, (model, right, gib) in enumerate(drawn)
    ]


@given(CELLS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_tasks_changes_nothing(
    drawn: list[tuple[str, int, float | None]], dice: random.Random
) -> None:
    rows = _rows(drawn)
    expected = rank_models(rows, False, Lane.LAB)
    shuffled = [
        item.model_copy(update={"task_scores": tuple(dice.sample(item.task_scores, 30))})
        for item in dice.sample(rows, len(rows))
    ]
    assert rank_models(shuffled, False, Lane.LAB) == expected


@given(CELLS)
def test_more_memory_never_makes_the_best_worse(
    drawn: list[tuple[str, int, float | None]],
) -> None:
    found = rank_models(_rows(drawn), False, Lane.LAB)
    if found is None:
        return
    places = [(item.model_id, item.quant_tag) for item in found.cells]
    named = [_named(found.cells, gib) for gib in range(1, 130)]
    best = [places.index(name) if name in places else len(places) for name in named]
    assert best == sorted(best, reverse=True)
    ordered = [item.rank for item in found.cells]
    assert ordered == sorted(ordered)
    # Nothing outside the Pareto set beats something in it.
    for item in found.cells:
        if item.pareto is False:
            assert any(other.pareto and _as_good(other, item) for other in found.cells)


def _named(cells: Sequence[RankedCell], gib: int) -> tuple[str | None, str | None]:
    found = best_that_fits(cells, gib)
    return found.model_id, found.quant_tag


def _as_good(one: RankedCell, other: RankedCell) -> bool:
    assert one.memory_mib is not None
    assert other.memory_mib is not None
    return one.adherence >= other.adherence and one.memory_mib <= other.memory_mib
