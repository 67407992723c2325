"""Foreign text, made fit to show: no control characters, nothing that turns text around or piles up. Pure.

Such characters are taken out rather than refused: they come with pasting, and who declares an incident is in a hurry.
In identities they are refused, for there they would silently name another thing.
"""

import re

# Marks and overrides of direction: they let text read as what it is not.
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u200b\u2060\ufeff"  # joiners stay: scripts and emoji need them
_LINE = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029 ]+")
_UNFIT = re.compile(f"[\x00-\x1f\x7f-\x9f{_BIDI}{_INVISIBLE}\ufff9-\ufffb]")
_UNFIT_BUT_LINES = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}{_INVISIBLE}\ufff9-\ufffb]")
# Marks that stand above and below a letter: languages need two or three, a pile of them covers the lines around.
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILE = re.compile(f"([{_MARKS}]{{3}})[{_MARKS}]+")


def one_line(text: str) -> str:
    """Return a text as one line: breaks and runs of spaces become one space, what is unfit is taken out."""
    if text.isascii() and text.isprintable() and "  " not in text:  # nearly every one: nothing to look for
        return text.strip()
    return _PILE.sub(r"\1", _LINE.sub(" ", _UNFIT.sub("", _LINE.sub(" ", text)))).strip()


def lines(text: str) -> str:
    """Return a text of several lines; tabs and line breaks stay, what is unfit is taken out."""
    text = _UNFIT_BUT_LINES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _PILE.sub(r"\1", text).strip()


def is_fit(text: str) -> bool:
    """Tell whether a text holds nothing that `one_line` would take out."""
    return _UNFIT.search(text) is None and _PILE.search(text) is None
