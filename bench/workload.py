"""What is sent and by which rules it is judged: the same 2,000 alerts of 200 services again and again, 100 rules.

Of the ten alerts of a service four are critical and declare by rules of their own, four are warnings that a counting
rule takes together, two concern nobody.
"""

import json
from collections.abc import Iterator
from typing import Any

from incidents.alert import fingerprint_of

SERVICES = 200
ALERTS_PER_SERVICE = 10
CRITICAL = 4  # of them; as many are warnings
NAMED_RULES = 80
TIMES = "@TIMES@"  # stands for startsAt and endsAt, which the load generator fills in


# Rules


def rules(*, idle: int = 0) -> str:
    """Return a rule file of 100 rules, and of `idle` more that can match nothing that is sent."""
    parts = ["defaults: {identity: [service], reopen_within: 30m}", "rules:"]
    parts += [_named(index) for index in range(NAMED_RULES)]
    parts += [_of_two_names(index) for index in range(10)]
    parts += [_of_a_pattern(index) for index in range(5)]
    parts += _UNINDEXABLE
    parts += [_named(index, prefix="Idle") for index in range(idle)]
    return "\n".join(parts) + "\n"


def _named(index: int, prefix: str = "Alert") -> str:
    name = f"{prefix}{index}"
    return f"- {{id: {name.lower()}, match: ['alertname=\"{name}\"', 'severity=\"critical\"'], declare: SEV2}}"


def _of_two_names(index: int) -> str:
    names = f"Pair{index}A|Pair{index}B"
    return f"- {{id: pair{index}, match: ['alertname=~\"{names}\"', 'severity=~\"critical|page\"'], declare: SEV3}}"


def _of_a_pattern(index: int) -> str:
    return f"- {{id: pattern{index}, match: ['job=~\"batch-{index}-.*\"', 'severity=\"critical\"'], declare: SEV3}}"


# The count, and matchers that every alert has to be asked about.
_UNINDEXABLE = (
    "- {id: many-warnings, match: 'severity=\"warning\"', when: {count: {gte: 3, within: 10m}}, declare: SEV3}",
    "- {id: no-owner, match: ['team=\"\"', 'severity=\"critical\"'], declare: SEV4}",
    "- {id: not-production, match: ['environment!=\"production\"', 'severity=\"critical\"'], declare: SEV4}",
    "- {id: not-ours, match: ['cluster!~\"eu-.*\"', 'customer=\"big\"'], declare: SEV3}",
    "- {id: of-customers, match: ['customer!=\"\"', 'severity!~\"info|none\"'], declare: SEV2}",
)


# Alerts


def alert_of(service: str, index: int) -> dict[str, Any]:
    """Return one alert of a service as Alertmanager posts it, with `TIMES` for its times."""
    severity = "critical" if index < CRITICAL else "warning" if index < 2 * CRITICAL else "info"
    labels = {
        "alertname": f"Alert{index}",
        "severity": severity,
        "service": service,
        "team": "platform",
        "environment": "production",
        "cluster": "eu-1",
        "namespace": f"ns-{service}",
        "job": f"{service}-exporter",
        "instance": f"10.0.{index}.7:9100",
    }
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {
            "summary": f"Alert{index} of {service}: 12.5 % of the requests fail, wanted are at most 1 %",
            "description": "More requests fail than the objective allows; look at the graph, then at the last change.",
            "runbook_url": f"https://runbooks.example.org/alert{index}",
        },
        "startsAt": TIMES,
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=rate%28errors%5B5m%5D%29+%3E+0.01&g0.tab=1",
        "fingerprint": fingerprint_of(labels),
    }


def alerts(services: int = SERVICES) -> Iterator[dict[str, Any]]:
    """Yield every alert once; neighbours are of different services."""
    for index in range(ALERTS_PER_SERVICE):
        for number in range(services):
            yield alert_of(f"service-{number}", index)


def body(group: list[dict[str, Any]], status: str = "firing") -> str:
    """Return the webhook that carries a group of alerts in one status; its times are still to be filled in."""
    common = {"alertname": group[0]["labels"]["alertname"]}
    whole = {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{common["alertname"]}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "tocsin",
        "groupLabels": common,
        "commonLabels": {"team": "platform", "environment": "production", "cluster": "eu-1", **common},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org",
        "alerts": [{**alert, "status": status} for alert in group],
    }
    return json.dumps(whole, separators=(",", ":")).replace(f'"startsAt":"{TIMES}"', TIMES)


def flip_bodies(per_webhook: int, services: int = SERVICES) -> Iterator[tuple[str, str]]:
    """Yield the webhooks that carry every alert once, each as firing and as resolved."""
    every = list(alerts(services))
    for start in range(0, len(every), per_webhook):
        group = every[start : start + per_webhook]
        yield body(group), body(group, "resolved")


def times(starts_at: str, ends_at: str = "0001-01-01T00:00:00Z") -> str:
    """Return what stands for `TIMES`."""
    return f'"startsAt":"{starts_at}","endsAt":"{ends_at}"'
