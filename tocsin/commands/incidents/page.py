"""One incident as text: what it is, who does what, what was found, which alerts, and its timeline."""

from typing import Any

from tocsin.commands.printing import STYLES, Cell, Out, age, instant, one_line, pairs

ROLE_NAMES = (
    ("incident_commander", "incident commander"),
    ("communications", "communications"),
    ("engineer_in_charge", "engineer in charge"),
)

Json = dict[str, Any]


def print_incident(out: Out, incident: Json, alerts: list[Json], entries: list[Json]) -> None:
    """Print an incident of the API with its alerts and its timeline."""
    _print_header(out, incident)
    _print_findings(out, incident["findings"])
    _print_alerts(out, incident["alerts"], alerts)
    _print_timeline(out, entries)


def _print_header(out: Out, incident: Json) -> None:
    status, severity = incident["status"], incident["severity"]
    out.line(f"{incident['id']}  {severity}  {status}  {one_line(incident['title'])}", STYLES.get(severity, ""))
    out.line()
    roles = incident["roles"]
    out.fields(
        [
            ("identity", pairs(incident["identity"])),
            ("declared", _when(incident["declared_at"])),
            ("acknowledged", _when(incident["acknowledged_at"])),
            ("mitigated", _when(incident["mitigated_at"])),
            ("resolved", _when(incident["resolved_at"])),
            ("next page", instant(incident.get("next_page_at"))),
            *((shown, roles[name] or "") for name, shown in ROLE_NAMES),
            ("engineers", ", ".join(roles["engineers"])),
            ("summary", one_line(incident.get("summary") or "")),
            ("runbook", incident.get("runbook") or ""),
            *(("objective", _objective(each)) for each in incident.get("objectives", ())),
            ("merged into it", ", ".join(incident.get("merged", ()))),
            ("seen", "only by who has a role in it, and by admins" if incident.get("restricted") else ""),
            (
                "overdue actions",
                ", ".join(f"{each['count']} of {each['incident']}" for each in incident.get("overdue_actions", ())),
            ),
        ]
    )


def _objective(objective: Json) -> str:
    text = one_line(objective["text"] or objective["id"])
    return f"{text} (met)" if objective.get("met_at") else text


def _when(text: str | None) -> str:
    return f"{instant(text)} ({age(text)} ago)" if text else ""


def _print_findings(out: Out, findings: list[Json]) -> None:
    if not findings:
        return
    out.line()
    out.line("Findings", "bold")
    out.table(
        ("AT", "RULE", "CRITERION", "SEVERITY"),
        [(instant(each["at"]), each["rule"] or "by hand", each["criterion"], each["severity"]) for each in findings],
    )


def _print_alerts(out: Out, counts: Json, alerts: list[Json]) -> None:
    out.line()
    out.line(f"Alerts: {counts['firing']} firing, {counts['resolved']} resolved", "bold")
    if alerts:
        out.table(
            ("STATUS", "SINCE", "SOURCE", "LABELS"),
            [
                (
                    Cell("stale", "yellow") if each["stale"] else each["status"],
                    instant(each["starts_at"]),
                    each["source"],
                    pairs(each["labels"]),
                )
                for each in alerts
            ],
        )


def _print_timeline(out: Out, entries: list[Json]) -> None:
    out.line()
    out.line("Timeline", "bold")
    out.table(
        ("AT", "KIND", "WHO", "WHAT"),
        [(instant(each["at"]), each["kind"], each["actor"], each["text"]) for each in entries],
        spare=("KIND",),
    )
