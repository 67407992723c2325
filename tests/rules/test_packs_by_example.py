"""The packs are tested as their users test rules: by files of timed events, which meet every rule, tier by tier."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from documents import blocks

from rules.loading.files import PACKS_DIR
from tocsin.cli import main

TESTS = Path(__file__).parent / "packs"
NAMES = sorted(path.stem for path in PACKS_DIR.glob("*.yml"))


# Silence is looked at when it is there, so a rule on it is never seen not to hold.
NEVER_MISSED = {"deadman.signal-lost": ["tier 1 was never seen not to hold"]}


@pytest.mark.parametrize("name", NAMES)
def test_packs_do_what_their_examples_say(name):
    """Every example of a pack passes, and together they meet each of its rules, tiers and matchers both ways."""
    options = ["--coverage", "--output", "json"]
    done = CliRunner().invoke(main, ["rules", "test", str(TESTS / f"{name}_test.yml"), *options])
    report = json.loads(done.stdout)
    assert [test["failures"] for test in report["tests"] if test["failures"]] == []
    own = [rule for rule in report["coverage"]["rules"] if rule["file"] == f"pack:{name}"]
    missing = {rule["rule"]: rule["missing"] for rule in own if rule["missing"]}
    assert {rule: what for rule, what in missing.items() if what != NEVER_MISSED.get(rule)} == {}
    assert own


def test_packs_do_what_their_document_says(tmp_path):
    """The example of the document passes."""
    (text,) = (block.text for block in blocks() if block.document.name == "packs.md" and "rules-test" in block.words)
    (tmp_path / "any_test.yml").write_text(text)
    done = CliRunner().invoke(main, ["rules", "test", str(tmp_path / "any_test.yml")])
    assert done.exit_code == 0, done.output
