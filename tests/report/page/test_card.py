"""The first screen: what to run, how sure, what it costs, how to serve it, what to distrust."""

from __future__ import annotations

from page_texts import page_text
from report_summaries import failed, polluted, row, seven, summary

from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.report.page.card import Card, card_of
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane


def card(found: Summary) -> Card:
    (session,) = found.sessions
    return card_of(session, found, None)


def facts(found: Summary) -> dict[str, tuple[str, str]]:
    return {name: (value, note) for name, value, note in card(found).facts}


def test_the_first_screen_has_all_that_a_decision_needs() -> None:
    found = facts(summary(seven()))
    assert card(summary(seven())).headline == "run Q4_K_M"
    value, note = found["of what F16 can do is kept"]
    assert value == "98.9%"
    assert "2 of 168 tasks lost, 0 won" in note
    assert found["how sure"][0] == "P = 0.996"
    assert found["one size smaller: Q3_K_M"][0] == "24 of 168 tasks lost"
    assert found["decode"] == ("2561 t/s", "first token 11.9 ms")
    assert found["memory"][0] == "62.4 MiB"
    assert found["usable context"] == ("—", "not swept")
    assert found["file"] == ("9.54e-07 MiB", "1.0 times smaller than F16")


def test_file_hash_and_the_line_that_serves_it_are_there() -> None:
    rows = [
        it.model_copy(update={"artifact": it.artifact.model_copy(update={"path": "a b.gguf"})})
        for it in seven()
    ]
    matrix = {"provider": "embedded", "n_ctx": 2048, "sweep": "s"}
    found = summary(rows, matrix=matrix)
    assert (card(found).file, card(found).sha256) == ("a b.gguf", "0" * 64)
    assert "a b.gguf" in (card(found).run or "")
    text = page_text(found)
    assert "To serve it:\nllama-server -m" in text
    assert card(summary(seven())).run is None  # its path is not known


def test_a_number_that_is_missing_has_its_reason_there() -> None:
    rows = [row("Q8_0", 8.5, 0.9, generation_tokens_per_second=Null("TIMING_UNAVAILABLE"))]
    value, note = facts(summary(rows))["decode"]
    assert (value, note) == ("—", "the server reported no usable times")


def test_what_is_not_decided_is_not_claimed() -> None:
    none = card(summary([failed("F16", 16.0), polluted("Q8_0", 8.5, 0.9, "hot")]))
    assert (none.headline, none.quant, none.facts) == ("no recommendation", None, ())
    assert none.next_step
    assert card(summary([row("F16", 16.0, 0.9)])).headline == "only F16 was measured"


def test_what_to_distrust_is_on_the_first_screen() -> None:
    def distrust(found: Summary) -> str:
        return " ".join(card(found).distrust)

    assert "Lane ci: speeds are not evidence." in distrust(summary(seven(), lane=Lane.CI))
    found = summary(seven())
    off = found.canary.model_copy(update={"enabled": False})
    assert "no canary" in distrust(found.model_copy(update={"canary": off}))
    (session,) = found.sessions
    odd: ModelSession = session.model_copy(
        update={
            "per_quant": tuple(
                it.model_copy(update={"valid": False, "invalid_because": ("too hot",)})
                for it in session.per_quant
            )
        }
    )
    changed = found.model_copy(update={"sessions": (odd,)})
    assert "Q4_K_M is not valid: too hot." in distrust(changed)
