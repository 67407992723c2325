"""Running tests of rules: what passes, what fails, and the reason that is given."""

import textwrap

import pytest
from builders import rule_set

from rules.testing.coverage import Seen
from rules.testing.run import run_test

ALERT = "{at: 0m, firing: {alertname: Disk, severity: critical, service: db}}"


def one(run, expect: str, *events: str, **options):
    """Run one test; return its only result."""
    listed = "".join(f"\n  - {event}" for event in events or (ALERT,))
    (result,) = run(f"tests:\n- name: a\n  events:{listed}\n  expect:\n  - {expect}\n", **options).results
    return result


def why(run, expect: str, *events: str) -> str:
    """Run one test that fails in one place; return the reason that is given."""
    result = one(run, expect, *events)
    (failure,) = result.failures
    return " | ".join(failure.why)


PASSING = [
    "{at: 4m, no_incidents: true, no_pages: true, escalations: []}",
    "{at: 5m, incidents: [{severity: SEV3, alerts: {firing: 1, resolved: 0}, findings: [critical], declared_at: 5m}]}",
    "{at: 5m, incidents: [{id: INC-2026-0001, timeline: [{kind: incident_declared}, {kind: page_sent, text: amira}]}]}",
    "{at: 10m, pages: [{to: amira, at: 5m}, {to: bo, at: 10m, step: 2, reason: unacknowledged}]}",
    "{at: 10m, escalations: [{to: bo}], no_timeline: [{kind: page_exhausted}]}",
    "{at: 30m, incidents: [{severity: SEV1}], timeline: [{kind: severity_changed, at: 30m}]}",
]


@pytest.mark.parametrize("expect", PASSING)
def test_run_passes_what_is_so(run, expect):
    """Each of these is true of a critical alert."""
    assert one(run, expect).failures == ()


def test_run_gives_the_condition_that_missed_and_when_it_may_hold(run):
    """An incident that is not there yet: which condition of which tier, by how much, and when."""
    said = why(run, "{at: 4m, incidents: [{rule: critical}]}")
    assert "rule critical on Disk" in said
    assert "tier 2: firing_for 4m, wanted 5m" in said
    assert "looked at again at 5m" in said


def test_run_gives_the_matcher_that_missed(run):
    """An alert that no rule matches: which matcher, and the value of the label."""
    event = "{at: 0m, firing: {alertname: Disk, severity: page, service: db}}"
    said = why(run, "{at: 9m, incidents: [{rule: critical}]}", event)
    assert """severity="critical" is wanted, severity is 'page'""" in said


@pytest.mark.parametrize(
    ("expect", "events", "reason"),
    [
        ("{at: 9m, incidents: [{rule: watched}]}", ["{at: 0m, firing: {severity: info}}"], "is in mode shadow"),
        ("{at: 9m, incidents: [{rule: nope}]}", [ALERT], "there is no rule nope"),
        ("{at: 9m, incidents: [{rule: rollbacks}, {rule: critical}]}", [ALERT], "nothing has matched rule rollbacks"),
        ("{at: 9m, incidents: [{identity: {service: web}}]}", ["{at: 0m, heartbeat_silent: x}"], "has fired by now"),
        (
            "{at: 9m, incidents: [{identity: {service: db}}]}",
            [ALERT, "{at: 1m, resolved: {alertname: Disk, severity: critical, service: db}}"],
            "ended at 1m",
        ),
        ("{at: 5m, incidents: [{severity: SEV1}]}", [ALERT], "tier 1: firing_for 5m, wanted 30m"),
        ("{at: 9m, no_incidents: true}", [ALERT], "SEV3 declared by rule critical"),
        ("{at: 5m, incidents: [{status: resolved}]}", [ALERT], "INC-2026-0001 at 5m"),
        ("{at: 2m, pages: [{to: amira}]}", [ALERT], "no incident has been declared by now"),
        ("{at: 6m, pages: [{to: amira}, {to: bo}]}", [ALERT], "the next step is due at 10m"),
        (
            "{at: 20m, pages: [{to: amira}, {to: bo}]}",
            [ALERT, "{at: 6m, acknowledge: {service: db}, by: bo}"],
            "bo acknowledged at 6m",
        ),
        ("{at: 9m, timeline: [{kind: resolved}]}", [ALERT], "no entry of the kind resolved"),
        ("{at: 9m, timeline: [{kind: page_sent}, {kind: incident_declared}]}", [ALERT], "before one that is listed"),
    ],
)
def test_run_says_why(run, expect, events, reason):
    """Whatever is missing or too much comes with its reason."""
    result = one(run, expect, *events)
    assert any(reason in line for failure in result.failures for line in failure.why), result.failures


def test_run_fails_an_unexpected_incident(run):
    """A list of incidents is complete: one more fails the test, and is shown."""
    second = "{at: 0m, firing: {alertname: Disk, severity: critical, service: web}}"
    (failure,) = one(run, "{at: 5m, incidents: [{identity: {service: db}}]}", ALERT, second).failures
    assert (failure.expected, failure.subject) == ("", "incidents")
    assert "identity: {service: web}" in failure.got


def test_run_pairs_each_expectation_with_its_own_incident(run):
    """A vague expectation does not take the incident that a precise one needs."""
    second = "{at: 0m, firing: {alertname: Disk, severity: critical, service: web}}"
    expect = "{at: 5m, incidents: [{severity: SEV3}, {severity: SEV3, identity: {service: db}}]}"
    assert one(run, expect, ALERT, second).failures == ()


def test_run_fails_an_event_that_cannot_happen(run):
    """Acknowledging what is not there fails the test at the event's place."""
    (failure,) = one(run, "{at: 5m, no_incidents: true}", "{at: 1m, acknowledge: {service: db}, by: bo}").failures
    assert (failure.subject, failure.line, failure.at) == ("event", 4, "1m")
    assert 'service="db"' in failure.got


@pytest.mark.parametrize(("expect", "outcome"), [("no_incidents: true", "todo"), ("incidents: [{}]", "passes_now")])
def test_run_of_a_todo(run, expect, outcome):
    """What is known to fail does not count as failed; once it passes, it says so."""
    text = f"tests: [{{name: a, todo: later, events: [{ALERT}], expect: [{{at: 5m, {expect}}}]}}]"
    assert run(text).results[0].outcome == outcome


def test_run_lets_people_act(run):
    """Everything that a person can do to an incident can be told."""
    done = one(
        run,
        "{at: 9m, incidents: [{status: declared}, {status: dismissed, title: Odd}], timeline: [{kind: reopened}]}",
        ALERT,
        "{at: 5m, note: hm, incident: INC-2026-0001, by: bo}",
        "{at: 5m, escalate: INC-2026-0001, by: bo, severity: SEV1}",
        "{at: 6m, mitigate: {service: db}, by: bo, text: shed load}",
        "{at: 7m, resolve: {service: db}, by: bo, override: the alert is wrong}",
        "{at: 8m, reopen: {service: db}, by: bo}",
        "{at: 8m, declare: Odd, severity: SEV4, identity: {service: x}, by: bo}",
        "{at: 9m, dismiss: {service: x}, by: bo, text: it was none}",
    )
    assert done.failures == ()


def test_run_gives_answers_of_prometheus(run):
    """An answer holds until another one comes."""
    rules = """
rules:
- id: backlog
  match: 'alertname="Backlog"'
  when: {query: {promql: 'sum(jobs)', gte: 100}}
  declare: SEV2
"""
    done = one(
        run,
        "{at: 62m, incidents: [{rule: backlog}]}",
        "{at: 0m, fact: {query: sum(jobs), value: 99}}",
        "{at: 5m, firing: {alertname: Backlog, service: web}}",
        "{at: 1h, fact: {query: sum(jobs), value: 100}}",
        rules=rules,
    )
    assert done.failures == ()


def test_run_that_raises_fails_alone(load):
    """A fault of ours in one test is that test's failure, and the others go on."""

    class Broken(Seen):
        def feed(self, event):
            raise RuntimeError("boom")

    rules = rule_set()
    (test,) = load(f"tests: [{{name: a, events: [{ALERT}], expect: [{{at: 1m, no_pages: true}}]}}]").tests
    (failure,) = run_test("x_test.yml", test, rules, Broken(rules)).failures
    assert failure.got == "deciding raised RuntimeError: boom"


def test_run_expects_what_a_rule_in_shadow_mode_would_declare(run):
    """Each incident that would have been, once; what is not listed must not be there."""
    test = """
        tests:
        - name: shadow
          events:
          - {at: 1m, firing: {severity: info, service: db, instance: a}}
          - {at: 2m, firing: {severity: info, service: db, instance: b}}
          expect:
          - {at: 0m, would_declare: []}
          - {at: 2m, no_incidents: true, would_declare: [%s]}
    """
    item = "{rule: watched, severity: SEV4, identity: {service: db}, declared_at: 1m, alerts: 2}"
    assert [result.outcome for result in run(test % item).results] == ["passed"]
    (failed,) = run(test % "").results[0].failures
    assert (failed.subject, failed.expected) == ("would_declare", "")


FIRES = "{at: 0m, firing: {alertname: DiskFull, severity: critical, service: db}}"


@pytest.mark.parametrize(
    ("event", "expected", "said"),
    [
        ("{at: 0m, unreachable: zorro}", "{at: 6m, no_pages: true}", "there is no person 'zorro'; there is amira, bo"),
        (FIRES, "{at: 6m, pages: [{to: Amira}]}", "there is no person Amira (did you mean 'amira'?)"),
        (FIRES, "{at: 6m, incidents: [{rule: critcal}]}", "there is no rule critcal (did you mean 'critical'?)"),
        (FIRES, "{at: 6m, incidents: [{status: resolved}]}", 'DiskFull{severity="critical", service="db"} still fires'),
        (FIRES, "{at: 6m, would_declare: [{rule: critical}]}", "rule critical is in mode enforce, not shadow"),
    ],
)
def test_run_says_what_a_slip_of_the_pen_means(run, event, expected, said):
    """Names that there are not, and what is expected in the wrong place, are said in so many words."""
    (result,) = run(f"tests: [{{name: slip, events: [{event}], expect: [{expected}]}}]").results
    assert result.outcome == "failed"
    assert any(said in text for failure in result.failures for text in (failure.got, *failure.why))


def test_run_shows_only_the_first_of_many_that_nobody_expected(run):
    """A storm does not fill the screen: five are shown, and the others counted."""
    event = "{at: 0m, firing: {alertname: Disk, severity: critical, service: 's{{ n }}'}, repeat: 9}"
    failures = one(run, "{at: 6m, no_incidents: true}", event).failures
    assert [failure.got for failure in failures][5:] == ["4 more that are not expected"]


def test_run_says_which_objective_keeps_an_incident_open(run):
    """What still fires, and the objective that is not met."""
    rules = """
    rules:
    - id: asks
      match: 'severity="critical"'
      declare: SEV3
      objectives: [{id: intact, text: The data is intact, manual: true}]
    """
    (failure,) = one(run, "{at: 5m, incidents: [{status: resolved}]}", rules=textwrap.dedent(rules)).failures
    assert "its objective intact is not met: The data is intact" in failure.why


def test_run_says_of_a_page_that_is_no_escalation(run):
    """The first page is expected under pages, for nobody was late by then."""
    said = why(run, "{at: 6m, escalations: [{to: amira}]}")
    assert "there is {to: amira, step: 1, round: 1, reason: declared, at: 5m}, which is expected under pages" in said
