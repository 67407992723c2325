"""Incidents with the names of the API."""

from example_record import incident
from msgspec.structs import replace

from incidents.incident import AlertTally
from incidents.presentation import incident_json


def test_presentation_counts_the_alerts_of_a_merged_incident_once():
    """They are counted with the incident that goes on, and fire there alone."""
    tally = AlertTally(firing=2, resolved=1)
    assert incident_json(incident(), tally)["alerts"] == {"firing": 2, "resolved": 1}
    merged = replace(incident(), merged_into="INC-2026-0043")
    assert incident_json(merged, tally)["alerts"] == {"firing": 0, "resolved": 0}
