"""What a server has on offer: models with what it says of them, nothing of it measured."""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Record


class OfferedModel(Record):
    """A model that a server lists, or a file. What isn't said of it is null."""

    name: str = Field(description="as the server spells it, or the path of a file")
    quant_tag: str | None = None
    bytes: int | None = Field(None, description="size of the weights")
    digest: str | None = Field(None, description="that stands for the tag's content")
    n_ctx: int | None = Field(None, description="largest context in tokens")
    parameters: int | None = Field(None, description="number of weights")
    loaded: bool | None = Field(None, description="in memory at the moment")
    chats: bool = Field(True, description="false for an embedding model")
    remote: str | None = Field(None, description="who really serves it: a cloud model")


class Offering(Record):
    """All that one server has on offer."""

    build: str | None = Field(None, description="version of the server")
    models: tuple[OfferedModel, ...]
