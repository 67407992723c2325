"""Fixtures of the rule tests: a fixed time, and rule sets from text."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rules.loading.rule_set import Loaded, load_rule_set
from rules.loading.sections import SourceFile
from rules.model import RuleSet

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def load() -> Callable[..., Loaded]:
    """Load texts as the files `0.yml`, `1.yml`, ..."""

    def load_texts(*texts: str | bytes) -> Loaded:
        return load_rule_set([SourceFile(f"{place}.yml", text) for place, text in enumerate(texts)], now=NOW)

    return load_texts


@pytest.fixture(scope="session")
def rule_set_of(load) -> Callable[..., RuleSet]:
    """Load texts that must be without errors."""

    def rule_set_of_texts(*texts: str) -> RuleSet:
        loaded = load(*texts)
        assert loaded.rule_set is not None, "\n".join(map(str, loaded.errors))
        return loaded.rule_set

    return rule_set_of_texts
