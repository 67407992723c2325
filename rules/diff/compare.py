"""Finds what is added, removed and changed from one rule set to another, by section, name and field. Pure."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from incidents.oncall import Channel
from rules.diff.words import NOTHING, is_default, said, told_fields
from rules.loading.rules import RULE_KEYS, TIER_KEYS
from rules.loading.sections import SECTIONS
from rules.matchers import Matcher
from rules.model import Rule, RuleSet, Tier

_ONCALL = "oncall"
# How one thing of a section is called, where that is not the section's name without its s.
SINGULAR: Mapping[str, str] = {
    "people": "person",
    "paging": "paging policy",
    "severities": "severity",
    "normalize": "normalized label",
}
SECRET = frozenset({"url", "secret", "routing_key", "webhook_url"})


class Kind(StrEnum):
    """What became of one thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Field(NamedTuple):
    """One field that differs, in the words of rule files."""

    name: str
    old: str
    new: str


class Change(NamedTuple):
    """One rule, person, rotation, ... that differs."""

    section: str
    name: str
    kind: Kind
    fields: tuple[Field, ...]

    @property
    def what(self) -> str:
        """What it is: `rule`, `person`, `paging policy`, ..."""
        return singular(self.section)


def singular(section: str) -> str:
    """Return how one thing of a section is called."""
    return SINGULAR.get(section, section.removesuffix("s"))


def compare(old: RuleSet, new: RuleSet) -> tuple[Change, ...]:
    """Return every change, by section in the order of the rule set, and by name in the order of the files."""
    found: list[Change] = []
    before, after = _sections(old), _sections(new)
    for section in after:
        found += _changes(section, before.get(section, {}), after[section])
    return tuple(found)


def _sections(rule_set: RuleSet) -> dict[str, dict[str, object]]:
    """Return everything by section and name; what a section of a single value says stands under its own name."""
    found: dict[str, dict[str, object]] = {}
    told = told_fields(rule_set)
    oncall = told.pop(_ONCALL, None)
    for section, value in (told | (told_fields(oncall) if isinstance(oncall, msgspec.Struct) else {})).items():
        if section in SECTIONS:  # what is made of a section, such as rules of SLOs, is told with the section
            found[section] = _named(section, value)
    # Which of two rules that hold in the same event comes first decides whose title an incident bears.
    found["rules"] |= {"": tuple(found["rules"])}
    return found


def _named(section: str, value: object) -> dict[str, object]:
    if isinstance(value, Mapping):
        return {str(name): each for name, each in value.items()}
    if isinstance(value, tuple) and all(hasattr(each, "id") for each in value):
        return {each.id: each for each in value}
    return {section: value}


def _changes(section: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Change]:
    for name in dict.fromkeys((*new, *old)):
        if name == "":
            yield from _order(section, old.get(""), new.get(""))
        elif name not in old:
            yield Change(section, name, Kind.ADDED, tuple(Field(*each) for each in _written(new[name])))
        elif name not in new:
            gone = tuple(Field(field, told, NOTHING) for field, _, told in _written(old[name]))
            yield Change(section, name, Kind.REMOVED, gone)
        elif fields := tuple(_differing(old[name], new[name])):
            yield Change(section, name, Kind.CHANGED, fields)


def _order(section: str, old: object, new: object) -> Iterator[Change]:
    if not isinstance(old, tuple) or not isinstance(new, tuple):
        return
    both = set(old) & set(new)
    before, after = [name for name in old if name in both], [name for name in new if name in both]
    if before != after:
        moved = next(place for place, name in enumerate(after) if before[place] != name)
        shown = Field(f"from place {moved + 1}", ", ".join(before[moved:][:5]), ", ".join(after[moved:][:5]))
        yield Change(section, "order", Kind.CHANGED, (shown,))


def _fields_of(value: msgspec.Struct) -> dict[str, object]:
    """Return what a rule file can say of a value; what is derived from that is left out."""
    told = told_fields(value)
    if isinstance(value, Rule):
        return {name: each for name, each in told.items() if name in RULE_KEYS}
    return {name: each for name, each in told.items() if not isinstance(value, Tier) or name in TIER_KEYS}


def _written(value: object) -> Iterator[tuple[str, str, str]]:
    """Give name, nothing and text of all that was written of one thing that is there on one side alone."""
    if isinstance(value, Channel):
        yield "kind", NOTHING, value.kind
    elif isinstance(value, msgspec.Struct):
        for name, each in _fields_of(value).items():
            if name != "tiers" and not is_default(value, name):
                yield name, NOTHING, said(each)
        for tier in value.tiers if isinstance(value, Rule) else ():
            for name, _, told in _written(tier):
                yield _in_tier(value, tier, name), NOTHING, told  # type: ignore[arg-type]
    else:
        yield "", NOTHING, said(value)


def _differing(old: object, new: object) -> Iterator[Field]:
    if isinstance(old, Channel) and isinstance(new, Channel):
        yield from _channel(old, new)
    elif isinstance(old, Rule) and isinstance(new, Rule):
        yield from _structs(old, new, leave_out="tiers")
        yield from _tiers(old, new)
    elif isinstance(old, msgspec.Struct) and isinstance(new, msgspec.Struct):
        yield from _structs(old, new)
    elif old != new:
        yield Field("", said(old), said(new))


def _structs(old: msgspec.Struct, new: msgspec.Struct, *, leave_out: str = "") -> Iterator[Field]:
    before = _fields_of(old)
    for name, after in _fields_of(new).items():
        if name == leave_out or before.get(name) == after:
            continue
        if _is_steps(before.get(name)) and _is_steps(after):
            yield from _items(name.removesuffix("s"), before.get(name), after)
            continue
        was, now = said(before.get(name)), said(after)
        # What may not be said is said to differ.
        yield Field(name, was, now if was != now else f"{now}, with other settings")


def _is_steps(value: object) -> bool:
    """Tell whether a value is a list of mappings, which is told item by item."""
    return isinstance(value, tuple) and all(
        isinstance(each, msgspec.Struct) and not isinstance(each, Matcher | Channel) for each in value
    )


def _items(name: str, old: object, new: object) -> Iterator[Field]:
    before, after = (value if isinstance(value, tuple) else () for value in (old, new))
    for place, (was, now) in enumerate(zip_longest(before, after), 1):
        if was != now:
            yield Field(f"{name} {place}", said(was), said(now))


def _tiers(old: Rule, new: Rule) -> Iterator[Field]:
    for place, tier in enumerate(new.tiers):
        if place < len(old.tiers):
            for field in _structs(old.tiers[place], tier):
                yield field._replace(name=_in_tier(new if len(new.tiers) > 1 else old, tier, field.name))
        else:
            yield Field(f"tier {tier.index}", NOTHING, said(tier))
    for tier in old.tiers[len(new.tiers) :]:
        yield Field(f"tier {tier.index}", said(tier), NOTHING)


def _in_tier(rule: Rule, tier: Tier, name: str) -> str:
    return f"tier {tier.index} {name}" if len(rule.tiers) > 1 else name


def _channel(old: Channel, new: Channel) -> Iterator[Field]:
    if old.kind != new.kind:
        yield Field("kind", old.kind, new.kind)
        return
    for name in dict.fromkeys((*old.options, *new.options)):
        before, after = old.options.get(name), new.options.get(name)
        if before != after:
            secret = name in SECRET
            yield Field(name, _masked(before) if secret else said(before), _masked(after) if secret else said(after))


def _masked(value: object) -> str:
    return NOTHING if value is None else "***"
