"""Whether a model can be offered tools, by what its server says or by the length of a prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from builders import generation

from orket_lib.providers.base import Generation, GenerationRequest, Model, TokenReport
from orket_lib.providers.tool_check import tool_gap
from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.null_reasons import NullReason


@dataclass
class Server:
    """Says whether it takes tools, and counts a prompt's tokens."""

    says: bool | None
    tokens: Callable[[GenerationRequest], int | None]
    asked: list[GenerationRequest] = field(default_factory=list)

    def takes_tools(self) -> bool | None:
        return self.says

    def generate(self, request: GenerationRequest) -> Generation:
        self.asked.append(request)
        return replace(generation(), tokens=TokenReport(prompt=self.tokens(request)))


def gap(server: Server) -> NullReason | None:
    model: Model = server  # type: ignore[assignment]
    return tool_gap(model)


def refuses(fault: Fault) -> Callable[[GenerationRequest], int]:
    def tokens(request: GenerationRequest) -> int:
        if request.tools:
            raise RequestFailed("`auto` tool choice requires --enable-auto-tool-choice", fault)
        return 20

    return tokens


@pytest.mark.parametrize(
    ("says", "expected"), [(True, None), (False, NullReason.TOOLS_NOT_IN_TEMPLATE)]
)
def test_a_server_that_says_it_is_not_tried(says: bool, expected: NullReason | None) -> None:
    server = Server(says, lambda _: 20)
    assert gap(server) == expected
    assert server.asked == []


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (lambda request: 95 if request.tools else 20, None),
        (lambda request: 20, NullReason.TOOLS_NOT_IN_TEMPLATE),
        (lambda request: None, None),  # it accepts them, and counts nothing
        (refuses(Fault.REJECTED), NullReason.TOOLS_REFUSED),
        (refuses(Fault.SERVER_ERROR), NullReason.TOOLS_REFUSED),
        (refuses(Fault.ERROR_IN_STREAM), NullReason.TOOLS_REFUSED),
    ],
)
def test_others_are_tried(
    tokens: Callable[[GenerationRequest], int | None], expected: NullReason | None
) -> None:
    server = Server(None, tokens)
    assert gap(server) == expected
    assert [bool(request.tools) for request in server.asked] == [False, True]
    assert {request.max_tokens for request in server.asked} == {1}


def test_a_server_that_fails_is_no_template_without_tools() -> None:
    with pytest.raises(RequestFailed):
        gap(Server(None, refuses(Fault.RESET)))
