from __future__ import annotations

import io

import pandas as pd
from report_summaries import seven, summary

from orket_lib.report.exports import summary_table


def test_a_null_is_an_empty_cell_with_its_reason_and_never_0() -> None:
    found = summary(seven())
    text = summary_table(found).to_csv(index=False)
    back = pd.read_csv(io.StringIO(text))
    assert list(back["quant_tag"]) == [row.quant_tag for row in found.sessions[0].per_quant]
    assert back["peak_vram_mib"].isna().all()
    assert back["null_reasons"].str.contains("peak_vram_mib: ").all()
    assert back["adherence_score"].notna().all()
