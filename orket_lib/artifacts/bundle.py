"""The manifest of a bundle: a sweep's files in one archive, with the hash of each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Record


class BundledFile(Record):
    """A file of a bundle."""

    path: str = Field(description="in the archive, with forward slashes")
    bytes: int = Field(ge=0)
    sha256: str


class BundleManifest(Record):
    """`manifest.json` of a bundle. It has no time: the same files make the same bundle."""

    schema_version: Literal["orket.bundle.v1"] = "orket.bundle.v1"
    sweep: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", description="its name")
    bank: str = Field(description="path of the task bank in the archive")
    kpi_policy: str = Field(description="path of the KPI policy in the archive")
    bundled_with: dict[str, str] = Field(
        description="versions of the machine that made the bundle; those that measured are in the "
        "measurements"
    )
    files: tuple[BundledFile, ...] = Field(description="by path, without the manifest")
