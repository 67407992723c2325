"""The example of docs/rules-testing.md runs, and the page names every event, field and option."""

import re
from datetime import UTC, datetime

import click
import pytest
from documents import blocks

from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.testing.load import ENTRY, EXPECT_KEYS, FILE_KEYS, INCIDENT, PAGE, TEST_KEYS, load_test_file
from rules.testing.load_events import EVENT_KEYS, FACT_KEYS
from rules.testing.model import START
from rules.testing.run import run_test
from tocsin.commands.rules.test import test_files as command

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PAGE_NAME = "rules-testing.md"


@pytest.fixture(scope="module")
def examples():
    own = [block for block in blocks() if block.document.name == PAGE_NAME and block.language == "yaml"]
    return {block.words[0]: block.text for block in own}


@pytest.fixture(scope="module")
def page_text():
    return next(block.document.read_text() for block in blocks() if block.document.name == PAGE_NAME)


def test_document_example_of_tests_passes(examples):
    """The tests of the page pass with the rules of the page, and the one that is marked as todo does not yet."""
    rules = load_rule_set([SourceFile("checkout.yml", examples["rules"])], now=START).rule_set
    file = load_test_file(SourceFile("checkout_test.yml", examples["rules-test"]), NOW)
    assert file.problems == ()
    results = [run_test(file.name, test, rules) for test in file.tests]
    assert [result.failures for result in results if result.outcome == "failed"] == []
    assert [result.outcome for result in results] == ["passed"] * 4 + ["todo"]


def test_document_names_everything(page_text):
    """Every key, field and option that there is stands on the page."""
    known = {*FILE_KEYS, *TEST_KEYS, *EXPECT_KEYS, *EVENT_KEYS, *FACT_KEYS, *INCIDENT, *PAGE, *ENTRY}
    words = set(re.findall(r"[a-z_]+", page_text))
    assert known - words == set()
    options = {name for each in command.params if isinstance(each, click.Option) for name in each.opts}
    assert {name for name in options if name.startswith("--") and name not in page_text} <= {"--config"}
