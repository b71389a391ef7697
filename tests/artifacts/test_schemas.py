"""Published schemas say what the models say, and files of every version stay readable."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from contract_examples import example, fixtures, missing_fields
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from orket_lib.artifacts.base import Measured, Record
from orket_lib.artifacts.io import read_json, read_model, write_json
from orket_lib.artifacts.schemas import SCHEMAS, published, schema_file, schema_of, version_of
from orket_lib.vocabulary.errors import ArtifactError

ROOT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("model", published(), ids=version_of)
FROZEN = [
    pytest.param(model, path, id=f"{version_of(model)}/{path.name}")
    for model in published()
    for path in fixtures(model)
]


@cache
def _validator(model: type[Record]) -> Draft202012Validator:
    return Draft202012Validator(schema_of(model))


def _violations(model: type[Record], content: Any) -> list[str]:
    return [error.message for error in _validator(model).iter_errors(content)]


def test_everything_with_a_version_is_published_once() -> None:
    versions = list(map(version_of, published()))
    assert versions == sorted(set(versions))
    assert {"orket.run.v1", "sidecar.parse.v1", "explorer.frontier.v1"} < set(versions)
    assert all("schema_version" in model.model_fields for model in published())


@EVERY
def test_the_published_schema_is_that_of_the_model(model: type[Record]) -> None:
    content = read_json(ROOT / schema_file(model))
    assert content == schema_of(model), "type: python -m orket_lib.artifacts.schemas"
    Draft202012Validator.check_schema(content)


def test_no_schema_is_left_of_what_is_no_longer_published() -> None:
    files = {path.name for path in (ROOT / SCHEMAS).glob("*.json")}
    of_others = {"sweep_config.schema.json", "task_bank.schema.json"}
    assert files - of_others == {schema_file(model).name for model in published()}


@pytest.mark.parametrize(("model", "path"), FROZEN)
def test_every_version_stays_readable(model: type[Record], path: Path) -> None:
    content = read_json(path)
    assert _violations(model, content) == []
    read_model(path, model)


@EVERY
def test_the_newest_fixture_has_every_field(model: type[Record]) -> None:
    assert missing_fields(model) == set(), "type: python tests/contract_examples.py"


@EVERY
def test_a_file_of_another_major_version_is_refused_by_its_version(
    tmp_path: Path, model: type[Record]
) -> None:
    later = example(model, whole=True)
    name, _, major = version_of(model).rpartition(".v")
    later["schema_version"] = f"{name}.v{int(major) + 1}"
    path = tmp_path / "later.json"
    write_json(path, later)
    with pytest.raises(
        ArtifactError,
        match=rf"its schema_version is '{later['schema_version']}'; expected '{name}",
    ):
        read_model(path, model)


@EVERY
def test_a_file_without_its_version_is_no_contract(model: type[Record]) -> None:
    content = example(model, whole=True)
    del content["schema_version"]
    assert _violations(model, content) == ["'schema_version' is a required property"]


def _measured_models() -> list[type[Measured]]:
    found, waiting = [], [Measured]
    while waiting:
        children = waiting.pop().__subclasses__()
        waiting += children
        found += [model for model in children if model.__module__.startswith("orket_lib.")]
    return found


@pytest.mark.parametrize("model", _measured_models(), ids=lambda model: model.__name__)
def test_schema_and_model_agree_on_nulls_and_their_reasons(model: type[Measured]) -> None:
    check = Draft202012Validator(model.model_json_schema())
    whole, least = (example(model, whole=whole) for whole in (True, False))
    for content in (whole, least):
        model.model_validate(content)
        assert list(check.iter_errors(content)) == []
    for name in model.readings():
        silent = whole | {name: None}
        idle = whole | {"null_reasons": {name: "NOT_MEASURED"}}
        foreign = whole | {"null_reasons": {"no_such_reading": "NOT_MEASURED"}}
        for wrong in (silent, idle, foreign):
            assert list(check.iter_errors(wrong))
            with pytest.raises(ValidationError):
                model.model_validate(wrong)


@EVERY
def test_fields_of_a_newer_minor_version_are_allowed(model: type[Record]) -> None:
    newer = example(model, whole=True) | {"of_tomorrow": 1}
    assert _violations(model, newer) == []
    model.model_validate(newer)
