"""What tiers do: page, assign, escalate and attach without declaring, and what goes with it."""

DECLARES = "- {id: critical, match: 'severity=\"critical\"', declare: SEV3}\n"


def rules(text: str) -> str:
    return f"rules:\n{DECLARES}{text}"


def test_page_without_declare_calls_people_to_an_open_incident_once(play):
    """It opens none; where one is open, its policy pages once, and the alert belongs to the incident."""
    stage = play(rules("- {id: worse, match: 'kind=\"worse\"', page: backup}\n"))
    stage.fires(0, service="db", kind="worse", node="1")
    assert stage.incidents == []
    stage.fires(1, service="db", severity="critical")
    stage.fires(2, service="db", kind="worse", node="2")
    stage.fires(3, service="db", kind="worse", node="3")
    assert stage.pages == [(1, "amira", "declared"), (2, "bo", "backup")]
    assert stage.simulation.store.tally("INC-2026-0001").firing == 3


def test_assign_without_declare_fills_roles_that_nobody_holds(play):
    """The rotation of the role gives the person; who holds a role already keeps it."""
    oncall = """
people: {amira: {channels: [console]}, cleo: {channels: [console]}}
rotations: {commanders: {order: [amira]}, comms: {order: [cleo]}}
roles: {incident_commander: {rotation: commanders}, communications: {rotation: comms}}
"""
    text = "- {id: visible, match: 'kind=\"visible\"', assign: [communications, incident_commander]}\n"
    stage = play(rules(text), oncall)
    stage.fires(0, service="db", severity="critical")
    stage.fires(1, service="db", kind="visible")
    assert (stage.only.roles.communications, stage.only.roles.incident_commander) == ("cleo", "amira")
    assert stage.kinds().count("role_assigned") == 2


def test_escalate_by_raises_an_open_incident_once(play):
    """Further alerts of the same rule do not raise it again."""
    stage = play(rules("- {id: worse, match: 'kind=\"worse\"', escalate_by: 1}\n"))
    stage.fires(0, service="db", kind="worse", node="0")
    assert stage.incidents == []
    stage.fires(1, service="db", severity="critical")
    for node in "123":
        stage.fires(2, service="db", kind="worse", node=node)
    assert stage.only.severity == "SEV2"


def test_attach_only_joins_and_may_raise_but_never_opens(play):
    """Alone it only counts; with another verb it does that to the open incident."""
    stage = play(
        rules("""
- {id: noise, match: 'kind="noise"', attach_only: true}
- {id: worse, match: 'kind="worse"', attach_only: true, declare: SEV1}
""")
    )
    stage.fires(0, service="db", kind="worse", node="0")
    assert stage.incidents == []
    stage.fires(1, service="db", severity="critical")
    stage.fires(2, service="db", kind="noise")
    assert (stage.only.severity, [finding.rule for finding in stage.only.findings]) == ("SEV3", ["critical"])
    stage.fires(3, service="db", kind="worse", node="1")
    assert stage.only.severity == "SEV1"


def test_findings_bring_stakeholders_and_objectives(play):
    """Those of the rule and those of the severity are told once each; objectives of every finding must be met."""
    stage = play(
        rules("""
- id: data-loss
  criterion: data_issue
  match: 'data_issue="loss"'
  declare: SEV1
  stakeholders: [legal]
  restricted: true
  objectives: [{id: verified, text: verified, manual: true}]
""")
    )
    stage.fires(0, service="db", severity="critical")
    assert stage.only.stakeholders == ()
    stage.fires(1, service="db", data_issue="loss")
    assert [each.name for each in stage.only.stakeholders] == ["legal", "management"]
    assert [entry.data["name"] for entry in stage.timeline() if entry.kind == "stakeholder_added"] == [
        "legal",
        "management",
    ]
    assert [objective.id for objective in stage.only.objectives] == ["alerts-clear", "verified"]
    assert stage.only.restricted


def test_longer_clear_time_of_a_second_finding_is_waited_for(play):
    """The incident resolves by itself when the longest of the times has passed, and not never."""
    stage = play(
        rules("- {id: slow, match: 'kind=\"slow\"', declare: SEV3, objectives: [{id: calm, alerts_clear_for: 1h}]}\n")
    )
    stage.fires(0, service="db", severity="critical")
    stage.ends(10, service="db", severity="critical")
    stage.fires(20, service="db", kind="slow")
    stage.ends(21, service="db", kind="slow")
    stage.until(80.9)
    assert stage.only.is_open
    stage.until(81)
    assert not stage.only.is_open
