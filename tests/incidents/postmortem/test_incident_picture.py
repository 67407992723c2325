"""The picture of an incident: lanes, an axis in round times, and marks that do not hide each other."""

import xml.etree.ElementTree as ET
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from example_record import at, entry, incident, page, record
from msgspec.structs import replace

from incidents.postmortem.axis import LEFT, MOST_TICKS, RIGHT, WIDTH, Axis, axis_of, fitting
from incidents.postmortem.draft import draft_of
from incidents.postmortem.gaps import gaps_of
from incidents.postmortem.lanes import BAR, MOST_ROWS, label_room, lanes_of
from incidents.postmortem.markdown import as_markdown
from incidents.postmortem.picture import LEGEND, _legend, picture_of
from incidents.postmortem.record import AlertSpan, record_of
from incidents.postmortem.values import Postmortem
from incidents.timeline import EntryKind

SVG = "{http://www.w3.org/2000/svg}"
DOCS = Path(__file__).parents[3] / "docs"


def lanes(found):
    axis = axis_of(found)
    return {lane.name: lane for lane in lanes_of(found, axis, gaps_of(found), 0)}


def test_picture_says_in_words_what_every_bar_and_mark_is():
    """Who does not see it, or points at something, is told."""
    root = ET.fromstring(picture_of(record()))
    assert root.find(f"{SVG}title").text == "INC-2026-0042: Orders are lost"
    assert "resolved after 1 h 11 min" in root.find(f"{SVG}desc").text
    said = [title.text for title in root.iter(f"{SVG}title")]
    assert "OrdersLost fired from 02 Nov 02:58:00 for 31 min" in said
    assert "SEV1 from 03:13:12 for 1 h 2 min" in said
    assert any("rollback" in text for text in said)


def test_picture_has_its_lanes_below_each_other():
    """Nothing of a lane stands in another."""
    found = list(lanes(record()).values())
    assert [lane.name for lane in found] == [
        "Alerts", "Severity", "Status", "Roles", "Pages", "Actions", "Updates"
    ]  # fmt: skip
    for lane, following in pairwise(found):
        assert lane.y + lane.height == following.y
    for lane in found:
        for item in (*lane.bars, *lane.marks):
            assert lane.y < item.y < lane.y + lane.height
            assert LEFT <= item.x <= WIDTH - RIGHT


def test_picture_hides_no_words_of_a_silence_behind_reminders():
    """What reminds of an update stands below the time without one."""
    updates = lanes(record())["Updates"]
    assert [bar.look for bar in updates.bars] == ["gap"]
    assert all(mark.y > updates.bars[0].y + BAR for mark in updates.marks)


def test_picture_says_how_many_more_a_mark_stands_for():
    """What has no room above what happened at the same time is counted beside the last mark that has."""
    tasks = [entry(10 + number / 1000, EntryKind.TASK, "look", person="chen") for number in range(7)]
    marks = lanes(replace(record(), entries=tuple(tasks)))["Actions"].marks
    assert [mark.label for mark in marks][-1].endswith("+3")


def test_picture_has_a_legend_of_every_sign_within_its_width():
    """However many kinds of marks there are, each is explained, and none beyond the edge."""
    signs = _legend({look for look, _ in LEGEND})
    assert [sign.look for sign in signs] == [look for look, _ in LEGEND]
    assert all(sign.x + label_room(sign.text) <= WIDTH for sign in signs)


def test_picture_of_many_alerts_stays_small():
    """Names beyond the most are counted, and a thousand alerts of a name are one bar."""
    spans = [
        AlertSpan(name=f"A{number % 20}", source="s", fingerprint=str(number), since=at(number / 100), until=at(50))
        for number in range(1000)
    ]
    found = record_of(incident(), (), kept=spans)
    lane = lanes(found)["Alerts"]
    assert (len(lane.bars), lane.more) == (MOST_ROWS, "and 12 more alerts")
    assert lane.bars[0].label == "A0 x 50"


def test_picture_stacks_marks_that_stand_close():
    """Four above each other; what is more is told by the last."""
    told = [page(number / 100, EntryKind.PAGE_SENT, f"Paged p{number}", f"p{number}") for number in range(12)]
    lane = lanes(record_of(incident(), told))["Pages"]
    assert len(lane.marks) == 4
    assert "Paged p11" in lane.marks[-1].says


@pytest.mark.parametrize("seconds", [0, 1, 59, 90, 3600, 86_400, 40 * 86_400, 800 * 86_400])
def test_axis_names_a_few_round_times(seconds):
    """However long it took: not too many ticks, none outside, and the first day is dated."""
    ended = replace(incident(), resolved_at=incident().declared_at + timedelta(seconds=seconds))
    axis = axis_of(record_of(ended, ()))
    ticks = list(axis.ticks())
    assert 1 <= len(ticks) <= MOST_TICKS + 1
    assert all(LEFT <= tick.x <= WIDTH - RIGHT for tick in ticks)
    assert any(tick.date for tick in ticks)


def test_axis_does_not_show_days_before_an_incident_of_an_hour():
    """An alert that had fired for days begins at the left edge."""
    old = AlertSpan(name="Old", source="s", fingerprint="f", since=at(-5000), until=at(10))
    axis = axis_of(record_of(incident(), (), kept=(old,)))
    assert axis.since > at(-60)
    assert axis.x_of(at(-5000)) == LEFT


def test_axis_places_what_is_outside_at_its_edges():
    """Nothing is drawn beyond the picture."""
    axis = Axis(at(0), at(10))
    assert (axis.x_of(at(-1)), axis.x_of(at(11))) == (LEFT, WIDTH - RIGHT)


def test_labels_are_cut_to_their_room():
    """Wide letters count twice, and less than three letters are none."""
    assert fitting("incident commander", 500) == "incident commander"
    assert fitting("incident commander", 70) == "incident c…"
    assert fitting("incident commander", 12) == ""
    assert len(fitting("警報が発生しました", 60)) < len(fitting("ABCDEFGHI", 60))


def test_picture_of_an_open_incident_goes_on():
    """Its alerts have no end."""
    still = AlertSpan(name="Still", source="s", fingerprint="f", since=at(0))
    told = (entry(5, EntryKind.NOTE, "x", "bo"),)
    (bar,) = lanes(record_of(incident(), told, kept=(still,)))["Alerts"].bars
    assert not bar.ends
    assert bar.says.endswith("and still fires")


def test_documented_example_is_that_of_the_code():
    """The post-mortem and the picture in the documents; `scripts/example-postmortem` renews them."""
    assert (DOCS / "images" / "incident-picture.svg").read_text(encoding="utf-8") == picture_of(record())
    example = as_markdown(draft_of(record(), Postmortem()), picture="../images/incident-picture.svg")
    assert (DOCS / "examples" / "postmortem.md").read_text(encoding="utf-8") == example


def test_picture_counts_a_fold_and_the_alerts_in_it_once():
    """Thirty alerts of a line are thirty, whether or not the single ones are remembered."""
    first = AlertSpan(name="A", source="s", fingerprint="0", since=at(0), until=at(5), count=30)
    others = [replace(first, fingerprint=str(number), count=1) for number in range(1, 30)]
    for kept in ([first], [first, *others]):
        assert lanes(record_of(incident(), (), kept=kept))["Alerts"].bars[0].label == "A x 30"
