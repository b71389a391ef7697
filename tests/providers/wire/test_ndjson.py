"""Lines out of reads, however the network cut them."""

from __future__ import annotations

import pytest
from orket_lib.providers.wire.ndjson import lines

TEXT = '{"a":"wörd"}\n\n{"b":"☃"}\r\n{"c":1}\n'.encode()
LINES = ['{"a":"wörd"}', '{"b":"☃"}', '{"c":1}']


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_come_out_whole_however_they_were_cut(size: int) -> None:
    reads = [(float(at), TEXT[at : at + size]) for at in range(0, len(TEXT), size)]
    found = list(lines(reads))
    assert [line.data for line in found] == LINES
    assert [line.at_s for line in found] == sorted(line.at_s for line in found)


def test_a_line_came_when_its_last_byte_did() -> None:
    found = list(lines([(1.0, b'{"a":'), (2.0, b"1}"), (3.0, b'\n{"b":2}\n')]))
    assert [(line.at_s, line.data) for line in found] == [(3.0, '{"a":1}'), (3.0, '{"b":2}')]


def test_an_unfinished_line_is_none() -> None:
    assert list(lines([(1.0, b'{"done":true}')])) == []


def test_bytes_that_are_no_utf8_are_no_crash() -> None:
    (line,) = lines([(1.0, b'{"a":"\xff"}\n')])
    assert line.data == '{"a":"�"}'
