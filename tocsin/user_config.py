"""Reads a person's own `~/.config/tocsin/config.yml`: which server the commands speak to, and with which token.

It is for people at their own machines; where a `tocsin.yml` is found, that is asked instead.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rules.loading.fields import Fields
from rules.loading.nodes import Problem
from rules.loading.yaml import MAX_BYTES, read_yaml
from tocsin.config_reading import Reading
from tocsin.settings import ConfigurationError

KEYS = ("server", "token_file")
PLACE = Path("tocsin") / "config.yml"


class UserConfig(NamedTuple):
    """The address of a server, without a slash at its end, and the token for it, "" where none is named."""

    path: Path
    server: str
    token: str


def user_config(environ: Mapping[str, str]) -> UserConfig | None:
    """Return a person's own configuration, None where there is none; raises `ConfigurationError` with every error."""
    path = _path(environ)
    if path is None or not path.exists():
        return None
    problems: list[Problem] = []
    try:
        with path.open("rb") as file:
            root = read_yaml(file.read(MAX_BYTES + 1), str(path), problems)
    except OSError as error:
        message = f"the configuration file cannot be read: {error.strerror}"
        raise ConfigurationError((Problem(file=str(path), code="E301", message=message),)) from error
    fields = Fields(root, problems, what=PLACE.name, known=KEYS)
    fields.require("server")
    reading = Reading(fields, problems, path.absolute().parent)
    server, token = reading.url("server") or "", _token(reading)
    if problems:
        raise ConfigurationError(tuple(problems))
    return UserConfig(path, server, token)


def _path(environ: Mapping[str, str]) -> Path | None:
    base = environ.get("XDG_CONFIG_HOME", "")
    if base.startswith("/"):
        return Path(base) / PLACE
    home = environ.get("HOME", "")
    return Path(home) / ".config" / PLACE if home else None


def _token(reading: Reading) -> str:
    """Return the one token of the file that is named."""
    name = reading.fields.string("token_file", "")
    if not name:
        return ""
    path = reading.absolute(reading.fields.get("token_file"), name)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        reading.fields.report("token_file", "E304", f"token_file: {path}: {why}")
        return ""
    if not text or len(text.split()) > 1 or not text.isprintable():
        reading.fields.report("token_file", "E305", f"token_file: {path} must hold one token and nothing else")
    return text
