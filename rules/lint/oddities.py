"""Matchers that say something else than whoever wrote them is likely to mean. Pure."""

import re

from rules.matchers import Matcher, Op

_REGEX = frozenset({Op.MATCHES, Op.NOT_MATCHES})
_OPEN_END, _OPEN_START = ("$", "*", "+", "?", ")", "}"), ("^", ".*", ".+", "(")


_ANYTHING = frozenset({".*", "(?s).*", "(?s:.*)"})
_GLOB = re.compile(r"[\w-]*\w\*")
_WORDS = re.compile(r"[\w ,|-]*")
_PREFIX = "labels."


def odd(matcher: Matcher) -> tuple[str, str] | None:
    """Return what a matcher says that is probably not meant, and what to write; None where it is fine."""
    name, value = matcher.name, matcher.value
    if name.startswith(_PREFIX):
        bare = name.removeprefix(_PREFIX)
        return f"this asks for a label that is called {name!r}", f'write {bare}{matcher.op}"{value[:60]}"'
    if len(value) > 1 and value[0] == value[-1] == "'":
        said = f"the single quotes belong to the value: {name} would have to be {value}"
        return said, f'write {name}{matcher.op}"{value[1:-1]}"'
    if "{{" in value:
        said = f"nothing is put into a matcher: {name} would have to be the text {value[:60]!r}"
        return said, "write the value itself; alerts that share labels are brought together by identity"
    if value != value.strip():
        return "the spaces belong to the value", f'write {name}{matcher.op}"{value.strip()[:60]}"'
    return _odd_regex(matcher) if matcher.op in _REGEX else _odd_text(matcher)


def is_anything(matcher: Matcher) -> bool:
    """Tell whether a matcher holds for every value, and for a label that is missing."""
    return matcher.op is Op.MATCHES and matcher.value in _ANYTHING


def _odd_text(matcher: Matcher) -> tuple[str, str] | None:
    value = matcher.value
    regex = Op.MATCHES if matcher.op is Op.EQUAL else Op.NOT_MATCHES
    said = f"{matcher.op} compares with the text {value[:60]!r} itself"
    if ".*" in value or ".+" in value or "|" in value:
        return said, f'write {matcher.name}{regex}"{value[:60]}" for a regular expression'
    if value.startswith("*") or value.endswith("*"):
        mend = re.sub(r"\*+", ".*", value[:60])
        return said, f'write {matcher.name}{regex}"{mend}" for any text in the place of *'
    return None


def _odd_regex(matcher: Matcher) -> tuple[str, str] | None:
    value = matcher.value
    if is_anything(matcher):
        said = f"{matcher} holds for everything, also where there is no {matcher.name}"
        return said, f'write {matcher.name}!="" for any value, or leave it out'
    if value.startswith("^") and not value.endswith(_OPEN_END):
        return _anchored(value), f'write "{value[1:60]}.*" for everything that begins so'
    if value.endswith("$") and not value.startswith(_OPEN_START):
        return _anchored(value), f'write ".*{value[:60].rstrip("$")}" for everything that ends so'
    if _GLOB.fullmatch(value):
        said = f"* repeats the character before it: {value[:60]!r} matches no longer words"
        return said, f'write "{value[:60].removesuffix("*")}.*" for everything that begins so'
    return _odd_list(matcher)


def _odd_list(matcher: Matcher) -> tuple[str, str] | None:
    """Look at a list of words, as it is written in a regular expression."""
    value = matcher.value
    if not _WORDS.fullmatch(value):
        return None
    words = [word.strip() for word in re.split(r"[|,]" if "," in value else r"\|", value)]
    mend = f'write {matcher.name}{matcher.op}"{"|".join(word for word in words if word)[:100]}"'
    if "," in value:
        return "the comma belongs to the value, and separates nothing", mend
    if " |" in value or "| " in value:
        return "the spaces around | belong to the values", mend
    if len(words) > 1 and "" in words:
        said = f"an alternative is empty, so it also holds where there is no {matcher.name}"
        return said, f'{mend}, or "({"|".join(word for word in words if word)[:80]})?" if that is meant'
    return None


def _anchored(value: str) -> str:
    return f"a regular expression matches the whole value, at both ends: {value[:60]!r} matches no more than without"
