"""Reads the `slos` section and OpenSLO documents, and makes their ids known to conditions."""

from datetime import timedelta

from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.nodes import Kind, Node
from rules.loading.sections import Sections
from rules.openslo import Found, read_openslo
from rules.promql import WINDOW, has_holes, ranges_without_window
from rules.shapes import file as shapes
from rules.slos import Slo

LEAST, MOST = timedelta(hours=1), timedelta(days=366)
SWITCH = ("on", "off")


def load_slos(sections: Sections, context: Context) -> dict[str, Slo]:
    """Read every SLO, by id; those that cannot be read are left out, with a problem each."""
    read = [_slo(node, context) for node in sections.items("slos")]
    read += [_from_openslo(found, context) for found in read_openslo(sections.openslo, context)]
    return {slo.id: slo for slo in read if slo is not None}


def _slo(node: Node, context: Context) -> Slo | None:
    fields = context.fields(node, shapes.SLO.what, shapes.SLO.keys)
    name = _id(fields, context)
    complete = fields.require(*shapes.SLO.needs)
    service = fields.string("service", "")
    objective = _objective(fields)
    if objective is not None:
        _warn_of_percent(objective, fields.node.entries["objective"], context)
    window = context.positive(fields, "window", least=LEAST, most=MOST)
    sla = fields.fields("sla", what=shapes.SLA.what, known=shapes.SLA.keys)
    sla_objective = _objective(sla)
    if objective is not None and sla_objective is not None and sla_objective > objective:
        message = f"the SLA ({sla_objective:g}) asks for more than the objective ({objective:g})"
        sla.report("objective", "E313", message, "what is promised by contract is less than what we aim at")
    customers = fields.fields("customers", what="customers", known=shapes.CUSTOMERS.keys)
    slo = Slo(
        id=name,
        service=service,
        objective=objective or 99.0,
        window=window or timedelta(days=30),
        error_ratio=_error_ratio(fields, context),
        sla=sla_objective,
        sla_owner=sla.string("owner", ""),
        external=customers.strings("external", ()),
        internal=customers.strings("internal", ()),
        burn_alerts=fields.choice("burn_alerts", SWITCH, "on") == "on",
        file=node.file,
        line=node.line,
    )
    usable = complete and name and service and objective is not None and window is not None and slo.error_ratio
    return slo if usable else None


def _id(fields: Fields, context: Context) -> str:
    key = fields.node.entries.get("id")
    if key is None or key.kind is Kind.NULL:
        return ""
    name = context.identifier(key, "SLO")
    return name if name and context.define("SLO", key) else ""


def _objective(fields: Fields) -> float | None:
    found = fields.number("objective", None, least=0, most=100)
    if found is not None and found in {0.0, 100.0}:
        message = "objective is a percentage between 0 and 100, and neither"
        fields.report("objective", "E313", message, "write it like 99.9")
        return None
    return found


def _warn_of_percent(objective: float, place: Node, context: Context) -> None:
    if objective <= 1:
        message = f"the objective is in percent, and says {objective:g} %"
        context.warn(place, "W334", message, f"write {objective * 100:g}")


def _error_ratio(fields: Fields, context: Context) -> str:
    promql = context.promql(fields, "error_ratio", windowed=True)
    wrong = ""
    if promql and has_holes(promql):
        wrong = "labels cannot be put in here; an SLO is measured without any alert"
    elif promql and (bare := ranges_without_window(promql)):
        wrong = f"every range must be [{WINDOW}]; there is {', '.join(bare[:3])}"
    if wrong:
        fields.report("error_ratio", "E314", f"error_ratio: {wrong}")
    return "" if wrong else promql


def _from_openslo(found: Found, context: Context) -> Slo | None:
    """Take an SLO of another language in, under the same rules as one of our own."""
    name = context.identifier(found.name, "SLO")
    if not name or not context.define("SLO", found.name):
        return None
    if found.slo.window < LEAST or found.slo.window > MOST:
        context.error(found.name, "E320", f"the time window of {name} must lie between 1h and 366d")
        return None
    _warn_of_percent(found.slo.objective, found.name, context)
    return found.slo
