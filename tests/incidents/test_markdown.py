"""Foreign text in Markdown: what it says is what is shown, and none of it is markup, whatever a renderer can do."""

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from incidents.markdown import inline, link, paragraph, quote, table
from incidents.texts import lines, one_line

RENDERERS = (MarkdownIt("commonmark"), MarkdownIt("gfm-like", {"linkify": False}))
SPICED = st.text(st.sampled_from("\\`*_{}[]<>()#+-.!|~&$^@:=\"' \n\t1ab/w") | st.characters(exclude_categories=["Cs"]))
HOSTILE = (
    "# heading",
    "- item",
    "1. item",
    "1) item",
    "+ item",
    "> quote",
    "a\n===",
    "a\n---",
    "***",
    "    indented code",
    "\tcode",
    "```\ncode",
    "~~~",
    "<script>alert(1)</script>",
    "<https://evil.example>",
    "[text](javascript:alert(1))",
    "![picture](https://evil.example/x.png)",
    "[ref]: https://evil.example",
    "a | b\n--- | ---",
    "&lt;b&gt; &copy; &#x41;",
    "trailing backslash\\",
    "two  \nspaces",
    "**bold** _and_ ~~gone~~ `code`",
    "www.evil.example and https://evil.example and a@evil.example",
    "<!-- comment",
)


def _kinds(tokens: list[Token]) -> set[str]:
    return {each.type for token in tokens for each in (token, *(token.children or ()))}


def _shown(markdown: str, renderer: MarkdownIt) -> str:
    tokens = [each for token in renderer.parse(markdown) for each in (token.children or ())]
    return "".join("\n" if each.type in {"softbreak", "hardbreak"} else each.content for each in tokens)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_of_hostile_text_is_text_alone(text: str):
    """Headings, lists, code, HTML, links and tables stay what they look like: text."""
    plain = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak", "text_special"}
    for renderer in RENDERERS:
        assert _kinds(renderer.parse(inline(text))) <= plain
        assert _kinds(renderer.parse(paragraph(text))) <= plain
        assert _shown(inline(text), renderer) == one_line(text)


@settings(max_examples=200, deadline=None)
@given(SPICED)
def test_markdown_of_any_text_shows_that_text(text: str):
    """Nothing is lost, nothing is added, and it is one paragraph of text, in a list item as well."""
    for renderer in RENDERERS:
        assert _shown(inline(text), renderer) == one_line(text)
        assert _shown("- x " + inline(text), renderer).removeprefix("x").strip() == one_line(text)
        shown = "".join(_shown(paragraph(text), renderer).split())
        assert shown == "".join(lines(text).split())


@settings(max_examples=100, deadline=None)
@given(st.lists(SPICED, min_size=2, max_size=2))
def test_markdown_table_keeps_its_shape(cells: list[str]):
    """A cell never becomes two, and never ends the table."""
    renderer = RENDERERS[1]
    tokens = renderer.parse(table(("a", "b"), [cells, ("1", "2")]))
    assert [token.type for token in tokens].count("td_open") == 4
    assert not any(token.type == "html_block" for token in tokens)
    inlines = [token for token in tokens if token.type == "inline"]
    assert "".join(each.content for each in inlines[2].children or ()) == one_line(cells[0])


@settings(max_examples=100, deadline=None)
@given(SPICED)
def test_markdown_quote_is_one_block(text: str):
    """A quote never leaves its block."""
    tokens = RENDERERS[0].parse(quote(text))
    assert tokens[0].type == "blockquote_open"
    assert tokens[-1].type == "blockquote_close"
    assert sum(token.type == "blockquote_open" for token in tokens) == 1


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", " \tjavascript:alert(1)"])
def test_markdown_link_goes_to_the_web_alone(url: str):
    """An address that would run something is shown, and is no link."""
    for renderer in RENDERERS:
        assert "link_open" not in _kinds(renderer.parse(link("click", url)))


@settings(max_examples=100, deadline=None)
@given(SPICED, SPICED)
def test_markdown_link_is_one_link(text: str, rest: str):
    """Whatever text and address hold, one link comes out, and nothing else."""
    rendered = RENDERERS[0].render(link(text or "x", "https://example.org/" + rest))
    assert html.unescape(rendered).count("<a href=") >= 1
    assert rendered.count("<a href=") == 1
    assert "<script" not in rendered


def test_markdown_leaves_what_is_no_markup_as_it_is():
    """Times, names and identities read well in the source, too; addresses and pictures by name are told apart."""
    plain = "2026-11-02 03:00:00 alert_fired service=checkout, db-1 is 5.2 % full (again)"
    assert inline(plain) == plain
    assert inline("see https://evil.example :fire: _x_") == r"see https\://evil.example \:fire: \_x\_"
