"""Variants among quants: their order, the baseline, and what fits the same memory."""

from __future__ import annotations

from builders import metrics
from report_summaries import summary

from orket_lib.analysis.frontier import baseline_of, by_bits
from orket_lib.analysis.ranking.equal_memory import candidates, equal_memory, pareto_tags
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import KvCache
