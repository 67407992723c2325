"""Whoever is woken by an alert about Tocsin, or reads a finding of doctor, finds in the runbook what to do."""

import re

from documents import ROOT, anchors, table

RUNBOOK = ROOT / "docs" / "runbook.md"


def test_runbook_has_an_entry_for_each_alert_about_tocsin():
    """A heading for each, so that it can be linked to; and none for an alert that is not there."""
    alerts = set(re.findall(r"- alert: (\w+)", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")))
    assert alerts
    entries = {anchor for anchor in anchors(RUNBOOK) if anchor.startswith("tocsin")}
    assert entries == {alert.lower() for alert in alerts}


def test_runbook_has_a_row_for_each_finding_of_doctor():
    """What stands at the beginning of a line; those of workers and sources have their names behind it."""
    sources = (ROOT / "tocsin" / "commands").glob("doctor*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    names = {*re.findall(r'\b(?:ok|warn|fail)\(\s*"([^"]+)"', text), "worker", "source"}
    assert len(names) > 10
    rows = table("docs/runbook.md", "What doctor says")
    assert names - {name for row in rows for name in row.names} == set()
