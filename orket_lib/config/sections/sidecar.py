"""The hardware sidecar: a hardware probe for each cell, for diagnosis only."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orket_lib.config.sections.fields import Section


class HardwareSidecar(Section):
    """A hardware probe, defined by a command template or by a profile."""

    hardware_sidecar_template: Annotated[
        str | tuple[str, ...] | None,
        Field(description="command of a hardware probe; a list is passed on unchanged"),
    ] = None
    hardware_sidecar_timeout_sec: Annotated[float, Field(gt=0, description="of one probe, s")] = (
        120.0
    )
    hardware_sidecar_profile: Annotated[
        str | None, Field(description="name of a probe in the profiles file")
    ] = None
    sidecar_profiles_config: Annotated[
        str, Field(description="path of the file with hardware probes by name")
    ] = "config/sidecar_profiles.json"
