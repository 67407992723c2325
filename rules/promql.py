"""What can be said of PromQL without a parser: brackets and quotes are balanced, ranges use the window. Pure."""

import re

_CLOSES = {")": "(", "]": "[", "}": "{"}
_QUOTES = frozenset("\"'`")
_RANGE = re.compile(r"\[([^\[\]]*)\]")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`", re.DOTALL)
_COMMENT = re.compile(r"#[^\n]*")
WINDOW = "$window"


def unbalanced(promql: str) -> str:
    """Say what is not closed, or "" when all is balanced."""
    if not promql.strip():
        return "the query is empty"
    rest = _bare(promql)
    quote = next((character for character in rest if character in _QUOTES), None)
    if quote is not None:
        return f"a quote {quote} is never closed"
    opened: list[str] = []
    for character in rest:
        if character in "([{":
            opened.append(character)
        elif character in _CLOSES and (not opened or opened.pop() != _CLOSES[character]):
            return f"a bracket {character} closes nothing"
    return f"a bracket {opened[-1]} is never closed" if opened else ""


def ranges_without_window(promql: str) -> list[str]:
    """Return every range that does not use `$window`; a query without any range is named as a whole."""
    ranges: list[str] = _RANGE.findall(_bare(promql))
    if not ranges:
        return ["no range"]
    return [f"[{found}]" for found in ranges if WINDOW not in found]


def _bare(promql: str) -> str:
    """Return the query without strings and comments."""
    return _COMMENT.sub("", _STRING.sub("", promql))
