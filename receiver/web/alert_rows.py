"""Alerts as pages show them: where their addresses lead, and as JSON, the way Tocsin read them. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from incidents.alert import AlertState
from incidents.presentation import instant
from incidents.store.alert_reads import HeardAlert
from receiver.web.rendering import http, plainly


class AlertRow(NamedTuple):
    """An alert as the page shows it; addresses are empty where there is none that may be followed."""

    state: AlertState
    heard: HeardAlert
    name: str
    source_url: str
    runbook_url: str
    dashboard_url: str
    silence_url: str
    alike: int = 1  # how many of the same name it stands for

    @property
    def json(self) -> str:
        """What is kept of the alert, in the words of the API; whatever does not show stands as an escape."""
        state = self.state
        kept = {
            "source": state.source,
            "fingerprint": state.fingerprint,
            "status": state.status.value,
            "labels": state.labels,
            "annotations": state.annotations,
            "generator_url": state.generator_url,
            "starts_at": instant(state.starts_at),
            "ends_at": instant(state.ends_at),
            "received_at": instant(state.received_at),
            "last_seen": instant(self.heard.last_seen),
        }
        return plainly(msgspec.json.format(msgspec.json.encode(kept), indent=2).decode())


def row_of(heard: HeardAlert, alertmanagers: Mapping[str, str]) -> AlertRow:
    """Return an alert with the addresses that may be followed."""
    state = heard.state
    manager = http(alertmanagers.get(state.source, ""))
    matchers = ",".join(f'{name}="{_quoted(value)}"' for name, value in sorted(state.labels.items()))
    silence = f"{manager.rstrip('/')}/#/silences/new?filter={quote('{' + matchers + '}', safe='')}" if manager else ""
    return AlertRow(
        state=state,
        heard=heard,
        name=state.labels.get("alertname", state.fingerprint),
        source_url=http(state.generator_url),
        runbook_url=http(state.annotations.get("runbook_url", "")),
        dashboard_url=http(state.annotations.get("dashboard_url", "") or state.annotations.get("dashboard", "")),
        silence_url=silence,
    )


def by_name(rows: Sequence[AlertRow], *, are_all: bool) -> list[AlertRow]:
    """Return one alert of each name and state, in the order given; of some alone it is not said how many are alike."""
    found: dict[tuple[str, str], AlertRow] = {}
    for row in rows:
        name = (row.name, row.state.status.value)
        known = found.get(name)
        found[name] = row if known is None else known._replace(alike=known.alike + 1)
    return list(found.values()) if are_all else [row._replace(alike=1) for row in found.values()]


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
