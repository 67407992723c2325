"""`absorb`: a storm takes in what would open incidents of its own, and gives it back when it is over."""

from incidents import events

RULES = """
rules:
- {id: critical, match: 'severity="critical"', identity: [service], declare: SEV3}
- id: storm
  criterion: alert_storm
  match: 'alertname!=""'
  identity: [cluster]
  when: {count: {gte: 5, within: 10m}}
  declare: SEV2
  absorb: {for: 30m}
- {id: data, criterion: data_issue, match: 'data_issue="loss"', identity: [service], declare: SEV1}
"""


def storm(play, first: float = 0, **labels: str):
    """A storm that five alerts without a grave one began."""
    stage = play(RULES)
    for number in range(5):
        stage.fires(first, cluster="eu", node=str(number), **labels)
    assert stage.only.rule == "storm"
    return stage


def test_storm_absorbs_what_would_open_an_incident(play):
    """A hundred grave alerts of ten services are one incident and one page."""
    stage = storm(play)
    for number in range(100):
        stage.fires(1, cluster="eu", severity="critical", service=f"s{number % 10}", node=str(number))
    assert len(stage.incidents) == 1
    assert stage.pages == [(0, "amira", "declared")]
    assert stage.simulation.store.tally("INC-2026-0001").firing == 105
    assert stage.kinds().count("finding_added") == 1
    (entry,) = (entry for entry in stage.timeline() if entry.kind == "finding_added")
    assert entry.data["absorbed"] == {"service": "s0"}
    assert stage.decided("critical") == {"holds": 100}


def test_storm_takes_in_the_very_alert_that_begins_it(play):
    """The rule that begins the storm is heard first, so the last alert opens no incident beside it."""
    stage = play(RULES)
    for number in range(4):
        stage.fires(0, cluster="eu", node=str(number))
    stage.fires(0, cluster="eu", severity="critical", service="db")
    assert stage.only.rule == "storm"


def test_storm_of_one_cluster_leaves_the_others_alone(play):
    """Only alerts that bear its whole identity belong to it."""
    stage = storm(play)
    stage.fires(1, cluster="us", severity="critical", service="db")
    stage.fires(1, severity="critical", service="web")
    assert [incident.identity for incident in stage.incidents] == [
        {"cluster": "eu"},
        {"service": "db"},
        {"service": "web"},
    ]


def test_storm_never_hides_a_data_issue(play):
    """The data of customers is an incident of its own, whatever storm there is."""
    stage = storm(play)
    stage.fires(1, cluster="eu", service="db", data_issue="loss")
    assert [incident.rule for incident in stage.incidents] == ["storm", "data"]


def test_storm_leaves_open_incidents_to_themselves(play):
    """What was an incident before the storm goes on as one."""
    stage = play(RULES)
    stage.fires(0, cluster="eu", severity="critical", service="db", node="0")
    for number in range(1, 5):
        stage.fires(1, cluster="eu", node=str(number))
    stage.fires(2, cluster="eu", severity="critical", service="db", node="9")
    tally = stage.simulation.store.tally
    assert (tally("INC-2026-0001").firing, tally("INC-2026-0002").firing) == (2, 6)


def test_storm_that_is_over_gives_back_what_still_fires(play):
    """After its time what it absorbed is judged anew, and what ended meanwhile is no incident."""
    stage = storm(play)
    stage.fires(1, cluster="eu", severity="critical", service="db")
    stage.fires(1, cluster="eu", severity="critical", service="web")
    stage.ends(20, cluster="eu", severity="critical", service="web")
    for number in range(5):
        stage.ends(20, cluster="eu", node=str(number))
    stage.until(60)
    assert [incident.identity for incident in stage.incidents] == [{"cluster": "eu"}, {"service": "db"}]
    assert stage.incidents[1].declared_at == stage.incidents[0].absorbs_until


def test_storm_that_is_dismissed_gives_back_at_once_and_is_not_begun_again(play):
    """A person says that it was none: the alerts that fire are judged by themselves."""
    stage = storm(play)
    stage.fires(1, cluster="eu", severity="critical", service="db")
    stage.tells(5, events.Dismiss(actor="bo", reason="a drill"))
    stage.until(6)
    assert [(each.rule, each.status.value) for each in stage.incidents] == [
        ("storm", "dismissed"),
        ("critical", "declared"),
    ]


def test_storm_that_goes_on_absorbs_for_longer(play):
    """New alerts keep it alive beyond its first half hour."""
    stage = storm(play)
    stage.fires(20, cluster="eu", node="late")
    stage.fires(40, cluster="eu", severity="critical", service="db")
    assert len(stage.incidents) == 1
