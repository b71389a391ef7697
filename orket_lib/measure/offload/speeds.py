"""How fast a loaded model decodes, found out quickly; it is no measurement of the cell.

Each probe takes about a second. Where that is too close to a wanted rate to tell, the probes are
those of the cell, whose rate is what counts in the end.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.measure.speed.budget import BUDGET
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import FULL, OUTPUT_TOKENS, SHORTER, ProbeMaker
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.nulls import Null, all_of
from orket_lib.vocabulary.rates import DecodeClock, decode_rate

_PROBES = 3
_ABOUT_S, _LEAST_TOKENS = 1.0, 16  # fewer give no rate (T19)
_NEAR = 0.75  # of the wanted rate, or the inverse
_NO_PROBE = Null("NO_PROBE")


@dataclass(frozen=True)
class Speed:
    """Decode rates in tokens/s.

    Attributes:
        median, slowest: Over the probes.
        tokens: Output of each probe.
    """

    median: float | Null
    slowest: float | Null
    tokens: int


def speed_of(model: Model, spec: MeasurementSpec, wanted: float | None) -> Speed:
    """Return how fast a served model decodes.

    Args:
        model: The served model.
        spec: Of its cell.
        wanted: Rate that it is compared with, in tokens/s.

    Raises:
        RequestFailed, RequestTimedOut, ServerCrashed: The model does not answer.
    """
    maker = ProbeMaker(model, spec)
    findings = calibrate(model, maker)
    pace, clock = findings.pace, findings.decode_clock
    second = _ABOUT_S / max(pace.output_token_s, _ABOUT_S / OUTPUT_TOKENS)
    tokens = max(_LEAST_TOKENS, round(second))
    speed = _probed(model, lambda: maker.short(tokens), tokens, clock)
    if wanted is None or isinstance(speed.median, Null):
        return speed
    if not _NEAR < speed.median / wanted < 1 / _NEAR:
        return speed
    fitting = (each for each in (FULL, *SHORTER) if pace.seconds(each) <= BUDGET.probe_s)
    lengths = next(fitting, SHORTER[-1])
    return _probed(model, maker.of_lengths(lengths).request, lengths.output_tokens, clock)


def _probed(
    model: Model, request: Callable[[], GenerationRequest], tokens: int, clock: DecodeClock | None
) -> Speed:
    begun_s = time.monotonic()
    rates: list[float | Null] = []
    while len(rates) < _PROBES and time.monotonic() - begun_s < BUDGET.probe_s:
        rates.append(_rate(Tokens.of(model.generate(request()), clock)))
    return Speed(all_of(rates, statistics.median, _NO_PROBE), all_of(rates, min, _NO_PROBE), tokens)


def _rate(tokens: Tokens) -> float | Null:
    """Return a probe's rate: by the server's clock, else by ours, as a cell's."""
    by_server = tokens.decode_tps
    if not isinstance(by_server, Null):
        return by_server
    intervals = tokens.output - 1 if not isinstance(tokens.output, Null) else tokens.output
    return decode_rate(intervals, tokens.client_decode_s, tokens.output)
