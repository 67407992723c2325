"""Overrides of rotations over the API: somebody stands in for a while, and is in force everywhere at once."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from incidents.oncall import Override
from incidents.overrides import LONGEST, MadeOverride, overlapped, rules_of
from incidents.presentation import instant
from incidents.rota.standing_in import told_of_end, told_of_making
from incidents.store.overrides import Overrides
from receiver.api import texts, wire
from receiver.api.answers import Answer, Instant
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Route, Services
from receiver.api.spans import span_of
from receiver.auth import ApiRole
from receiver.problems import Problem
from rules.loading.mends import did_you_mean

MOST_NOTE = 500


class OverrideBody(wire.Body, frozen=True, kw_only=True):
    """Who stands in for which rotation, and for how long; from now on, where it is not said."""

    rotation: wire.Name
    person: wire.Name
    start: wire.Instant | None = msgspec.field(default=None, name="from")
    until: wire.Instant
    note: wire.Text | None = None


class OverrideAnswer(Answer, frozen=True, kw_only=True):
    """An override; those of the rule files have no id. `overlaps` are those that it takes precedence over."""

    id: str | None
    rotation: str
    person: str
    start: Instant = msgspec.field(name="from")
    until: Instant
    note: str
    by: str
    at: Instant | None
    state: str
    overlaps: list[str]


class OverridesAnswer(Answer, frozen=True, kw_only=True):
    """The overrides of the rule files, then those that people made; of these the last thirty days are kept."""

    overrides: list[OverrideAnswer]
    next: None = None


def _shown(made: MadeOverride, before: Iterable[MadeOverride], call: Call, *, known: bool = True) -> OverrideAnswer:
    return OverrideAnswer(
        id=made.id,
        rotation=made.rotation,
        person=made.person,
        start=instant(made.start) or "",
        until=instant(made.until) or "",
        note=made.note,
        by=made.by,
        at=instant(made.at),
        state=_state(made.start, made.until, call.now) if known else "unknown",
        overlaps=list(overlapped(made, tuple(before))),
    )


def _of_files(rotation: str, override: Override, call: Call) -> OverrideAnswer:
    return OverrideAnswer(
        id=None,
        rotation=rotation,
        person=override.person,
        start=instant(override.start) or "",
        until=instant(override.until) or "",
        note=override.note,
        by="rule files",
        at=None,
        state=_state(override.start, override.until, call.now),
        overlaps=[],
    )


def _state(start: datetime, until: datetime, now: datetime) -> str:
    if now < start:
        return "upcoming"
    return "active" if now < until else "over"


def _list(services: Services, call: Call) -> Reply:
    oncall = services.api.rule_set_of(rules_of(services.api.rule_set().hash)).oncall
    shown = [_of_files(name, each, call) for name, rotation in oncall.rotations.items() for each in rotation.overrides]
    made = Overrides(services.api.links).listed()
    for place, each in enumerate(made):
        known = each.rotation in oncall.rotations and each.person in oncall.people
        shown.append(_shown(each, made[:place], call, known=known))
    return Reply(OverridesAnswer(overrides=shown))


def _make(services: Services, call: Call) -> Reply:
    """Make an override; later ones take precedence over earlier ones, and over those of the rule files."""
    body: OverrideBody = call.body
    rules = services.api.rule_set()
    oncall = rules.oncall
    _check_known("rotation", body.rotation, oncall.rotations)
    _check_known("person", body.person, oncall.people)
    start, until = span_of(
        body.start, body.until, call.now, what="An override", longest=LONGEST, longer="Change the rule files."
    )

    def new(name: str) -> MadeOverride:
        return MadeOverride(
            id=name,
            rotation=body.rotation,
            person=body.person,
            start=start,
            until=until,
            note=texts.one_line(body.note or "")[:MOST_NOTE],
            by=call.actor,
            at=call.now,
        )

    made, before = Overrides(services.api.links).make(
        new, call.now, lambda made: told_of_making(made, oncall, rules.hash, call.now)
    )
    return Reply(msgspec.to_builtins(_shown(made, before, call)))


def _check_known(kind: str, name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if name not in names:
        hint = did_you_mean(name, names) or f"There is {', '.join(names[:20]) or 'none'}."
        raise unfit(f"/{kind}", f"There is no {kind} {name[:64]!r} in the rule files.", hint)


def _end(services: Services, call: Call) -> Reply:
    """End an override now; one that has not begun is taken away, and one that is over stays as it was."""
    name = call.path["override_id"]
    rules = services.api.rule_set()
    ended = Overrides(services.api.links).end(
        name, call.now, lambda made: told_of_end(made, call.actor, rules.oncall, rules.hash, call.now)
    )
    if ended.until <= call.now:
        raise Problem(409, f"{name} was over at {instant(ended.until)}.")
    now_over = msgspec.structs.replace(ended, until=max(call.now, ended.start))
    return Reply(msgspec.to_builtins(_shown(now_over, (), call)) | {"state": "over"})


ROUTES = (
    Route(
        method="GET",
        path="/oncall/overrides",
        role=ApiRole.VIEWER,
        summary="List the overrides of the rotations",
        handler=_list,
        answer=OverridesAnswer,
    ),
    Route(
        method="POST",
        path="/oncall/overrides",
        role=ApiRole.RESPONDER,
        summary="Let somebody stand in for a rotation",
        handler=_make,
        answer=OverrideAnswer,
        status=201,
        body=OverrideBody,
        problems={409: "There are too many overrides."},
    ),
    Route(
        method="DELETE",
        path="/oncall/overrides/{override_id}",
        role=ApiRole.RESPONDER,
        summary="End an override now, or take it away before it begins",
        handler=_end,
        answer=OverrideAnswer,
        body=wire.NothingBody,
        problems={409: "It was over before."},
    ),
)
