"""The incident in a few sentences: what a reader who reads no further has to know, and nothing that nobody knows."""

from example_record import at, entry, incident, record, role
from msgspec.structs import replace

from incidents.postmortem.in_short import in_short
from incidents.postmortem.numbers import numbers_of
from incidents.postmortem.record import record_of
from incidents.timeline import EntryKind
from incidents.values import IncidentStatus, Severity


def said(found):
    return " ".join(in_short(found, numbers_of(found)))


def of(*told, **changes):
    return said(record_of(replace(incident(), **changes), told))


DECLARED = entry(0, EntryKind.INCIDENT_DECLARED, "declared", "bo", severity="SEV2")
BARE = {"rule": None, "burnt": (), "post_incident_actions": (), "acknowledged_at": None, "mitigated_at": None}


def test_in_short_of_the_example():
    """Who noticed it when, how grave it was, who was on it, how long it took, who was told, what is planned."""
    assert said(record()) == (
        "The rule data-loss declared it at 2026-11-02 03:04:12 UTC as SEV2, 6 min 12 s after its first alert began."
        " It was SEV1 at its gravest, for 1 h 2 min. amira, then bo commanded it."
        " It was acknowledged after 4 min 6 s, mitigated after 24 min and resolved after 1 h 11 min."
        " 2 pages went to 2 people; 2 attempts failed."
        " What was done about it: rollback (eli), restart (finn). Who was told: customers twice."
        " It burnt 27.4 of the 43.2 minutes of the error budget of orders-stored."
        " 2 post-incident actions stand in the plan, 1 done."
    )


def test_in_short_of_what_nobody_looked_at():
    """What did not happen is said, where it should have."""
    assert of(DECLARED, **BARE, status=IncidentStatus.DECLARED, resolved_at=None) == (
        "bo declared it by hand at 2026-11-02 03:04:12 UTC as SEV2. Nobody commanded it. Nobody acknowledged it."
        " It is not over yet. Nobody was paged. No audience was told of it."
    )


def test_in_short_of_what_was_no_incident():
    """A dismissal says so; of a light one nobody had to be told."""
    text = of(DECLARED, **BARE, status=IncidentStatus.DISMISSED, resolved_at=at(3), severity=Severity.SEV3)
    assert "It was dismissed after 3 min: it was no incident." in text
    assert "told" not in text


def test_in_short_names_a_few_of_many():
    """Ten commanders after one another are five and how many more."""
    roles = [role(minute, "incident_commander", f"p{minute}", "x") for minute in range(10)]
    assert "p0, then p1, then p2, then p3, then p4, then 5 more commanded it." in of(DECLARED, *roles)
