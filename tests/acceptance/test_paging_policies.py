"""What starts and ends the clocks of people, under `tocsin serve` with short waits: work that drags on, handovers,
hours of a policy, silence after an acknowledgement, an acknowledgement that ends in PagerDuty, and shifts that
stand in a calendar.
"""

import hashlib
import hmac
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from calendar_texts import calendar, event
from installation import Installation, firing
from page_sink import Answer, PageSink
from pagerduty_look_alike import KEY, PagerDutyLookAlike
from programs import Programs, eventually

pytestmark = pytest.mark.acceptance

SECRET = "signing-secret-of-the-policies"
CALENDAR_PATH = "/oncall.ics"
LONG = 60.0  # nothing here is held against the clock
# Each has people of its own, so that no page waits for those of another test.
TEAMS = {
    "worked": "",
    "handed": "",
    "office": "hours: {{weekdays: [{day}], from: '09:00', until: '10:00'}}, ",
    "silent": "repage_after: 3s, ",
    "mirrored": "",
    "planned": "",
}
RULES = """
defaults: {identity: [service], reopen_within: 30m}
rules:
- {id: worked-on, criterion: time_spent, match: 'service="worked"', when: {worked_for: 2s}, declare: SEV3, page: backup}
- {id: dragging-on, on: incident, criterion: time_spent, match: 'service="worked"', when: {open_for: 6s}, page: backup}
- {id: critical, match: ['severity="critical"', 'service!="worked"'], declare: SEV2}
"""


def oncall(sink, pagerduty, calendars):
    """The on-call settings: a team for each test, whose first commander is NAME-1 and whose next is NAME-2."""
    now = datetime.now(UTC)
    people = [f"{name}-{number}" for name in TEAMS for number in (1, 2)]
    lines = ["people:", *(f"  {name}: {{channels: [{{webhook: {{url: '{sink.url}'}}}}]}}" for name in people)]
    lines += ["  bridge:", f"    channels: [{{pagerduty: {{routing_key: {KEY}, url: '{pagerduty.events_url}'}}}}]"]
    lines.append("rotations:")
    handoff = f"{{every: 52w, at: '00:00', starting: {now.date()}}}"
    lines += [f"  {name}: {{handoff: {handoff}, order: [{name}-1, {name}-2]}}" for name in TEAMS if name != "planned"]
    lines.append(f"  planned: {{calendar: {{url: '{calendars.url_for(CALENDAR_PATH)}', refresh: 1m}}}}")
    lines.append("teams:")
    for name in TEAMS:
        role = f"{{incident_commander: {{rotation: {name}}}}}"
        lines.append(f"  {name}: {{match: 'service=\"{name}\"', roles: {role}, paging: {name}}}")
    lines += ["paging:", "  backup: {steps: [{page: rotation:worked+1, acknowledge_within: 30m}]}"]
    day = (now + timedelta(days=3)).strftime("%a").lower()
    for name, more in TEAMS.items():
        whom = "[bridge, mirrored-1]" if name == "mirrored" else "incident_commander"
        steps = f"steps: [{{page: {whom}, acknowledge_within: 30m}}]"
        lines.append(f"  {name}: {{{more.format(day=day)}{steps}}}")
    return "\n".join(lines)


class Stage:
    """An installation that runs, with what its pages go to."""

    def __init__(self, installation, sink, pagerduty):
        self.installation, self.sink, self.pagerduty = installation, sink, pagerduty

    def page(self, person, **fields):
        return self.sink.expect_page(timeout=LONG, person=person, **fields)

    def told(self, person, text):
        """Wait for a message to somebody that is no page."""
        message = self.sink.expect_message(timeout=LONG, type="announcement", person=person)
        assert text in message["text"]

    def declared(self, service):
        """Let something fire, and return the page of it."""
        self.installation.post(firing(service=service))
        return self.page(f"{service}-1", reason="declared")

    def incident(self, name):
        return self.installation.get(f"/incidents/{name}")

    def until(self, name, condition, what):
        """Wait until something holds for an incident."""
        eventually(lambda: condition(self.incident(name)), timeout=LONG, what=what, poll=0.1)

    def says(self, kind, **data):
        """Post a V3 webhook as PagerDuty does, of right now."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        whole = {"type": "incident", "status": "triggered", "title": "Slow", "urgency": "low", "created_at": at, **data}
        agent = {"type": "user_reference", "summary": "Maeve Okafor"}
        event = {"id": f"{kind}-{at}", "event_type": f"incident.{kind}", "occurred_at": at, "agent": agent}
        body = json.dumps({"event": event | {"data": whole}}).encode()
        signature = "v1=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-PagerDuty-Signature": signature}
        answer = requests.post(f"{self.installation.url}/webhooks/pagerduty", body, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text


@pytest.fixture(scope="module")
def stage():
    """One that runs, for all tests here."""
    sink, pagerduty, calendars = PageSink(), PagerDutyLookAlike(), PageSink()
    calendars.always(Answer(body=calendar(event("planned-1", "20260101", "20991231")).encode()), path=CALENDAR_PATH)
    with tempfile.TemporaryDirectory(prefix="tocsin-") as directory:
        programs = Programs(Path(directory))
        try:
            installation = Installation(programs, sink.url)
            text = installation.config.read_text()
            source = f'sources:\n- {{name: pd, kind: pagerduty, signing_secrets: ["{SECRET}"]}}'
            installation.config.write_text(text.replace("sources:", source))
            (installation.rules / "oncall.yml").write_text(oncall(sink, pagerduty, calendars))
            installation.write_rules(RULES)
            serving = installation.serve()
            yield Stage(installation, sink, pagerduty)
            sink.assert_all_claimed()
            serving.stop()
        finally:
            programs.end()
            sink.close()
            pagerduty.close()
            calendars.close()


def test_policy_calls_backup_from_an_alert_without_an_incident_to_an_incident_open_too_long(stage):
    """Somebody acknowledged an alert in PagerDuty and works on it for long; then the incident of that drags on too."""
    alert = {"id": "PWORKED", "service": {"summary": "worked"}}
    stage.says("triggered", **alert)
    assert stage.installation.settled()["pending"] == 0
    assert [each for each in stage.installation.incidents() if each["identity"] == {"service": "worked"}] == []
    stage.says("acknowledged", status="acknowledged", **alert)
    page = stage.page("worked-2")
    incident = page["incident"]["id"]
    assert stage.incident(incident)["rule"] == "worked-on"
    stage.told("worked-1", "worked-1 is the incident commander")
    stage.installation.act(incident, "acknowledge")
    stage.page("worked-2", reason="backup")


def test_policy_handover_keeps_the_old_commander_until_the_new_one_acknowledges(stage):
    """The successor is paged with a brief; only that acknowledgement hands over."""
    incident = stage.declared("handed")["incident"]["id"]
    stage.installation.act(incident, "acknowledge")
    stage.installation.act(incident, "roles", role="incident_commander", person="handed-2")
    page = stage.page("handed-2")
    assert stage.incident(incident)["roles"]["incident_commander"] == "handed-1"
    assert requests.post(page["acknowledge_url"], timeout=60).status_code == 200
    stage.until(incident, lambda one: one["roles"]["incident_commander"] == "handed-2", "the new commander")
    assert len(stage.installation.timeline(incident, "handed_over")) == 1
    stage.told("handed-1", "handed-1 handed over to handed-2")


def test_policy_waits_for_its_hours_unless_it_is_grave(stage):
    """Nobody is paged today, which the timeline says with the instant; a SEV1 pages at once."""
    stage.installation.post(firing(service="office"))

    def waiting():
        found = [each["id"] for each in stage.installation.incidents() if each["identity"] == {"service": "office"}]
        return found and stage.installation.timeline(found[0], "page_suppressed")

    (entry, *_) = eventually(waiting, timeout=LONG, what="an incident that waits for hours", poll=0.1)
    assert entry["data"]["reason"] == "hours"
    assert datetime.fromisoformat(entry["data"]["due"]) - datetime.now(UTC) > timedelta(days=1)
    assert not [one for one in stage.sink.received if "office-1" in one.body.decode()]
    (incident,) = [each for each in stage.installation.incidents() if each["identity"] == {"service": "office"}]
    stage.installation.act(incident["id"], "escalate", severity="SEV1")
    stage.page("office-1")
    stage.installation.act(incident["id"], "acknowledge")


def test_policy_pages_again_after_silence(stage):
    """Somebody acknowledged and was not heard of again."""
    incident = stage.declared("silent")["incident"]["id"]
    stage.installation.act(incident, "acknowledge")
    page = stage.page("silent-1", reason="unacknowledged")
    assert page["incident"]["id"] == incident
    stage.installation.act(incident, "mitigate")


def test_policy_begins_again_when_an_acknowledgement_ends_in_pagerduty(stage):
    """Our own page, acknowledged there and then no more: the clock stops and starts, here as there."""
    page = stage.declared("mirrored")
    incident, key = page["incident"]["id"], page["dedup_key"]
    stage.pagerduty.expect_event("trigger", timeout=LONG, dedup_key=key)
    ours = {"id": "PMIRROR", "incident_key": key, "service": {"summary": "mirrored"}}
    stage.says("acknowledged", status="acknowledged", **ours)
    stage.until(incident, lambda one: one["status"] == "acknowledged", "the acknowledgement made there")
    stage.says("unacknowledged", **ours)
    stage.page("mirrored-1", reason="unacknowledged")
    stage.pagerduty.expect_event("trigger", timeout=LONG, dedup_key=key)
    assert stage.incident(incident)["status"] == "declared"
    assert len([each for each in stage.installation.incidents() if each["identity"] == {"service": "mirrored"}]) == 1
    stage.installation.act(incident, "acknowledge")


def test_policy_pages_whoever_the_calendar_names(stage):
    """The facts worker reads it, and what it says is in force everywhere."""

    def commander():
        return stage.installation.get("/oncall?team=planned")["incident_commander"]["person"]

    eventually(lambda: commander() == "planned-1", timeout=LONG, what="the calendar in force", poll=0.1)
    incident = stage.declared("planned")["incident"]["id"]
    assert stage.incident(incident)["roles"]["incident_commander"] == "planned-1"
    listed = stage.installation.get("/oncall/unreachable")["unreachable"]
    assert [each for each in listed if each["what"] in {"calendar", "rotation"}] == []
    stage.installation.act(incident, "acknowledge")
