"""Markdown of foreign text: whatever an alert or a person wrote reads as it was written, and is never markup. Pure.

It escapes for CommonMark and for the extensions that are common with it (tables, strikethrough, bare links, formulas).
"""

import re
from collections.abc import Iterable, Sequence

from incidents.texts import lines, one_line

# What is markup wherever it stands; a colon only in an address and in the name of a picture (`:fire:`), an underscore
# only at the edge of a word.
_ANYWHERE = re.compile(r"([\\`*{}\[\]<>|~&$^@]|:(?=//|[\w+-]*[A-Za-z][\w+-]*:)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
# What is markup only where a line begins: headings, lists, rules, and the underlining of headings.
_BEGINS = re.compile(r"([#+\-=]|\d{1,9}(?=[.)]))")
_BARE_LINK = re.compile(r"(www)\.", re.IGNORECASE)
_PERCENT = {" ": "%20", "<": "%3C", ">": "%3E", "\\": "%5C", "(": "%28", ")": "%29", "|": "%7C", "`": "%60", '"': "%22"}
_LINKED = ("https://", "http://")


def inline(text: str) -> str:
    """Return foreign text as one line that stands for itself: in a paragraph, a list item, a heading or a link."""
    return _escaped(one_line(text))


def paragraph(text: str) -> str:
    """Return foreign text of several lines: its line breaks stay, and an empty line begins a paragraph."""
    kept = [_escaped(one_line(line)) for line in lines(text).split("\n")]
    parts: list[str] = []
    for index, line in enumerate(kept):
        is_last = index + 1 == len(kept)
        breaks = line and not is_last and kept[index + 1]
        parts.append(line + ("\\" if breaks else ""))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip("\n")


def quote(text: str) -> str:
    """Return foreign text of several lines as a block quote."""
    return "\n".join(f"> {line}".rstrip() for line in paragraph(text).split("\n"))


def link(text: str, url: str) -> str:
    """Return a link with foreign text to an address of the web; an address of any other kind is only shown."""
    shown, target = inline(text), one_line(url)
    if not target.lower().startswith(_LINKED):
        return f"{shown} ({inline(url)})" if target and target != one_line(text) else shown
    safe = "".join(_PERCENT.get(each, each) for each in target)
    return f"[{shown}](<{safe}>)"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the cells are foreign text, and each becomes one line."""
    found = [" | ".join(inline(cell) for cell in row) for row in rows]
    head = " | ".join(inline(column) for column in columns)
    return "\n".join([f"| {head} |", "|" + " --- |" * len(columns), *(f"| {row} |" for row in found)])


def _escaped(line: str) -> str:
    """Escape a text that is one line already."""
    begins = _BEGINS.match(line)
    escaped = _BARE_LINK.sub(r"\1\\.", _ANYWHERE.sub(r"\\\1", line))
    if begins is None:
        return escaped
    if begins.group()[0].isdigit():
        return f"{begins.group()}\\{escaped[begins.end() :]}"
    return f"\\{escaped}"
