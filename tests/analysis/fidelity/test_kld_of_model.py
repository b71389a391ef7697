"""The view of a model: which quant is compared with what, and why one is not."""

from __future__ import annotations

from typing import Any

from builders import NOW, PROVENANCE
from token_measurements import probabilities as measured

from orket_lib.analysis.fidelity.kld_of_model import kld_of
from orket_lib.artifacts.measurements.next_tokens import NextTokens
from orket_lib.artifacts.views.kld import AskedQuant, FidelityReceipt, Kld
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import RunStatus

STAMP: dict[str, Any] = {"generated_at": NOW, "provenance": PROVENANCE}
MEASURED = RunStatus.MEASURED


def view(*parts: NextTokens, baseline: str | None = "F16", **statuses: RunStatus) -> Kld:
    asked = {it.quant_tag: MEASURED for it in parts if not it.spec.repeat} | statuses
    receipt = FidelityReceipt(
        **STAMP,
        parts=(),
        model_id="nano",
        baseline_quant=baseline,
        reason=None if baseline else "not measured",
        text="text.txt",
        text_sha256="t",
        quants=tuple(
            AskedQuant(quant_tag=tag, status=it, status_reason=None if it is MEASURED else "why")
            for tag, it in asked.items()
        ),
    )
    return kld_of(receipt, parts, STAMP)


def test_quants_are_compared_with_the_baseline() -> None:
    found = view(
        measured("F16", 0.9), measured("F16", 0.9, 1), measured("Q2_K", 0.4), measured("Q8_0", 0.89)
    )
    assert found.noise_floor is not None and found.noise_floor.text.mean == 0
    assert [it.quant_tag for it in found.quants] == ["Q2_K", "Q8_0"]
    assert [it.quant_tag for it in found.compared] == ["F16", "Q2_K", "Q8_0"]
    far = found.quants[0]
    assert far.measured and far.answers.mean == far.text.mean
    assert far.text.same_top == 0 and found.quants[1].text.same_top == 1


def test_a_quant_that_was_not_measured_says_why() -> None:
    found = view(
        measured("F16", 0.9),
        measured("Q2_K", 0.4, status=RunStatus.LOAD_FAILED, blocks=()),
        Q2_K=RunStatus.LOAD_FAILED,
        Q4_K_M=RunStatus.NOT_RUN,
    )
    reasons = {it.quant_tag: it.text.null_reasons["mean"] for it in found.quants}
    assert reasons == {"Q2_K": "STATUS_LOAD_FAILED", "Q4_K_M": "STATUS_NOT_RUN"}
    assert not any(it.measured for it in found.compared)
    assert found.noise_floor and found.noise_floor.text.null_reasons["mean"] == "STATUS_NOT_RUN"


def test_without_a_baseline_there_is_nothing_to_compare() -> None:
    found = view(measured("Q8_0", 0.9), F16=RunStatus.CRASHED)
    assert {it.text.null_reasons["mean"] for it in found.quants} == {"NOT_MEASURED"}
    assert view(baseline=None).noise_floor is None


def test_what_was_not_served_as_planned_is_compared_with_nothing() -> None:
    seen = (Observation.of(Reason.QUANT_IDENTITY_MISMATCH, "another file"),)
    found = view(measured("F16", 0.9), measured("Q8_0", 0.8, observations=seen))
    (quant,) = found.quants
    assert quant.text.null_reasons["mean"] == "NOT_SERVED_AS_PLANNED"
    assert quant.observations == ("Q8_0: QUANT_IDENTITY_MISMATCH: another file",)
    swapped = view(measured("F16", 0.9, observations=seen), measured("Q8_0", 0.8))
    assert swapped.quants[0].text.null_reasons["mean"] == "NOT_SERVED_AS_PLANNED"


def test_where_the_text_is_too_short_the_answers_order_the_quants() -> None:
    def short(tag: str, top: float) -> NextTokens:
        whole = measured(tag, top)
        return whole.model_copy(update={"blocks": whole.blocks[:1]})

    found = view(short("F16", 0.9), short("Q8_0", 0.8))
    assert found.quants[0].text.null_reasons["mean"] == "NO_PROBABILITIES"
    assert found.quants[0].measured and found.quants[0].answers.mean != 0
