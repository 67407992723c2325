"""What a year of incidents costs in memory: written by the real commands, then archived by the real keeper.

Run by hand: `PYTHONPATH=tests/support .venv/bin/python bench/year.py [INCIDENTS]`. Texts are taken from the
documentation, a different piece each time, so that they compress as what people write does.
"""

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from builders import rule_set
from systems import Store, started

from incidents import events, keys
from incidents.alert import fingerprint_of
from incidents.commit import Commit
from incidents.store.archive import Kept, sweep
from incidents.store.commit import commit_commands
from incidents.store.connection import Link, Links
from incidents.store.incidents import Incidents
from incidents.store.scripts import ALL
from incidents.timeline import Entry, EntryKind
from incidents.values import PageReason, Severity
from rules.index import identity_key

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ALERTS = 6
DOCS = (Path(__file__).resolve().parent.parent / "docs").glob("*.md")
WORDS = [word for path in sorted(DOCS) for word in path.read_text(encoding="utf-8").split() if word.isascii()]
random.seed(7)


def prose(words: int) -> str:
    """Return so many words that stand together somewhere."""
    start = random.randrange(len(WORDS) - words)
    return " ".join(WORDS[start : start + words])


def one_incident(incidents: Incidents, link: Link, number: int) -> None:
    """Let an incident live: alerts, a page, an acknowledgement, six notes and two actions, three edits, the end."""
    at = BEGIN + timedelta(minutes=50 * number)
    identity = {"service": f"service-{number % 300}", "cluster": f"eu-{number}"}
    declared = events.DeclaredByHand(
        actor="amira", title=prose(8), severity=Severity.SEV2, identity=identity, identity_key=identity_key(identity),
        summary=prose(30),
    )  # fmt: skip
    name = incidents.declare(declared, now=at).incident.id
    link.ask([("MULTI",), *commit_commands(_alerts(name, at)), ("EXEC",)])
    delivered = events.PageDelivered(
        page_id=f"{name}.1.1.amira", person="amira", channel="amira/1", kind="webhook", attempt=1, repeat=False,
        reason=PageReason.DECLARED, answer="202 Accepted",
    )  # fmt: skip
    life: list[events.Event] = [delivered, events.Acknowledge(actor="amira"), events.Touched(actor="amira")]
    life += [events.Note(actor="bo", text=prose(25)) for _ in range(6)]
    life += [events.ActionTaken(actor="bo", action="rollback", text=prose(12)) for _ in range(2)]
    life += [events.Communicated(actor="amira", audience="customers", text=prose(40))]
    life += [events.Mitigate(actor="bo", note=prose(10)), events.Resolve(actor="bo", override=prose(10))]
    for minute, event in enumerate(life):
        incidents.apply(name, event, now=at + timedelta(minutes=minute))
    for seen in range(3):
        edited = events.DocumentEdited(actor="amira", seen=str(seen), status_report=prose(80))
        link.one("XADD", keys.report_versions(name), "*", "v", repr(edited))
    link.one("DEL", keys.identity(identity_key(identity)))


def _alerts(name: str, at: datetime) -> Commit:
    commit = Commit(at)
    for number in range(ALERTS):
        labels = {"alertname": f"Alert{number}", "severity": "critical", "instance": f"{name}:{number}", "job": "api"}
        commit.attached.setdefault(name, set()).add(f"prod-alertmanager/{fingerprint_of(labels)}")
        data = {"labels": labels, "source": "prod-alertmanager", "starts_at": at.isoformat()}
        for kind, verb in ((EntryKind.ALERT_FIRED, "fired"), (EntryKind.ALERT_RESOLVED, "resolved")):
            text = f"Alert{number} {verb}: {prose(15)}"
            commit.entries.append((name, Entry(at=at, kind=kind, actor="prod-alertmanager", text=text, data=data)))
    commit.count_alert(name, firing=0, resolved=ALERTS)
    return commit


def used(link: Link) -> int:
    facts = link.one("INFO", "memory").decode().split("\r\n")
    return int(next(fact for fact in facts if fact.startswith("used_memory:")).partition(":")[2])


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "year") as programs:
        store = Store(programs)
        link, oncall = Link(store.url, scripts=ALL), rule_set().oncall
        empty = used(link)
        with Links(store.url, scripts=ALL) as links:
            incidents = Incidents(links, lambda _: oncall)
            for number in range(count):
                one_incident(incidents, link, number)
        due = [keys.page(name.decode()) for name in link.one("ZRANGE", keys.pages_due(), 0, -1)]
        link.one("DEL", keys.pages_due(), *due)
        plain = used(link)
        print(f"plain: {(plain - empty) / count:.0f} bytes each, {(plain - empty) / 1e6:.1f} MB in all")
        kept, later = Kept(timedelta(days=7), timedelta(days=4000)), BEGIN + timedelta(days=1000)
        began, start = time.monotonic(), sweep(link, 0, kept, later).next
        while start is not None:
            start = sweep(link, start, kept, later).next
        print(f"archived in {time.monotonic() - began:.1f} s")
        whole = used(link)
        print(f"archived: {(whole - empty) / count:.0f} bytes each, {(whole - empty) / 1e6:.1f} MB in all")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
