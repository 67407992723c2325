"""SLOs as plain values: what is owed, over which window, and the question to Prometheus that measures it. Pure."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from incidents.incident import Stakeholder
from rules.durations import format_duration
from rules.promql import WINDOW

SLA_SUFFIX = "/sla"  # `checkout/sla` is the SLO checkout held against its SLA; no id has a slash


class Slo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What we owe our customers: `objective` is a percentage, `error_ratio` PromQL whose ranges are `[$window]`."""

    id: str
    service: str
    objective: float
    window: timedelta
    error_ratio: str
    sla: float | None = None
    sla_owner: str = ""
    external: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    burn_alerts: bool = True
    file: str = ""
    line: int = 0

    @property
    def budget(self) -> float:
        """The ratio of errors that is allowed over the window: 0.001 for 99.9 %."""
        return (100.0 - self.objective) / 100.0

    def ratio_over(self, window: timedelta) -> str:
        """Return the PromQL of the ratio of errors over a window."""
        return self.error_ratio.replace("${window}", WINDOW).replace(WINDOW, format_duration(window))

    @property
    def over_window(self) -> str:
        """The PromQL of the ratio of errors over the whole window."""
        return self.ratio_over(self.window)


def slo_named(slos: Mapping[str, Slo], name: str) -> Slo | None:
    """Return an SLO by its id; `ID/sla` is the same with its SLA for the objective, None where it has none."""
    found = slos.get(name)
    if found is not None or not name.endswith(SLA_SUFFIX):
        return found
    found = slos.get(name.removesuffix(SLA_SUFFIX))
    return None if found is None or found.sla is None else msgspec.structs.replace(found, objective=found.sla)


def slos_of(slos: Mapping[str, Slo], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the ids of the SLOs that labels speak of: the one that they name, else those of the service."""
    named = labels.get("slo", "")
    if named in slos:
        return (named,)
    service = labels.get("service", "")
    return tuple(slo.id for slo in slos.values() if slo.service == service) if service else ()


def customers_of(slos: Mapping[str, Slo], labels: Mapping[str, str]) -> tuple[Stakeholder, ...]:
    """Return the customers, outside and inside, of the SLO that the label `slo` names; none where it names none."""
    slo = slo_named(slos, labels.get("slo", ""))
    if slo is None:
        return ()
    outside = (Stakeholder(name=name, kind="customer", external=True) for name in slo.external)
    inside = (Stakeholder(name=name, kind="customer", external=False) for name in slo.internal)
    return (*outside, *inside)
