"""Every subject in turn, each served once for all tests that only ask it something."""

from __future__ import annotations

from collections.abc import Iterator

# The contract is tried on the reference model, as the tests of traps are.
import pytest
from contract_subjects import SUBJECTS, Stage, Subject

from orket_lib.providers.base import Model


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    """Return a subject."""
    found: Subject = request.param
    why = found.missing()
    if why is not None:
        pytest.skip(why)
    return found


@pytest.fixture(scope="module")
def stage(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return what the subject serves, and from where."""
    with subject.stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="module")
def model(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """Return the subject's model, served once."""
    log = tmp_path_factory.mktemp("served") / "server.log"
    with stage.provider.serve(stage.spec, stage.source, log) as model:
        yield model
