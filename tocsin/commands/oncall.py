"""`tocsin oncall`: who holds which role, from the rule files alone; no server is needed, unless it is asked for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from incidents.clock import utc_now
from incidents.oncall import OnCall, Person
from incidents.presentation import instant as api_instant
from incidents.rota.calendar import calendar_of
from incidents.rota.picture import picture_of
from incidents.rotations import NobodyOnCall, Shift, holder, preview
from incidents.teams import DEFAULT_TEAM, of_team
from rules.loading.mends import did_you_mean
from tocsin.client import Client
from tocsin.commands.instants import read_instant
from tocsin.commands.lazy import ToldGroup
from tocsin.commands.options import UNUSABLE, settings_or_exit
from tocsin.commands.override import override
from tocsin.commands.printing import Out, instant
from tocsin.commands.remote import client_of, end, with_out
from tocsin.rule_files import read_rules

WEEKS = 4
CALENDAR_WEEKS = 26


@click.group(cls=ToldGroup)
def oncall() -> None:
    """Say who is on call, from the rule files; let somebody stand in."""


oncall.add_command(override)
running_option = click.option(
    "--running", is_flag=True, help="As it is in force at the server: with overrides that people made, and calendars."
)
running_server = click.option("--server", metavar="URL", help="The same, at this address of Tocsin.")


@oncall.command()
@click.option("--at", metavar="INSTANT", callback=read_instant, help="At another time than now.")
@click.option("--team", metavar="NAME", help="By the rotations of this team.")
@running_option
@running_server
@with_out
def who(
    out: Out,
    config_path: Path | None,
    at: datetime | None,
    team: str | None,
    running: bool,  # noqa: FBT001 - as click calls it
    server: str | None,
) -> None:
    """Say who holds each role."""
    now = at or utc_now()
    if running or server:
        query = {"at": api_instant(now) or "", "team": team or DEFAULT_TEAM}
        _print_roles(out, client_of(config_path, server).get("/oncall", query))
        return
    found = read_oncall(config_path, now)
    if team not in {None, DEFAULT_TEAM, *found.teams}:
        end(UNUSABLE, _unknown("team", team or "", (DEFAULT_TEAM, *found.teams)))
    found = of_team(found, team or DEFAULT_TEAM)
    _print_roles(out, {role.value: _held(found, rotation, now) for role, rotation in found.roles.items()})


def _print_roles(out: Out, held: dict[str, Any]) -> None:
    if out.is_json:
        out.json(held)
    elif held:
        rows = [
            (role, one["person"] or "nobody", one["name"] or "", instant(one["until"])) for role, one in held.items()
        ]
        out.table(("ROLE", "PERSON", "NAME", "UNTIL"), rows)
    else:
        out.line("No role is held by a rotation: add `roles` and `rotations` to the rule files.")


only = click.option("--rotation", "rotations", multiple=True, metavar="NAME", help="This rotation alone; repeatable.")


@oncall.command("preview")
@click.option("--weeks", type=click.IntRange(1, 520), default=WEEKS, show_default=True, help="How far ahead.")
@click.option("--from", "start", metavar="INSTANT", callback=read_instant, help="Begin at another time than now.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Write a picture (SVG) there instead.")
@only
@running_option
@running_server
@with_out
def preview_(
    out: Out,
    config_path: Path | None,
    weeks: int,
    start: datetime | None,
    picture: Path | None,
    rotations: tuple[str, ...],
    running: bool,  # noqa: FBT001 - as click calls it
    server: str | None,
) -> None:
    """Say who holds each rotation in the coming weeks."""
    start = start or utc_now()
    until = start + timedelta(weeks=weeks)
    if running or server:
        people, shifts = _running_shifts(client_of(config_path, server), rotations, start, until)
    else:
        found = read_oncall(config_path, start)
        people, shifts = found.people, shifts_of(found, rotations, start, until)
    if picture is not None:
        picture.write_text(picture_of(shifts, people, start, until), encoding="utf-8")
        out.json({"picture": str(picture)}) if out.is_json else out.line(f"Wrote {picture}")
        return
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


@oncall.command("calendar")
@click.option("--weeks", type=click.IntRange(1, 520), default=CALENDAR_WEEKS, show_default=True, help="How far ahead.")
@click.option("--person", metavar="ID", help="The shifts of this person alone.")
@only
@with_out
def calendar_(out: Out, config_path: Path | None, weeks: int, person: str | None, rotations: tuple[str, ...]) -> None:
    """Print the shifts as an iCalendar file, to be imported or served to calendars."""
    now = utc_now()
    found = read_oncall(config_path, now)
    if person is not None and person not in found.people:
        end(UNUSABLE, _unknown("person", person, found.people))
    shifts = shifts_of(found, rotations, now, now + timedelta(weeks=weeks))
    if person is not None:
        shifts = {name: [each for each in listed if each.person == person] for name, listed in shifts.items()}
    calendar = calendar_of(shifts, found.people, now=now).decode("utf-8")
    if out.is_json:
        out.json({"calendar": calendar})
    else:
        click.echo(calendar, nl=False)


def shifts_of(found: OnCall, rotations: tuple[str, ...], start: datetime, until: datetime) -> dict[str, list[Shift]]:
    """Return the shifts of the named rotations, of all where none is named; ends the command for an unknown name."""
    for name in rotations:
        if name not in found.rotations:
            end(UNUSABLE, _unknown("rotation", name, found.rotations))
    return {name: preview(found.rotations[name], start, until) for name in rotations or found.rotations}


def _running_shifts(
    client: Client, rotations: tuple[str, ...], start: datetime, until: datetime
) -> tuple[dict[str, Person], dict[str, list[Shift]]]:
    """Return the people and the shifts of the rotations as they are in force at the server."""
    query = {"from": api_instant(start) or "", "until": api_instant(until) or ""}
    answer = client.get("/oncall/shifts", query | ({"rotation": ",".join(rotations)} if rotations else {}))
    people: dict[str, Person] = {}
    shifts: dict[str, list[Shift]] = {}
    for plan in answer["rotations"]:
        shifts[plan["rotation"]] = [
            Shift(
                person=each["person"],
                start=datetime.fromisoformat(each["from"]),
                until=datetime.fromisoformat(each["until"]),
                override=each["override"],
            )
            for each in plan["shifts"]
        ]
        people |= {each["person"]: Person(id=each["person"], name=each["name"]) for each in plan["shifts"]}
    return people, shifts


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    hint = did_you_mean(name, known) or f"there is {', '.join(sorted(known)) or 'none'}"
    return f"there is no {kind} {name!r} ({hint})"


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


def _held(found: OnCall, rotation: str, at: datetime) -> dict[str, str | None]:
    try:
        shift = holder(found.rotations[rotation], at)
    except NobodyOnCall:
        return {"person": None, "name": None, "until": None}
    return {"person": shift.person, "name": name_of(found, shift.person), "until": api_instant(shift.until)}


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "person": shift.person,
        "start": api_instant(shift.start),
        "until": api_instant(shift.until),
        "override": shift.override,
    }
