"""Test files from text, and runs of them."""

import textwrap

import pytest
from builders import NOW, ONCALL, rule_set

from rules.loading.sections import SourceFile
from rules.testing.load import load_test_file
from rules.testing.suite import Suite

RULES = """
rules:
- id: critical
  match: 'severity="critical"'
  tiers:
  - {when: {firing_for: 30m}, declare: SEV1}
  - {when: {firing_for: 5m}, declare: SEV3}
- {id: watched, match: 'severity="info"', declare: SEV4, mode: shadow}
- {id: rollbacks, on: action, match: 'kind="rollback"', declare: SEV3}
"""


@pytest.fixture
def load():
    """Read a test file from text."""
    return lambda text: load_test_file(SourceFile("x_test.yml", textwrap.dedent(text)), NOW)


@pytest.fixture
def run(load):
    """Run tests from text against rules; return the report."""

    def ran(text: str, rules: str = RULES):
        file = load(text)
        assert [str(problem) for problem in file.problems] == []
        compiled = rule_set(rules, ONCALL)
        suite = Suite(lambda _: compiled)
        list(suite.run([file]))
        return suite.report([file])

    return ran
