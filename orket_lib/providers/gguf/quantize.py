"""Making a quant with the user's `llama-quantize`: whole, checked, and while nothing is measured.

The program writes to a file of another name, which is looked at and only then takes its place: so
what lies there is finished and of the quant that was asked for, whatever was killed, and when.
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
from orket_lib.vocabulary.errors import LoadError, QuantizeError
from orket_lib.vocabulary.quants import can_be, nominal_bits

_MIB = 1024**2
_LONGEST_S = 12 * 3600.0  # a model of 400 billion parameters, on a slow disk
_LAST_WORDS = 2  # lines
_PROGRAMS_OWN_NAMES = {"MXFP4": "MXFP4_MOE"}
_BUILD = re.compile(r"^.*\bbuild\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Attributes:
        quant_tag: Of the file that is made.
        base: File with all its bits.
        base_sha256: That the base must have; None takes it as it is.
        imatrix: Importance matrix, or None.
        imatrix_sha256: That the matrix must have; None takes it as it is.
        binary: `llama-quantize`, by name or path.
        threads: Of the program.
        allow_requantize: Let the base be quantized already.
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
    order: Order, out: Path, say: Callable[[str], None], provenance: Provenance
) -> Quantized | None:
    """Make a file, and return how it was made; None when it is there already.

    Args:
        order: What to make.
        out: Where the file is to lie.
        say: Told what takes long.
        provenance: Of the record.

    Raises:
        QuantizeError: It could not be made, or what was made is not what was asked for; nothing
            that looks finished is left.
        LoadError: The base is not a readable GGUF file.
    """
    with device_lock("cpu", f"quantizing {out.name}", say):
        if out.is_file():
            try:
                _refuse_other_quants(order.quant_tag, out)
            except QuantizeError as error:
                raise QuantizeError(f"{error}; delete it, and it is made again") from None
            say(f"{out.name}: there already")
            return None
        program = _program(order.binary)
        facts = read_gguf(order.base)
        base = _input(order.base, order.base_sha256)
        imatrix = _input(order.imatrix, order.imatrix_sha256) if order.imatrix else None
        wanted = expected_bytes(facts, order.quant_tag)
        out.parent.mkdir(parents=True, exist_ok=True)
        _refuse_full_disk(out, wanted)
        say(f"{out.name}: being made from {order.base.as_posix()}, minutes for a large model")
        part = out.with_name(f"{out.name}.part")
        try:
            ended = run_bounded(_command(program, order, part), {}, _LONGEST_S)
            if ended.error or ended.exit_status:
                raise QuantizeError(_why(ended, program, part, wanted))
            assert ended.seconds is not None  # it ended by itself
            made = _refuse_other_quants(order.quant_tag, part)
            _publish(part, out)
        finally:
            part.unlink(missing_ok=True)
    return Quantized(
        generated_at=utc_now(),
        provenance=provenance,
        sha256=sha256_of_file(out),
        bytes=made.bytes,
        quant_tag=order.quant_tag,
        bits_per_weight=made.bits_per_weight,
        base=base,
        base_quant_tag=facts.quant_tag,
        imatrix=imatrix,
        program=program,
        program_says=_build(ended),
        seconds=ended.seconds,
    )


def expected_bytes(base: GgufFacts, quant: str) -> int:
    """Return about how large a quant of a base will be; of a tag that we don't know, as the base.

    The bits per weight count what is weights; the rest (vocabulary, metadata) stays as it is.
    """
    bits = min(nominal_bits(quant) or base.bits_per_weight, base.bits_per_weight)
    return base.bytes - int(base.parameters * (base.bits_per_weight - bits) / 8)


def _program(binary: str) -> str:
    found = find_program(binary)
    if found is None:
        where = "in PATH" if Path(binary).name == binary else "there"
        raise QuantizeError(
            f"{binary}: no such program {where}; it is part of llama.cpp, and quantize.binary "
            "names it"
        )
    return found


def _input(path: Path, planned: str | None) -> InputFile:
    """Return a file with its hash, which is what the file made from it is told by.

    Raises:
        QuantizeError: It is not the one that was planned.
    """
    try:
        actual = sha256_of_file(path)
    except OSError as error:
        raise QuantizeError(f"{path.as_posix()}: can't be read: {error.strerror}") from None
    if planned not in (None, actual):
        raise QuantizeError(f"{path.as_posix()}: changed since this was planned; run again")
    return InputFile(path=path.as_posix(), sha256=actual)


def _refuse_full_disk(out: Path, wanted: int) -> None:
    free = shutil.disk_usage(out.parent).free
    if free < wanted:
        raise QuantizeError(
            f"{out.as_posix()}: takes about {wanted / _MIB:.0f} MiB, and {free / _MIB:.0f} MiB of "
            "the disk are free"
        )


def _command(program: str, order: Order, part: Path) -> list[str]:
    """Return the command; absolute paths, because it takes `7b.gguf` for a type by its number."""
    options = ["--allow-requantize"] if order.allow_requantize else []
    if order.imatrix:
        options += ["--imatrix", str(order.imatrix.resolve())]
    files = [str(order.base.resolve()), str(part.resolve())]
    kind = _PROGRAMS_OWN_NAMES.get(order.quant_tag, order.quant_tag)
    return [program, *options, *files, kind, str(order.threads)]


def _why(ended: Ended, program: str, part: Path, wanted: int) -> str:
    """Return why a program failed, with its last words."""
    status = ended.exit_status
    if ended.error == "timeout":
        what = f"was not done after {_LONGEST_S / 3600:g} h, and was ended"
    elif ended.error:
        what = ended.error.replace("_", " ")
    elif status is not None and status < 0:
        what = f"was killed by signal {-status}; a large model takes memory"
    else:
        what = f"failed with exit status {status}"
    size = part.stat().st_size if part.is_file() else 0
    if shutil.disk_usage(part.parent).free < wanted - size:
        what += f"; the disk is full: {size / _MIB:.0f} of about {wanted / _MIB:.0f} MiB written"
    lines = [
        line for text in (ended.stdout, ended.stderr) for line in _lines(text.end or text.text)
    ]
    words = "\n".join(f"  {line}" for line in lines[-_LAST_WORDS:])
    return f"{program}: {what}" + (f":\n{words}" if words else "")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if re.search(r"\w", line)]


def _refuse_other_quants(tag: str, path: Path) -> GgufFacts:
    """Return a file's facts, read back from it (T1).

    Raises:
        QuantizeError: It is cut, or not what was asked for.
    """
    try:
        facts = read_gguf(path)
    except LoadError as error:
        raise QuantizeError(f"{error}: it can't be used") from None
    if facts.quant_tag is not None and can_be(tag, facts.quant_tag) is False:
        said = f"its header says {facts.quant_tag}, asked for {tag}"
        raise QuantizeError(f"{path.as_posix()}: {said}: it can't be used")
    nominal = nominal_bits(tag)
    if nominal and facts.bits_per_weight < nominal * thresholds.FEWEST_BITS_RATIO:
        said = f"it has {facts.bits_per_weight:.2f} bits per weight, {tag} has about {nominal:g}"
        raise QuantizeError(f"{path.as_posix()}: {said}: it can't be used")
    return facts


def _publish(part: Path, out: Path) -> None:
    """Let a finished file take its place, once it is on the disk."""
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    replace_file(part, out)


def _build(ended: Ended) -> str | None:
    found = _BUILD.search(ended.stderr.text) or _BUILD.search(ended.stdout.text)
    return found[0].strip() if found else None
