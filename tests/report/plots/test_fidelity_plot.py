"""The picture of fidelity against size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fidelity_builders import kld
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from report_summaries import row, summary

from orket_lib.artifacts.views.fidelity import Agreement, Fidelity
from orket_lib.artifacts.views.row import RowArtifact
from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.plots.fidelity import draw_fidelity, plot_fidelity
from orket_lib.vocabulary.nulls import Null

MEANS: Mapping[str, float | None] = {
    "Q8_0": 0.00004,
    "Q6_K": 0.0004,
    "Q5_K_M": 0.0004,
    "Q4_K_M": 0.009,
    "Q3_K_M": 0.09,
    "Q2_K": 1.15,
}
BITS = (16.0, 8.5, 6.6, 5.7, 4.9, 3.9, 3.3)


def of_size(bits: float) -> RowArtifact:
    return RowArtifact(sha256="s", digest=None, path=None, tag=None, bytes=int(bits * 1e8))


def compared(changed: Mapping[str, int] = {}, means: Mapping[str, float | None] = {}) -> Summary:
    """Return a summary with changed answers (of 168) and divergences by quant."""
    tags = ("F16", *MEANS)
    found = summary(
        [row(tag, n, 0.9, artifact=of_size(n)) for tag, n in zip(tags, BITS, strict=True)]
    )
    divergences = {item.quant_tag: item for item in kld(0.00001, 0.1, means).compared}
    nothing = dict.fromkeys(Agreement.readings(), Null("NO_ANSWERS_TO_COMPARE"))

    def agreement(tag: str) -> Agreement:
        if tag not in changed:
            return Agreement.of(tasks=0, same_answers=0, **nothing)
        rate = 1 - changed[tag] / 168
        ends = {"same_answer_low": max(0.0, rate - 0.05), "same_answer_high": min(1.0, rate + 0.05)}
        return Agreement(
            tasks=168,
            same_answers=168 - changed[tag],
            same_answer_rate=rate,
            same_start_share=rate,
            **ends,
        )

    records = tuple(
        Fidelity(
            quant_tag=tag,
            baseline_quant="F16",
            agreement=agreement(tag),
            kld=divergences.get(tag) if means else None,
        )
        for tag in tags
    )
    session = found.sessions[0].model_copy(update={"baseline_quant": "F16", "fidelity": records})
    return found.model_copy(update={"sessions": (session,)})


def drawn(found: Summary) -> tuple[str, str, list[str], list[float]]:
    """Return scale and label of the axis, the texts, and the values of the marks."""
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw_fidelity(axes, found.sessions[0])
    marks = [float(list(it.get_ydata())[0]) for it in axes.lines if it.get_marker() == "o"]  # type: ignore[arg-type] # noqa: RUF015
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    return axes.get_yscale(), axes.get_ylabel(), texts, marks


def test_divergences_are_drawn_on_a_logarithmic_scale_with_the_noise_floor() -> None:
    scale, label, texts, marks = drawn(compared(means=MEANS))
    assert scale == "log" and label.startswith("mean KL divergence")
    assert marks == list(MEANS.values())
    assert "Q4_K_M\n0.009" in texts and "F16, measured again: 1e-05" in texts


def test_without_divergences_the_changed_answers_are_drawn() -> None:
    scale, label, texts, marks = drawn(compared({"F16": 0, "Q8_0": 0, "Q2_K": 132}))
    assert scale == "linear" and label.startswith("share of answers that changed")
    assert marks == [0, pytest.approx(132 / 168)]
    assert "Q2_K\n0.79" in texts and "F16, measured again: 0" in texts


def test_a_divergence_of_0_is_drawn_at_the_foot(tmp_path: Path) -> None:
    _, _, texts, marks = drawn(compared(means={**MEANS, "Q8_0": 0.0}))
    assert min(marks) == 1e-6 and "Q8_0\n0" in texts


@pytest.mark.parametrize(
    "found", [compared(means=MEANS), compared({"F16": 0, "Q2_K": 9}), compared()]
)
def test_any_summary_gives_the_same_picture_again(found: Summary, tmp_path: Path) -> None:
    for name in ("one.png", "other.png"):
        plot_fidelity(found, tmp_path / name)
    assert imread(tmp_path / "one.png").shape[1] > 1000
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
