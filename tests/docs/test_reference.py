"""What the documents say of commands, the state table and the promises is what there is."""

import ast
import re
import subprocess
import sys

import click
from documents import ROOT, first_names, table, text_of

from tocsin.cli import main

INDEX = "docs/README.md"
ARCHITECTURE = "docs/architecture.md"


def commands(group: click.Group, name: str) -> list[str]:
    """Return the full names of all commands below a group; one whose argument is a part is one command."""
    context = click.Context(group)
    found = []
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        assert command is not None
        full = f"{name} {each}"
        found += commands(command, full) if isinstance(command, click.Group) else [full]
    return found


def test_index_lists_every_command():
    """Each command of the command line has its line, and no other has."""
    assert sorted(first_names(table(INDEX, "Commands"))) == sorted(commands(main, "tocsin"))


def test_commands_all_take_the_configuration():
    """`--config` can stand after any command, as the index says."""
    lacking = []
    for name in commands(main, "tocsin"):
        command: click.Command = main
        for word in name.split()[1:]:
            assert isinstance(command, click.Group)
            found = command.get_command(click.Context(command), word)
            assert found is not None
            command = found
        if not any("--config" in parameter.opts for parameter in command.params):
            lacking.append(name)
    assert lacking == []


def test_state_table_is_that_of_the_code():
    """The table in the architecture is printed from the transition table; `scripts/state-table --write` renews it."""
    printed = subprocess.run(
        [sys.executable, ROOT / "scripts" / "state-table"], capture_output=True, text=True, check=True
    ).stdout.strip()
    found = re.search(
        r"<!-- state table: begin -->\n(.*?)\n<!-- state table: end -->", text_of(ROOT / ARCHITECTURE), re.DOTALL
    )
    assert found is not None
    assert found[1].strip() == printed


def test_promises_are_held_by_tests_that_exist():
    """Each of the seven promises names at least one test, and each test that is named is there."""
    rows = table(ARCHITECTURE, "Promises")
    assert {row.cells[0] for row in rows} == {str(number) for number in range(1, 8)}
    missing = [row.cells[1] for row in rows if not is_test(*row.cells[1].strip("`").split("::"))]
    assert missing == []


def test_attacks_are_tried_by_tests_that_exist():
    """Each row of what the tests try names one that is there."""
    rows = table("docs/security.md", "What the tests try")
    assert len(rows) > 20
    missing = [row.cells[1] for row in rows if not is_test(*row.cells[1].strip("`").split("::"))]
    assert missing == []


def is_test(path: str, name: str) -> bool:
    file = ROOT / path
    if not file.exists():
        return False
    return any(
        isinstance(node, ast.FunctionDef) and node.name == name
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    )


def test_readme_promises_as_many_as_the_architecture():
    """The short list of the README has a line for each promise."""
    numbers = re.findall(r"^(\d)\. ", text_of(ROOT / "README.md"), re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 8)]
