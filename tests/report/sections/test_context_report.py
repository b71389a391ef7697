"""What report, picture and terminal say of a context sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, NOW, PROVENANCE
from page_texts import page_text
from report_summaries import seven, summary

from orket_lib.artifacts.views.context_ceiling import (
    CeilingComparison,
    ContextCeiling,
    ContextPoint,
    ContextQuants,
    ContextSeen,
    ContextThresholds,
    DepthScore,
    FamilyAtContext,
    LengthEffect,
    NotTried,
    PairedDrop,
    QuantContexts,
)
from orket_lib.report.page.charts import quants_chart
from orket_lib.report.page.page import render_page
from orket_lib.report.plots.context import plot_context
from orket_lib.report.plots.context_quants import plot_quants
from orket_lib.report.sections.context import context_section
from orket_lib.report.sections.context_quants import quants_section
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


def quants(**changes: Any) -> ContextQuants:
    """Return two quants, one of which loses a third of its answers at 1024."""
    paired = PairedDrop(tasks=20, lost=7, won=0, drop=0.35, low=0.03, high=0.59)
    equal = PairedDrop(tasks=20, lost=0, won=0, drop=0.0, low=-0.17, high=0.17)
    family = FamilyAtContext(
        family="retrieval", context=1024, right=13, asked=20, low=0.44, high=0.82, paired=paired
    )
    length = LengthEffect(
        family="all",
        short=512,
        long=1024,
        at_short=equal,
        at_long=paired,
        more=0.35,
        low=-0.01,
        high=0.64,
        verdict="undecided",
    )
    largest = QuantContexts.of(
        quant_tag="F16",
        safe_context_ceiling=1024,
        points=(point(512), point(1024)),
        not_tried=(),
        ceiling=None,
        families=(family.model_copy(update={"right": 20, "paired": None}),),
        lengths=(),
    )
    smaller = QuantContexts.of(
        quant_tag="Q2_K@kv8",
        safe_context_ceiling=512,
        points=(point(512), broken(1024)),
        not_tried=(NotTried(context=2048, reason="bisected"),),
        ceiling=CeilingComparison(
            verdict="lower", context=1024, paired=paired, because="it lost 7"
        ),
        families=(family,),
        lengths=(length,),
    )
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "execution_lane": Lane.LAB,
        "vram_profile": VramProfile.SAFE,
        "hardware_fingerprint": MACHINE,
        "model_id": "orket-nano",
        "sweep": "small",
        "baseline_quant": "F16",
        "thresholds": ContextThresholds(
            adherence_min=0.95, ttft_ceiling_ms=250, decode_floor_tps=20, include_invalid=False
        ),
        "conclusions": ("Context ceilings: F16 1024; lower: <Q2_K>.",),
        "quants": (largest, smaller),
    }
    return ContextQuants(**(values | changes))


def test_the_section_of_several_quants_has_ceilings_families_and_lengths() -> None:
    section = quants_section(quants())
    assert section.ceilings == (
        ("F16", "1024", "baseline", "—"),
        ("Q2_K@kv8", "512", "lower", "it lost 7"),
    )
    assert section.families[1] == (
        *("Q2_K@kv8", "retrieval", "1024", "13 of 20", "0.650 (0.440 to 0.820)"),
        "35% (3% to 59%)",
    )
    assert section.lengths == (
        (
            *("Q2_K@kv8", "all", "512", "0% (-17% to 17%)", "1024", "35% (3% to 59%)"),
            *("35% (-1% to 64%)", "undecided"),
        ),
    )


def test_the_page_has_the_contexts_of_all_quants_with_a_line_for_each() -> None:
    found = quants()
    page = render_page(summary(seven()), contexts=[ceiling()], context_quants=[found])
    assert "Context ceilings: F16 1024; lower: &lt;Q2_K&gt;." in page
    assert "35% (-1% to 64%)" in page
    chart = quants_chart(found)
    assert chart.count('class="joined"') == 2
    assert ">Q2_K@kv8<" in chart


@pytest.mark.parametrize("count", [0, 1, 12])
def test_the_picture_of_several_quants_is_drawn(tmp_path: Path, count: int) -> None:
    plain = quants().quants[1]
    many = [plain.model_copy(update={"quant_tag": f"Q{number}"}) for number in range(count)]
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    plot_quants(quants(quants=tuple(many)), one)
    plot_quants(quants(quants=tuple(many)), other)
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes().startswith(b"\x89PNG")
