from __future__ import annotations

import pytest
from builders import MACHINE
from fake_provider import FakeProvider

from orket_lib.measure import canary, cell
from orket_lib.measure.session import session
from orket_lib.telemetry.fingerprint import remote_machine


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """Serve with a fake, on the machine that the specs of the tests name."""
    fake = FakeProvider()
    monkeypatch.setattr(session, "provider_for", lambda _: fake)
    monkeypatch.setattr(session, "sampling", fake.sampling)
    for module in (cell, canary, session):
        monkeypatch.setattr(module, "machine_of", lambda far, _: remote_machine(far) or MACHINE)
    return fake
