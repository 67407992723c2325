"""The report of a backtest: one page without script, in which an alert's text is only text."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from incidents.values import Criterion, Severity
from rules.backtest.compare import compare
from rules.backtest.outcome import Outcome, RuleLoad, WouldBe, WouldPage
from rules.backtest.picture import clock_of, render_html

SINCE = datetime(2026, 10, 1, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"


def outcome(title: str = "It burns") -> Outcome:
    """Return a month with one incident and one page at night."""
    at = SINCE + timedelta(days=3, hours=2, minutes=30)
    incident = WouldBe(
        id="INC-2026-0001",
        title=title,
        rule="critical",
        criterion=Criterion.OTHER,
        severity=Severity.SEV2,
        identity={"service": title},
        identity_key="x",
        rules=("critical",),
        declared_at=at,
        ended_at=None,
        alerts=frozenset({"a"}),
    )
    page = WouldPage(
        incident=incident.id,
        rule="critical",
        severity=Severity.SEV2,
        person=title,
        reason="declared",
        at=at,
        local=at,
    )
    return Outcome(
        since=SINCE,
        until=SINCE + timedelta(days=30),
        ruleset="abc",
        events=2,
        alerts=1,
        alerts_without_incident=0,
        incidents=(incident,),
        pages=(page,),
        rules=(RuleLoad(rule="critical", incidents=1, pages=1, night_pages=1, held=1), RuleLoad(rule="idle")),
    )


class Tags(HTMLParser):
    """Collects the tags of a page, and what is open at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag."""
        self.seen.append(tag)


def test_picture_sets_each_page_on_its_day_and_hour():
    """A page at half past two on the fourth day stands in the night, in the column of that day."""
    clock = clock_of(outcome())
    (dot,) = clock.dots
    top, height = clock.nights[0]
    assert top < dot.y < top + height
    assert round((dot.x - clock.left) / (clock.width - clock.left) * 30) in {3, 4}


def test_report_is_one_page_without_script():
    """Whatever an alert is called, it makes no markup; idle rules are named."""
    html = render_html(outcome(HOSTILE), compare(outcome(HOSTILE), outcome()))
    tags = Tags()
    tags.feed(html)
    assert "script" not in tags.seen
    assert {"svg", "circle", "table"} <= set(tags.seen)
    assert "&lt;script&gt;" in html
    assert "Never held: idle." in html


def test_report_of_nothing_is_a_report():
    """Rules that declare nothing have a report too."""
    empty = Outcome(
        since=SINCE,
        until=SINCE + timedelta(hours=1),
        ruleset="abc",
        events=0,
        alerts=0,
        alerts_without_incident=0,
        incidents=(),
        pages=(),
        rules=(),
    )
    assert "incidents" in render_html(empty)
