"""`tocsin oncall`: who holds which role, from the rule files alone; no server is needed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from incidents.clock import utc_now
from incidents.oncall import OnCall, Rotation
from incidents.presentation import instant as api_instant
from incidents.rotations import NobodyOnCall, Shift, holder, preview
from tocsin.commands.options import UNUSABLE, settings_or_exit
from tocsin.commands.printing import Out, instant
from tocsin.commands.remote import end, with_out
from tocsin.rulebook import read_rules

WEEKS = 4


def read_instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Read an instant as ISO 8601 writes it; one without a zone is taken as UTC."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is no instant; write it like 2026-11-02T03:00:00Z", ctx=ctx, param=param
        ) from None


@click.group()
def oncall() -> None:
    """Say who is on call, from the rule files."""


@oncall.command()
@click.option("--at", metavar="INSTANT", callback=read_instant, help="At another time than now.")
@with_out
def who(out: Out, config_path: Path | None, at: datetime | None) -> None:
    """Say who holds each role."""
    now = at or utc_now()
    found = read_oncall(config_path, now)
    held = {role.value: _held(found.rotations[rotation], now) for role, rotation in found.roles.items()}
    if out.is_json:
        out.json(held)
    elif held:
        out.table(
            ("ROLE", "PERSON", "NAME", "UNTIL"),
            [
                (role, one["person"] or "nobody", name_of(found, one["person"]), instant(one["until"]))
                for role, one in held.items()
            ],
        )
    else:
        out.line("No role is held by a rotation: add `roles` and `rotations` to the rule files.")


@oncall.command("preview")
@click.option("--weeks", type=click.IntRange(1, 520), default=WEEKS, show_default=True)
@with_out
def preview_(out: Out, config_path: Path | None, weeks: int) -> None:
    """Say who holds each rotation in the coming weeks."""
    now = utc_now()
    found = read_oncall(config_path, now)
    until = now + timedelta(weeks=weeks)
    shifts = {name: preview(rotation, now, until) for name, rotation in found.rotations.items()}
    if out.is_json:
        out.json({"rotations": {name: [_shift(each) for each in listed] for name, listed in shifts.items()}})
        return
    rows = [
        (
            name,
            instant(api_instant(shift.start)),
            instant(api_instant(shift.until)),
            shift.person,
            "override" if shift.override else "",
        )
        for name, listed in shifts.items()
        for shift in listed
    ]
    out.table(("ROTATION", "FROM", "UNTIL", "PERSON", ""), rows)


def read_oncall(config_path: Path | None, now: datetime) -> OnCall:
    """Return the on-call settings of the configured rule files; ends the command with every error of theirs."""
    _, loaded, errors = read_rules(settings_or_exit(config_path), now)
    if errors or loaded.rule_set is None:
        end(UNUSABLE, "the rule files cannot be used:\n" + "\n".join(errors))
    return loaded.rule_set.oncall


def name_of(found: OnCall, person: str | None) -> str:
    """Return the name of a person, "" for nobody."""
    known = found.people.get(person or "")
    return known.name if known else ""


def _held(rotation: Rotation, at: datetime) -> dict[str, str | None]:
    try:
        shift = holder(rotation, at)
    except NobodyOnCall:
        return {"person": None, "until": None}
    return {"person": shift.person, "until": api_instant(shift.until)}


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "person": shift.person,
        "start": api_instant(shift.start),
        "until": api_instant(shift.until),
        "override": shift.override,
    }
