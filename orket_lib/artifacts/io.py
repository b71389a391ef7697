"""Reading and writing artifacts: atomic, and with errors that name the file.

A write goes to a temporary file in the target's folder, is flushed to the disk, and replaces the
target in one step: readers never see half a file, and a full disk leaves the old one in place.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import tempfile
import time
from pathlib import Path
from textwrap import indent
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from orket_lib.artifacts.disk import why_not_written
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.validation import one_message_each, problems_of

_Model = TypeVar("_Model", bound=BaseModel)
_REPLACE_TRIES = 20
_REPLACE_PAUSE_S = 0.05
_LONGEST_VERSION = 80
# Half of a pair that encodes one character; a lone half can't be encoded as UTF-8.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def write_text(path: Path, text: str) -> None:
    """Write a file atomically as UTF-8 with `\\n` line ends, creating its folder.

    Raises:
        ArtifactError: The file can't be written (disk full, no permission, lone surrogate).
    """
    write_bytes(path, _encoded(text, path))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically, creating its folder.

    Raises:
        ArtifactError: The file can't be written (disk full, no permission).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o666 & ~_umask())
            replace_file(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ArtifactError(f"{path}: can't be written: {why_not_written(error, path)}") from error


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, indented, keys in the order given; NaN raises ValueError."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_model(path: Path, model: BaseModel) -> None:
    """Write a model as JSON, its fields in the order of their definition."""
    write_json(path, model.model_dump(mode="json"))


def read_json(path: Path) -> Any:
    """Return the content of a JSON file (a BOM is fine).

    Raises:
        ArtifactError: The file is missing, unreadable, or not strict JSON: NaN, infinities, numbers
            beyond any float and lone surrogates are refused.
    """

    def refuse(constant: str) -> Any:
        raise ArtifactError(f"{path}: not valid JSON: {constant} is not a number")

    def number(text: str) -> float:
        value = float(text)
        if math.isinf(value):
            raise ArtifactError(f"{path}: not valid JSON: {text:.40} is too large")
        return value

    if path.exists() and not (path.is_file() or path.is_dir()):  # whose reading may never end
        raise ArtifactError(f"{path}: is a device or pipe, must be a file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text, parse_constant=refuse, parse_float=number)
        if _SURROGATE.search(text):
            _encoded(json.dumps(content, ensure_ascii=False), path)
    except FileNotFoundError:
        raise ArtifactError(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{path}: not UTF-8 text ({error.reason} at {error.start})") from None
    except json.JSONDecodeError as error:
        raise ArtifactError(
            f"{path}: not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    except RecursionError:
        raise ArtifactError(f"{path}: not valid JSON: it is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise ArtifactError(f"{path}: not valid JSON: {error}") from None
    except OSError as error:
        raise ArtifactError(f"{path}: can't be read: {error.strerror or error}") from error
    return content


def json_value(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is none, or is nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_model(path: Path, kind: type[_Model]) -> _Model:
    """Return a file's content as `kind`.

    Raises:
        ArtifactError: The file is missing, not JSON, or doesn't fit the model; lists every
            violation with its place.
    """
    return parse_model(read_json(path), kind, path)


def parse_model(content: Any, kind: type[_Model], source: object) -> _Model:
    """Return content as `kind`; errors name `source`.

    Raises:
        ArtifactError: It has another version, or doesn't fit the model; lists every violation with
            its place.
    """
    _refuse_other_versions(content, kind, source)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        lines = indent("\n".join(one_message_each(problems_of(error, content))), "  ")
        raise ArtifactError(f"{source}: not a valid {kind.__name__}:\n{lines}") from None


def _refuse_other_versions(content: Any, kind: type[BaseModel], source: object) -> None:
    """Raise ArtifactError for an artifact of another kind or major version; it names both."""
    field = kind.model_fields.get("schema_version")
    found = content.get("schema_version") if isinstance(content, dict) else None
    if field and isinstance(field.default, str) and found not in (None, field.default):
        said = repr(found)[:_LONGEST_VERSION]
        raise ArtifactError(f"{source}: its schema_version is {said}; expected {field.default!r}")


def sha256_of_file(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes.

    Raises:
        OSError: It can't be read, or is a device or pipe, whose reading may never end.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "is a device or pipe, must be a file")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def replace_file(source: Path, target: Path) -> None:
    """Rename a file over another; on Windows a reader may hold that open for a moment."""
    for attempt in range(_REPLACE_TRIES):
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(_REPLACE_PAUSE_S)


def _encoded(text: str, path: Path) -> bytes:
    """Return text as UTF-8; JSON can hold a lone surrogate, UTF-8 can't."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        code = f"U+{ord(text[error.start]):04X}"
        raise ArtifactError(f"{path}: a lone surrogate ({code}) can't be encoded") from None


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
