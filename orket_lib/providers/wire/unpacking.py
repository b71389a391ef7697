"""Bodies that a server or proxy compressed, although asked not to: unpacked, read by read."""

from __future__ import annotations

import zlib

from orket_lib.vocabulary.errors import Fault, RequestFailed

_KNOWN = ("gzip", "x-gzip", "deflate")


def unpacked(
    reads: list[tuple[float, bytes]], encoding: str, most: int, max_tokens: int
) -> list[tuple[float, bytes]]:
    """Return the reads of a body, unpacked, each with its stamp.

    Args:
        reads: As they arrived.
        encoding: What HTTP says about them.
        most: Bytes that the body may have.
        max_tokens: The requested limit, for a message.

    Raises:
        RequestFailed: The encoding is another one, or invalid, or there is far too much in it.
    """
    if encoding not in _KNOWN:
        message = f"the answer is compressed ({encoding}), which was not asked for"
        raise RequestFailed(message, Fault.NOT_JSON)
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it is
    found = []
    for at_s, read in reads:
        try:
            content = unpack.decompress(read, most)
        except zlib.error as error:
            message = f"the answer is not the {encoding} that it says: {error}"
            raise RequestFailed(message, Fault.NOT_JSON) from None
        most -= len(content)
        if most <= 0 or unpack.unconsumed_tail:
            raise endless(max_tokens)
        found.append((at_s, content))
    return found


def endless(max_tokens: int) -> RequestFailed:
    """Return the failure of an answer that does not stop."""
    message = f"no end of the answer after far more than {max_tokens} tokens"
    return RequestFailed(message, Fault.ENDLESS)
