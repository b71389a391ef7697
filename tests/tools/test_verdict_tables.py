"""The tables of errors, and the answers that are kept for their replay."""

from __future__ import annotations

import numpy
import pytest
from recorded_sweeps import RECORDED, recorded
from verdict_tables import THRESHOLD, at_once

from orket_lib.analysis.verdict.baseline import QuantScores
from orket_lib.analysis.verdict.quants import VerdictPolicy, judge_quants
from orket_lib.analysis.verdict.simulation import Truth, said
from orket_lib.vocabulary.statuses import DecisionStatus, QuantVerdict


def test_exact_shares_agree_with_simulated_sweeps() -> None:
    truth = Truth(right=0.7, kept=0.97, churn=0.02)
    found = said(numpy.random.default_rng(0), 20_000, (168,), truth, THRESHOLD)
    assert at_once(168, truth, "KEPT") == pytest.approx(found.kept, abs=0.008)
    assert at_once(168, truth, "LOST") == pytest.approx(found.lost, abs=0.008)
    assert found.asked == 1


def test_the_reference_model_is_judged_as_published() -> None:
    sweep = recorded(RECORDED)
    quants = [QuantScores(quant, own) for quant, own in sweep.scores.items()]
    found = judge_quants(quants, sweep.judged, {}, VerdictPolicy(THRESHOLD))
    assert (found.pick.status, found.pick.quant) == (DecisionStatus.PROVED, "Q4_K_M")
    verdicts = {item.quant_tag: item.verdict for item in found.verdicts}
    lost = [quant for quant, verdict in verdicts.items() if verdict is not QuantVerdict.KEPT]
    assert lost == ["Q3_K_M", "Q2_K"]
    assert {verdicts[quant] for quant in lost} == {QuantVerdict.LOST}
