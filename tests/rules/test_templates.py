"""Templates: four filters, no code, and the text of an alert is never one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.templates import MAX_OUTPUT, MAX_TITLE, BadTemplate, Values, check_template, render, title_of

VALUES = Values(
    labels={"service": "Checkout", "kubernetes.io/name": "web", "evil": "{{ labels.service }}", "long": "x" * 5000},
    annotations={"summary": "Errors at 5%", "value": "42"},
)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("{{ labels.service }}", "Checkout"),
        ("{{labels.service|upper}} is {{ value }}", "CHECKOUT is 42"),
        ("{{ annotations.summary | lower | truncate(6) }}", "error…"),
        ("{{ labels.nothing }}", ""),
        ('{{ labels.nothing | default("a|b") }}', "a|b"),
        ("{{ labels.nothing | default('none') | upper }}", "NONE"),
        ("{{ labels.service | default('none') }}", "Checkout"),
        ("{{ labels.kubernetes.io/name }}", "web"),
        ("{{ labels.evil }}", "{{ labels.service }}"),
        ("a } b }} c { d", "a } b }} c { d"),
        ("", ""),
    ],
)
def test_templates_fill_their_holes(template, expected):
    """Labels, annotations and the value, through the filters in their order."""
    assert render(template, VALUES) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ labels.service.upper() }}",
        "{{ labels['service'] }}",
        "{{ labels }}",
        "{{ }}",
        "{{ 7 * 7 }}",
        "{{ self.__init__ }}",
        "{{ labels.x | shout }}",
        "{{ labels.x | }}",
        "{{ labels.x | truncate }}",
        "{{ labels.x | truncate(99999) }}",
        "{{ labels.x",
        "{% for x in y %}",
        "{# comment #}",
    ],
)
def test_templates_refuse_everything_else(template):
    """No calls, no indices, no arithmetic, no loops, no comments."""
    with pytest.raises(BadTemplate) as raised:
        check_template("ü: " + template)
    assert 3 <= raised.value.at < 3 + len(template)


@given(st.text(), st.text())
def test_templates_are_bounded_and_never_raise_but_bad_template(template, value):
    """Any text is a template or refused, and what comes out is never longer than the cap."""
    try:
        rendered = render(template + "{{ labels.a }}", Values({"a": value}, {}))
    except BadTemplate:
        return
    assert len(rendered) <= MAX_OUTPUT


def test_templates_cut_what_is_too_long():
    """The cap holds however often a long label is named."""
    assert len(render("{{ labels.long }}" * 100, VALUES)) == MAX_OUTPUT


@pytest.mark.parametrize(
    ("template", "labels", "annotations", "identity", "expected"),
    [
        ("{{ labels.a }} down", {"a": "db"}, {"summary": "s"}, {}, "db down"),
        ("{{ labels.b }}", {"a": "db"}, {"summary": "two\nlines\x1b[31m"}, {}, "two lines [31m"),
        ("", {"alertname": "Down"}, {}, {"service": "db", "region": "eu"}, "Down: db eu"),
        ("", {"alertname": "Down"}, {}, {"alertname": "Down"}, "Down"),
        ("", {}, {}, {"service": "db"}, "db"),
        ("", {}, {}, {}, "alert without a name"),
    ],
)
def test_titles_fall_back_from_template_to_summary_to_name(template, labels, annotations, identity, expected):
    """There is always a title, in one line and without control characters."""
    assert title_of(template, Values(labels, annotations), identity=identity) == expected


def test_titles_are_short():
    """A long annotation gives a short title."""
    title = title_of("", Values({}, {"summary": "x" * 5000}), identity={})
    assert len(title) == MAX_TITLE
    assert title.endswith("…")
