"""Whether a server uses the seed of a request, judged by its output.

For servers that accept a seed and have no route that reports it back. A seed that is used yields
the same text again, and another seed yields another text. Greedy decoding doesn't sample, so the
seed has no effect there.
"""

from __future__ import annotations

from collections.abc import Callable

from orket_lib.artifacts.views.run_report import ControlReadback
from orket_lib.providers.base import Generation, GenerationRequest

_PROMPT = "Once upon a time, in a town by the sea, there lived"
_TOKENS = 24
_TIMEOUT_S = 120.0
_LEAST_TEMPERATURE = 1.0  # below, a confident model writes the same text with every seed
_OTHERS = 3  # other seeds that are tried


def seed_readback(
    generate: Callable[[GenerationRequest], Generation], seed: int, temperature: float
) -> ControlReadback:
    """Return whether the seed has an effect.

    Args:
        generate: Sends a request to the served model; its errors are passed on.
        seed: Of the config.
        temperature: Of the measurement.
    """
    if temperature == 0:
        return _readback(seed, "greedy", True, "temperature 0: nothing is sampled")

    def text(with_seed: int) -> str:
        request = GenerationRequest(
            prompt=_PROMPT,
            max_tokens=_TOKENS,
            temperature=max(temperature, _LEAST_TEMPERATURE),
            seed=with_seed,
            timeout_s=_TIMEOUT_S,
            ignore_eos=True,
        )
        answer = generate(request)
        return f"{answer.reasoning}\0{answer.text}"  # the limit may be reached while reasoning

    text(seed)  # fills the prompt cache, which may change the last bits
    first, again = text(seed), text(seed)
    if first != again:
        return _readback(seed, None, False, "one seed yielded two texts")
    if all(text(seed + step) == first for step in range(1, _OTHERS + 1)):
        return _readback(seed, None, False, f"{_OTHERS + 1} seeds yielded one text")
    return _readback(seed, str(seed), True, "same seed, same text; another seed, another text")


def _readback(seed: int, applied: str | None, held: bool, source: str) -> ControlReadback:
    return ControlReadback(
        name="seed", requested=str(seed), applied=applied, held=held, source=source
    )
