"""A mapping: JMESPath expressions that make alerts of a payload that nobody foresaw. Pure.

It is checked and compiled once, when the configuration is read; expressions come from whoever runs Tocsin, payloads
from anybody, so an expression that fails on a payload costs that alert and nothing else.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, NamedTuple

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from incidents.values import AlertStatus
from receiver.payloads import instants
from receiver.payloads.loose import as_text
from receiver.payloads.mapping_functions import OPTIONS
from receiver.payloads.wire import Unfit
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Kind, Node, Problem
from rules.loading.yaml import read_yaml

TEXTS = ("items", "identity", "starts_at", "ends_at", "url", "id", "more_labels")
KEYS = (*TEXTS, "labels", "annotations", "status", "refuse", "signature_header")
STATUS_KEYS = ("expr", "firing", "resolved", "ignore")
LATEST_SECONDS = 1e11  # a greater number counts milliseconds


class MappingProblem(NamedTuple):
    """What is wrong with a mapping; `path` leads to the place."""

    path: tuple[str, ...]
    message: str
    hint: str = ""


class BadMapping(ValueError):
    """A mapping that cannot be used; `problems` holds everything that is wrong."""

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{'.'.join(each.path)}: {each.message}" for each in problems))


class Expression:
    """One compiled expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled: ParsedResult = jmespath.compile(text)

    def of(self, value: object) -> Any:  # noqa: ANN401 - any JSON
        """Return what the expression finds; raises `Unfit` when it fails on this value."""
        try:
            return self._compiled.search(value, options=OPTIONS)
        except (JMESPathError, RecursionError, ArithmeticError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise Unfit("", f"the expression {self.text[:80]!r} failed: {reason}") from None

    def text_of(self, value: object) -> str:
        """Return what it finds as text; nothing is empty, a list of texts is joined by commas."""
        return _text(self.of(value))


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """When a whole body is kept aside, and what to tell about it; `show` finds what is told beside the reason."""

    when: Expression
    reason: str
    show: Expression | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Which values of an expression mean what, in lower case; an empty set takes everything else."""

    expr: Expression | None = None
    firing: frozenset[str] = frozenset({"firing"})
    resolved: frozenset[str] = frozenset({"resolved"})
    ignore: frozenset[str] = frozenset()

    def of(self, value: object) -> AlertStatus | None:
        """Return the status of an item, `None` for one that says nothing; raises `Unfit`."""
        if self.expr is None:
            return AlertStatus.FIRING
        found = self.expr.text_of(value).strip().lower()
        if found in self.ignore:
            return None
        if found in self.resolved or (not self.resolved and found not in self.firing):
            return AlertStatus.RESOLVED
        if found in self.firing or not self.firing:
            return AlertStatus.FIRING
        raise Unfit("/status", f"{found[:40]!r} is listed under neither firing, resolved nor ignore")


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled mapping."""

    labels: dict[str, Expression]
    annotations: dict[str, Expression] = {}
    status: Status = Status()
    items: Expression | None = None
    identity: Expression | None = None
    starts_at: Expression | None = None
    ends_at: Expression | None = None
    url: Expression | None = None
    id: Expression | None = None
    more_labels: Expression | None = None
    refuse: tuple[Refusal, ...] = ()
    signature_header: str = ""


def shipped() -> tuple[str, ...]:
    """Return the names of the mappings that come with Tocsin."""
    return tuple(sorted(path.name.removesuffix(".yml") for path in _directory() if path.name.endswith(".yml")))


def compile_mapping(value: str | dict[str, Any]) -> Mapping:
    """Return the mapping that a configuration names or holds; raises `BadMapping` with everything that is wrong."""
    tree = _shipped_tree(value) if isinstance(value, str) else value
    problems: list[MappingProblem] = []
    mapping = _Compiler(problems).mapping(tree)
    if problems:
        raise BadMapping(problems)
    return mapping


def instant_of(value: object) -> datetime | None:
    """Return the instant that a payload means: RFC 3339, or seconds or milliseconds since 1970; `None` for others."""
    text = _text(value).strip()
    try:
        if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdecimal():
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds > LATEST_SECONDS else seconds, UTC)
        return instants.read(text)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return ",".join(_text(each) for each in value)
    return as_text(value)


def _directory() -> Iterator[Any]:
    yield from resources.files("receiver").joinpath("mappings").iterdir()


def _shipped_tree(name: str) -> dict[str, Any]:
    names = shipped()
    if name not in names:
        hint = did_you_mean(name, names) or f"shipped are {', '.join(names)}"
        raise BadMapping([MappingProblem((), f"there is no shipped mapping {name[:60]!r}", hint)])
    problems: list[Problem] = []
    text = resources.files("receiver").joinpath("mappings", f"{name}.yml").read_text("utf-8")
    tree = plain(read_yaml(text, name, problems))
    if problems or not isinstance(tree, dict):
        raise BadMapping([MappingProblem((), str(each)) for each in problems])
    return tree


def plain(node: Node) -> Any:  # noqa: ANN401 - a tree of texts and numbers
    """Return what a node of YAML holds."""
    if node.kind is Kind.MAPPING:
        return {key: plain(value) for key, value in node.entries.items()}
    return [plain(item) for item in node.items] if node.kind is Kind.LIST else node.value


class _Compiler:
    """Reads the tree of a mapping; what is wrong is appended to `problems`."""

    def __init__(self, problems: list[MappingProblem]) -> None:
        self._problems = problems

    def mapping(self, tree: dict[str, Any]) -> Mapping:
        self._known(tree, KEYS, ())
        labels = self._expressions(tree, "labels")
        if not tree.get("labels") and tree.get("more_labels") is None:
            self._report(("labels",), "a mapping needs 'labels'", "for example {alertname: title, service: project}")
        header = tree.get("signature_header", "")
        if not isinstance(header, str):
            self._report(("signature_header",), "must be the name of a header")
        return Mapping(
            labels=labels,
            annotations=self._expressions(tree, "annotations"),
            status=self._status(tree.get("status")),
            refuse=self._refusals(tree.get("refuse")),
            signature_header=header if isinstance(header, str) else "",
            **{key: self._optional(tree, key) for key in TEXTS},
        )

    def _report(self, path: tuple[str, ...], message: str, hint: str = "") -> None:
        self._problems.append(MappingProblem(path, message, hint))

    def _known(self, tree: dict[str, Any], known: Sequence[str], path: tuple[str, ...]) -> None:
        for key in tree:
            if key not in known:
                hint = did_you_mean(key, known) or f"known are {', '.join(known)}"
                self._report((*path, key), f"there is no such key in {path[-1] if path else 'a mapping'}", hint)

    def _expression(self, value: object, path: tuple[str, ...]) -> Expression | None:
        if not isinstance(value, str) or not value.strip():
            self._report(path, "must be a JMESPath expression, as text", "put it in quotes")
            return None
        try:
            return Expression(value)
        except (JMESPathError, RecursionError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            self._report(path, f"is no JMESPath expression: {reason}", "fixed text stands in ' ' inside the quotes")
            return None

    def _optional(self, tree: dict[str, Any], key: str, path: tuple[str, ...] = ()) -> Expression | None:
        return None if tree.get(key) is None else self._expression(tree[key], (*path, key))

    def _expressions(self, tree: dict[str, Any], key: str) -> dict[str, Expression]:
        value = tree.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._report((key,), "must be a mapping of names to expressions")
            return {}
        found = {name: self._expression(text, (key, name)) for name, text in value.items()}
        return {name: each for name, each in found.items() if each is not None}

    def _status(self, value: object) -> Status:
        if value is None:
            return Status()
        if isinstance(value, str):
            expression = self._expression(value, ("status",))
            return Status() if expression is None else Status(expr=expression)
        if not isinstance(value, dict):
            self._report(("status",), "must be an expression, or {expr, firing, resolved}")
            return Status()
        self._known(value, STATUS_KEYS, ("status",))
        if value.get("expr") is None:
            self._report(("status",), "needs 'expr'")
        firing, resolved, ignore = (self._words(value, key) for key in ("firing", "resolved", "ignore"))
        if not (firing or resolved):
            self._report(("status",), "needs 'firing' or 'resolved': lists of the values that mean so")
        expression = self._optional(value, "expr", ("status",))
        return Status(expr=expression, firing=firing, resolved=resolved, ignore=ignore)

    def _words(self, tree: dict[str, Any], key: str) -> frozenset[str]:
        value = tree.get(key)
        words = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(word, dict | list) or word is None for word in words):
            self._report(("status", key), "must be a list of values")
            return frozenset()
        return frozenset(_text(word).strip().lower() for word in words)

    def _refusals(self, value: object) -> tuple[Refusal, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self._report(("refuse",), "must be a list of {when, reason}")
            return ()
        found = []
        for each in value:
            if not isinstance(each, dict) or not isinstance(each.get("reason"), str):
                self._report(("refuse",), "each needs 'when' and 'reason'")
                continue
            self._known(each, ("when", "reason", "show"), ("refuse",))
            when = self._expression(each.get("when"), ("refuse", "when"))
            if when is not None:
                show = self._optional(each, "show", ("refuse",))
                found.append(Refusal(when=when, reason=each["reason"], show=show))
        return tuple(found)
