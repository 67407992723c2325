"""Matchers that say something else than whoever wrote them is likely to mean. Pure."""

from rules.matchers import Matcher, Op

_REGEX = frozenset({Op.MATCHES, Op.NOT_MATCHES})
_OPEN_END, _OPEN_START = ("$", "*", "+", "?", ")", "}"), ("^", ".*", ".+", "(")


def odd(matcher: Matcher) -> tuple[str, str] | None:
    """Return what a matcher says that is probably not meant, and what to write; None where it is fine."""
    value = matcher.value
    if len(value) > 1 and value[0] == value[-1] == "'":
        said = f"the single quotes belong to the value: {matcher.name} would have to be {value}"
        return said, f'write {matcher.name}{matcher.op}"{value[1:-1]}"'
    if matcher.op not in _REGEX:
        if ".*" in value or ".+" in value or "|" in value:
            regex = Op.MATCHES if matcher.op is Op.EQUAL else Op.NOT_MATCHES
            said = f"{matcher.op} compares with the text {value[:60]!r} itself"
            return said, f'write {matcher.name}{regex}"{value[:60]}" for a regular expression'
        return None
    if value.startswith("^") and not value.endswith(_OPEN_END):
        return _anchored(value), f'write "{value[1:60]}.*" for everything that begins so'
    if value.endswith("$") and not value.startswith(_OPEN_START):
        return _anchored(value), f'write ".*{value[:60].rstrip("$")}" for everything that ends so'
    return None


def _anchored(value: str) -> str:
    return f"a regular expression matches the whole value, at both ends: {value[:60]!r} matches no more than without"
