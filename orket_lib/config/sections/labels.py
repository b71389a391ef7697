"""Labels: what the numbers may be used for, and how much memory a model may take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orket_lib.config.sections.fields import Section, Words
from orket_lib.vocabulary.statuses import Lane, VramGuard, VramProfile


class Labels(Section):
    """Labels that rows and reports carry."""

    execution_lane: Annotated[
        Lane,
        Field(description="lab: speeds are compared; ci: speeds are recorded but not compared"),
    ] = Lane.LAB
    vram_profile: Annotated[
        VramProfile,
        Field(
            description="share of the free memory that a model may take: safe 50 %, balanced 80 %, "
            "stress 95 %"
        ),
    ] = VramProfile.SAFE
    vram_guard: Annotated[
        VramGuard, Field(description="what the preflight does about a model that may take more")
    ] = VramGuard.WARN
    provenance_ref: Annotated[
        Words, Field(description="who asked for the sweep: a CI run, a ticket")
    ] = "local-run:manual"
