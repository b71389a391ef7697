"""What a config with `fidelity: kld` has measured."""

from __future__ import annotations

from orket_lib.artifacts.io import sha256_of_file
from orket_lib.artifacts.measurements.next_tokens import NextTokenSettings
from orket_lib.config.loading.messages import got
from orket_lib.config.model import SweepConfig
from orket_lib.config.shipped import located
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.statuses import FidelityMode


def find_next_tokens(config: SweepConfig) -> NextTokenSettings | None:
    """Return the settings of the measurement; None if there is none.

    Raises:
        ConfigError: The text can't be read.
    """
    if config.fidelity is not FidelityMode.KLD:
        return None
    path = located(config.fidelity_text)
    try:
        empty = not path.read_text(encoding="utf-8").strip()
        digest = sha256_of_file(path)
    except (OSError, UnicodeDecodeError) as error:
        why = "is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else "can't be read"
        raise ConfigError([f"fidelity_text: {why} ({got(config.fidelity_text)})"]) from None
    if empty:
        raise ConfigError([f"fidelity_text: the file is empty ({got(config.fidelity_text)})"])
    return NextTokenSettings(
        text=path.as_posix(), text_sha256=digest, include_invalid=config.include_invalid
    )
