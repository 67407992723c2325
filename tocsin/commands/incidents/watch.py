"""`tocsin incidents watch`: what happens, as it happens, of one incident or of all that are open."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import click

from incidents.clock import to_ms
from incidents.values import OPEN_STATUSES
from tocsin.client import Client, Unreachable, segment
from tocsin.commands.incidents.completing import complete_incident
from tocsin.commands.instants import read_duration
from tocsin.commands.printing import STYLES, Out, clean, instant
from tocsin.commands.remote import with_client

OPEN_WATCHED = 200  # incidents at a time
LEAST_PAUSE = timedelta(seconds=1)

Json = dict[str, Any]


@click.command()
@click.argument("incident_id", metavar="[ID]", required=False, shell_complete=complete_incident)
@click.option("--since", metavar="DURATION", callback=read_duration, help="Begin with what happened so long ago.")
@click.option(
    "--every", metavar="DURATION", default="2s", show_default=True, callback=read_duration, help="How often to look."
)
@with_client
def watch(client: Client, out: Out, incident_id: str | None, since: timedelta | None, every: timedelta) -> None:
    """Print each entry of a timeline as it is written: of one incident until it is closed, or of all that are open.

    Entries that stand for many alike are printed once, when they begin. JSON is one entry a line.
    """
    if every < LEAST_PAUSE:
        raise click.UsageError("--every must be at least 1s")
    watching = Watch(client, out, incident_id, since or timedelta())
    try:
        watching.run(lambda: time.sleep(every.total_seconds()))
    except KeyboardInterrupt:
        return


class Watch:
    """Follows timelines by their cursors; what was printed is not printed again."""

    def __init__(self, client: Client, out: Out, incident_id: str | None, since: timedelta) -> None:
        self._client = client
        self._out = out
        self._incident_id = incident_id
        self._since = since
        self._begin = ""
        self._cursors: dict[str, str] = {}
        self._followed: dict[str, Json] = {}
        self._is_away = False
        self._has_looked = False

    def run(self, pause: Callable[[], None]) -> None:
        """Follow until the incident is closed, without one for ever; a server that goes away later is waited for.

        Raises `Unreachable` for one that is away from the start, and `Refused`.
        """
        self._begin = f"{to_ms(self._now() - self._since)}-0"
        while self._look():
            pause()

    def _now(self) -> datetime:
        """Return the time by the clock of the store, which numbers the entries."""
        now = self._client.get("/status")["store"]["now"]
        if now is None:
            raise Unreachable("the store of the server cannot be reached")
        return datetime.fromisoformat(now)

    def _look(self) -> bool:
        """Print what is new; False when there is nothing to wait for."""
        try:
            found = {incident["id"]: incident for incident in self._wanted()}
            # What was closed since the last look has had its last entries by now.
            for incident in {**self._followed, **found}.values():
                self._print_new(incident)
        except Unreachable as error:
            if not self._has_looked:
                raise
            if not self._is_away:
                click.echo(f"tocsin: {clean(str(error))}; waiting for it", err=True)
            self._is_away = True
            return True
        if self._is_away:
            click.echo("tocsin: it is back", err=True)
        self._is_away, self._has_looked = False, True
        self._followed = found
        return self._incident_id is None or any(_is_open(incident) for incident in found.values())

    def _wanted(self) -> list[Json]:
        if self._incident_id is not None:
            return [self._client.get(f"/incidents/{segment(self._incident_id)}")]
        return self._client.listed("/incidents", "incidents", {"status": ["open"]}, most=OPEN_WATCHED).items

    def _print_new(self, incident: Json) -> None:
        name = incident["id"]
        if name not in self._cursors and not self._out.is_json:
            said = f"{name}  {incident['severity']}  {incident['status']}  {incident['title']}"
            self._out.line(clean(said.replace("\n", " ")), STYLES.get(incident["severity"], ""))
        self._cursors.setdefault(name, self._begin)
        for entry in self._entries(name):
            self._cursors[name] = entry["id"]
            if self._out.is_json:
                self._out.json_line({"incident": name, **entry})
            else:
                text = entry["text"].replace("\n", " ")
                self._out.line(f"{name}  {instant(entry['at'])}  {entry['kind']}  {entry['actor']}  {text}")

    def _entries(self, name: str) -> Iterator[Json]:
        following: str | None = self._cursors[name]
        while following is not None:
            page = self._client.get(f"/incidents/{segment(name)}/timeline", {"after": following, "limit": 200})
            yield from page["entries"]
            following = page["next"]


def _is_open(incident: Json) -> bool:
    return incident["status"] in {status.value for status in OPEN_STATUSES}
