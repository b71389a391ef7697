"""Whether a server uses the seed that it is sent, told by what it writes.

For servers that take a seed and have no route that says what became of it. A seed that is used
makes the same text again, and another seed another text. Greedy decoding draws nothing, so there it
has no part.
"""

from __future__ import annotations

from collections.abc import Callable

from orket_lib.artifacts.views.run_report import ControlReadback
from orket_lib.providers.base import Generation, GenerationRequest

_PROMPT = "Once upon a time, in a town by the sea, there lived"
_TOKENS = 24
_TIMEOUT_S = 120.0
_LEAST_TEMPERATURE = 1.0  # below it a sure model writes the same with every seed
_OTHERS = 3


def seed_readback(
    generate: Callable[[GenerationRequest], Generation], seed: int, temperature: float
) -> ControlReadback:
    """Return what became of the seed.

    Args:
        generate: Asks the served model; raises as it does.
        seed: That the config names.
        temperature: Of the measurement.
    """
    if temperature == 0:
        return _readback(seed, "greedy", True, "temperature 0: nothing is drawn")

    def text(with_seed: int) -> str:
        request = GenerationRequest(
            prompt=_PROMPT,
            max_tokens=_TOKENS,
            temperature=max(temperature, _LEAST_TEMPERATURE),
            seed=with_seed,
            timeout_s=_TIMEOUT_S,
            ignore_eos=True,
        )
        said = generate(request)
        return f"{said.reasoning}\0{said.text}"  # one that thinks may not get beyond it

    text(seed)  # the first one fills the server's prompt cache, which may shift the last bits
    first, again = text(seed), text(seed)
    if first != again:
        return _readback(seed, None, False, "one seed wrote two texts")
    if all(text(seed + step) == first for step in range(1, _OTHERS + 1)):
        return _readback(seed, None, False, f"{_OTHERS + 1} seeds wrote one text")
    return _readback(seed, str(seed), True, "it wrote its text again, and another seed another")


def _readback(seed: int, applied: str | None, held: bool, source: str) -> ControlReadback:
    return ControlReadback(
        name="seed", requested=str(seed), applied=applied, held=held, source=source
    )
