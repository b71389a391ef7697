"""What report, picture and terminal say of a context sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, NOW, PROVENANCE
from page_texts import page_text
from report_summaries import seven, summary

from orket_lib.artifacts.views.context_ceiling import (
    ContextCeiling,
    ContextPoint,
    ContextSeen,
    ContextThresholds,
    DepthScore,
    NotTried,
)
from orket_lib.report.plots.context import plot_context
from orket_lib.report.sections.context import context_section
from orket_lib.report.terminal import terminal_summary
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, VramProfile


def point(context: int, **changes: Any) -> ContextPoint:
    values: dict[str, Any] = {
        "context": context,
        "adherence_score": 1.0,
        "right": 20.0,
        "asked": 20,
        "adherence_low": 0.861,
        "adherence_high": 1.0,
        "degradation_from_baseline": 0.0,
        "ttft_ms": 12.3,
        "ttft_cold_ms": context / 6,
        "decode_tps": 2e6 / (900 + context),
        "valid": True,
        "passed": True,
        "reasons": (),
        "seen": ContextSeen.of(
            filled_min=0.84,
            filled_mean=0.85,
            cached_tokens=800,
            peak_memory_rss=50.0,
            peak_vram_mib=Null("NO_GPU_USED"),
        ),
        "summary_path": f"context_{context}.json",
    }
    return ContextPoint.of(**(values | changes))


def broken(context: int) -> ContextPoint:
    return point(
        context,
        adherence_score=0.45,
        right=9.0,
        adherence_low=0.259,
        adherence_high=0.658,
        degradation_from_baseline=0.55,
        passed=False,
        reasons=("ADHERENCE_BELOW_MIN",),
    )


def not_loaded(context: int) -> ContextPoint:
    names = ("adherence_score", "degradation_from_baseline", "ttft_ms", "ttft_cold_ms")
    nothing = dict.fromkeys((*names, "decode_tps"), Null("STATUS_LOAD_FAILED"))
    return point(
        context,
        **nothing,
        **dict.fromkeys(("right", "asked"), 0),
        **dict.fromkeys(("adherence_low", "adherence_high")),
        valid=False,
        passed=False,
        reasons=("CONTEXT_NOT_LOADED",),
        detail="served 2048 of 4096 asked for",
        seen=None,
    )


def ceiling(*points: ContextPoint, **changes: Any) -> ContextCeiling:
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "execution_lane": Lane.CI,
        "vram_profile": VramProfile.SAFE,
        "hardware_fingerprint": MACHINE,
        "model_id": "orket-nano",
        "quant_tag": "Q4_K_M",
        "thresholds": ContextThresholds(
            adherence_min=0.95, ttft_ceiling_ms=250, decode_floor_tps=20, include_invalid=False
        ),
        "safe_context_ceiling": 1024,
        "largest_passing_context": 1024,
        "recommendation": "nano at Q4_K_M: use a context of up to 1024 tokens.",
        "points": points,
    }
    return ContextCeiling.of(**(values | changes))


WHOLE = (point(256), point(512), point(1024), broken(2048), not_loaded(4096))
NOTHING = {
    "points": (),
    "safe_context_ceiling": Null("NO_CONTEXT_TRIED"),
    "largest_passing_context": Null("NO_CONTEXT_TRIED"),
}


def test_the_report_has_a_line_for_each_context() -> None:
    text = page_text(summary(seven()), contexts=[ceiling(*WHOLE)])
    assert "## Context\n" in text
    assert "nano at Q4_K_M: use a context of up to 1024" in text
    assert "usable context\n1024 tokens" in text
    assert "| 1024 | yes | 1.000 | 20 of 20 (0.861 to 1.000) | 0.000 | 0.850 | 12.3 |" in text
    assert "| 12.3 | 800 | 171 | 1040 | 50.0 | none |" in text
    assert "| 2048 | no | 0.450 | 9 of 20 (0.259 to 0.658) | 0.550 |" in text
    assert "| CONTEXT_NOT_LOADED; served 2048 of 4096 asked for |" in text


def test_a_number_that_is_missing_has_its_reason_in_the_table() -> None:
    found = ceiling(point(512, ttft_ms=Null("SWEEP_HAS_NO_FOLLOW_UP")))
    assert context_section(found).rows[0][-1] == "ttft_ms: SWEEP_HAS_NO_FOLLOW_UP"


@pytest.mark.parametrize(
    ("vram", "shown", "said"),
    [(7000.0, "7050", "none"), (Null("NOT_SAMPLED"), "—", "memory: NOT_SAMPLED")],
)
def test_memory_is_that_of_the_gpu_too(vram: float | Null, shown: str, said: str) -> None:
    seen = point(512).seen
    assert seen is not None
    values = {name: seen.reading(name) for name in seen.readings()} | {"peak_vram_mib": vram}
    cells = context_section(ceiling(point(512, seen=ContextSeen.of(**values)))).rows[0]
    assert cells[-2:] == (shown, said)


def test_what_is_asked_of_each_depth_has_a_table_of_its_own() -> None:
    """A mean over depths hides a model that reads the ends of its context and not the middle."""
    scores = ((0.0, 0.25), (0.5, 0.0), (1.0, 1.0))
    lost = tuple(
        DepthScore(family="needle", depth=depth, adherence_score=score, tasks=4)
        for depth, score in scores
    )
    seen = point(2048).seen
    assert seen is not None
    with_depths = point(2048, seen=seen.model_copy(update={"depths": lost}))
    text = page_text(summary(seven()), contexts=[ceiling(point(512), with_depths)])
    assert (
        "| Context | Family | Tasks each | 0 % | 50 % | 100 % |\n"
        "| 2048 | needle | 4 | 0.250 | 0.000 | 1.000 |\n"
    ) in text


def test_one_depth_alone_has_no_table() -> None:
    seen = point(512).seen
    assert seen is not None
    one = (DepthScore(family="needle", depth=0.5, adherence_score=1.0, tasks=4),)
    found = ceiling(point(512, seen=seen.model_copy(update={"depths": one})))
    assert "Tasks each" not in page_text(summary(seven()), contexts=[found])


def test_a_report_without_contexts_says_nothing_of_them() -> None:
    assert "## Context" not in page_text(summary(seven()))


def test_contexts_that_were_left_out_are_in_the_table() -> None:
    left = (NotTried(context=256, reason="bisected: 512 passed"),)
    section = context_section(ceiling(point(512), not_tried=left))
    assert [row[:2] for row in section.rows] == [("256", "not tried"), ("512", "yes")]
    assert section.rows[0][-1] == "bisected: 512 passed"


@pytest.mark.parametrize(
    "found",
    [
        ceiling(*WHOLE),
        ceiling(point(512)),
        ceiling(not_loaded(4096)),
        ceiling(**NOTHING),
        ceiling(
            *(point(n, ttft_ms=Null("NO_FOLLOW_UP")) for n in (4096, 8192)), model_id="a $x$ b$_"
        ),
        ceiling(
            *WHOLE,
            thresholds=ContextThresholds(
                adherence_min=0, ttft_ceiling_ms=0, decode_floor_tps=0, include_invalid=True
            ),
        ),
    ],
    ids=["whole", "one", "not loaded", "none", "no follow-up", "gates off"],
)
def test_any_context_sweep_gives_a_picture(tmp_path: Path, found: ContextCeiling) -> None:
    plot_context(found, tmp_path / "plot.png")
    first = (tmp_path / "plot.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    plot_context(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes() == first


def test_the_terminal_has_a_line_for_it() -> None:
    text = terminal_summary(summary(seven()), "report.md", further=["context: up to 1024"])
    assert "\ncontext: up to 1024\n" in text
