"""Probabilities from load to file: where a model is asked, resuming, failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, PROVENANCE, served, spec
from fake_provider import FakeModel
from silent import Silent

from orket_lib.artifacts.measurements.next_tokens import NextTokens, NextTokenSpec, TokenSample
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.measure.fidelity import measurement
from orket_lib.measure.fidelity.blocks import AnsweredQuestion, blocks_of
from orket_lib.measure.fidelity.measurement import Measured, TokenMeasurement
from orket_lib.providers.base import Source
from orket_lib.providers.teacher_forcing import NextToken, Scorer
from orket_lib.stores.attempts import AttemptStore, read_taken
from orket_lib.vocabulary.errors import LoadError, RequestFailed, ServerCrashed
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import RunStatus

SAMPLE = TokenSample(answers=2, answer_tokens=3, windows=2, window_tokens=8, listed=4)
ANSWERS = [AnsweredQuestion("add-0001", "ab", "wxyz"), AnsweredQuestion("add-0002", "c", "v")]
TEXT = "abcdefghijklmnopqrstuvwxyz"


@dataclass
class Letters:
    """Takes letters for tokens; 0 begins a text, 1 and 2 are around a question."""

    vocabulary: int | None = None
    begins: tuple[int, ...] = (0,)
    fault: Callable[[int], None] = lambda _: None
    asked: list[tuple[tuple[int, ...], int, int]] = field(default_factory=list)

    def close(self) -> None: ...

    def opening(self, question: str | None) -> tuple[int, ...]:
        return self.begins if question is None else (1, *map(ord, question), 2)

    def pieces(self, text: str) -> tuple[int, ...]:
        return tuple(map(ord, text))

    def next_tokens(self, pieces: Sequence[int], first: int, listed: int) -> Iterator[NextToken]:
        self.fault(len(self.asked))
        self.asked.append((tuple(pieces), first, listed))
        whole = listed == self.vocabulary
        for _ in pieces[first:]:
            tokens = None if whole else tuple(range(listed))
            yield NextToken(tokens, (-1.0,) * listed)


@dataclass
class Provider:
    """Serves a model that has a scorer, or none."""

    scorer: Letters | None
    load_error: Exception | None = None
    seen: Sequence[Observation] = ()
    served: int = 0

    @contextmanager
    def serve(self, spec: Any, source: Source, log: Path) -> Iterator[Any]:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        self.served += 1
        if self.load_error:
            raise self.load_error
        provider = self

        class Model(FakeModel):
            def scorer(self, timeout_s: float) -> Scorer | None:
                return provider.scorer

            def disturbances(self) -> tuple[Observation, ...]:
                return tuple(provider.seen)

        yield Model(lambda _: None, served())


def token_spec(**changes: Any) -> NextTokenSpec:
    own = spec().model_dump(
        exclude={"kind", "runs_per_task", "probe_runs", "on_server_death", "rerun_polluted"}
    )
    return NextTokenSpec(
        **{**own, "sample": SAMPLE, "text_sha256": "t", "answers_sha256": "a", **changes}
    )


@pytest.fixture
def measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Measured]:
    monkeypatch.setattr(measurement, "machine_of", lambda *_: MACHINE)

    def run(provider: Provider, again: bool = False, **changes: Any) -> Measured:
        monkeypatch.setattr(measurement, "provider_for", lambda _: provider)
        wanted = token_spec(**changes)
        store = AttemptStore(tmp_path / wanted.digest(), "next_tokens")
        found = TokenMeasurement(
            wanted, lambda _: Source(None), ANSWERS, TEXT, store, Silent(), lambda: None, again
        )
        return found.run(PROVENANCE)

    return run


def content(found: Measured) -> NextTokens:
    assert found.part is not None
    return read_taken(found.part, NextTokens)


def test_answers_are_asked_from_their_first_token_and_windows_in_their_second_half() -> None:
    blocks = list(blocks_of(Letters(), ANSWERS, TEXT, SAMPLE))
    assert [(it.source, it.name, it.first) for it in blocks] == [
        ("answers", "add-0001", 4),
        ("answers", "add-0002", 3),
        ("text", "0", 5),
        ("text", "1", 5),
    ]
    assert blocks[0].pieces == (1, *map(ord, "ab"), 2, *map(ord, "wxy"))
    # As llama-perplexity cuts a text: its first token is repeated at the start of each window.
    assert blocks[2].pieces == (0, *map(ord, "abcdefg"))
    assert blocks[3].pieces == (0, *map(ord, "ijklmno"))


def test_without_a_first_token_of_its_own_a_text_is_cut_as_it_is() -> None:
    answers = [AnsweredQuestion("add-0001", "ab", "")]
    blocks = list(blocks_of(Letters(begins=()), answers, "abcdefghijklmnopqrst", SAMPLE))
    assert [it.pieces for it in blocks] == [
        tuple(map(ord, "abcdefgh")),
        tuple(map(ord, "ijklmnop")),
    ]


def test_blocks_with_the_same_tokens_and_another_beginning_are_told_apart() -> None:
    block = next(blocks_of(Letters(), ANSWERS, TEXT, SAMPLE))
    assert block.digest != replace(block, first=block.first - 1).digest
    assert block.digest != replace(block, pieces=(*block.pieces[:-1], 9)).digest


def test_a_quant_is_measured_once(measure: Callable[..., Measured]) -> None:
    provider = Provider(Letters())
    found = measure(provider)
    assert found.status is RunStatus.MEASURED
    result = content(found)
    assert [it.positions for it in result.blocks] == [3, 1, 3, 3]
    assert result.blocks[0].tokens == ((0, 1, 2, 3),) * 3
    assert len(result.loads) == 1
    assert measure(provider) == found
    assert provider.served == 1
    assert measure(provider, again=True).part != found.part
    assert measure(provider, repeat=1).part != found.part
    assert provider.served == 3


@pytest.mark.parametrize(("vocabulary", "listed"), [(1024, 1024), (1025, 4), (None, 4)])
def test_a_small_vocabulary_is_listed_whole(
    vocabulary: int | None, listed: int, measure: Callable[..., Measured]
) -> None:
    letters = Letters(vocabulary)
    found = content(measure(Provider(letters)))
    assert {it[2] for it in letters.asked} == {listed}
    assert (found.blocks[0].tokens is None) == (listed == 1024)


def test_an_interrupted_measurement_resumes_after_the_last_block(
    measure: Callable[..., Measured],
) -> None:
    def fails(done: int) -> None:
        if done == 2:
            raise RequestFailed("HTTP 500: busy", None, Cause.OCCUPIED)

    interrupted = measure(Provider(Letters(fault=fails)))
    assert (interrupted.status, interrupted.part) == (RunStatus.INCOMPLETE, None)
    letters = Letters()
    found = content(measure(Provider(letters)))
    assert len(letters.asked) == 2
    assert len(found.blocks) == 4 and len(found.loads) == 2
    assert not list(Path(measure(Provider(letters)).part.path).parent.glob("journal*"))  # type: ignore[union-attr]


def test_a_file_that_does_not_load_is_a_result(measure: Callable[..., Measured]) -> None:
    provider = Provider(None, LoadError("no such architecture", Cause.NOT_LOADED))
    found = measure(provider)
    assert found.status is RunStatus.LOAD_FAILED and content(found).blocks == ()
    assert measure(provider) == found and provider.served == 1


def test_a_server_that_died_once_is_tried_again(measure: Callable[..., Measured]) -> None:
    def dies(_: int) -> None:
        raise ServerCrashed("gone", Cause.GONE)

    assert measure(Provider(Letters(fault=dies))).part is None
    assert measure(Provider(Letters())).status is RunStatus.MEASURED


def test_a_server_without_probabilities_is_measured_and_has_no_blocks(
    measure: Callable[..., Measured],
) -> None:
    found = measure(Provider(None))
    assert found.status is RunStatus.MEASURED and content(found).blocks == ()


def test_only_what_may_change_probabilities_is_recorded(
    measure: Callable[..., Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "identity_observations", lambda *_: [])
    seen = [
        Observation.of(Reason.FOREIGN_REQUESTS, "2 requests of others"),
        Observation.of(Reason.QUANT_IDENTITY_MISMATCH, "another file"),
    ]
    found = content(measure(Provider(Letters(), seen=seen)))
    assert {it.reason for it in found.observations} == {Reason.QUANT_IDENTITY_MISMATCH}


def test_another_file_than_planned_is_seen(measure: Callable[..., Measured]) -> None:
    changes = {"artifact": {"sha256": "0" * 64}}
    found = content(measure(Provider(Letters()), **changes))
    assert Reason.QUANT_IDENTITY_MISMATCH in {it.reason for it in found.observations}
