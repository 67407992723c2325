"""Whoever follows a link finds something, and whoever reads finds no address that is only ours."""

import re

import pytest
from documents import ROOT, anchors, documents, links, name_of, text_of

FOREIGN = re.compile(r"^<?(https?:|mailto:)")
# Directories of a developer's or a builder's own machine; what the image and the examples use is not among them.
MACHINE_PATHS = re.compile(r"(?<![\w.-])/(?:work|root|tmp|home)/")


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_links_lead_somewhere(document):
    """Every link inside the project names a file, and every anchor a heading of it."""
    broken = []
    for link in links(document):
        if FOREIGN.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_documents_name_no_machine(document):
    """No document holds a path of the machine on which it was written."""
    assert MACHINE_PATHS.findall(text_of(document)) == []


def test_documents_are_all_in_the_index():
    """Each document can be found from docs/README.md."""
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    wanted = {path for path in documents() if path.name != "README.md" and path.parent != ROOT}
    assert {name_of(path) for path in wanted - linked} == set()


def test_pictures_are_local():
    """A picture of ours needs nothing from elsewhere: no font, no script, no other picture."""
    pictures = sorted((ROOT / "docs" / "images").glob("*.svg"))
    assert pictures
    for picture in pictures:
        text = picture.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert re.findall(r"https?://|<script|@import|url\(['\"]?(?!#)[^)]*", text) == [], picture.name
