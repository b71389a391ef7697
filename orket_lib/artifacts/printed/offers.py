"""Models that a server offers, as the server describes them."""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Record


class OfferedModel(Record):
    """A model that a server lists, or a file. Unknown facts are null."""

    name: str = Field(description="as the server spells it, or the path of a file")
    quant_tag: str | None = None
    bytes: int | None = Field(None, description="size of the weights")
    digest: str | None = Field(None, description="of the tag's content")
    n_ctx: int | None = Field(None, description="largest context in tokens")
    parameters: int | None = Field(None, description="number of weights")
    loaded: bool | None = Field(None, description="whether it is in memory now")
    chats: bool = Field(True, description="false for an embedding model")
    owner: str | None = Field(None, description="as the server's list of models names it")
    path: str | None = Field(None, description="file or repository behind the name")
    remote: str | None = Field(None, description="host that serves a cloud model")


class Offering(Record):
    """All models that one server offers."""

    build: str | None = Field(None, description="version of the server")
    models: tuple[OfferedModel, ...]
