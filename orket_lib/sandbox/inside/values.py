"""The wire format of a sandbox: plain Python values as bytes, with their types.

Not JSON, in which a tuple is a list and which takes 10 ms to import; not pickle or marshal, which
must never read untrusted data. Each value is a tag, a length, a colon and its content, so that
decoding is one pass without a parser. The module imports nothing: half of a sandbox's start time is
imports.

An instance of a subclass (`Counter`, a named tuple, `IntEnum`) is encoded as its plain base type,
through that type's own methods, so that no method of an untrusted class is called. Everything else
becomes `Opaque`, which equals nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes 5 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_DEPTH = 64
READY = b"ready\n"  # the first report of a supervisor, before untrusted code runs


class Opaque:
    """A value that can't be encoded, with the name of its type; it equals nothing, not itself."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self.type_name}>"


def encode(value: object, depth: int = 0) -> bytes:
    """Encode a value; equal bytes mean the same value of the same types.

    Sets are ordered by their elements' bytes, mappings keep their order. Values nested deeper than
    `MAX_DEPTH` become opaque, so that a list that contains itself can be encoded.
    """
    if depth > MAX_DEPTH:
        return _framed(b"o", b"too deep")
    for base, write in _WRITERS:
        if issubclass(type(value), base):  # not isinstance(), which trusts `__class__`
            return write(value, depth)
    return _framed(b"o", type(value).__name__.encode("utf-8", "replace"))


def decode(data: bytes) -> Any:
    """Decode a value; safe for untrusted bytes.

    Raises:
        ValueError: The bytes are not an encoded value.
    """
    try:
        value, end = _read(data, 0, 0)
    except (TypeError, IndexError, OverflowError) as error:  # unhashable, cut short
        raise ValueError(f"no value: {error}") from None
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes after the value")
    return value


def _framed(tag: bytes, content: bytes) -> bytes:
    return b"%b%d:%b" % (tag, len(content), content)


def _many(tag: bytes, items: list[bytes]) -> bytes:
    return b"%b%d:%b" % (tag, len(items), b"".join(items))


def _bool(value: Any, depth: int) -> bytes:
    return b"b1:%d" % value


def _int(value: Any, depth: int) -> bytes:
    # In hexadecimal, because reading a long decimal takes quadratic time.
    return _framed(b"i", b"%x" % int.__index__(value))


def _float(value: Any, depth: int) -> bytes:
    return _framed(b"f", float.hex(value).encode())


def _complex(value: Any, depth: int) -> bytes:
    plain = complex.__add__(value, 0j)
    return b"c2:" + _float(plain.real, depth) + _float(plain.imag, depth)


def _str(value: Any, depth: int) -> bytes:
    return _framed(b"s", str.encode(value, "utf-8", "surrogatepass"))


def _bytes(value: Any, depth: int) -> bytes:
    return _framed(b"y", bytes.__getitem__(value, slice(None)))


def _bytearray(value: Any, depth: int) -> bytes:
    return _framed(b"a", bytes(bytearray.__getitem__(value, slice(None))))


def _tuple(value: Any, depth: int) -> bytes:
    return _many(b"t", [encode(item, depth + 1) for item in tuple.__iter__(value)])


def _list(value: Any, depth: int) -> bytes:
    return _many(b"l", [encode(item, depth + 1) for item in list.__iter__(value)])


def _dict(value: Any, depth: int) -> bytes:
    pairs = [encode(key, depth + 1) + encode(item, depth + 1) for key, item in dict.items(value)]
    return _many(b"d", pairs)


def _set(value: Any, depth: int) -> bytes:
    return _many(b"e", sorted(encode(item, depth + 1) for item in set.__iter__(value)))


def _frozenset(value: Any, depth: int) -> bytes:
    return _many(b"z", sorted(encode(item, depth + 1) for item in frozenset.__iter__(value)))


_WRITERS: tuple[tuple[type, Callable[[Any, int], bytes]], ...] = (
    (type(None), lambda value, depth: b"n0:"),
    (bool, _bool),  # before int, which it derives from
    (int, _int),
    (float, _float),
    (complex, _complex),
    (str, _str),
    (bytes, _bytes),
    (bytearray, _bytearray),
    (tuple, _tuple),
    (list, _list),
    (dict, _dict),
    (set, _set),
    (frozenset, _frozenset),
)


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return the value at a position, and the position after it."""
    if depth > MAX_DEPTH + 1:
        raise ValueError("too deep")
    colon = data.index(b":", at, at + 12)
    tag, digits, at = data[at : at + 1], data[at + 1 : colon], colon + 1
    if not digits.isdigit():
        raise ValueError(f"no length after the tag {tag!r}")
    size = int(digits)
    if tag in _SCALARS:
        content = data[at : at + size]
        if len(content) != size:
            raise ValueError("cut short")
        return _SCALARS[tag](content), at + size
    if tag not in _CONTAINERS:
        raise ValueError(f"unknown tag {tag!r}")
    items = []
    for _ in range(size * 2 if tag == b"d" else size):
        item, at = _read(data, at, depth + 1)
        items.append(item)
    return _CONTAINERS[tag](items), at


def _none(content: bytes) -> None:
    if content:
        raise ValueError("None has no content")


def _truth(content: bytes) -> bool:
    if content not in (b"0", b"1"):
        raise ValueError("neither true nor false")
    return content == b"1"


def _imaginary(items: list[Any]) -> complex:
    real, imaginary = items
    return complex(real, imaginary)


_SCALARS: dict[bytes, Any] = {
    b"n": _none,
    b"b": _truth,
    b"i": lambda content: int(content, 16),
    b"f": lambda content: float.fromhex(content.decode()),
    b"s": lambda content: content.decode("utf-8", "surrogatepass"),
    b"y": lambda content: content,
    b"a": bytearray,
    b"o": lambda content: Opaque(content.decode("utf-8", "replace")),
}
_CONTAINERS: dict[bytes, Any] = {
    b"c": _imaginary,
    b"t": tuple,
    b"l": list,
    b"d": lambda items: dict(zip(items[::2], items[1::2], strict=True)),
    b"e": set,
    b"z": frozenset,
}
