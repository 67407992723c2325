"""Texts for audiences, filled from an incident: `{{ summary }}` and a few more, no expressions. Pure.

A default for each kind of audience is shipped; what is put in is data, and never read as a template.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from incidents.document.review import in_words
from incidents.incident import Incident
from incidents.oncall import CUSTOMERS, EXTERNAL, INTERNAL
from incidents.presentation import instant
from incidents.values import IncidentStatus

MAX_TEMPLATE = 4000  # characters
NAMES = ("summary", "title", "id", "severity", "status", "began", "age", "next_update")
_HOLE = re.compile(r"\{\{\s*([A-Za-z_.]*)\s*\}\}")
_FOR_OTHERS = """{{ status }}: {{ summary }}

It began at {{ began }}. {{ next_update }}"""
DEFAULTS: Mapping[str, str] = {
    INTERNAL: """{{ id }} ({{ severity }}), {{ status }} for {{ age }}: {{ title }}

{{ summary }}

{{ next_update }}""",
    EXTERNAL: _FOR_OTHERS,
    CUSTOMERS: _FOR_OTHERS,
}
# What those outside understand; within the house the words of the design are used.
_STATUS_FOR_OTHERS = {
    IncidentStatus.DECLARED: "We are looking into a problem",
    IncidentStatus.ACKNOWLEDGED: "We are working on a problem",
    IncidentStatus.MITIGATED: "The problem is mitigated, and we keep watching it",
    IncidentStatus.RESOLVED: "The problem is solved",
    IncidentStatus.DISMISSED: "There was no problem",
}
NO_SUMMARY = "We will tell more as soon as we know it."


def unknown_names(template: str) -> list[str]:
    """Return what a template names that there is not."""
    return [name for name in _HOLE.findall(template) if name not in NAMES]


def filled(template: str, kind: str, incident: Incident, next_update: datetime | None, now: datetime) -> str:
    """Return a template (empty: that of the kind of audience) with every hole filled."""
    is_internal = kind == INTERNAL
    update = f"The next update follows by {_hour(next_update)}." if next_update is not None and incident.is_open else ""
    values = {
        "summary": incident.summary or (incident.title if is_internal else NO_SUMMARY),
        "title": incident.title,
        "id": incident.id,
        "severity": incident.severity.value,
        "status": incident.status.value if is_internal else _STATUS_FOR_OTHERS[incident.status],
        "began": instant(incident.declared_at) if is_internal else _hour(incident.declared_at),
        "age": in_words((incident.resolved_at or now) - incident.declared_at),
        "next_update": update,
    }
    text = _HOLE.sub(lambda found: values.get(found[1]) or "", template or DEFAULTS[kind])
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def _hour(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
