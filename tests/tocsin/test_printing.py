"""Tables of commands on terminals of different widths."""

import io

import pytest
from rich.console import Console

from tocsin.commands.incidents.asking import print_stand
from tocsin.commands.printing import TEXT, Cell, Out, fitting_table

COLUMNS = ("INCIDENT", "STATUS", "TITLE", "DECLARED")
ROW = ("INC-2026-0001", "acknowledged", "Checkout answers 500 to every third customer", "2026-11-02 03:00:00Z")


def shown(width):
    """Return the lines of the table on a terminal of this width, None where it has no room."""
    table = fitting_table(COLUMNS, [[Cell(text) for text in ROW]], ("DECLARED",), width)
    if table is None:
        return None
    stream = io.StringIO()
    Console(file=stream, width=width).print(table)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_table_keeps_ids_whole(width):
    """An id can be copied, and a status read, on a terminal of any usual width; long words wrap, and none is lost."""
    lines = shown(width)
    assert lines[2].startswith("INC-2026-0001  acknowledged  Checkout")
    assert {word for line in lines for word in line.split()} >= set(ROW[2].split())
    assert max(len(line) for line in lines) <= width


def test_table_leaves_out_what_is_spare_when_narrow():
    """The instant goes first, for the title says more."""
    assert "DECLARED" in shown(120)[0]
    assert "DECLARED" not in shown(70)[0]


def test_table_without_room_is_none():
    """On a terminal that is too narrow for whole ids the terminal wraps plain lines itself."""
    assert shown(40) is None


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("acknowledged", "INC-2026-0001 is acknowledged (SEV2): slow"),
        ("noted", "INC-2026-0001: noted; it is acknowledged (SEV2): slow"),
    ],
)
def test_stand_says_what_was_done_where_the_status_does_not(capsys, outcome, said):
    """A note is no acknowledgement: who writes one reads that it was written, and how the incident stands."""
    incident = {"id": "INC-2026-0001", "status": "acknowledged", "severity": "SEV2", "title": "slow"}
    print_stand(Out(TEXT), incident | {"outcome": outcome})
    assert capsys.readouterr().out == f"{said}\n"
