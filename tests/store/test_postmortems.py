"""What people write in post-mortems is kept: every version, whoever else writes at the same moment, archived or not."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from builders import NOW
from msgspec.structs import replace

from incidents import events, keys
from incidents.errors import NotFound, TransitionNotAllowed
from incidents.oncall import OnCall
from incidents.postmortem.values import Postmortem, PostmortemState, Section, Written
from incidents.store.archive import Kept, sweep
from incidents.store.incidents import Incidents
from incidents.store.postmortems import Changed, Postmortems, StalePostmortem
from incidents.store.reads import Reads
from incidents.timeline import Entry, EntryKind
from incidents.values import Severity


@dataclass
class Shelf:
    """Post-mortems of one incident that is over."""

    postmortems: Postmortems
    name: str

    def write(self, text, version=None):
        return self.postmortems.change(self.name, version, lambda before: written(before, text))


def written(before: Postmortem, text: str) -> Changed:
    sections = {**before.sections, Section.CAUSES: Written(text=text, by="bo", at=NOW)}
    after = replace(before, sections=sections, version=before.version + 1)
    return Changed(after, Entry(at=NOW, kind=EntryKind.DOCUMENT_EDITED, actor="bo", text=text))


@pytest.fixture
def shelf(links):
    incidents = Incidents(links, lambda _: OnCall())
    event = events.DeclaredByHand(
        actor="amira", title="Down", severity=Severity.SEV2, identity={"service": "db"}, identity_key="k"
    )
    name = incidents.declare(event, now=NOW).incident.id
    incidents.apply(name, events.Resolve(actor="bo", override="x"), now=NOW)
    return Shelf(Postmortems(links), name)


def test_postmortem_keeps_every_version(shelf):
    """The present one, and those before it with the latest first; each has its entry."""
    assert shelf.postmortems.get(shelf.name) == Postmortem()
    for number in range(3):
        assert shelf.write(f"text {number}").version == number + 1
    assert shelf.postmortems.get(shelf.name).sections[Section.CAUSES].text == "text 2"
    assert [each.version for each in shelf.postmortems.versions(shelf.name)] == [2, 1]


def test_postmortem_of_two_who_write_at_once_loses_neither(shelf):
    """Who comes second with the version that both read is told; without a version, it stands upon the other's."""
    tried = []

    def slow(before):
        tried.append(before.version)
        if len(tried) == 1:
            shelf.write("faster")
        return written(before, "slower")

    with pytest.raises(StalePostmortem) as stale:
        shelf.postmortems.change(shelf.name, 0, slow)
    assert stale.value.present.sections[Section.CAUSES].text == "faster"
    tried.clear()
    assert shelf.postmortems.change(shelf.name, None, slow).version == 3
    assert tried == [1, 2]
    assert [each.sections[Section.CAUSES].text for each in shelf.postmortems.versions(shelf.name)] == [
        "faster",
        "faster",
    ]


def test_postmortem_refused_leaves_nothing_watched(shelf):
    """After a refusal, the same connection writes as before."""

    def refuse(before):
        raise TransitionNotAllowed(before.state.value, "PostmortemEdited")

    with pytest.raises(TransitionNotAllowed):
        shelf.postmortems.change(shelf.name, None, refuse)
    with pytest.raises(NotFound):
        shelf.postmortems.change("INC-2026-0999", None, refuse)
    assert shelf.write("fine").version == 1


def test_postmortem_of_an_archived_incident_is_as_it_was(shelf, links):
    """It is packed with its incident, brought back with it, and listed with its state meanwhile."""
    shelf.write("text")
    entries = Reads(links).timeline(shelf.name)
    kept, versions = shelf.postmortems.get(shelf.name), shelf.postmortems.versions(shelf.name)
    with links.borrow() as link:
        link.one("DEL", keys.identity("k"))  # the time to reopen is over
        week = timedelta(days=7)
        swept = sweep(link, 0, Kept(plain=week, whole=52 * week), NOW + 2 * week)
        assert swept.archived == (shelf.name,)
        assert not link.one("EXISTS", keys.postmortem(shelf.name))
    assert shelf.postmortems.states([shelf.name]) == {shelf.name: PostmortemState.DRAFT}
    assert (shelf.postmortems.get(shelf.name), shelf.postmortems.versions(shelf.name)) == (kept, versions)
    assert Reads(links).timeline(shelf.name) == entries
