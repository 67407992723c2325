"""Checks rule files and writes the report as text with the offending lines, as JSON, or as GitHub annotations. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from unicodedata import combining, east_asian_width

import msgspec

from rules.lint.lint import lint
from rules.lint.unmatched import unmatched
from rules.loading.context import ReadCalendar
from rules.loading.nodes import Problem
from rules.loading.rule_set import in_order, load_rule_set
from rules.loading.sections import PACK_PREFIX, SourceFile
from rules.loading.yaml import MAX_BYTES
from rules.model import Mode, RuleSet

_WIDEST = 160
_COLOURS = {"place": "1", "margin": "2", "error": "1;31", "warning": "1;33", "good": "32", "bad": "31"}
_Paint = Callable[[str, str], str]
_SECRET = re.compile(r"((?:secret|routing_key|token|password|url)[\"']?\s*:\s*)(\"[^\"]*\"?|'[^']*'?|[^\s,}]+)")
_GITHUB_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_GITHUB_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: every problem by file and line, the rule set if it can be used, and the files for quoting."""

    problems: tuple[Problem, ...]
    rule_set: RuleSet | None
    files: tuple[SourceFile, ...]

    @property
    def errors(self) -> int:
        """How many problems prevent loading."""
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        """How many problems do not."""
        return len(self.problems) - self.errors


def check(
    files: Sequence[SourceFile],
    now: datetime,
    *,
    unreadable: Sequence[Problem] = (),
    read_calendar: ReadCalendar | None = None,
    seen: Iterable[Mapping[str, str]] = (),
) -> Report:
    """Load rule files and report.

    `unreadable` are the problems of reading them, which come first; `read_calendar` reads those of rotations; `seen`
    are the labels of alerts of the past, of which each rule should match some.
    """
    loaded = load_rule_set(files, now=now, read_calendar=read_calendar)
    failed = any(problem.severity == "error" for problem in unreadable)
    found = list(loaded.problems)
    if loaded.rule_set is not None:
        more = [*lint(files, loaded.rule_set), *unmatched(files, loaded.rule_set, seen)]
        found = in_order([*found, *more], files)
    return Report(
        problems=(*unreadable, *found),
        rule_set=None if failed else loaded.rule_set,
        files=tuple(files),
    )


def render_text(report: Report, *, colour: bool = False) -> str:
    """Return the problems with their lines and a caret each, and one line that sums up."""
    paint = _painted if colour else _plain
    lines_of = {file.name: _lines(file) for file in report.files}
    masked: dict[tuple[str, int], str] = {}  # a line may be a whole file long, and have all of the problems
    parts = []
    for problem in report.problems:
        parts.append(_headline(problem, paint))
        lines, place = lines_of.get(problem.file, []), (problem.file, problem.line)
        if 0 < problem.line <= len(lines):
            if place not in masked:
                masked[place] = _masked(lines[problem.line - 1].rstrip("\r"))
            parts.append(_quoted(masked[place], problem, paint))
    parts.append(paint(summary(report), "bad" if report.errors else "good"))
    return "\n".join(parts) + "\n"


def render_json(report: Report) -> str:
    """Return the report as one JSON object."""
    found = {
        "ok": report.errors == 0,
        "hash": report.rule_set.hash if report.rule_set else None,
        "files": [file.name for file in report.files],
        "rules": len(report.rule_set.rules) if report.rule_set else None,
        "errors": report.errors,
        "warnings": report.warnings,
        "problems": [msgspec.to_builtins(problem) for problem in report.problems],
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def render_github(report: Report) -> str:
    """Return one workflow command a problem, which GitHub shows beside the line, and one line that sums up."""
    return "".join(_annotation(problem) + "\n" for problem in report.problems) + summary(report) + "\n"


def _annotation(problem: Problem) -> str:
    place = f"file={problem.file.translate(_GITHUB_PROPERTY)}"
    if problem.line:
        place += f",line={problem.line},col={problem.column}"
    message = problem.message + (f" ({problem.hint})" if problem.hint else "")
    return f"::{problem.severity} {place},title={problem.code}::{message.translate(_GITHUB_TEXT)}"


def _lines(file: SourceFile) -> list[str]:
    start = file.text[:MAX_BYTES]
    text = start if isinstance(start, str) else start.decode("utf-8", "replace")
    return text.removeprefix("\ufeff").split("\n")


def _headline(problem: Problem, paint: _Paint) -> str:
    text = _escaped(str(problem))
    place, kind, rest = text.partition(f": {problem.severity}[{problem.code}]")
    return f"{paint(place, 'place')}{paint(kind, problem.severity)}{rest}" if kind else text


def _quoted(masked: str, problem: Problem, paint: _Paint) -> str:
    """Return the offending line and a caret under the place, cut so that the place stays in sight."""
    place = problem.column - 1
    start = place - _WIDEST // 2 if place >= _WIDEST else 0
    before, after = _shown(masked[start:place]), _shown(masked[place : start + _WIDEST])
    left, right = "…" if start else "", "…" if len(masked) > start + _WIDEST else ""
    number = f"{problem.line:>5} | "
    caret = " " * (_width(left) + _width(before)) + paint("^", problem.severity)
    margin = " " * (len(number) - 2) + "| "
    return f"{paint(number, 'margin')}{left}{before}{after}{right}\n{paint(margin, 'margin')}{caret}"


def _shown(text: str) -> str:
    return _escaped(text.replace("\t", " "))


def _width(text: str) -> int:
    """Return how many cells of a terminal a text takes: some characters take two, and combining ones none."""
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def _plain(text: str, style: str) -> str:
    del style
    return text


def _painted(text: str, style: str) -> str:
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"


def _masked(line: str) -> str:
    """Hide what may be secret, at the same length: reports are kept in the logs of build servers."""
    return _SECRET.sub(lambda found: found.group(1) + "*" * len(found.group(2)), line)


def _escaped(text: str) -> str:
    """Make control characters visible: a file must not steer the terminal that shows its errors."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def summary(report: Report) -> str:
    """Return one line: how much was found, and what was loaded."""
    files = _counted(report.files)
    if report.errors or report.rule_set is None:
        found = f"{_number(report.errors, 'error')}, {_number(report.warnings, 'warning')}"
        return f"{found}{f' in {files}' if report.files else ''}; nothing was loaded"
    rules = report.rule_set.rules
    modes = ", ".join(f"{count} {mode}" for mode in Mode if (count := sum(rule.mode is mode for rule in rules)))
    people = _number(len(report.rule_set.oncall.people), "person", "people")
    told = f"{files}, {_number(len(rules), 'rule')}{f' ({modes})' if modes else ''}, {people}"
    warned = f", {_number(report.warnings, 'warning')}" if report.warnings else ""
    return f"OK: {told}, rule set {report.rule_set.hash}{warned}"


def _counted(files: Sequence[SourceFile]) -> str:
    """Return how many files there are; shipped packs, which come where no file has rules, are counted apart."""
    packs = sum(file.name.startswith(PACK_PREFIX) for file in files)
    own = _number(len(files) - packs, "file")
    return f"{own} and {_number(packs, 'shipped pack')}" if packs else own


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
