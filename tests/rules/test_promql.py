"""What can be told of PromQL without a parser."""

import pytest

from rules.promql import ranges_without_window, unbalanced


@pytest.mark.parametrize(
    ("promql", "said"),
    [
        ('sum(rate(x{a="b)"}[5m])) / sum(y)', ""),
        ("sum(x", "a bracket ( is never closed"),
        ("sum(x))", "a bracket ) closes nothing"),
        ("x[5m)", "a bracket ) closes nothing"),
        ('x{a="b}', 'a quote " is never closed'),
        (r'x{a="b\"}"}', ""),
        ("x # (a comment", ""),
        ("  ", "the query is empty"),
    ],
)
def test_promql_has_balanced_brackets_and_quotes(promql, said):
    """Brackets in strings and comments do not count."""
    assert unbalanced(promql) == said


@pytest.mark.parametrize(
    ("promql", "said"),
    [
        ("a[$window] / b[$window]", []),
        ("a[$window] / b[5m]", ["[5m]"]),
        ("a / b", ["no range"]),
        ("max_over_time(a[$window:1m])", []),
        ('a{b="[5m]"}[$window]', []),
    ],
)
def test_promql_uses_the_window_in_every_range(promql, said):
    """A ratio is asked over windows of our choice, so each range has to be one."""
    assert ranges_without_window(promql) == said
