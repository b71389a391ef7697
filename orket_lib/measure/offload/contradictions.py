"""Whether a server's layers on the GPU are believed, by what its loads show."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.artifacts.measurements.offload import OffloadLoad

# Speeds of a model that is partly on the GPU vary by 7 to 9 %.
_SLOWER, _FASTER = 0.8, 1.1
_GROWN = 1.2  # of the GPU memory, where more layers are really there


def contradiction(loads: Sequence[OffloadLoad], most: int) -> str | None:
    """Return why the layers are not believed; None if nothing speaks against them.

    Args:
        loads: In any order.
        most: Layers of the model.
    """
    for load in loads:
        if load.loaded and not load.held:
            says = f"says {load.applied}" if load.applied else "doesn't say how many there are"
            return f"{load.layers} layers on the GPU were asked for, and the server's log {says}"
    known = sorted(
        ((it.layers, it.decode_tps, it) for it in loads if it.loaded and it.decode_tps is not None),
        key=lambda item: item[0],
    )
    for place, (layers, tps, _) in enumerate(known):
        for more, slower, _ in known[place + 1 :]:
            if slower < tps * _SLOWER:
                return (
                    f"{more} layers on the GPU give {slower:.3g} tokens/s, and {layers} give "
                    f"{tps:.3g}: more layers must not be slower; set gpu_layers to a number"
                )
    if len(known) > 1:
        (fewest, low, first), (largest, high, last) = known[0], known[-1]
        if largest - fewest >= most / 2 and high < low * _FASTER and not _grows(first, last):
            return (
                f"{largest} layers on the GPU give {high:.3g} tokens/s, and {fewest} give "
                f"{low:.3g}: they make no difference; set gpu_layers to a number"
            )
    return None


def _grows(first: OffloadLoad, last: OffloadLoad) -> bool:
    """Tell whether GPU memory shows that layers are on a GPU, which is then just no faster."""
    if first.null_reasons.get("vram_mib") == "NOT_SEEN_ON_A_GPU":
        return last.vram_mib is not None
    if first.vram_mib is None or last.vram_mib is None:
        return False
    return last.vram_mib > first.vram_mib * _GROWN
