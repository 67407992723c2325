"""What the readers of the configuration share: a mapping, the problems, and the directory that paths start at."""

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from rules.loading.fields import Fields
from rules.loading.nodes import Node, Problem


class Reading(NamedTuple):
    """One mapping that is being read."""

    fields: Fields
    problems: list[Problem]
    base: Path

    def part(self, fields: Fields) -> "Reading":
        """Return the reading of another mapping of the same file."""
        return self._replace(fields=fields)

    def absolute(self, node: Node | None, text: str) -> Path:
        """Return an absolute path: from the working directory for a variable (it has no line), else from the file's."""
        start = self.base if node is None or node.line else Path.cwd()
        return start / Path(text).expanduser()

    def path(self, key: str, default: str) -> Path:
        """Read a path."""
        text = self.fields.string(key, default)
        if not text:
            self.fields.report(key, "E207", f"{key} is empty")
        return self.absolute(self.fields.get(key), text)

    def url(self, key: str) -> str | None:
        """Read a web address, without a slash at its end; absent, empty or faulty: None."""
        text = self.fields.string(key, "")
        return text.rstrip("/") if text and self.is_web_address(key, text) else None

    def is_web_address(self, key: str, text: str) -> bool:
        """Tell whether the text is an address that can be asked over HTTP, and report it if not."""
        try:
            parts = urlsplit(text)
            is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_good = False
        if is_good and text.isprintable() and " " not in text:
            return True
        self.fields.report(key, "E307", f"{key} must be an address like http://host:port or https://host")
        return False

    def positive_duration(self, key: str, default: timedelta) -> timedelta:
        """Read a duration longer than zero."""
        duration = self.fields.duration(key, default)
        if duration <= timedelta():
            self.fields.report(key, "E206", f"{key} must be longer than 0")
            return default
        return duration
