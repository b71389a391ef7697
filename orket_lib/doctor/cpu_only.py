"""What to do if a machine has a GPU, and nothing that serves files uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orket_lib.telemetry.devices.reading import DeviceInfo
from orket_lib.vocabulary.cpu_features import BUILT, build_line
from orket_lib.vocabulary.shell import shell_line
from orket_lib.vocabulary.text import listed

_OPTIONS = {"nvidia": "-DGGML_CUDA=ON", "amd": "-DGGML_HIP=ON"}


def cpu_only(
    cards: Sequence[DeviceInfo], files: Mapping[str, Mapping[str, str]], typed: Sequence[str]
) -> str:
    """Return that a sweep would run on the CPU only, and each way out of it.

    Args:
        cards: GPUs of this machine, at least one.
        files: Of the sweep, by model and quant; at least one.
        typed: What was named on the command line.
    """
    model, quants = next(iter(files.items()))
    quant, file = next(iter(quants.items()))
    sweep = shell_line(["orket", "sweep", *typed])
    name = model.lower().replace(" ", "-")
    return "\n".join(
        [
            f"this would run on the CPU only: {listed([it.name for it in cards])} is here, and no "
            "llama-server that can use it",
            f"  to build one: {build_line(_OPTIONS[cards[0].vendor])}",
            f"    then type: {sweep} --server {BUILT}",
            "  or import each file into LM Studio: "
            f"{shell_line(['lms', 'import', '--symbolic-link', file])}",
            f"    then type: orket sweep lmstudio:{model}",
            f"  or into Ollama: write `FROM {file}` into the file Modelfile, and type: "
            f"{shell_line(['ollama', 'create', f'{name}:{quant}', '-f', 'Modelfile'])}",
            f"    then type: orket sweep ollama:{name}",
            f"  on the CPU all the same: {sweep} --cpu",
        ]
    )
