"""Variants among quants: their order, the baseline, and what fits the same memory."""

from __future__ import annotations

from typing import Any

from builders import offload
from report_summaries import row, summary

from orket_lib.analysis.frontier import baseline_of, by_bits
from orket_lib.analysis.ranking.equal_memory import candidates, equal_memory, pareto_tags
from orket_lib.artifacts.measurements.serving import KvCache
from orket_lib.artifacts.views.row import RowArtifact, RowMetrics
from orket_lib.report.sections.variants import variant_section

BITS = {"F16": 16.0, "Q5_K_M": 5.7, "Q4_K_M": 4.9}


def cell(tag: str, kv_mib: float, rss_gib: float, **changes: Any) -> RowMetrics:
    plain, _, variant = tag.partition("@")
    kind = "q8_0" if variant else "f16"
    cache = KvCache(type_k=kind, type_v=kind, cells=8192, mib=kv_mib, computed_mib=kv_mib)
    artifact = RowArtifact(
        sha256=plain, digest=None, path="m.gguf", tag=None, bytes=1, kv_cache=cache
    )
    values = {"variant": variant or None, "artifact": artifact, "peak_memory_rss": rss_gib * 1024}
    return row(tag, BITS[plain], 1.0, **(values | changes))


ROWS = [
    cell("Q4_K_M", 1024.0, 6.0),
    cell("Q4_K_M@kv8", 544.0, 5.5),
    cell("Q5_K_M@kv8", 544.0, 6.5),
    cell("F16", 1024.0, 17.0),
    cell("F16@kv8", 544.0, 16.5),
    cell("Q5_K_M", 1024.0, 7.0),
]
ORDER = ["F16", "F16@kv8", "Q5_K_M", "Q5_K_M@kv8", "Q4_K_M", "Q4_K_M@kv8"]


def test_variants_follow_their_quant_and_are_never_the_baseline() -> None:
    assert [item.quant_tag for item in by_bits(ROWS)] == ORDER
    found = baseline_of(ROWS, include_invalid=False)
    assert found is not None and found.quant_tag == "F16"
    lost = [item for item in ROWS if item.quant_tag != "F16"]
    found = baseline_of(lost, include_invalid=False)
    assert found is not None and found.quant_tag == "Q5_K_M"


def test_a_smaller_cache_makes_room_for_a_larger_quant() -> None:
    session = summary(ROWS).sessions[0]
    # With four times the context: Q5_K_M 10 GiB and 8.1 GiB, Q4_K_M 9 GiB and 7.1 GiB.
    cells = {item.row.quant_tag: item.memory_mib / 1024 for item in candidates(session, 32768)}
    assert round(cells["Q5_K_M"], 2) == 10.0
    assert round(cells["Q4_K_M@kv8"], 2) == 7.09
    lines = equal_memory(session, 32768)
    assert any(
        line.startswith("At 8 GiB and 32768 tokens: Q4_K_M@kv8 (KEPT")
        and line.endswith("where no plain quant fits.")
        for line in lines
    ), lines
    assert equal_memory(session, 8192) == []  # at 8 GiB, Q5_K_M itself fits
    best = pareto_tags(candidates(session, 32768))
    assert best == ["F16", "F16@kv8", "Q5_K_M@kv8", "Q4_K_M@kv8"]


def test_a_larger_quant_with_a_smaller_cache_is_said_to_be_better() -> None:
    rows = [*ROWS[:2], cell("Q5_K_M@kv8", 544.0, 7.9), cell("F16", 1024.0, 17.0)]
    rows.append(cell("Q5_K_M", 1024.0, 8.4))
    (line,) = equal_memory(summary(rows).sessions[0], 8192)
    assert line.startswith("At 8 GiB and 8192 tokens: Q5_K_M@kv8 (KEPT, P ")
    assert "rather than Q4_K_M (KEPT, P " in line


def test_the_matrix_has_a_line_for_each_quant() -> None:
    found = summary(ROWS)
    part = variant_section(found.sessions[0], {"wants": {"context": 32768}})
    assert part is not None
    assert part.columns == ("Quant", "plain", "kv8")
    assert [cells[0] for cells in part.matrix] == ["F16", "Q5_K_M", "Q4_K_M"]
    assert part.matrix[0][1].startswith("baseline; 1.000;")
    assert part.matrix[2][2].startswith("kept, P")
    assert any("32768" in line for line in part.sentences)
    assert ("Q4_K_M@kv8", "q8_0 and q8_0", "8192", "544.00", "544.00") in part.caches
    assert variant_section(summary([ROWS[0], ROWS[3]]).sessions[0], {}) is None


def test_layers_that_were_found_are_shown_with_every_load() -> None:
    searched = ROWS[3].model_copy(update={"offload": offload()})
    part = variant_section(summary([ROWS[0], searched]).sessions[0], {})
    assert part is not None
    assert part.sentences == [
        f"{searched.quant_tag}: 22 of 33 layers on the GPU, the fewest that reach 30 tokens/s: "
        "31 tokens/s; 21 give 28.9; with 23 it doesn't fit.",
        f"{searched.quant_tag}: 24 take about 8100 MiB, and 8000 are free in a GPU.",
    ]
    assert part.loads == [
        (searched.quant_tag, "23", "—", "—", "—", "GPU memory full"),
        (searched.quant_tag, "21", "28.9", "7000", "512", "loaded"),
        (searched.quant_tag, "22", "31.0", "7300", "512", "loaded"),
    ]
