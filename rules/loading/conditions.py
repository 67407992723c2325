"""Reads the conditions of a `when`, strictly: every key is known, every number has its bounds."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from rules.conditions import (
    AbsentFor,
    All,
    Any,
    BudgetRemaining,
    BurnRate,
    Compare,
    Condition,
    Count,
    Distinct,
    FiringFor,
    Flaps,
    Match,
    None_,
    OpenFor,
    Query,
    UnacknowledgedFor,
    WorkedFor,
)
from rules.loading.context import Context
from rules.loading.fields import Fields, as_duration, wrong_kind
from rules.loading.nodes import Kind, Node
from rules.model import Subject
from rules.promql import misplaced_hole
from rules.shapes import rule as shapes
from rules.shapes.fragments import Shape
from rules.templates import BadTemplate, check_template

MAX_NESTING = 8
MAX_GROUP = 100
LEAST = timedelta(seconds=1)
MOST = timedelta(days=30)
COMPARES = tuple(compare.value for compare in Compare)

_ALERT, _ACTION, _INCIDENT, _HEARTBEAT = Subject.ALERT, Subject.ACTION, Subject.INCIDENT, Subject.HEARTBEAT
# Which condition may be asked of what.
SUBJECTS: Mapping[str, frozenset[Subject]] = {
    "match": frozenset(Subject),
    "firing_for": frozenset({_ALERT}),
    "count": frozenset({_ALERT, _ACTION}),
    "distinct": frozenset({_ALERT, _ACTION}),
    "flaps": frozenset({_ALERT}),
    "worked_for": frozenset({_ALERT, _INCIDENT}),
    "open_for": frozenset({_INCIDENT}),
    "unacknowledged_for": frozenset({_INCIDENT}),
    "absent_for": frozenset({_HEARTBEAT}),
    "burn_rate": frozenset({_ALERT, _INCIDENT}),
    "budget_remaining": frozenset({_ALERT, _INCIDENT}),
    "query": frozenset({_ALERT, _INCIDENT}),
    "all": frozenset(Subject),
    "any": frozenset(Subject),
    "none": frozenset(Subject),
}
AT_ONCE = frozenset({"match", "all", "any", "none"})
_DURATIONS: Mapping[str, Callable[[timedelta], Condition]] = {
    "firing_for": FiringFor,
    "worked_for": WorkedFor,
    "open_for": OpenFor,
    "unacknowledged_for": UnacknowledgedFor,
    "absent_for": AbsentFor,
}
_GROUPS: Mapping[str, Callable[[tuple[Condition, ...]], Condition]] = {"all": All, "any": Any, "none": None_}


class ConditionReader:
    """Reads conditions for one rule: `on` says which may be asked, `at_once` that none may wait or count."""

    def __init__(self, context: Context, on: Subject, *, at_once: bool = False) -> None:
        self._context = context
        self._on = on
        self._at_once = at_once
        self._readers: dict[str, Callable[[Node, str], Condition | None]] = {
            "match": self._match,
            "count": self._count,
            "distinct": self._distinct,
            "flaps": self._flaps,
            "burn_rate": self._burn_rate,
            "budget_remaining": self._budget_remaining,
            "query": self._query,
            **dict.fromkeys(_DURATIONS, self._duration),
            **dict.fromkeys(_GROUPS, self._group),
        }
        self._nesting = 0

    def when(self, node: Node, what: str = "when") -> Condition | None:
        """Read a `when`: several conditions in it must all hold; None when there is nothing that could be read."""
        fields = self._context.fields(node, what, SUBJECTS)
        if fields.node.kind is Kind.MAPPING and not fields.node.keys:
            self._context.error(node, "E303", f"{what} is empty", "leave it out if nothing is asked")
        found: list[Condition] = []
        for key, child in fields.node.entries.items():
            if key in SUBJECTS:
                condition = self._one(key, fields.node.keys[key], child)
                if condition is not None:
                    found.append(condition)
        if not found:
            return None
        return found[0] if len(found) == 1 else All(tuple(found))

    def measured(self, key: str, fields: Fields) -> BurnRate | BudgetRemaining | Query | None:
        """Read the measure of an objective."""
        node = fields.get(key)
        found = None if node is None else self._readers[key](node, key)
        return found if isinstance(found, BurnRate | BudgetRemaining | Query) else None

    def _one(self, key: str, place: Node, node: Node) -> Condition | None:
        if node.kind is Kind.NULL:
            self._context.error(place, "E303", f"{key} is empty")
        if node.kind in {Kind.NULL, Kind.INVALID}:
            return None
        if self._on not in SUBJECTS[key]:
            wanted = " or ".join(f"on: {subject}" for subject in Subject if subject in SUBJECTS[key])
            message = f"{key} cannot be asked of a rule that is on: {self._on}"
            self._context.error(place, "E312", message, f"it needs {wanted}")
        elif self._at_once and key not in AT_ONCE:
            message = f"a data_issue is declared at once, so {key} is not allowed here"
            self._context.error(place, "E308", message, "only match, all, any and none are")
        return self._readers[key](node, key)

    # ------------------------------------------------------------------------------------------------ simple conditions

    def _match(self, node: Node, key: str) -> Condition | None:
        matchers = self._context.matchers_at(node, key)
        return Match(matchers) if matchers else None

    def _duration(self, node: Node, key: str) -> Condition | None:
        duration = as_duration(node, self._context.problems, key, None)
        if duration is None:
            return None
        if not LEAST <= duration <= MOST:
            self._context.error(node, "E206", f"{key} must lie between 1s and 30d")
            return None
        return _DURATIONS[key](duration)

    def _group(self, node: Node, key: str) -> Condition | None:
        if node.kind is not Kind.LIST:
            self._context.problems.append(wrong_kind(node, key, "a list of conditions"))
            return None
        if not node.items:
            self._context.error(node, "E303", f"{key} is an empty list")
            return None
        if len(node.items) > MAX_GROUP:
            self._context.error(node, "E303", f"{key} has {len(node.items)} conditions; at most {MAX_GROUP} are read")
            return None
        if self._nesting >= MAX_NESTING:
            self._context.error(node, "E303", f"conditions are nested deeper than {MAX_NESTING} levels")
            return None
        self._nesting += 1
        read = [self.when(item, f"an item of {key}") for item in node.items]
        self._nesting -= 1
        found = tuple(condition for condition in read if condition is not None)
        return _GROUPS[key](found) if found else None

    # ----------------------------------------------------------------------------------------------- counted conditions

    def _count(self, node: Node, key: str) -> Condition | None:
        window = self._window(node, key, shapes.COUNT)
        return None if window is None else Count(*window)

    def _distinct(self, node: Node, key: str) -> Condition | None:
        window = self._window(node, key, shapes.DISTINCT)
        label = self._context.text(node.entries["label"], "label") if window else ""
        return Distinct(label, *window) if window and label else None

    def _flaps(self, node: Node, key: str) -> Condition | None:
        window = self._window(node, key, shapes.FLAPS)
        return None if window is None else Flaps(*window)

    def _window(self, node: Node, key: str, shape: Shape) -> tuple[int, timedelta] | None:
        fields = self._context.fields(node, key, shape.keys)
        if not fields.require(*shape.needs):
            return None
        gte = fields.integer("gte", None, least=1, most=1_000_000)
        within = self._context.positive(fields, "within", least=LEAST, most=MOST)
        return None if gte is None or within is None else (gte, within)

    # ---------------------------------------------------------------------------------------------- measured conditions

    def _burn_rate(self, node: Node, key: str) -> Condition | None:
        fields = self._context.fields(node, key, shapes.BURN_RATE.keys)
        compare = self._compare(fields)
        if not fields.require("slo", "over") or compare is None:
            return None
        slo = self._slo(fields)
        over = self._context.positive(fields, "over", least=LEAST, most=MOST)
        limit = fields.number(compare, None)
        return None if over is None or limit is None or not slo else BurnRate(slo, over, Compare(compare), limit)

    def _budget_remaining(self, node: Node, key: str) -> Condition | None:
        fields = self._context.fields(node, key, shapes.BUDGET_REMAINING.keys)
        compare = self._compare(fields)
        if not fields.require("slo") or compare is None:
            return None
        slo, percent = self._slo(fields), read_percent(self._context, fields, compare)
        return None if percent is None or not slo else BudgetRemaining(slo, Compare(compare), percent)

    def _query(self, node: Node, key: str) -> Condition | None:
        fields = self._context.fields(node, key, shapes.QUERY.keys)
        compare = self._compare(fields)
        if not fields.require("promql") or compare is None:
            return None
        promql, limit = fields.string("promql", ""), fields.number(compare, None)
        if fields.get("promql") is not None and (wrong := misplaced_hole(promql)):
            fields.report("promql", "E314", f"promql: {wrong}")
            return None
        if not self._context.promql(fields, "promql"):
            return None
        return None if limit is None or not promql else Query(promql, Compare(compare), limit)

    def _compare(self, fields: Fields) -> str | None:
        found = [compare for compare in COMPARES if fields.get(compare) is not None]
        if len(found) == 1:
            return found[0]
        if fields.node.kind is Kind.MAPPING:
            said = "none" if not found else " and ".join(found)
            message = f"{fields.what} needs exactly one of {', '.join(COMPARES)}; it has {said}"
            self._context.error(fields.node, "E303", message)
        return None

    def _slo(self, fields: Fields) -> str:
        slo = fields.string("slo", "")
        try:
            check_template(slo)
        except BadTemplate as error:
            self._context.error_inside(fields.node.entries["slo"], "E310", error, "slo")
            return ""
        node = fields.get("slo")
        if node is not None and slo and "{{" not in slo:
            self._context.refer("SLO", node, slo)
        return slo


def read_percent(context: Context, fields: Fields, key: str) -> float | None:
    """Read `25%`, or 25; None when it is wrong."""
    node = fields.get(key)
    if node is None:
        return None
    try:
        percent = float(node.text.removesuffix("%").strip()) if node.kind not in {Kind.MAPPING, Kind.LIST} else -1.0
    except ValueError:
        percent = -1.0
    if 0 <= percent <= 100:
        return percent
    context.error(node, "E313", f"{key} must be a percentage between 0% and 100%", "write it like 25%")
    return None
