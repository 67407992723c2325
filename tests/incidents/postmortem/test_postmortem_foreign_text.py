"""Whatever an alert or a person wrote, it is text in a post-mortem: no markup of Markdown, HTML or SVG comes of it."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from example_record import at, entry, fired, incident, page, role
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from incidents.incident import Objective, Stakeholder
from incidents.postmortem.draft import draft_of, lines_of
from incidents.postmortem.markdown import as_markdown, timeline_head, timeline_rows
from incidents.postmortem.picture import picture_of
from incidents.postmortem.printed import as_html
from incidents.postmortem.record import record_of
from incidents.postmortem.values import Postmortem, Section, Written
from incidents.timeline import EntryKind
from rules.severities import SEVERITY_DEFAULTS

NASTY = (
    "<script>alert(1)</script>",
    "</svg><img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "a | b | c\n| --- |",
    "# head\n\n- item\n> quote\n```\ncode",
    "<!-- --> <![CDATA[ ]]> &lt;b&gt; &#60;",
    "https://evil.example www.evil.example a@evil.example",
    "\x00\x08\x1b[31m \ufffe\uffff \u202e txt",
    "{{ 7*7 }} {% raw %} ${x}",
    "\"' onload=alert(1) x='",
    "\\`*_{}[]()#+-.!|~^$",
)
foreign = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))


def record_with(text):
    """A record in which everything foreign is this text."""
    first = fired(0, text, text, count=3)
    told = (
        replace(first, actor=text, data={**first.data, "source": text}),
        entry(0, EntryKind.INCIDENT_DECLARED, text, text, severity="SEV1", rule=text),
        role(0, "incident_commander", text, text),
        page(1, EntryKind.PAGE_SENT, text, text, channel=text),
        page(2, EntryKind.PAGE_FAILED, text, text, channel=text, error=text),
        entry(3, EntryKind.CORRECTIVE_ACTION, text, text, kind=text, outside=True),
        entry(4, EntryKind.COMMUNICATION, text, text, audience=text),
        entry(5, EntryKind.NOTE, text, text, corrections=[{"actor": text, "text": text}]),
        entry(71, EntryKind.RESOLVED, text, text, unmet=[text], override=text),
    )
    changed = replace(
        incident(),
        title=text,
        summary=text,
        runbook=text,
        team=text,
        rule=text,
        identity={text: text},
        objectives=(Objective(id=text, text=text, kind="manual", met_at=at(3), met_by=text),),
        stakeholders=(Stakeholder(name=text),),
        post_incident_actions=tuple(
            replace(each, text=text, owner=text, link=text) for each in incident().post_incident_actions
        ),
    )
    return record_of(changed, told, severities=SEVERITY_DEFAULTS)


def kept_with(text):
    return Postmortem(sections={section: Written(text=text, by=text, at=at(80)) for section in Section}, by=text)


def shape_of(markdown):
    """The kinds of blocks and inline marks that a text has, without the texts themselves."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    inner = [each for token in tokens for each in token.children or ()]
    plain = {"text", "softbreak", "hardbreak", "text_special"}
    blocks = [token.type for token in tokens if token.type not in {"paragraph_open", "paragraph_close", "inline"}]
    return blocks, [each.type for each in inner if each.type not in plain]


class Tags(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(sorted(name for name, _ in attrs))))


@settings(max_examples=25, derandomize=True)
@given(foreign)
def test_markdown_of_foreign_text_has_the_shape_of_harmless_text(text):
    """The same headings, tables, lists and emphasis as with a plain word: the text made none and broke none."""
    harmless = shape_of(as_markdown(draft_of(record_with("word"), kept_with("word"))))
    blocks, inner = shape_of(as_markdown(draft_of(record_with(text), kept_with(text))))
    assert blocks == harmless[0] or not text.strip()
    assert "html_inline" not in inner
    assert "html_block" not in blocks
    assert inner.count("image") == 1  # the picture


@settings(max_examples=25, derandomize=True)
@given(foreign)
def test_page_of_foreign_text_has_no_element_of_it(text):
    """Every element is one of ours, and none has an attribute that runs something."""
    found = record_with(text)
    tags = Tags()
    tags.feed(as_html(draft_of(found, kept_with(text)), picture_of(found)))
    assert not {tag for tag, _ in tags.found} & {"script", "img", "iframe", "object", "embed", "form", "base", "link"}
    assert not [name for _, names in tags.found for name in names if name.startswith("on")]


@settings(max_examples=25, derandomize=True)
@given(foreign)
def test_picture_of_foreign_text_is_well_formed(text):
    """It is XML whatever is in it, with the elements of ours alone."""
    root = ET.fromstring(picture_of(record_with(text)))
    names = {each.tag.rpartition("}")[2] for each in root.iter()}
    ours = {"svg", "title", "desc", "style", "defs", "pattern", "line", "rect", "text", "g", "circle", "path"}
    assert names <= ours


def test_page_links_only_to_the_web():
    """An address of any other kind is shown, and is no link."""
    found = record_with("javascript:alert(1)")
    assert "href=" not in as_html(draft_of(found, Postmortem()), picture_of(found))


def test_timeline_of_foreign_text_is_one_table():
    """As many rows as entries, each with all its cells."""
    for text in NASTY:
        found = record_with(text)
        tokens = (
            MarkdownIt("commonmark")
            .enable("table")
            .parse(timeline_head(found.incident) + timeline_rows(lines_of(found.entries)))
        )
        cells = [token.type for token in tokens if token.type == "td_open"]
        assert len(cells) == 6 * len(found.entries)
        assert sum(token.type == "table_open" for token in tokens) == 1
