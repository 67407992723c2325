"""What people type, made fit to keep and to show: nothing that is unfit for a screen, and no credentials. Pure."""

from incidents import texts
from incidents.redaction import redact
from incidents.texts import is_fit

__all__ = ["is_fit", "lines", "one_line"]


def one_line(text: str) -> str:
    """Return a text as one line, without credentials."""
    return redact(texts.one_line(text))


def lines(text: str) -> str:
    """Return a text of several lines, without credentials."""
    return redact(texts.lines(text))
