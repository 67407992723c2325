"""Routes that are compiled once in a process, however many applications its tests make.

What a route is compiled to depends on its text and on settings of the map, never on the application; a hundred and
more of them take a tenth of a second, which most tests of an address would spend.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

_COMPILED: dict[tuple[Any, ...], dict[str, Any]] = {}


class Route(Rule):
    """A rule of Werkzeug that remembers what an equal one was compiled to."""

    def compile(self) -> None:
        key = (self.rule, self.host, self.subdomain, self.merge_slashes, self.strict_slashes, repr(self.defaults))
        if key in _COMPILED:
            vars(self).update(_COMPILED[key])
            return
        before = dict(vars(self), arguments=None)
        super().compile()
        _COMPILED[key] = {name: value for name, value in vars(self).items() if before.get(name) is not value}


@contextmanager
def routes_compiled_once() -> Iterator[None]:
    """Let applications use them."""
    before = Flask.url_rule_class
    Flask.url_rule_class = Route
    try:
        yield
    finally:
        Flask.url_rule_class = before
