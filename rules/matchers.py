r"""Matchers as Alertmanager writes them: `severity="page"`, `!=`, `=~`, `!~`, lists with commas, quoted names. Pure.

A label that is missing equals "". Regular expressions are RE2, anchored at both ends, so none can take long. Escapes
are those of Alertmanager's classic syntax: \" \\ and \n; any other backslash stays, so `=~"a\.b"` means what it says.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

import msgspec
import re2

MAX_REGEX = 512
MAX_MATCHERS = 100  # in one text
_LONGEST = 32

_NAME = re.compile(r"[^\s{}!=~,\\\"'`]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_OPERATOR = re.compile(r"=~|!~|!=|=")
_BARE = re.compile(r"[^,}\"{]*")
_SPACE = re.compile(r"\s*")
_PROMQL = re.compile(r"\w\(|\w\[\d|[<>]")
_WORD = re.compile(r"\w+|\|\||&&")
_ELSEWHERE = {
    "and": "write a comma for and",
    "&&": "write a comma for and",
    "or": "use any: in when, or =~ with | between the values",
    "||": "use any: in when, or =~ with | between the values",
}
_NO_LOOKING = "RE2 has no look-ahead and no look-behind: write a second matcher with !~"
_ELSEWHERE_REGEX = dict.fromkeys(("(?!", "(?=", "(?<!", "(?<=", "(?<"), _NO_LOOKING)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_LITERALS = re.compile(r"[\w :;,@/%&'\"<>=!~#-]*(?:\|[\w :;,@/%&'\"<>=!~#-]*)*")

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True
# A pattern that needs more is refused within milliseconds; one of 512 characters that somebody means needs a tenth.
_OPTIONS.max_mem = 1024 * 1024
_SET_OPTIONS = re2.Options()
_SET_OPTIONS.log_errors = False
_SET_OPTIONS.max_mem = 64 * 1024 * 1024


class Op(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


class Matcher(msgspec.Struct, frozen=True, gc=False):
    """One comparison of one label with a value or a regular expression."""

    name: str
    op: Op
    value: str

    def __str__(self) -> str:
        name = self.name if _NAME.fullmatch(self.name) else _quote(self.name)
        return f"{name}{self.op.value}{_quote(self.value)}"


class BadMatcher(ValueError):
    """A text that is no matcher: what is wrong, at which character (from 0), and the mend."""

    def __init__(self, message: str, at: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint


class BadRegex(BadMatcher):
    """A regular expression that RE2 refuses."""


Test = Callable[[str], bool]


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read one or more matchers, with or without braces around them; raises BadMatcher."""
    return _Parser(text).matchers()


def matches(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether all matchers hold; a label that is missing equals ""."""
    return all(test_of(matcher)(labels.get(matcher.name, "")) for matcher in matchers)


@lru_cache(maxsize=65536)
def test_of(matcher: Matcher) -> Test:
    """Return the function that tells whether a label's value satisfies the matcher; raises BadMatcher."""
    if matcher.op is Op.EQUAL:
        return matcher.value.__eq__
    if matcher.op is Op.NOT_EQUAL:
        return matcher.value.__ne__
    accepts = _regex_test(matcher.value)
    if matcher.op is Op.MATCHES:
        return accepts
    return lambda value: not accepts(value)


def literals_of(matcher: Matcher) -> frozenset[str] | None:
    """Return every value that satisfies the matcher if they can be listed (`=`, or `=~"a|b"`), else None."""
    if matcher.op is Op.EQUAL:
        return frozenset({matcher.value})
    if matcher.op is Op.MATCHES and _LITERALS.fullmatch(matcher.value):
        return frozenset(matcher.value.split("|"))
    return None


def possible_range(pattern: str) -> tuple[bytes, bytes] | None:
    """Return texts between which everything lies that a pattern matches; None where nothing is known."""
    try:
        least, most = _compile(pattern).possiblematchrange(_LONGEST)
    except (re2.error, ValueError):
        return None
    return (least, most) if most else None if least else (b"", b"")


class RegexSet:
    """Many anchored regular expressions asked at once, in one pass over the value."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._tests = [_regex_test(pattern) for pattern in patterns]
        self._all = re2.Set.FullMatchSet(_SET_OPTIONS)
        for pattern in patterns:
            self._all.Add(pattern)
        # The set answers "none" as well when it runs out of memory; what matches everything tells the two apart.
        self._sentinel = self._all.Add("(?s:.*)")
        self._all.Compile()

    def matching(self, value: str) -> list[int]:
        """Return the places of the expressions that match a value, in rising order."""
        try:
            found: list[int] | None = self._all.Match(value)
        except UnicodeEncodeError:
            found = None
        if found is None or self._sentinel not in found:
            return [place for place, test in enumerate(self._tests) if test(value)]
        return sorted(place for place in found if place != self._sentinel)


def _regex_test(pattern: str) -> Test:
    listed = literals_of(Matcher("", Op.MATCHES, pattern))
    compiled = _compile(pattern)
    if listed is not None:
        return listed.__contains__

    def accepts(value: str) -> bool:
        try:
            return compiled.fullmatch(value) is not None
        except UnicodeEncodeError:  # half of a surrogate pair is no text; what it stands for is unknown
            return compiled.fullmatch(value.encode("utf-8", "replace").decode()) is not None

    return accepts


def _compile(pattern: str) -> "re2._Regexp":
    if len(pattern) > MAX_REGEX:
        raise BadRegex(f"the regular expression has {len(pattern)} characters; at most {MAX_REGEX} are allowed")
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise BadRegex(
            f"the regular expression {pattern[:60]!r} is not valid in RE2: {said}",
            hint=_ELSEWHERE_REGEX.get(said.rpartition(" ")[2], ""),
        ) from None
    except UnicodeEncodeError:
        raise BadRegex("the regular expression is not valid Unicode text") from None


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class _Parser:
    """Reads a list of matchers from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def matchers(self) -> tuple[Matcher, ...]:
        self._space()
        braced = self._take("{")
        found: list[Matcher] = []
        while not self._at_end(braced=braced):
            if len(found) == MAX_MATCHERS:
                raise self._error(f"a text holds {MAX_MATCHERS} matchers at most", "write several rules or conditions")
            found.append(self._matcher())
            if not self._take(",") and not self._at_end(braced=braced):
                raise self._error("expected a comma between two matchers", _ELSEWHERE.get(self._word(), ""))
        if braced and not self._take("}"):
            raise self._error('the "{" is never closed')
        if self._at < len(self._text):
            raise self._error("nothing may follow the closing brace")
        if not found:
            raise BadMatcher('no matcher is there; write one like severity="critical"')
        return tuple(found)

    def _matcher(self) -> Matcher:
        name = self._name()
        operator = _OPERATOR.match(self._text, self._at)
        if operator is None:
            hint = f'write {name}="..."' if self._at == len(self._text) and self._text == name else ""
            if _PROMQL.search(self._text):
                hint = "labels are matched here; PromQL stands in when: {query: {promql: ..., gt: 0}}"
            raise self._error(f"expected =, !=, =~ or !~ after {name[:60]!r}", hint)
        self._at = operator.end()
        if self._text.startswith("=", self._at) and self._text[self._at + 1 :].lstrip().startswith('"'):
            raise self._error(f"{operator.group()}= is no comparison", "write =, !=, =~ or !~")
        self._space()
        start = self._at
        matcher = Matcher(name, Op(operator.group()), self._value())
        try:
            test_of(matcher)
        except BadRegex as error:
            raise BadRegex(str(error), start + self._text.startswith('"', start), error.hint) from None
        return matcher

    def _name(self) -> str:
        self._space()
        name = self._quoted()
        if name is None:
            bare = _NAME.match(self._text, self._at)
            name = bare.group() if bare else ""
            self._at += len(name)
        if not name:
            raise self._error("expected the name of a label")
        self._space()
        return name

    def _value(self) -> str:
        value = self._quoted()
        if value is not None:
            return value
        bare = _BARE.match(self._text, self._at)
        found = bare.group() if bare else ""
        self._at += len(found)
        if self._text[self._at : self._at + 1] in {'"', "{"}:
            raise self._error('a value that holds quotes or braces must be in double quotes, with \\" for a quote')
        return found.strip()

    def _quoted(self) -> str | None:
        if self._text[self._at : self._at + 1] != '"':
            return None
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise self._error("the double quote is never closed")
        self._at = found.end()
        self._space()
        return re.sub(r'\\[n"\\]', lambda escape: _ESCAPES[escape.group()], found.group(1))

    def _take(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        self._space()
        return True

    def _at_end(self, *, braced: bool) -> bool:
        rest = self._text[self._at : self._at + 1]
        return not rest or (braced and rest == "}")

    def _space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _word(self) -> str:
        found = _WORD.match(self._text, self._at)
        return found.group().lower() if found else ""

    def _error(self, message: str, hint: str = "") -> BadMatcher:
        return BadMatcher(message, self._at, hint)
