"""What can be told of PromQL without a parser."""

import pytest

from rules.promql import fault, ranges_without_window, unbalanced


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


@pytest.mark.parametrize(
    ("promql", "said", "at"),
    [
        ("sum(rate(x[5m])", "a bracket ( is never closed", 3),
        ('sum(x{a="("}))', "a bracket ) closes nothing", 13),
        ("rate(x[$__rate_interval])", "Prometheus knows no variables, and $__rate_interval is one", 7),
        ('sum(rate(x{job="a"}))', "rate needs a range", 4),
        ("sum(x", "a bracket ( is never closed", 3),
    ],
)
def test_promql_names_the_place_of_a_fault(promql, said, at):
    """The character itself, so that a caret can stand under it."""
    found = fault(promql)
    assert found is not None
    assert (found.message, found.at) == (said, at)


@pytest.mark.parametrize(
    "promql",
    [
        "rate(x[5m])",
        'x{a="$1"} # $comment',
        "sum by (job) (rate(x[5m] offset 1h))",
        "sum(max_over_time(rate(x[5m])[1h:1m]))",
        'label_replace(x, "a", "$1", "b", "(.*)")',
        "avg_over_time(x[300])",
        "rate(x[5m:])",
    ],
)
def test_promql_leaves_queries_alone_that_prometheus_takes(promql):
    """Whatever cannot be told without a parser is for Prometheus to say."""
    assert fault(promql) is None


def test_promql_knows_the_window_where_it_is_meant():
    """In the ratio of an SLO `$window` is a range, and elsewhere a variable like any other."""
    assert fault("rate(x[$window])", windowed=True) is None
    assert fault("rate(x[$window])") is not None
    missing = fault("rate(x)", windowed=True)
    assert missing is not None
    assert missing.hint == "write rate(x[$window])"
