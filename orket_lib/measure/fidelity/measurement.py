"""The measurement of a quant's probabilities: one load of the model, and one request per place.

Interrupted, it resumes after the last complete block. Nothing is warmed up, sampled or timed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.next_tokens import (
    NextTokens,
    NextTokenSpec,
    TokenBlock,
    TokenLoad,
)
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.measure.failures import (
    Failure,
    SeenFailure,
    evidence_of,
    judge_failure,
    with_log_errors,
)
from orket_lib.measure.fidelity.blocks import AnsweredQuestion, Block, blocks_of
from orket_lib.measure.journal.journal import FAILURE, HEADER, JOURNAL, SESSION, Journal
from orket_lib.measure.offload.search import found_layers, with_layers
from orket_lib.measure.progress import Progress
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.measure.session.identity import identity_observations
from orket_lib.measure.session.same_server import require_same_server
from orket_lib.processes.device_lock import device_locks
from orket_lib.providers.base import Model, Source
from orket_lib.providers.registry import provider_for
from orket_lib.providers.teacher_forcing import Scorer
from orket_lib.stores.attempts import AttemptStore, read_taken
from orket_lib.telemetry.fingerprint import machine_of
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.reasons import spoils_quality
from orket_lib.vocabulary.statuses import RunStatus

SERVER_LOG = "server.log"
BLOCK, SEEN = "block", "observation"


@dataclass(frozen=True)
class Measured:
    """How a measurement ended.

    Attributes:
        status: Of the measurement.
        reason: What went wrong; None if nothing did.
        part: In the store; None after a failure that may pass.
    """

    status: RunStatus
    reason: str | None
    part: TakenPart | None


@dataclass
class TokenMeasurement:
    """The measurement of one cell.

    Attributes:
        spec: What to measure.
        find_source: Returns the model file or server, when the model is to be loaded.
        answers: The answers of the baseline that the spec names by its digest.
        text: The text that it names.
        store: The store of the spec.
        progress: Receives the progress.
        gate: Called before anything is measured; raises Refused to prevent it.
        again: Measure even if the store has it.
        storage: Root of the store; None keeps no search for layers on the GPU.
    """

    spec: NextTokenSpec
    find_source: Callable[[Callable[[str], None]], Source]
    answers: Sequence[AnsweredQuestion]
    text: str
    store: AttemptStore
    progress: Progress
    gate: Callable[[], object]
    again: bool = False
    storage: Path | None = None
    _journal: Journal = field(init=False)

    @property
    def stored(self) -> Measured | None:
        """What the store has; None if there is nothing, or if it is to be measured again."""
        part = None if self.again else self.store.newest()
        if part is None:
            return None
        found = read_taken(part, NextTokens)
        return Measured(found.status, found.status_reason, part)

    def run(self, provenance: Provenance) -> Measured:
        """Return what the store has, after measuring it if it has nothing.

        Raises:
            OrketError: It could not be judged (disk full, unreadable journal).
        """
        if found := self.stored:
            return found
        self.gate()
        source = self.find_source(self.progress.say)
        name = f"probabilities of {self.spec.model_id} {self.spec.quant_tag}"
        needed = locked_devices(self.spec.provider, self.spec.gpu_devices, source.place)
        with device_locks(needed, name, self.progress.say):
            # Another sweep may have measured it in the meantime.
            if found := self.stored:
                return found
            self._journal = Journal(self.store.open / JOURNAL, self.spec.digest())
            if not self._journal.header:
                begun = {"spec_digest": self.spec.digest(), "measured_at": utc_now()}
                self._journal.append(HEADER, begun)
            failed = self._measure(source, self.store.open / SERVER_LOG)
            if failed and failed.may_pass:
                return Measured(failed.status, failed.reason, None)
            result = self._result(failed, source, provenance)
            # The artifact has what is in the journal, and a log without a failure is of no use.
            unwanted = (JOURNAL,) if failed else (JOURNAL, SERVER_LOG)
            part = self.store.seal(result, result.measured_at, unwanted)
            return Measured(result.status, result.status_reason, part)

    def _measure(self, source: Source, log: Path) -> Failure | None:
        """Ask the model at the places that are missing; return what ended that."""
        try:
            self._serve(source, log)
        except ProviderError as error:
            earlier = [SeenFailure.recalled(it["seen"]) for it in self._journal.all(FAILURE)]
            seen = SeenFailure(evidence_of(error))
            self._journal.append(FAILURE, {"seen": seen.recorded(), "finished_at": utc_now()})
            return judge_failure(error, seen, earlier, with_log_errors(error, log))
        return None

    def _serve(self, source: Source, log: Path) -> None:
        require_same_server(self.spec, source)
        offload = found_layers(self.spec, source, log, self.storage, self.progress.say)
        spec, started = with_layers(self.spec, offload), utc_now()
        with provider_for(spec.provider).serve(spec, source, log) as model:
            load = TokenLoad(
                machine=machine_of(source.place.remote, self.spec.machine),
                started_at=started,
                served=model.served,
                controls=model.controls,
                load=model.load,
            )
            self._journal.append(SESSION, load)
            self._observe(identity_observations(self.spec, load))
            scorer = model.scorer(self.spec.task_timeout_sec)
            if scorer is not None:
                with closing(scorer):
                    self._ask(model, scorer)

    def _ask(self, model: Model, scorer: Scorer) -> None:
        sample = self.spec.sample
        blocks = list(blocks_of(scorer, self.answers, self.text, sample))
        done = {(it["source"], it["name"]) for it in self._journal.all(BLOCK)}
        self.progress.plan(len(blocks), len(done))
        whole = scorer.vocabulary is not None and scorer.vocabulary <= sample.whole_vocabulary
        listed = scorer.vocabulary if whole and scorer.vocabulary else sample.listed
        for block in blocks:
            if (block.source, block.name) not in done:
                self._journal.append(BLOCK, ask_block(scorer, block, listed))
                self._observe(model.disturbances())
                self.progress.step()

    def _observe(self, found: Sequence[Observation]) -> None:
        """Record what may have changed probabilities; what disturbs only times has no effect."""
        for item in found:
            if spoils_quality(item.reason):
                self._journal.append(SEEN, item)

    def _result(self, failed: Failure | None, source: Source, provenance: Provenance) -> NextTokens:
        spec = self.spec
        return NextTokens(
            generated_at=utc_now(),
            provenance=provenance,
            status=failed.status if failed else RunStatus.MEASURED,
            status_reason=failed.reason if failed else None,
            model_id=spec.model_id,
            quant_tag=spec.quant_tag,
            measured_at=self._journal.header["measured_at"],
            finished_at=utc_now(),
            hardware_fingerprint=machine_of(source.place.remote, spec.machine),
            spec=spec,
            spec_digest=spec.digest(),
            loads=tuple(map(TokenLoad.model_validate, self._journal.all(SESSION))),
            blocks=tuple(map(TokenBlock.model_validate, self._journal.all(BLOCK))),
            observations=tuple(map(Observation.model_validate, self._journal.all(SEEN))),
        )


def ask_block(scorer: Scorer, block: Block, listed: int) -> TokenBlock:
    """Return the probabilities at each place of a block.

    Args:
        scorer: Asks the model.
        block: What it is asked.
        listed: How many probabilities are wanted.
    """
    places = list(scorer.next_tokens(block.pieces, block.first, listed))
    whole = all(place.tokens is None for place in places)
    return TokenBlock.of(
        [place.logprobs for place in places],
        source=block.source,
        name=block.name,
        sent_sha256=block.digest,
        tokens=None if whole else [_tokens(place.tokens, len(place.logprobs)) for place in places],
    )


def _tokens(tokens: tuple[int | str, ...] | None, size: int) -> tuple[int | str, ...]:
    return tuple(range(size)) if tokens is None else tokens
