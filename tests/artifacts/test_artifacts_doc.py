"""docs/reference/artifacts.md names every schema and links to what is there."""

from __future__ import annotations

import re
from pathlib import Path

from orket_lib.artifacts.schemas import published, version_of
from orket_lib.stores.baselines import SCHEMA_VERSION as BASELINES
from orket_lib.stores.explorers import HEADER, STORES

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "reference" / "artifacts.md").read_text(encoding="utf-8")


def test_every_published_artifact_is_described() -> None:
    linked = set(re.findall(r"\]\(../schemas/(.+?)\.schema\.json\)", TEXT))
    assert linked == {"sweep_config", "task_bank", *map(version_of, published())}


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((.+?)\)", TEXT)
    assert len(links) > 20
    assert [link for link in links if not (DOCS / "reference" / link).exists()] == []


def test_every_store_is_described() -> None:
    assert HEADER["schema_version"] in TEXT
    for store in STORES.values():
        assert f"`storage/{store.folder}/FINGERPRINT__LANE__PROFILE" in TEXT
    assert BASELINES in TEXT
