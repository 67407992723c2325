"""What the page of an incident says in words: why paging waits, who was asked to take over, why it is an incident."""

from collections.abc import Mapping

from incidents.incident import Finding, Handover, Incident
from incidents.maintenance import Maintenance
from incidents.store import maintenance as store
from incidents.values import Criterion
from receiver.web.rendering import iso
from receiver.web.route import Visit

# What the practice says of each criterion, as it stands behind the name of a rule; `other` says nothing of its own.
_SAYS: Mapping[Criterion, str] = {
    Criterion.SLO_BREACH: "an objective is about to be missed",
    Criterion.CORRECTIVE_ACTION: "it takes a major change to mend it",
    Criterion.TIME_SPENT: "somebody has been on it for too long",
    Criterion.DATA_ISSUE: "data was lost, corrupted or seen",
    Criterion.CUSTOMER_VISIBLE: "customers can see it",
    Criterion.ALERT_STORM: "very many alerts at once",
    Criterion.SIGNAL_LOST: "a signal does not come any more",
}


def why_of(finding: Finding) -> str:
    """Return why a finding makes an incident, in words; empty where the rule does not say."""
    return _SAYS.get(finding.criterion, "")


def holding(visit: Visit, incident: Incident) -> list[Maintenance]:
    """Return the maintenance that holds the pages of an incident back; one that is forgotten has no comment."""
    holds = incident.paging.holds if incident.paging is not None else ()
    if not holds:
        return []
    known = {each.id: each for each in visit.services.api.rule_set().maintenance}
    known |= {each.id: each for each in store.planned(visit.services.api.links)}
    return [known.get(hold.id) or Maintenance(id=hold.id, match="") for hold in holds]


def handing_over(incident: Incident) -> Handover | None:
    """Return the handover that waits for its successor, None where none does."""
    return incident.handover if incident.is_open else None


def handover_text(incident: Incident) -> str:
    """Return the handover that waits as a row of plain text, empty where none does."""
    asked = handing_over(incident)
    if asked is None:
        return ""
    holder = incident.roles.incident_commander or "nobody"
    since = f"{asked.to} was asked by {asked.by} at {iso(asked.at)}"
    return f"Handover: {since}; {holder} commands until {asked.to} acknowledges"
