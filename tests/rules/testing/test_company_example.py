"""The rules of docs/rules-example.md: nothing in them is warned of, and their tests pass."""

from datetime import UTC, datetime

import pytest
from documents import blocks

from rules.check import check
from rules.loading.sections import SourceFile
from rules.testing.load import load_test_file
from rules.testing.run import run_test

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OWN = [block for block in blocks() if block.document.name == "rules-example.md" and block.language == "yaml"]


@pytest.fixture(scope="module")
def report():
    names = iter(("people.yml", "incidents.yml"))
    return check([SourceFile(next(names), block.text) for block in OWN if block.words[0] == "rules"], NOW)


def test_company_example_is_without_a_warning(report):
    """What people copy is clean."""
    assert [str(problem) for problem in report.problems] == []


def test_company_example_passes_its_own_tests(report):
    """Each test of the page holds for the rules of the page."""
    (text,) = (block.text for block in OWN if block.words[0] == "rules-test")
    file = load_test_file(SourceFile("incidents_test.yml", text), NOW)
    assert file.problems == ()
    results = [run_test(file.name, test, report.rule_set) for test in file.tests]
    assert [(result.name, result.failures) for result in results if result.outcome != "passed"] == []
    assert len(results) == 10
