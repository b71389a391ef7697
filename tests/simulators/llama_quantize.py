"""A stand-in for `llama-quantize` where llama.cpp isn't built: its arguments, words and exit codes.

What it "makes" of the reference model are the quants that the real program made of it, as they are
shipped; of anything else it can't make a thing. `ORKET_SIMULATED_QUANTIZE` names what goes wrong:

- `other`: another quant than the one that was asked for
- `lie`: fewer bits than its header says
- `cut`: half of the file, as if all was well
- `full`: half of the file, then there is no more space
- `hang`: half of the file, and then nothing, until it is killed
- `killed`: it dies of a signal
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
from pathlib import Path

import gguf

MODELS = Path(__file__).resolve().parents[2] / "models" / "orket-nano"
BASES = ("F16", "Q8_0")  # of which it can make something, the second only when it is let
NEED_IMATRIX = ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "Q2_K_S")
TYPES = {tag.name.removeprefix("MOSTLY_").removeprefix("ALL_"): tag for tag in gguf.LlamaFileType}
_FILE_TYPE = b"general.file_type" + struct.pack("<I", gguf.GGUFValueType.UINT32)


def main() -> int:
    """Make a file as the arguments say."""
    arguments = sys.argv[1:]
    options = {}
    while arguments and arguments[0].startswith("--"):
        name = arguments.pop(0)
        options[name] = arguments.pop(0) if name == "--imatrix" else ""
    if len(arguments) < 3:
        return _fail("usage: llama-quantize [--allow-requantize] [--imatrix] model-f32.gguf ...")
    base, out, kind = Path(arguments[0]), Path(arguments[1]), arguments[2].upper()
    if kind not in TYPES:
        return _fail(f"llama_quantize: invalid ftype '{arguments[2]}'")
    _say("main: build = 0 (simulated)")
    _say(f"main: quantizing '{base}' to '{out}' as {kind}")
    source = _which(base)
    if source is None:
        return _failed(base, "failed to open the model")
    if kind in NEED_IMATRIX and "--imatrix" not in options:
        return _failed(base, "this quantization requires an imatrix!")
    out.write_bytes(b"")
    if source == "Q8_0" and "--allow-requantize" not in options:
        return _failed(base, "requantizing from type q8_0 is disabled")
    return _make(base, out, kind)


def _make(base: Path, out: Path, kind: str) -> int:
    wrong = os.environ.get("ORKET_SIMULATED_QUANTIZE", "")
    content = _shipped("Q2_K" if wrong in ("other", "lie") else kind)
    if content is None:
        return _failed(base, f"the simulator has no {kind}")
    if wrong == "lie":
        content = _labelled(content, kind)
    if wrong == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if wrong not in ("cut", "full", "hang"):
        out.write_bytes(content)
        _say(f"llama_model_quantize_impl: quant size = {len(content)}")
        return 0
    out.write_bytes(content[: len(content) // 2])
    if wrong == "hang":
        time.sleep(3600)
    return 0 if wrong == "cut" else _failed(base, "basic_ios::clear: iostream error")


def _which(base: Path) -> str | None:
    """Return the quant of a base that is one of ours."""
    content = base.read_bytes() if base.is_file() else None
    return next((quant for quant in BASES if content == _shipped(quant)), None)


def _shipped(quant: str) -> bytes | None:
    path = MODELS / f"orket-nano-{quant}.gguf"
    return path.read_bytes() if path.is_file() else None


def _labelled(content: bytes, kind: str) -> bytes:
    place = content.index(_FILE_TYPE) + len(_FILE_TYPE)
    return content[:place] + struct.pack("<I", TYPES[kind]) + content[place + 4 :]


def _failed(base: Path, why: str) -> int:
    _say(f"llama_model_quantize: failed to quantize: {why}")
    return _fail(f"llama_quantize: failed to quantize model from '{base}'")


def _fail(words: str) -> int:
    _say(words)
    return 1


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main())
