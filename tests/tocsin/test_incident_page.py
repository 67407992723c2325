"""One incident on a terminal: beside the usual, what was merged into it, who may see it, and what was overdue."""

import pytest
from example_record import incident
from msgspec.structs import replace

from incidents.incident import AlertTally, Merged
from incidents.post_incident_actions import Overdue
from incidents.presentation import incident_json
from tocsin.commands.incidents.page import print_incident
from tocsin.commands.printing import Out


@pytest.mark.parametrize("is_plain", [True, False])
def test_incident_page_says_what_is_not_usual(capsys, is_plain):
    """Of a plain incident none of it is there."""
    found = incident()
    merged = Merged(id="INC-2026-0041", identity={"service": "pay"}, identity_key="p", at=found.declared_at)
    more = {
        "restricted": True,
        "merged": (merged,),
        "overdue_actions": (Overdue(incident="INC-2026-0007", count=2),),
    }
    print_incident(Out("text"), incident_json(found if is_plain else replace(found, **more), AlertTally()), [], [])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "merged into it INC-2026-0041",
        "seen only by who has a role in it, and by admins",
        "overdue actions 2 of INC-2026-0007",
    ):
        assert (line in lines) is not is_plain
    assert "objective The orders of the journal are all in the store (met)" in lines
