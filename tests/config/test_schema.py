from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orket_lib.config.loading.parse import DEPRECATED_KEYS
from orket_lib.config.model import SweepConfig
from orket_lib.config.schema import SCHEMA_FILE, config_schema

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    ROOT / "config" / "config.yaml",
    *sorted((ROOT / "config" / "examples").glob("*.yaml")),
    *sorted((ROOT / "config" / "presets").glob("*.json")),
]


def test_the_published_schema_is_that_of_the_model() -> None:
    published = json.loads((ROOT / SCHEMA_FILE).read_text(encoding="utf-8"))
    assert published == config_schema(), "type: python -m orket_lib.config.schema"


def test_every_key_says_what_it_means() -> None:
    properties = config_schema()["properties"]
    assert all(properties[name].get("description") for name in SweepConfig.model_fields)
    assert all(properties[name]["deprecated"] for name in DEPRECATED_KEYS)


@pytest.fixture
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")  # comes with Snakemake
    jsonschema.Draft202012Validator.check_schema(config_schema())
    return jsonschema.Draft202012Validator(config_schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_configs_pass(path: Path, validator: Any) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [error.message for error in validator.iter_errors(content)] == []


@pytest.mark.parametrize(
    "content",
    [
        {"runs_per_qant": 1},
        {"canary": {"run": 1}},
        {"runs_per_quant": 0},
        {"provider": "olama"},
        {"quants": [4]},
        {"temperature": "hot"},
    ],
    ids=lambda content: next(iter(content)),
)
def test_an_editor_sees_a_mistake(content: dict[str, Any], validator: Any) -> None:
    assert list(validator.iter_errors(content))


def test_the_reference_config_names_the_schema() -> None:
    first = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (ROOT / "config" / named).resolve() == (ROOT / SCHEMA_FILE).resolve()
