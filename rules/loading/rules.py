"""Reads the `rules` section: ids, matchers, tiers, verbs, objectives, and what a rule may not do."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from incidents.alert import short_hash
from incidents.values import Criterion, Role
from rules.conditions import Condition, Count, Distinct, Flaps, WorkedFor, flatten
from rules.loading.conditions import LEAST, MOST, ConditionReader
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.nodes import Kind, Node
from rules.model import Defaults, Mode, Objective, Rule, Spread, Subject, Tier
from rules.questions import measures_anything, watched_slo
from rules.shapes import rule as shapes

MAX_RULES = 20_000
MAX_LABELS = 20  # of an identity
# The tables of keys are those of the published schema: a new key is a line there.
VERBS = tuple(shapes.VERBS)
COMPANIONS = tuple(shapes.COMPANIONS)
TIER_KEYS = frozenset(shapes.TIER.keys)
RULE_KEYS = frozenset(shapes.RULE.keys)
OBJECTIVE_KEYS = tuple(shapes.OBJECTIVE.keys)
MEASURES = shapes.OBJECTIVE.one_of


def load_rules(nodes: list[Node], defaults: Defaults, context: Context) -> tuple[Rule, ...]:
    """Read every rule; those that cannot be read are left out, with a problem each."""
    if len(nodes) > MAX_RULES:
        context.error(nodes[MAX_RULES], "E315", f"there are {len(nodes):,} rules; at most {MAX_RULES:,} are read")
        return ()
    read = [_RuleReader(node, defaults, context).rule() for node in nodes]
    return tuple(rule for rule in read if rule is not None)


class _RuleReader:
    """Reads one rule."""

    def __init__(self, node: Node, defaults: Defaults, context: Context) -> None:
        self._node = node
        self._defaults = defaults
        self._context = context
        self._fields = context.fields(node, "a rule", RULE_KEYS)

    def rule(self) -> Rule | None:
        """Return the rule, or None when it has no usable id."""
        rule_id = self._id()
        criterion = Criterion(self._fields.choice("criterion", [each.value for each in Criterion], Criterion.OTHER))
        on = Subject(self._fields.choice("on", [each.value for each in Subject], Subject.ALERT))
        matchers = self._context.matchers(self._fields)
        identity = self._identity()
        tiers = self._tiers(on, criterion)
        if not rule_id:
            return None
        conditions = [each for tier in tiers for each in flatten(tier.condition)]
        return Rule(
            id=rule_id,
            criterion=criterion,
            on=on,
            matchers=matchers,
            identity=identity,
            tiers=tiers,
            mode=Mode(self._fields.choice("mode", [each.value for each in Mode], Mode.ENFORCE)),
            reopen_within=self._reopen_within(),
            window_id=short_hash("\n".join([rule_id, *map(str, matchers), "", *identity])),
            withins=_withins(conditions, Count, Distinct),
            spreads=_spreads(conditions),
            flaps=_withins(conditions, Flaps),
            timed_by_touch=any(isinstance(each, WorkedFor) for each in conditions),
            absorbs=any(tier.absorb for tier in tiers),
            measured=measures_anything(tiers),
            slo="" if matchers else watched_slo(on, tiers),
            file=self._node.file,
            line=self._node.line,
        )

    def _id(self) -> str:
        if not self._fields.require("id"):
            return ""
        node = self._fields.node.entries["id"]
        rule_id = self._context.identifier(node, "rule")
        return rule_id if rule_id and self._context.define("rule", node) else ""

    def _identity(self) -> tuple[str, ...]:
        return read_identity(self._context, self._fields) or self._defaults.identity

    def _reopen_within(self) -> timedelta:
        return self._fields.duration("reopen_within", None) or self._default_reopen()

    def _default_reopen(self) -> timedelta:
        # `reopen_within: 0` means never, and is not the same as saying nothing.
        return timedelta(0) if self._fields.get("reopen_within") is not None else self._defaults.reopen_within

    # ----------------------------------------------------------------------------------------------------------- tiers

    def _tiers(self, on: Subject, criterion: Criterion) -> tuple[Tier, ...]:
        nodes = self._fields.nodes("tiers")
        base = self._tier(self._fields, 1, on, criterion)
        if "tiers" not in self._fields:
            if not _acts(base) and self._fields.node.kind is Kind.MAPPING:
                self._does_nothing()
            self._check_tier(self._fields, base, on, criterion)
            is_known = self._fields.node.keys.keys() <= set(RULE_KEYS)  # else what is unknown may be meant to narrow it
            asks_nothing = "match" not in self._fields and "when" not in self._fields
            if on is Subject.ALERT and is_known and asks_nothing and _acts(base):
                self._context.warn(self._node, "W307", "the rule takes every alert, for it has neither match nor when")
            return (base,)
        if "when" in self._fields:
            hint = "put it into each tier, or the tiers into rules of their own"
            self._fields.report("when", "E311", "a rule that has tiers cannot have a when beside them", hint)
        if not nodes:
            self._does_nothing()
        tiers = [self._tier_of(node, index, base, on, criterion) for index, node in enumerate(nodes, 1)]
        if nodes and not any(_acts(tier) for tier in tiers):
            self._does_nothing()
        self._warn_of_tiers(nodes, tiers)
        return tuple(tiers)

    def _tier_of(self, node: Node, index: int, base: Tier, on: Subject, criterion: Criterion) -> Tier:
        """Read a tier; what it does not say it takes from the rule."""
        fields = self._context.fields(node, "a tier", TIER_KEYS)
        own = self._tier(fields, index, on, criterion)
        inherited = {key: getattr(base, key) for key in (*VERBS, *COMPANIONS) if key not in fields}
        tier = msgspec.structs.replace(own, **inherited)
        self._check_tier(fields, tier, on, criterion)
        return tier

    def _tier(self, fields: Fields, index: int, on: Subject, criterion: Criterion) -> Tier:
        reader = ConditionReader(self._context, on, at_once=criterion is Criterion.DATA_ISSUE)
        when = fields.get("when")
        return Tier(
            index=index,
            condition=None if when is None else reader.when(when),
            declare=self._context.severity(fields, "declare"),
            escalate_by=fields.integer("escalate_by", 0, least=1, most=3),
            page=self._page(fields),
            assign=self._roles(fields),
            attach_only=fields.boolean("attach_only", default=False),
            absorb=self._absorb(fields),
            title=self._context.template(fields, "title"),
            summary=self._context.template(fields, "summary"),
            runbook=self._context.template(fields, "runbook"),
            stakeholders=self._stakeholders(fields),
            objectives=self._objectives(fields, reader),
            restricted=fields.boolean("restricted", default=False),
        )

    def _page(self, fields: Fields) -> str | None:
        name = fields.string("page", None)
        node = fields.get("page")
        if name is not None and node is not None and name != "default":
            self._context.refer("paging policy", node, name)
        return name

    def _roles(self, fields: Fields) -> tuple[Role, ...]:
        known = [role.value for role in Role]
        return tuple(Role(name) for name in self._context.words(fields.nodes("assign"), "assign", known))

    def _stakeholders(self, fields: Fields) -> tuple[str, ...]:
        node = fields.get("stakeholders")
        for item in node.items if node is not None else ():
            self._context.no_template(item, "the name of a stakeholder")
        return fields.strings("stakeholders", ())

    def _absorb(self, fields: Fields) -> timedelta | None:
        if fields.get("absorb") is None:
            return None
        inner = fields.fields("absorb", what="absorb", known=shapes.ABSORB.keys)
        inner.require(*shapes.ABSORB.needs)
        return self._context.positive(inner, "for", least=LEAST, most=MOST)

    # ------------------------------------------------------------------------------------------------------ objectives

    def _objectives(self, fields: Fields, reader: ConditionReader) -> tuple[Objective, ...]:
        nodes = fields.nodes("objectives")
        read = [self._objective(node, reader) for node in nodes]
        seen: set[str] = set()
        for node, objective in zip(nodes, read, strict=True):
            if objective is not None and objective.id and objective.id in seen:
                message = f"the objective {objective.id!r} is already there above"
                self._context.error(node.entries["id"], "E305", message, "rename one of them")
            seen.add(objective.id if objective is not None else "")
        return tuple(objective for objective in read if objective is not None)

    def _objective(self, node: Node, reader: ConditionReader) -> Objective | None:
        fields = self._context.fields(node, "an objective", OBJECTIVE_KEYS)
        if not fields.require("id"):
            return None
        name = self._context.identifier(fields.node.entries["id"], "objective")
        given = [key for key in MEASURES if key in fields]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            self._context.error(node, "E303", f"an objective needs exactly one of {', '.join(MEASURES)}; it has {said}")
            return None
        if given == ["manual"] and fields.boolean("manual", default=True) is False:
            fields.report("manual", "E303", "manual can only be true", "leave it out, and say how it is measured")
        measures = (reader.measured(key, fields) for key in given if key in {"burn_rate", "budget_remaining", "query"})
        return Objective(
            id=name,
            text=fields.string("text", ""),
            manual=fields.boolean("manual", default=False),
            alerts_clear_for=fields.duration("alerts_clear_for", None),
            measure=next(measures, None),
        )

    # ---------------------------------------------------------------------------------------------------------- checks

    def _does_nothing(self) -> None:
        places = [self._node, *self._fields.node.entries.get("tiers", self._node).items]
        if any(verb in place.entries for place in places for verb in VERBS):
            return  # a verb is there and could not be read, which is reported already
        self._context.error(self._node, "E307", "the rule does nothing", f"give it one of {', '.join(VERBS)}")

    def _check_tier(self, fields: Fields, tier: Tier, on: Subject, criterion: Criterion) -> None:
        if on is Subject.ALERT and (tier.page or tier.assign) and not _opens_or_joins(tier):
            message = f"tier {tier.index} pages or assigns only where an incident of its identity is open already"
            self._context.warn(
                fields.node, "W310", message, "add declare, or attach_only: true to say that this is meant"
            )
        if criterion is Criterion.DATA_ISSUE and (tier.declare is None or tier.attach_only):
            self._context.warn(fields.node, "W308", "a data_issue that declares nothing", "add declare: SEV1")

    def _warn_of_tiers(self, nodes: list[Node], tiers: list[Tier]) -> None:
        for place, tier in enumerate(tiers):
            if not _acts(tier):
                message = f"tier {tier.index} does nothing, and ends the search where it holds"
                self._context.warn(nodes[place], "W306", message)
            above = next((other for other in tiers[:place] if _hides(other, tier, nodes)), None)
            if above is not None:
                why = "has no condition" if above.condition is None else "asks the same"
                message = f"tier {tier.index} is never reached: tier {above.index} {why}"
                self._context.warn(nodes[place], "W302", message)


def _hides(above: Tier, tier: Tier, nodes: list[Node]) -> bool:
    if above.condition is None:
        # A condition that could not be read is no missing condition.
        return "when" not in nodes[above.index - 1].entries
    return above.condition == tier.condition


_WHAT_FOR = "name the labels that make findings the same incident"


def read_identity(context: Context, fields: Fields) -> tuple[str, ...]:
    """Read a list of label names that is not empty; () when it is absent or wrong."""
    node = fields.get("identity")
    if node is None:
        if "identity" in fields and fields.node.entries["identity"].kind is Kind.NULL:
            fields.report("identity", "E306", "identity is empty", _WHAT_FOR)
        return ()
    for item in node.items:
        context.no_template(item, "an identity")
    names = fields.strings("identity", ())
    if node.kind is Kind.LIST and not node.items:
        context.error(node, "E306", "identity is never an empty list", _WHAT_FOR)
    if "" in names:
        context.error(node, "E306", "identity names a label without a name")
    if len(names) > MAX_LABELS:
        context.error(node, "E306", f"identity names {len(names)} labels; at most {MAX_LABELS} are allowed")
    if len(set(names)) < len(names):
        context.error(node, "E306", "identity names a label twice")
    return tuple(dict.fromkeys(name for name in names if name))


def _acts(tier: Tier) -> bool:
    return any((tier.declare, tier.escalate_by, tier.page, tier.assign, tier.attach_only, tier.absorb))


def _opens_or_joins(tier: Tier) -> bool:
    return any((tier.declare, tier.escalate_by, tier.attach_only, tier.absorb))


def _withins(conditions: Iterable[Condition], *kinds: type[Count | Distinct | Flaps]) -> tuple[timedelta, ...]:
    return tuple(sorted({each.within for each in conditions if isinstance(each, kinds)}))


def _spreads(conditions: Iterable[Condition]) -> tuple[Spread, ...]:
    found: dict[str, set[timedelta]] = {}
    for each in conditions:
        if isinstance(each, Distinct):
            found.setdefault(each.label, set()).add(each.within)
    return tuple(Spread(label, tuple(sorted(withins))) for label, withins in found.items())
