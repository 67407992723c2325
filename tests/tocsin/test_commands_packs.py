"""`tocsin rules packs`: what ships, and one pack to copy from."""

import json

import pytest
from click.testing import CliRunner

from rules.loading.files import PACKS_DIR
from tocsin.cli import main


@pytest.fixture
def packs():
    """Run the command."""
    return lambda *arguments: CliRunner().invoke(main, ["rules", "packs", *arguments])


def test_commands_packs_are_listed(packs):
    """Each pack has a line: how many rules, which packs it brings, what it is for."""
    lines = packs().output.splitlines()
    assert lines[0].split() == ["PACK", "RULES", "BRINGS", "WHAT", "IT", "IS", "FOR"]
    assert [line.split()[0] for line in lines[1:]] == [f"pack:{path.stem}" for path in sorted(PACKS_DIR.glob("*.yml"))]
    assert all(len(line) <= 130 for line in lines)
    found = {pack["name"]: pack for pack in json.loads(packs("--output", "json").output)["packs"]}
    assert found["practice"]["comes_with"] == ["data", "kube", "slo"]
    assert "data.issue" in found["data"]["rules"]


def test_commands_packs_print_one(packs):
    """With a name, with or without `pack:`, the pack comes as it is read, and nothing else."""
    text = (PACKS_DIR / "storm.yml").read_text()
    assert packs("storm").output == packs("pack:storm").output == text
    assert json.loads(packs("storm", "--output", "json").output) == {"name": "pack:storm", "text": text}


def test_commands_packs_name_the_nearest(packs):
    """A name that nobody knows ends with 2 and the nearest that there is."""
    result = packs("storn")
    assert result.exit_code == 2
    assert "did you mean 'storm'" in result.output
