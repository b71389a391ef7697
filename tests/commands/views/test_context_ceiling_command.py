"""`orket context-ceiling`: from summaries to the ceiling, and every way they can be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, NOW, PROVENANCE, metrics, unmeasured
from contract_examples import example

from orket_lib.artifacts.io import read_json, read_model, write_json, write_model
from orket_lib.artifacts.measurements.spec import ContextFill
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.context_summary import ContextRow, ContextSummary
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import Summary
from orket_lib.cli import main
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, VramProfile

FILL = ContextFill(share=0.85, families=("retrieval",), depths=(0.5,), tasks_per_depth=1)
TEMPLATE = "context_{context}.json"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def context_row(found: RowMetrics, **changes: Any) -> ContextRow:
    values: dict[str, Any] = {
        "filled_min": 0.84,
        "filled_mean": 0.85,
        "ttft_ms": 20.0,
        "ttft_cold_ms": 400.0,
        "cached_tokens": 800,
    }
    return ContextRow.of(metrics=found, asked_tokens=870, depths=(), **(values | changes))


def written(context: int, *rows: ContextRow, **changes: Any) -> ContextSummary:
    """Write a summary where the template says, and return it."""
    found = ContextSummary(
        **{
            "generated_at": NOW,
            "provenance": PROVENANCE,
            "execution_lane": Lane.LAB,
            "vram_profile": VramProfile.SAFE,
            "hardware_fingerprint": MACHINE,
            "model_id": "nano",
            "quant_tag": "Q8_0",
            "sweep": "small",
            "context": context,
            "status": "tried",
            "status_reason": None,
            "fill": FILL,
            "rows": rows or (context_row(metrics()),),
        }
        | changes
    )
    write_model(Path(TEMPLATE.replace("{context}", str(context))), found)
    return found


def sweep(path: str, **matrix: Any) -> None:
    """Write the summary of an ordinary sweep with one row."""
    content = example(Summary, whole=True) | {"matrix": {"sweep": "reference", **matrix}}
    (row,) = content["sessions"][0]["per_quant"]
    row |= {"model_id": "nano", "quant_tag": "Q8_0", "adherence_score": 1.0}
    row["generation_tokens_per_second"] = 50.0
    write_json(Path(path), content)


def run(contexts: str, *more: str, template: str = TEMPLATE) -> int:
    options = ("--contexts", *contexts.split(), "--summary-template", template, "--out", "c.json")
    return main(["context-ceiling", *options, *more])


def found() -> ContextCeiling:
    return read_model(Path("c.json"), ContextCeiling)


def test_the_ceiling_of_given_summaries_with_their_labels() -> None:
    written(4096)
    written(8192)
    written(16384, context_row(metrics(adherence_score=0.5)))
    assert run("4096,8192,16384", "--out-plot", "c.png") == 0
    ceiling = found()
    assert (ceiling.safe_context_ceiling, ceiling.largest_passing_context) == (8192, 8192)
    assert (ceiling.model_id, ceiling.quant_tag, ceiling.sweep) == ("nano", "Q8_0", "small")
    assert (ceiling.hardware_fingerprint, ceiling.execution_lane) == (MACHINE, Lane.LAB)
    assert ceiling.provenance.ref == PROVENANCE.ref
    assert [item.path for item in ceiling.provenance.inputs] == [
        *("context_4096.json", "context_8192.json", "context_16384.json"),
    ]
    assert ceiling.points[0].seen is not None
    assert ceiling.points[0].seen.filled_min == 0.84
    assert Path("c.png").read_bytes().startswith(b"\x89PNG")


def test_limits_and_labels_of_the_command_line_win() -> None:
    written(4096, context_row(metrics(adherence_score=0.5, generation_tokens_per_second=2.0)))
    limits = ("--adherence-min", "0.4", "--decode-floor-tps", "1", "--ttft-ceiling-ms", "0")
    labels = ("--execution-lane", "ci", "--vram-profile", "stress", "--provenance-ref", "ticket")
    assert run("4096", *limits, *labels) == 0
    ceiling = found()
    assert ceiling.points[0].passed
    assert (ceiling.execution_lane, ceiling.vram_profile) == (Lane.CI, VramProfile.STRESS)
    assert ceiling.provenance.ref == "ticket"
    assert "Only one context was tried" in ceiling.recommendation


def test_it_is_kept_where_asked() -> None:
    written(4096)
    assert run("4096", "--storage-root", "storage") == 0
    assert run("4096", "--storage-root", "storage/context_ceilings") == 0
    (kept,) = Path("storage").rglob("*.json")
    assert kept.parent.name == "context_ceilings"
    assert kept.name.endswith("__lab__safe__nano__Q8_0.json")


def test_a_row_that_is_not_valid_passes_only_where_asked() -> None:
    row = metrics(valid=False, invalid_because=("run quality is POLLUTED",))
    written(4096, context_row(row))
    assert run("4096") == 0
    assert found().points[0].reasons == ("INVALID_ROW",)
    assert found().points[0].detail == "run quality is POLLUTED"
    assert run("4096", "--include-invalid") == 0
    assert found().points[0].passed


def test_a_context_that_was_not_measured_is_a_point() -> None:
    nothing = dict.fromkeys(ContextRow.readings(), Null("STATUS_LOAD_FAILED"))
    written(4096)
    written(8192, context_row(unmeasured("Q8_0", 8.5), **nothing))
    assert run("4096 8192") == 0
    assert found().points[1].reasons == ("CONTEXT_NOT_LOADED",)
    assert "At 8192 the model could not be loaded: it did not load." in found().recommendation


def test_an_ordinary_sweep_at_that_context_counts_without_its_ttft() -> None:
    sweep("context_4096.json", n_ctx=4096)
    assert run("4096") == 0
    (point,) = found().points
    assert point.reasons == ("TTFT_MISSING",)
    assert point.null_reasons["ttft_ms"] == "SWEEP_HAS_NO_FOLLOW_UP"
    assert found().sweep == "reference"
    assert run("4096", "--ttft-ceiling-ms", "0") == 0
    assert found().safe_context_ceiling == 4096
    assert "ordinary sweeps, whose prompts don't fill the context" in found().recommendation


def test_one_row_of_several_has_to_be_named() -> None:
    other = metrics("Q4_K_M", 4.9, adherence_score=0.2)
    written(4096, context_row(metrics()), context_row(other))
    assert run("4096", "--quant-tag", "Q4_K_M") == 0
    assert (found().quant_tag, found().points[0].adherence_score) == ("Q4_K_M", 0.2)


def refused(
    capsys: pytest.CaptureFixture[str], contexts: str, *more: str, template: str = TEMPLATE
) -> str:
    """Return the message of a command that could not be carried out."""
    assert run(contexts, *more, template=template) == 1
    said = capsys.readouterr().err
    assert not Path("c.json").exists()
    assert "Traceback" not in said
    return said


def test_several_rows_without_a_name_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    written(4096, context_row(metrics()), context_row(metrics("Q4_K_M", 4.9)))
    assert refused(capsys, "4096") == (
        "error: the summaries have rows of nano Q8_0, nano Q4_K_M: name one with --model-id and "
        "--quant-tag\n"
    )


@pytest.mark.parametrize(
    ("option", "named"), [("--model-id", "micro"), ("--quant-tag", "Q2_K")], ids=str
)
def test_what_no_summary_has_is_never_another_row(
    capsys: pytest.CaptureFixture[str], option: str, named: str
) -> None:
    written(4096)
    assert refused(capsys, "4096", option, named) == (
        f"error: no summary has a row of {named}; they have rows of nano Q8_0\n"
    )


def test_a_summary_that_lacks_the_row_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    written(4096, context_row(metrics()), context_row(metrics("Q4_K_M", 4.9)))
    written(8192)
    said = refused(capsys, "4096,8192", "--quant-tag", "Q4_K_M")
    assert said == "error: context_8192.json: has no row of nano Q4_K_M\n"


def test_a_missing_summary_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    written(4096)
    said = refused(capsys, "4096,8192")
    assert said == "error: context_8192.json: there is no such file\n"


def test_a_damaged_summary_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("context_4096.json").write_text('{"schema_version":', encoding="utf-8")
    assert "context_4096.json: not valid JSON" in refused(capsys, "4096")
    write_json(Path("context_4096.json"), {"schema_version": "orket.context_summary.v1"})
    assert "context_4096.json: not a valid ContextSummary" in refused(capsys, "4096")
    write_json(Path("context_4096.json"), {"schema_version": "orket.row.v1"})
    assert "its schema_version is 'orket.row.v1'" in refused(capsys, "4096")
    write_json(Path("context_4096.json"), [1, 2])
    assert "context_4096.json: not a valid ContextSummary" in refused(capsys, "4096")


def test_a_summary_of_another_context_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    content = written(4096).model_dump(mode="json")
    write_json(Path("context_8192.json"), content)
    assert refused(capsys, "8192") == ("error: context_8192.json: is of context 4096, not 8192\n")
    sweep("context_8192.json")
    assert refused(capsys, "8192") == (
        "error: context_8192.json: was measured at n_ctx None, not 8192\n"
    )


def test_a_template_without_its_placeholder_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    written(4096)
    said = refused(capsys, "4096", template="context_4096.json")
    assert said.startswith("error: --summary-template: needs the placeholder {context}: ")


def test_a_context_that_is_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    written(4096)
    assert refused(capsys, "4096 4096") == "error: --contexts: 4096 is given twice\n"


@pytest.mark.parametrize("contexts", ["long", "0", "4096,-1", ","])
def test_what_is_no_context_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], contexts: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(contexts)
    assert stopped.value.code == 2
    assert "must be whole numbers >= 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--ttft-ceiling-ms", "nan", "must be a number (got 'nan')"),
        ("--decode-floor-tps", "fast", "must be a number (got 'fast')"),
        ("--adherence-min", "inf", "must be a number <= 1 (got 'inf')"),
        ("--adherence-min", "95", "must be a number <= 1 (got '95')"),
    ],
)
def test_a_limit_that_is_none_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    written(4096)
    with pytest.raises(SystemExit) as stopped:
        run("4096", option, value)
    assert stopped.value.code == 2
    assert f"argument {option}: {said}" in capsys.readouterr().err


def test_summaries_of_two_machines_share_no_ceiling(capsys: pytest.CaptureFixture[str]) -> None:
    written(4096)
    written(8192, hardware_fingerprint="linux|other|4|16|none")
    assert "the summaries differ in their hardware_fingerprint" in refused(capsys, "4096,8192")


def test_lanes_that_differ_have_to_be_decided(capsys: pytest.CaptureFixture[str]) -> None:
    written(4096)
    written(8192, execution_lane=Lane.CI)
    assert "the summaries differ in their execution_lane" in refused(capsys, "4096,8192")
    assert run("4096,8192", "--execution-lane", "ci") == 0


def test_contexts_that_a_search_left_out_are_no_points() -> None:
    written(4096)
    written(2048, status="not_tried", status_reason="bisected: 4096 passed", rows=())
    assert run("2048,4096") == 0
    assert [point.context for point in found().points] == [4096]
    assert read_json(Path("c.json"))["not_tried"] == [
        {"context": 2048, "reason": "bisected: 4096 passed"}
    ]


def test_what_was_left_out_is_of_the_row_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(4096)
    written(2048, status="not_tried", status_reason="no", rows=(), quant_tag="Q2_K")
    said = "error: context_2048.json: has no row of nano Q8_0\n"
    assert refused(capsys, "2048,4096") == said
    assert refused(capsys, "2048,4096", "--quant-tag", "Q8_0") == said


def test_contexts_of_two_model_files_say_so() -> None:
    written(4096)
    assert run("4096") == 0
    assert "different servers or files" not in found().recommendation
    other = metrics()
    artifact = other.artifact.model_copy(update={"sha256": "f" * 64})
    written(8192, context_row(other.model_copy(update={"artifact": artifact})))
    assert run("4096,8192") == 0
    served = found().served
    assert served is not None
    said = f"measured with different servers or files (sha256 {served.sha256}, {'f' * 64})"
    assert said in found().recommendation


def test_another_label_of_lane_is_no_other_judgement() -> None:
    written(4096, execution_lane=Lane.CI)
    assert run("4096", "--execution-lane", "lab") == 0
    relabelled = found()
    assert (relabelled.execution_lane, relabelled.measured_lane) == (Lane.LAB, Lane.CI)
    assert "In lane ci speeds are not evidence." in relabelled.recommendation
    assert not relabelled.speeds_are_evidence
    assert run("4096") == 0
    assert (found().execution_lane, found().measured_lane) == (Lane.CI, None)


def test_of_lanes_that_differ_the_one_that_claims_less_judges() -> None:
    written(4096)
    written(8192, execution_lane=Lane.CI)
    assert run("4096,8192", "--execution-lane", "lab") == 0
    assert found().measured_lane is Lane.CI
    assert "In lane ci speeds are not evidence." in found().recommendation
