"""Makes a quant with the user's `llama-quantize`, while nothing is measured.

The program writes to a temporary file, which is checked and then renamed: so a file of the final
name is always complete and of the requested quant, whatever is killed at whatever time.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.base import InputFile, Provenance
from orket_lib.artifacts.io import replace_file, sha256_of_file
from orket_lib.artifacts.measurements.quantized import Quantized
from orket_lib.processes.bounded_command import Ended, run_bounded
from orket_lib.processes.device_lock import device_lock
from orket_lib.processes.which import find_program
from orket_lib.providers.gguf.file import GgufFacts, read_gguf
from orket_lib.vocabulary import thresholds
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import QuantizeError, UnusableFile
from orket_lib.vocabulary.quants import can_be, nominal_bits
from orket_lib.vocabulary.units import MIB

_LONGEST_S = 12 * 3600.0  # a model of 400 billion parameters, on a slow disk
_LAST_LINES = 2
_PROGRAMS_OWN_NAMES = {"MXFP4": "MXFP4_MOE"}
_BUILD = re.compile(r"^.*\bbuild\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class QuantizeRequest:
    """The file to make.

    Attributes:
        quant_tag: Of the new file.
        base: File to quantize.
        base_sha256: Expected hash of the base; None accepts any.
        imatrix: Importance matrix, or None.
        imatrix_sha256: Expected hash of the matrix; None accepts any.
        binary: `llama-quantize`, by name or path.
        threads: Of the program.
        allow_requantize: Accept a base that is quantized already.
    """

    quant_tag: str
    base: Path
    base_sha256: str | None
    imatrix: Path | None
    imatrix_sha256: str | None
    binary: str
    threads: int
    allow_requantize: bool


def quantize(
    request: QuantizeRequest, out: Path, say: Callable[[str], None], provenance: Provenance
) -> Quantized | None:
    """Make a file, and return how it was made; None when it is there already.

    Args:
        request: What to make.
        out: Path of the new file.
        say: Called with progress messages.
        provenance: Of the record.

    Raises:
        QuantizeError: The file could not be made, or is not of the requested quant; no file that
            looks finished is left.
        LoadError: The base is not a readable GGUF file.
    """
    with device_lock("cpu", f"quantizing {out.name}", say):
        if out.is_file():
            try:
                _refuse_other_quants(request.quant_tag, out)
            except QuantizeError as error:
                raise QuantizeError(f"{error}; delete it to have it made again") from None
            say(f"{out.name}: exists already")
            return None
        program = _program(request.binary)
        facts = read_gguf(request.base)
        base = _input(request.base, request.base_sha256)
        imatrix = _input(request.imatrix, request.imatrix_sha256) if request.imatrix else None
        wanted = expected_bytes(facts, request.quant_tag)
        out.parent.mkdir(parents=True, exist_ok=True)
        _refuse_full_disk(out, wanted)
        say(f"{out.name}: quantizing {request.base.as_posix()}, takes minutes for a large model")
        part = out.with_name(f"{out.name}.part")
        try:
            ended = run_bounded(_command(program, request, part), {}, _LONGEST_S)
            if ended.error or ended.exit_status:
                raise QuantizeError(_why(ended, program, part, wanted))
            assert ended.seconds is not None  # it ended by itself
            made = _refuse_other_quants(request.quant_tag, part)
            _publish(part, out)
        finally:
            part.unlink(missing_ok=True)
    return Quantized(
        generated_at=utc_now(),
        provenance=provenance,
        sha256=sha256_of_file(out),
        bytes=made.bytes,
        quant_tag=request.quant_tag,
        bits_per_weight=made.bits_per_weight,
        base=base,
        base_quant_tag=facts.quant_tag,
        imatrix=imatrix,
        program=program,
        program_says=_build(ended),
        seconds=ended.seconds,
    )


def expected_bytes(base: GgufFacts, quant: str) -> int:
    """Return the approximate size of a quant; for an unknown tag, the size of the base.

    Only weights shrink with the bits per weight; vocabulary and metadata stay the same.
    """
    before = base.bits_per_weight
    if before is None:
        return base.bytes
    bits = min(nominal_bits(quant) or before, before)
    return base.bytes - int(base.parameters * (before - bits) / 8)


def _program(binary: str) -> str:
    found = find_program(binary)
    if found is None:
        where = " in PATH" if Path(binary).name == binary else ""
        raise QuantizeError(
            f"{binary}: no such program{where}; it is part of llama.cpp, and quantize.binary is "
            "its path"
        )
    return found


def _input(path: Path, planned: str | None) -> InputFile:
    """Return a file with the SHA-256 that identifies files made from it.

    Raises:
        QuantizeError: It is not the planned file.
    """
    try:
        actual = sha256_of_file(path)
    except OSError as error:
        raise QuantizeError(f"{path.as_posix()}: can't be read: {error.strerror}") from None
    if planned not in (None, actual):
        raise QuantizeError(f"{path.as_posix()}: changed since the plan was made; run again")
    return InputFile(path=path.as_posix(), sha256=actual)


def _refuse_full_disk(out: Path, wanted: int) -> None:
    free = shutil.disk_usage(out.parent).free
    if free < wanted:
        raise QuantizeError(
            f"{out.as_posix()}: needs about {wanted / MIB:.0f} MiB, and the disk has "
            f"{free / MIB:.0f} MiB free"
        )


def _command(program: str, request: QuantizeRequest, part: Path) -> list[str]:
    """Return the command; with absolute paths, because it takes `7b.gguf` for a quant number."""
    options = ["--allow-requantize"] if request.allow_requantize else []
    if request.imatrix:
        options += ["--imatrix", str(request.imatrix.resolve())]
    files = [str(request.base.resolve()), str(part.resolve())]
    kind = _PROGRAMS_OWN_NAMES.get(request.quant_tag, request.quant_tag)
    return [program, *options, *files, kind, str(request.threads)]


def _why(ended: Ended, program: str, part: Path, wanted: int) -> str:
    """Return why a program failed, with its last lines of output."""
    status = ended.exit_status
    if ended.error == "timeout":
        what = f"was not done after {_LONGEST_S / 3600:g} h, and was killed"
    elif ended.error:
        what = ended.error.replace("_", " ")
    elif status is not None and status < 0:
        what = f"was killed by signal {-status}; a large model needs much memory"
    else:
        what = f"failed with exit status {status}"
    size = part.stat().st_size if part.is_file() else 0
    if shutil.disk_usage(part.parent).free < wanted - size:
        what += f"; the disk is full: {size / MIB:.0f} of about {wanted / MIB:.0f} MiB written"
    lines = [
        line for text in (ended.stdout, ended.stderr) for line in _lines(text.end or text.text)
    ]
    words = "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])
    return f"{program}: {what}" + (f":\n{words}" if words else "")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if re.search(r"\w", line)]


def _refuse_other_quants(tag: str, path: Path) -> GgufFacts:
    """Return a file's facts, read back from it (T1).

    Raises:
        QuantizeError: It is truncated, or not of the requested quant.
    """
    try:
        facts = read_gguf(path)
    except UnusableFile as error:
        raise QuantizeError(f"{path.as_posix()}: {error.what}: it is unusable") from None
    if facts.quant_tag is not None and can_be(tag, facts.quant_tag) is False:
        reason = f"its header says {facts.quant_tag}, requested was {tag}"
        raise QuantizeError(f"{path.as_posix()}: {reason}: it is unusable")
    nominal = nominal_bits(tag)
    bits = facts.bits_per_weight
    if nominal and bits is not None and bits < nominal * thresholds.FEWEST_BITS_RATIO:
        reason = f"it has {bits:.2f} bits per weight, {tag} has about {nominal:g}"
        raise QuantizeError(f"{path.as_posix()}: {reason}: it is unusable")
    return facts


def _publish(part: Path, out: Path) -> None:
    """Rename a finished file to its final name, once it is on the disk."""
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    replace_file(part, out)


def _build(ended: Ended) -> str | None:
    found = _BUILD.search(ended.stderr.text) or _BUILD.search(ended.stdout.text)
    return found[0].strip() if found else None
