"""Maintenance in rule files: what is refused, and what is warned of."""

import pytest
from builders import NOW

from rules.loading.rule_set import SourceFile, load_rule_set

BAD = {
    "reversed": ("from: '2026-02-02T10:00:00Z', until: '2026-02-02T09:00:00Z'", "E403"),
    "no offset": ("from: '2026-02-02T10:00:00', until: '2026-02-02T12:00:00Z'", "E402"),
    "both": (
        "weekly: {weekdays: [sun], from: '02:00', until: '04:00', timezone: UTC}, until: '2026-02-02T12:00Z'",
        "E311",
    ),
    "endless": (
        "weekly: {weekdays: [mon, tue, wed, thu, fri, sat, sun], from: '02:00', until: '02:00', timezone: UTC}",
        "E403",
    ),
    "no zone": ("weekly: {weekdays: [sun], from: '02:00', until: '04:00'}", "W312"),
    "over": ("from: '2025-02-02T10:00:00Z', until: '2025-02-02T12:00:00Z'", "W313"),
}
ONCE = "from: '2026-02-02T10:00:00Z', until: '2026-02-02T12:00:00Z'"


def codes(match: str, when: str) -> list[str]:
    text = f"maintenance: [{{id: a, match: {match}, {when}}}]"
    return [problem.code for problem in load_rule_set([SourceFile("a.yml", text)], now=NOW).problems]


@pytest.mark.parametrize(("when", "code"), BAD.values(), ids=BAD)
def test_load_maintenance_says_what_is_wrong_with_its_time(when, code):
    """Each mistake has its code."""
    assert code in codes("""'service="db"'""", when)


@pytest.mark.parametrize("match", ["""'env!="prod"'""", """'env=~".*"'""", """'service=""'"""])
def test_load_maintenance_refuses_to_hold_everything_back(match):
    """What needs no label holds everything back; who means it says so."""
    assert codes(match, ONCE) == ["E301"]
    assert codes("""'alertname=~".+"'""", ONCE) == []
