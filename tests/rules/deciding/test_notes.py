"""What the journal is left of each event."""

from builders import NOW

from incidents.commit import Commit
from incidents.journal.lines import Became
from incidents.page import News, Page
from incidents.values import PageReason
from rules.deciding.notes import Notes


def page(person: str, *, over: bool = False) -> Page:
    return Page(
        id=f"INC-2026-0001.1.1.1.{person}",
        over=over,
        news=News.ANNOUNCEMENT,
        incident_id="INC-2026-0001",
        person=person,
        role=None,
        step=1,
        round=1,
        reason=PageReason.DECLARED,
        ruleset="abc",
        created_at=NOW,
        received_at=NOW,
    )


def test_notes_call_nobody_paged_who_is_only_told():
    """An announcement to a channel woke nobody up."""
    notes, commit = Notes(), Commit(NOW)
    notes.begin(commit)
    commit.pages += [page("amira"), page("channel:sre", over=True)]
    notes.event(Became.FIRED)
    commit.pages.append(page("channel:sre", over=True))
    notes.event(Became.RESOLVED)
    decisions = notes.decided(start="0-0|0", end="1-0|0", at=NOW, rules="abc").decisions
    assert [(did.incident, did.paged) for did in decisions[0].did] == [("INC-2026-0001", ("amira",))]
    assert decisions[1].did == ()
