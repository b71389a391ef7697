"""The body of an answer, up to a limit, and unpacked if a server or proxy compressed it.

The client's own unpacking has no limit, and 64 KiB may hold gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import httpx

from orket_lib.providers.wire.deadline import Deadline
from orket_lib.vocabulary.errors import Fault, RequestFailed

_PIECE = 64 * 1024
_PLAIN = ("", "identity")
_KNOWN = ("gzip", "x-gzip", "deflate")


def unpacked(
    reads: Iterable[tuple[float, bytes]], encoding: str, where: str = ""
) -> Iterator[tuple[float, bytes]]:
    """Yield the reads of a body, unpacked, each with its stamp; a large one comes in pieces.

    Args:
        reads: As they arrive.
        encoding: What HTTP says about them.
        where: Begins error messages.

    Raises:
        RequestFailed: The encoding is another one, or invalid.
    """
    packing = encoding.strip().lower()
    if packing in _PLAIN:
        yield from reads
        return
    if packing not in _KNOWN:
        message = f"{where}the answer is compressed ({packing}), which was not asked for"
        raise RequestFailed(message, Fault.NOT_JSON)
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it is
    for at_s, left in reads:
        while left:
            try:
                piece = unpack.decompress(left, _PIECE)
            except zlib.error as error:
                message = f"{where}the answer is not the {packing} that it says: {error}"
                raise RequestFailed(message, Fault.NOT_JSON) from None
            yield at_s, piece
            left = unpack.unconsumed_tail


def up_to(most_bytes: int, reads: Iterable[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """Yield the reads of a body; of a longer one, so many bytes and at least one more."""
    for at_s, read in reads:
        yield at_s, read
        most_bytes -= len(read)
        if most_bytes < 0:
            return


def beginning(response: httpx.Response, most_bytes: int, deadline: Deadline, where: str) -> bytes:
    """Return the body of a response; of a longer one, the first bytes and at least one more.

    Args:
        response: With its body not read yet.
        most_bytes: Where reading stops.
        deadline: Of the request.
        where: Begins error messages.

    Raises:
        OutOfTime: It is not complete when the time is up.
        RequestFailed: It is compressed in an unknown way.
    """
    pieces: list[bytes] = []
    encoding = response.headers.get("content-encoding", "")
    body = response.iter_raw() if encoding else response.iter_bytes()
    reads = ((0.0, read) for read in body)
    for _, piece in up_to(most_bytes, unpacked(reads, encoding, where)):
        deadline.require_time()
        pieces.append(piece)
    # A body without a length ends with its connection, even if it was we who ended that.
    deadline.require_time()
    return b"".join(pieces)
