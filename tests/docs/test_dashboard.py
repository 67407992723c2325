"""The dashboard for Grafana asks for metrics that there are, and counts nothing twice where receivers are several."""

import json
import re
from itertools import pairwise

from documents import ROOT, text_of

DASHBOARD = json.loads((ROOT / "docs" / "examples" / "grafana-dashboard.json").read_text(encoding="utf-8"))
METRIC = re.compile(r"\btocsin_\w+")
OF_ONE_RECEIVER = ("tocsin_webhooks_total", "tocsin_webhook_duration_seconds")
SHOWN = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in SHOWN for target in panel["targets"]]


def series_of(metric: str) -> str:
    """Return the name that the documents list, without what a histogram adds."""
    return metric.removesuffix("_bucket")


def test_dashboard_asks_for_metrics_that_there_are():
    """Each name stands in the reference of metrics."""
    known = set(re.findall(r"^\| `(tocsin_\w+)` \|", text_of(ROOT / "docs" / "metrics.md"), re.MULTILINE))
    asked = {series_of(name) for query in QUERIES for name in METRIC.findall(query)}
    assert asked
    assert asked - known == set()


def test_dashboard_takes_the_greatest_of_what_every_receiver_says():
    """What comes from the store is the same on each of them: `max` or `min` first; only their own counts are summed."""
    wrong = []
    for query in QUERIES:
        (metric,) = set(METRIC.findall(query))
        innermost = re.findall(r"\b(max|min|sum)\b", query.partition(metric)[0])[-1]
        if (innermost == "sum") != (series_of(metric) in OF_ONE_RECEIVER):
            wrong.append(query)
    assert wrong == []


def test_dashboard_says_what_each_panel_shows():
    """A title, words, one data source that can be chosen, and places of their own."""
    assert [panel["title"] for panel in SHOWN if not panel["description"]] == []
    assert {panel["datasource"]["uid"] for panel in SHOWN} == {"${datasource}"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    places = sorted((panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in DASHBOARD["panels"])
    assert all(first != second for first, second in pairwise(places))
