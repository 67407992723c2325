"""Reads OpenSLO documents (`apiVersion: openslo/v1`) as SLOs: ratios over a rolling window, measured in Prometheus.

What they say beyond that (services, alert policies, notification targets) is not acted on; what cannot be used is an
error with its place. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from rules.durations import parse_duration
from rules.loading.context import Context
from rules.loading.nodes import Kind, Node
from rules.promql import WINDOW, ranges_without_window, unbalanced
from rules.slos import Slo

VERSION = "openslo/v1"
# Further kinds of the language: who is told, and what of, is said in rules here.
IGNORED = frozenset({"Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"})
_SELECTOR = re.compile(r"\s*(?:sum\s*\(\s*)?([A-Za-z_:][A-Za-z0-9_:]*\s*(?:\{[^{}]*\})?)\s*\)?\s*")
_TEMPLATED = re.compile(r"\[\s*\{\{\s*\.?window\s*\}\}\s*\]")  # as Sloth writes the window
_NOTHING = Node(kind=Kind.INVALID, file="", line=1, column=1)


class Found(NamedTuple):
    """One SLO, and the node that names it."""

    name: Node
    slo: Slo


def is_openslo(root: Node) -> bool:
    """Tell whether a document is one of OpenSLO, of any version."""
    return _text(root, "apiVersion").startswith("openslo/")


def read_openslo(documents: Iterable[Node], context: Context) -> Iterator[Found]:
    """Read the SLOs of all documents; indicators that they refer to may stand in any of them."""
    reader = _Reader(list(documents), context)
    yield from reader.slos()


class _Reader:
    """Knows the indicators of all documents."""

    def __init__(self, documents: list[Node], context: Context) -> None:
        self._context = context
        self._documents = [each for each in documents if self._is_usable(each)]
        self._indicators = {
            _at(each, "metadata", "name").text: _at(each, "spec")
            for each in self._documents
            if _text(each, "kind") == "SLI"
        }

    def slos(self) -> Iterator[Found]:
        """Give every SLO; whatever is wrong with one is reported at its place."""
        for document in self._documents:
            if _text(document, "kind") == "SLO":
                yield from self._slo(document)

    def _is_usable(self, document: Node) -> bool:
        version, kind = document.entries.get("apiVersion", document), document.entries.get("kind", document)
        if version.text != VERSION:
            return self._refuse(version, f"the version {version.text[:40]!r} is not read", f"write {VERSION}")
        if kind.text not in {"SLO", "SLI", *IGNORED}:
            return self._refuse(kind, f"there is no kind {kind.text[:40]!r} in {VERSION}", "SLO and SLI are read")
        return True

    def _refuse(self, node: Node, message: str, hint: str = "") -> bool:
        self._context.error(node, "E320", f"OpenSLO: {message}", hint)
        return False

    def _slo(self, document: Node) -> Iterator[Found]:
        spec, name = _at(document, "spec"), _at(document, "metadata", "name")
        if name.kind is Kind.INVALID or not name.text:
            self._refuse(document, "the SLO needs metadata.name")
            return
        window = self._window(document, spec)
        ratio = self._ratio(document, spec)
        targets = self._targets(document, spec)
        method = spec.entries.get("budgetingMethod")
        if method is not None and method.text != "Occurrences":
            self._refuse(method, f"the budgeting method {method.text[:40]!r} is not measured", "write Occurrences")
            return
        if window is None or not ratio or not targets:
            return
        service = _at(spec, "service").text
        slo = Slo(id=name.text, service=service, objective=targets[0][1], window=window, error_ratio=ratio)
        for node, target in targets:
            named = name if len(targets) == 1 else _renamed(name, f"{name.text}-{target:g}")
            yield Found(named, replace(slo, id=named.text, objective=target, file=node.file, line=node.line))

    # The window

    def _window(self, document: Node, spec: Node) -> timedelta | None:
        windows = _at(spec, "timeWindow")
        if windows.kind is not Kind.LIST or len(windows.items) != 1:
            self._refuse(_or(windows, document), "an SLO needs one timeWindow", "- {duration: 30d, isRolling: true}")
            return None
        window = windows.items[0]
        rolling, duration = window.entries.get("isRolling"), window.entries.get("duration")
        if rolling is None or rolling.value is not True or "calendar" in window.entries:
            self._refuse(window, "only a rolling window is measured", "write isRolling: true")
            return None
        try:
            return parse_duration(duration.text if duration is not None else "")
        except ValueError as error:
            self._refuse(_or(duration, window), f"duration: {error}", "write months and years in days, such as 30d")
            return None

    # The objectives

    def _targets(self, document: Node, spec: Node) -> list[tuple[Node, float]]:
        objectives = _at(spec, "objectives")
        if objectives.kind is not Kind.LIST or not objectives.items:
            self._refuse(_or(objectives, document), "an SLO needs objectives", "- {target: 0.999}")
            return []
        read = [self._target(each) for each in objectives.items]
        return [each for each in read if each is not None]

    def _target(self, objective: Node) -> tuple[Node, float] | None:
        for key in ("indicator", "indicatorRef", "compositeWeight"):
            if key in objective.entries:
                self._refuse(objective.keys[key], "an objective with an indicator of its own is not measured")
                return None
        for key, factor in (("target", 100.0), ("targetPercent", 1.0)):
            node = objective.entries.get(key)
            if node is not None and isinstance(node.value, int | float) and not isinstance(node.value, bool):
                percent = round(node.value * factor, 9)
                if 0 < percent < 100:
                    return node, percent
                mend = f"write targetPercent: {node.value:g}" if 1 < node.value < 100 else ""
                self._refuse(node, f"{key} must lie between nothing and everything, and be neither", mend)
                return None
        self._refuse(objective, "an objective needs a target or a targetPercent", "write target: 0.999")
        return None

    # The ratio

    def _ratio(self, document: Node, spec: Node) -> str:
        indicator = _at(spec, "indicator", "spec")
        reference = spec.entries.get("indicatorRef")
        if reference is not None:
            found = self._indicators.get(reference.text)
            if found is None:
                self._refuse(reference, f"there is no SLI {reference.text[:60]!r} in the rule files")
                return ""
            indicator = found
        metric = _at(indicator, "ratioMetric")
        if metric.kind is not Kind.MAPPING:
            message = "an SLO needs an indicator with a ratioMetric"
            self._refuse(_or(indicator, document), message, "good and total, or bad and total")
            return ""
        parts = {key: self._query(metric, key) for key in ("good", "bad", "total") if key in metric.entries}
        if "total" not in parts or len(parts) != 2:
            self._refuse(metric, "a ratioMetric needs total, and either good or bad")
            return ""
        if not all(parts.values()):
            return ""
        if "bad" in parts:
            return f"({parts['bad']}) / ({parts['total']})"
        return f"1 - (({parts['good']}) / ({parts['total']}))"

    def _query(self, metric: Node, key: str) -> str:
        source = _at(metric, key, "metricSource")
        node = next((found for name in ("query", "promql") if (found := _given(source, "spec", name))), None)
        kind = source.entries.get("type")
        if kind is not None and kind.text.lower() != "prometheus":
            self._refuse(kind, f"{kind.text[:40]!r} is not asked", "Prometheus is")
            return ""
        if node is None:
            self._refuse(metric.entries[key], f"{key} needs metricSource.spec.query")
            return ""
        counter = metric.entries.get("counter")
        return self._over_window(node, is_counter=counter is None or counter.value is not False)

    def _over_window(self, node: Node, *, is_counter: bool) -> str:
        """Return a query whose ranges are `[$window]`; a bare metric is counted over it."""
        promql = _TEMPLATED.sub(f"[{WINDOW}]", node.text.strip()).replace("${window}", WINDOW)
        wrong = unbalanced(promql)
        if wrong:
            self._refuse(node, wrong)
            return ""
        bare = _SELECTOR.fullmatch(promql)
        if bare is not None:
            return f"sum({'increase' if is_counter else 'sum_over_time'}({bare[1].strip()}[{WINDOW}]))"
        ranges = ranges_without_window(promql)
        if ranges:
            message = f"the query is measured over several windows, and has {', '.join(ranges[:3])}"
            self._refuse(node, message, f"write the range as [{WINDOW}], or give the bare metric")
            return ""
        return promql


def _at(node: Node, *path: str) -> Node:
    for key in path:
        found = node.entries.get(key)
        if found is None:
            return _NOTHING
        node = found
    return node


def _given(node: Node, *path: str) -> Node | None:
    found = _at(node, *path)
    return found if found.kind is Kind.STRING and found.text.strip() else None


def _text(node: Node, key: str) -> str:
    entries: Mapping[str, Node] = node.entries
    found = entries.get(key)
    return found.text if found is not None else ""


def _or(node: Node | None, other: Node) -> Node:
    return other if node is None or node is _NOTHING else node


def _renamed(node: Node, text: str) -> Node:
    return Node(kind=Kind.STRING, file=node.file, line=node.line, column=node.column, text=text, value=text)
