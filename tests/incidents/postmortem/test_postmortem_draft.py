"""The draft of a post-mortem: numbers, people, what was missing, from the record alone."""

import random
from datetime import timedelta

import pytest
from example_record import DECLARED, at, entries, entry, fired, incident, page, record, resolved, role
from msgspec.structs import replace

from incidents.incident import Merged
from incidents.postmortem.draft import as_json, draft_of
from incidents.postmortem.gaps import GapKind, gaps_of
from incidents.postmortem.markdown import as_markdown
from incidents.postmortem.numbers import numbers_of
from incidents.postmortem.people import participants_of
from incidents.postmortem.picture import picture_of
from incidents.postmortem.printed import as_html
from incidents.postmortem.record import MOST_ENTRIES, record_of
from incidents.postmortem.spans import role_spans, severity_seconds, status_spans
from incidents.postmortem.values import Postmortem
from incidents.postmortem.words import moment
from incidents.timeline import EntryKind
from incidents.values import IncidentStatus, Role, Severity
from rules.severities import SEVERITY_DEFAULTS


def of(*told, **changes):
    """The record of the example with these entries alone, and changes of the incident."""
    return record_of(replace(incident(), **changes), told, severities=SEVERITY_DEFAULTS)


def declared(severity="SEV2"):
    return entry(0, EntryKind.INCIDENT_DECLARED, "declared", severity=severity)


def kinds(found):
    return [gap.kind for gap in gaps_of(found)]


def test_draft_of_the_same_record_is_the_same_bytes():
    """Every form of it, however often it is made."""
    made = [
        (as_json(draft), as_markdown(draft), as_html(draft, picture_of(found)))
        for found in (record(), record())
        for draft in (draft_of(found, Postmortem()),)
    ]
    assert made[0] == made[1]


def test_numbers_count_from_the_first_alert_and_from_declared():
    """To detect from `startsAt`; to acknowledge, mitigate, resolve from when it was declared."""
    numbers = numbers_of(record())
    assert numbers.time_to_detect == pytest.approx(6.2 * 60)
    assert numbers.time_to_acknowledge == pytest.approx(4.1 * 60)
    assert numbers.time_to_mitigate == 24 * 60
    assert numbers.time_to_resolve == 71 * 60
    assert {each.severity: each.seconds for each in numbers.severities} == {
        Severity.SEV1: 62 * 60,
        Severity.SEV2: 9 * 60,
    }
    assert numbers.alerts == 16
    pages = numbers.pages
    assert (pages.sent, pages.failed, pages.given_up, pages.people, pages.late) == (2, 2, 1, 2, 0)


def test_numbers_leave_out_the_time_between_resolved_and_reopened():
    """What was closed burnt nobody's time."""
    found = of(
        declared("SEV1"),
        entry(10, EntryKind.RESOLVED, "over", "bo"),
        entry(40, EntryKind.REOPENED, "again", "prod"),
        entry(60, EntryKind.RESOLVED, "over", "bo"),
        resolved_at=at(60),
    )
    assert severity_seconds(found) == {Severity.SEV1: 30 * 60}
    assert numbers_of(found).reopened == 1
    assert "It came back 30 min after it was resolved" in [gap.text for gap in gaps_of(found)]


def test_numbers_of_an_open_incident_end_with_what_was_heard_last():
    """It is not resolved, and no clock is asked."""
    found = of(declared(), entry(30, EntryKind.NOTE, "x", "bo"), status=IncidentStatus.DECLARED, resolved_at=None)
    assert found.end == at(30)
    assert numbers_of(found).time_to_resolve is None
    assert [span.what for span in status_spans(found)] == ["declared"]


def test_people_are_those_with_roles_and_those_who_did_something():
    """Roles have from and until; sources and Tocsin itself are nobody."""
    people = {each.person: each for each in participants_of(record())}
    assert set(people) == {"amira", "bo", "chidi", "dana", "eli", "finn"}
    (led,) = people["amira"].roles
    assert (led.role, led.since, led.until) == (Role.INCIDENT_COMMANDER, at(0), at(4.6))
    assert people["bo"].roles[0].until is None
    assert (people["bo"].paged, people["finn"].roles) == (1, ())


def test_people_hold_a_role_until_it_is_taken_away():
    """Engineers are many; the other roles have one holder at a time."""
    found = of(
        declared(),
        role(0, "engineer", "eli", "x"),
        role(1, "engineer", "dana", "x"),
        entry(5, EntryKind.ROLE_ASSIGNED, "x", role="engineer", person=None),
        role(2, "communications", "bo", "x"),
        role(8, "communications", "chidi", "x"),
    )
    spans = {(span.role, span.person): (span.since, span.until) for span in role_spans(found)}
    assert spans[Role.ENGINEER, "eli"] == (at(0), at(5))
    assert spans[Role.COMMUNICATIONS, "bo"] == (at(2), at(8))
    assert spans[Role.COMMUNICATIONS, "chidi"] == (at(8), at(71))


def test_gaps_of_the_example():
    """What a reader of the timeline would have had to look for."""
    texts = [gap.text for gap in gaps_of(record())]
    assert "It was noticed 6 min 12 s after its first alert began" in texts
    assert "Nobody was the engineer in charge for 6 min" in texts
    assert "No update for 54 min; one was due every 30 min" in texts
    assert any(text.startswith("2 attempts to page amira over amira-phone failed, and the page was") for text in texts)
    assert any("unmet objectives (Half of the error budget is left): budgets take a month" in text for text in texts)
    assert any(text.startswith("finn acted from outside") for text in texts)


def test_gaps_tell_of_late_and_missing_acknowledgements():
    """Against what the severity asks for."""
    late = of(declared(), entry(9, EntryKind.ACKNOWLEDGED, "x", "bo"), acknowledged_at=at(9))
    assert GapKind.ACKNOWLEDGED_LATE in kinds(late)
    never = of(declared(), acknowledged_at=None)
    assert GapKind.NOT_ACKNOWLEDGED in kinds(never)
    soon = of(declared(), entry(4, EntryKind.ACKNOWLEDGED, "x", "bo"), acknowledged_at=at(4))
    assert not {GapKind.ACKNOWLEDGED_LATE, GapKind.NOT_ACKNOWLEDGED} & set(kinds(soon))


def test_gaps_tell_of_a_commander_who_was_missing():
    """From when until when nobody held the role."""
    found = of(declared(), role(12, "incident_commander", "bo", "x"))
    (gap,) = (each for each in gaps_of(found) if each.kind is GapKind.COMMANDER_MISSING)
    assert (gap.at, gap.until) == (at(0), at(12))
    assert gap.text == "Nobody was the incident commander for 12 min"


def test_gaps_tell_of_pages_that_came_late_or_to_nobody():
    """A page that was taken long after it was called for, steps without anybody, and rounds without an answer."""
    found = of(
        declared(),
        page(3, EntryKind.PAGE_SENT, "Paged bo", "bo"),
        entry(4, EntryKind.PAGE_FAILED, "Nobody could be paged", targets=["rotation:x"]),
        entry(50, EntryKind.PAGE_EXHAUSTED, "Nobody acknowledged", policy="default"),
    )
    assert {GapKind.PAGE_LATE, GapKind.NOBODY_PAGED, GapKind.PAGES_EXHAUSTED} <= set(kinds(found))
    assert numbers_of(found).pages.late == 1


def test_gaps_say_what_had_no_update_only_where_one_was_due():
    """SEV3 asks for none."""
    found = of(declared("SEV3"), severity=Severity.SEV3)
    assert GapKind.NO_UPDATE not in kinds(found)
    assert GapKind.NO_UPDATE in kinds(of(declared("SEV2")))


def test_gaps_take_nothing_for_an_update_that_reached_nobody():
    """An attempt to tell somebody that failed has told nobody, and of several attempts the draft has the last."""
    failed = [entry(minute, EntryKind.COMMUNICATION, "failed", delivered=False, page_id="p") for minute in (30, 60)]
    found = of(declared(), *failed)
    assert [gap.until for gap in gaps_of(found) if gap.kind is GapKind.NO_UPDATE] == [found.end]
    assert [line.at for line in draft_of(found, Postmortem()).communications] == [failed[1].at]


def test_record_takes_what_single_alerts_of_a_fold_are_known():
    """An alert that was folded away, and began before the first of its like, is when it began."""
    told = (declared(), fired(0, "A", "x", count=2), resolved(5, "A"))
    whole = record_of(incident(), told)
    assert [(span.since, span.until) for span in whole.alerts] == [(at(-1), at(4.6))]
    kept = replace(whole.alerts[0], fingerprint="other", since=at(-30), until=at(2), count=1)
    again = record_of(incident(), told, kept=(kept,))
    assert again.began == at(-30)
    assert numbers_of(again).alerts == 2


def test_record_of_a_long_timeline_keeps_the_lifecycle():
    """Entries beyond the most are counted; how it ended is never left out."""
    notes = [entry(number / 1000, EntryKind.NOTE, str(number), "bo") for number in range(1, MOST_ENTRIES + 500)]
    found = of(declared(), *notes, entry(60, EntryKind.RESOLVED, "over", "bo"), resolved_at=at(60))
    assert found.left_out == 500
    assert found.entries[-1].kind is EntryKind.RESOLVED
    assert "500 more entries stand in the timeline itself" in as_markdown(draft_of(found, Postmortem()))


def test_record_of_merged_incidents_has_one_life():
    """The entries of the other one are shown; when it was declared says nothing of this one's severity."""
    other = entry(-20, EntryKind.INCIDENT_DECLARED, "declared", severity="SEV1")
    merged = Merged(id="INC-2026-0041", identity={"service": "x"}, identity_key="x", at=at(3))
    found = of(other, entry(-10, EntryKind.ACKNOWLEDGED, "x", "bo"), declared("SEV2"), merged=(merged,))
    assert [span.what for span in status_spans(found)] == ["declared"]
    assert severity_seconds(found) == {Severity.SEV2: 71 * 60}
    assert numbers_of(found).time_to_acknowledge == pytest.approx(4.1 * 60)


def test_numbers_name_the_times_of_what_was_merged():
    """Earlier times of the other one are said beside those of the one that goes on, never mixed with them."""
    data = {"incident": "INC-2026-0041", "declared_at": at(-20).isoformat(), "severity": "SEV1"}
    found = of(declared("SEV2"), entry(3, EntryKind.MERGED, "merged", "bo", **data))
    (merged,) = numbers_of(found).merged
    assert (merged.incident, merged.declared_at, merged.severity) == ("INC-2026-0041", at(-20), "SEV1")
    shown = as_markdown(draft_of(found, Postmortem()))
    assert "| INC-2026-0041, merged into it | declared 2026" in shown
    said = f"as SEV1, merged {moment(merged.merged_at)}; the times below are those of {found.incident.id} alone"
    assert said in shown


def test_draft_takes_whatever_order_and_data_a_timeline_has():
    """Whatever is missing or odd in what entries hold, a draft comes of it in every form."""
    dice = random.Random(7)
    for _ in range(30):
        told = [each for each in entries() if dice.random() < 0.5]
        odd = [replace(each, data=dice.choice([{}, {"role": 1, "to": None, "count": "x"}, each.data])) for each in told]
        dice.shuffle(odd)
        found = of(*odd)
        draft = draft_of(found, Postmortem())
        assert as_json(draft)["id"] == incident().id
        assert as_html(draft, picture_of(found))
        assert as_markdown(draft)


def test_draft_of_nothing_but_the_incident():
    """An incident without a timeline has a draft, and a picture."""
    found = of(declared_at=DECLARED, resolved_at=DECLARED + timedelta(0))
    assert draft_of(found, Postmortem()).timeline == ()
    assert picture_of(found).startswith("<svg")
