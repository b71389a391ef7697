"""Events and lines out of reads, however the network split them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from orket_lib.providers.wire.events import Event, json_object, ndjson_lines, sse_events

STREAM = (
    ": ping\n\n"
    'data: {"delta": "gr\u00fc\u00df"}\n\n'
    'data: {"delta": "\U0001f600"}\r\n\r\n'
    "event: note\nid: 3\ndata: one\ndata: two\n\n"
    "data:no blank\n\n"
    ": ping\n"
    "data: [DONE]\n\n"
).encode()
DATA = ['{"delta": "gr\u00fc\u00df"}', '{"delta": "\U0001f600"}', "one\ntwo", "no blank", "[DONE]"]


def data_of(*reads: bytes) -> list[str]:
    return [event.data for event in sse_events((float(i), read) for i, read in enumerate(reads))]


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        pytest.param((), [], id="nothing"),
        pytest.param((b"data: a\n\n",), ["a"], id="one event in one read"),
        pytest.param((b"data: a\n\ndata: b\n\n",), ["a", "b"], id="two events in one read"),
        pytest.param((b"da", b"ta: a", b"\n", b"\n"), ["a"], id="one event in four reads"),
        pytest.param((b"data: \xc3", b"\xa4\n\n"), ["\u00e4"], id="a character in two reads"),
        pytest.param((b"data: a\r", b"\n\r", b"\n"), ["a"], id="CRLF in two reads"),
        pytest.param((b":\n\n: ping\n\ndata: a\n\n",), ["a"], id="pings"),
        pytest.param((b"\n\n\ndata: a\n\n\n\n",), ["a"], id="more blank lines"),
        pytest.param((b"data: a\n\ndata: b",), ["a", "b"], id="a tail without a line end"),
        pytest.param((b"data: a\n\ndata: b\n",), ["a", "b"], id="a tail without its blank line"),
        pytest.param((b"data: a\n\ndat",), ["a"], id="half a field"),
        pytest.param((b"data: a\r\rdata: b\r\r",), ["a", "b"], id="CR alone"),
        pytest.param((b"data: a\r", b"\r", b"\ndata: b\r\n\r\n"), ["a", "b"], id="CR and CRLF"),
        pytest.param(
            (
                b"\xef\xbb",
                b"\xbfdata: a\n\n",
            ),
            ["a"],
            id="a byte order mark",
        ),
        pytest.param((b"data\n\ndata: a\n\n",), ["", "a"], id="a field without a value"),
        pytest.param((b"data:  a\n\n",), [" a"], id="one blank belongs to the format"),
        pytest.param((b"data: \xff\n\n",), ["\ufffd"], id="broken UTF-8 is no crash"),
    ],
)
def test_reads_become_events(reads: tuple[bytes, ...], expected: list[str]) -> None:
    assert data_of(*reads) == expected


def test_an_event_that_only_the_end_of_the_body_ends_is_told_apart() -> None:
    found = list(sse_events([(1.0, b"data: a\n\n"), (2.0, b"data: b\n")]))
    assert found == [Event(1.0, "a"), Event(2.0, "b", whole=False)]


@pytest.mark.parametrize("raw", [b"event: error\ndata: boom\n\n", b"error: boom\n\n"])
def test_an_error_is_an_event_of_its_own(raw: bytes) -> None:
    assert list(sse_events([(1.0, raw)])) == [Event(1.0, "boom", "error")]


def test_an_event_has_the_stamp_of_the_read_that_completed_it() -> None:
    reads = [(1.0, b"data: a\n\ndata:"), (2.0, b" b\n"), (3.0, b"\ndata: c\n\n")]
    assert list(sse_events(reads)) == [Event(1.0, "a"), Event(3.0, "b"), Event(3.0, "c")]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 4096])
def test_reads_of_any_size_give_the_same_data(size: int) -> None:
    reads = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]
    assert data_of(*reads) == DATA


def test_reads_cut_anywhere_give_the_same_data() -> None:
    rng = random.Random(20261123)
    for _ in range(300):
        cuts = sorted(rng.sample(range(len(STREAM) + 1), rng.randint(0, 40)))
        bounds = [0, *cuts, len(STREAM)]
        reads = [STREAM[a:b] for a, b in pairwise(bounds)]
        assert b"".join(reads) == STREAM
        assert data_of(*reads) == DATA, bounds


@pytest.mark.parametrize("text", ["", "[1]", "null", "3", "{", '"x"'])
def test_an_event_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        json_object(text)


NDJSON = '{"a":"wörd"}\n\n{"b":"☃"}\r\n{"c":1}\n'.encode()
LINES = ['{"a":"wörd"}', '{"b":"☃"}', '{"c":1}']


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_come_out_whole_however_they_were_cut(size: int) -> None:
    reads = [(float(at), NDJSON[at : at + size]) for at in range(0, len(NDJSON), size)]
    found = list(ndjson_lines(reads))
    assert [line.data for line in found] == LINES
    assert [line.at_s for line in found] == sorted(line.at_s for line in found)


def test_a_line_came_when_its_last_byte_did() -> None:
    found = list(ndjson_lines([(1.0, b'{"a":'), (2.0, b"1}"), (3.0, b'\n{"b":2}\n')]))
    assert [(line.at_s, line.data) for line in found] == [(3.0, '{"a":1}'), (3.0, '{"b":2}')]


def test_a_line_that_only_the_end_of_the_body_ends_is_told_apart() -> None:
    found = list(ndjson_lines([(1.0, b'{"done":true}')]))
    assert found == [Event(1.0, '{"done":true}', whole=False)]


def test_bytes_that_are_no_utf8_are_no_crash() -> None:
    (line,) = ndjson_lines([(1.0, b'{"a":"\xff"}\n')])
    assert line.data == '{"a":"�"}'
