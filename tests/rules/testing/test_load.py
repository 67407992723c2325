"""Reading test files: every mistake is named where it stands."""

import pytest

HEAD = "tests:\n- name: a\n  events: [{event}]\n  expect: [{expect}]\n"
NOTHING = "{at: 1m, no_incidents: true}"

EVENTS = {
    "{at: 5, firing: {a: b}}": "E205",
    "{firing: {a: b}}": "E203",
    "{at: 1m}": "E604",
    "{at: 1m, fireing: {a: b}}": "E202",
    "{at: 1m, firing: {}}": "E604",
    "{at: 1m, firing: {a: 5}}": "E201",
    "{at: 1m, firing: {a: b}, by: me}": "E604",
    "{at: 1m, acknowledge: INC-1}": "E203",
    "{at: 1m, acknowledge: INC-1, resolve: INC-1, by: bo}": "E604",
    "{at: 1m, heartbeat: eu, repeat: 3}": "E604",
    "{at: 1m, escalate: INC-1, by: bo}": "E604",
    "{at: 1m, escalate: INC-1, by: bo, severity: SEV7}": "E204",
    "{at: 1m, firing: {a: b}, repeat: 0}": "E206",
    "{at: 400d, heartbeat: eu}": "E206",
    "{at: 1m, fact: {slo: web}}": "E604",
    "{at: 1m, fact: {slo: web, query: up, value: 1}}": "E604",
    "{at: 1m, touch: {a: b}, did: sang}": "E204",
    "nonsense": "E201",
}
EXPECTATIONS = {
    "{at: 1m}": "E602",
    "{at: 1m, no_pages: false}": "E602",
    "{at: 1m, no_incidents: true, incidents: []}": "E602",
    "{at: 1m, incidents: {}}": "E201",
    "{at: 1m, incidents: [{sevrity: SEV1}]}": "E202",
    "{at: 1m, incidents: [{severity: SEV9}]}": "E204",
    "{at: 1m, pages: [{at: soon}]}": "E205",
    "{at: 1m, timeline: [{kind: alert_fire}]}": "E204",
}


@pytest.mark.parametrize(("event", "code"), EVENTS.items())
def test_load_names_what_is_wrong_with_an_event(load, event, code):
    """One mistake, one problem, on the event's line."""
    file = load(HEAD.replace("{event}", event).replace("{expect}", NOTHING))
    assert [(problem.code, problem.line) for problem in file.problems] == [(code, 3)]


@pytest.mark.parametrize(("expectation", "code"), EXPECTATIONS.items())
def test_load_names_what_is_wrong_with_an_expectation(load, expectation, code):
    """One mistake, one problem, on the expectation's line."""
    file = load(HEAD.replace("{event}", "").replace("{expect}", expectation))
    assert [(problem.code, problem.line) for problem in file.problems] == [(code, 4)]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["E601"]),
        ("tests: []", ["E601"]),
        ("test: []", ["E202", "E601"]),
        ("tests: [{name: a}]", ["E203"]),
        ("tests: [{name: a, expect: []}]", ["E602"]),
        (f"tests: [{{name: a, todo: '', expect: [{NOTHING}]}}]", ["E603"]),
        (f"tests: [{{name: a, expect: [{NOTHING}]}}, {{name: a, expect: [{NOTHING}]}}]", ["E305"]),
        (f"start: monday\ntests: [{{name: a, expect: [{NOTHING}]}}]", ["E402"]),
        ("a: [\n", ["E101"]),
    ],
)
def test_load_names_what_is_wrong_with_a_file(load, text, codes):
    """A file without tests, a test without a name, without expectations or twice, a start that is no instant."""
    assert [problem.code for problem in load(text).problems] == codes


def test_load_suggests_what_may_be_meant(load):
    """A misspelt key comes with the right one."""
    (problem,) = load(HEAD.replace("{event}", "{at: 1m, fireing: {a: b}}").replace("{expect}", NOTHING)).problems
    assert "did you mean 'firing'?" in str(problem)


def test_load_spreads_what_is_repeated(load):
    """Four alerts over eight minutes come every two minutes."""
    file = load(HEAD.replace("{event}", "{at: 1m, firing: {a: b}, repeat: 4, over: 8m}").replace("{expect}", NOTHING))
    assert [step.at.total_seconds() / 60 for step in file.tests[0].steps] == [1, 3, 5, 7]
