"""Checks rule files and writes the report as text with the offending lines, as JSON, or as GitHub annotations. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from rules.load import load_rule_set
from rules.model import Mode, RuleSet
from rules.sections import SourceFile
from rules.yaml import Problem

_WIDEST = 160
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


def check(files: Sequence[SourceFile], now: datetime, *, unreadable: Sequence[Problem] = ()) -> Report:
    """Load rule files and report; `unreadable` are the problems of reading them, which come first."""
    loaded = load_rule_set(files, now=now)
    failed = any(problem.severity == "error" for problem in unreadable)
    return Report(
        problems=(*unreadable, *loaded.problems),
        rule_set=None if failed else loaded.rule_set,
        files=tuple(files),
    )


def render_text(report: Report) -> str:
    """Return the problems with their lines and a caret each, and one line that sums up."""
    lines_of = {file.name: _lines(file) for file in report.files}
    parts = []
    for problem in report.problems:
        parts.append(_escaped(str(problem)))
        lines = lines_of.get(problem.file, [])
        if 0 < problem.line <= len(lines):
            parts.append(_quoted(lines[problem.line - 1], problem))
    parts.append(_summary(report))
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
    """Return one workflow command a problem, which GitHub shows beside the line."""
    return "".join(_annotation(problem) + "\n" for problem in report.problems)


def _annotation(problem: Problem) -> str:
    place = f"file={problem.file.translate(_GITHUB_PROPERTY)}"
    if problem.line:
        place += f",line={problem.line},col={problem.column}"
    message = problem.message + (f" ({problem.hint})" if problem.hint else "")
    return f"::{problem.severity} {place},title={problem.code}::{message.translate(_GITHUB_TEXT)}"


def _lines(file: SourceFile) -> list[str]:
    text = file.text if isinstance(file.text, str) else file.text.decode("utf-8", "replace")
    return text.removeprefix("\ufeff").split("\n")


def _quoted(line: str, problem: Problem) -> str:
    """Return the offending line and a caret under the place, cut so that the place stays in sight."""
    start = max(0, problem.column - _WIDEST // 2) if problem.column > _WIDEST else 0
    shown = _escaped(_masked(line.rstrip("\r"))[start : start + _WIDEST].replace("\t", " "))
    number = f"{problem.line:>5} | "
    return f"{number}{shown}\n{' ' * (len(number) - 2)}| {' ' * max(problem.column - 1 - start, 0)}^"


def _masked(line: str) -> str:
    """Hide what may be secret, at the same length: reports are kept in the logs of build servers."""
    return _SECRET.sub(lambda found: found.group(1) + "*" * len(found.group(2)), line)


def _escaped(text: str) -> str:
    """Make control characters visible: a file must not steer the terminal that shows its errors."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _summary(report: Report) -> str:
    files = _number(len(report.files), "file")
    if report.errors or report.rule_set is None:
        found = f"{_number(report.errors, 'error')}, {_number(report.warnings, 'warning')}"
        return f"{found} in {files}; nothing was loaded"
    rules = report.rule_set.rules
    modes = ", ".join(f"{count} {mode}" for mode in Mode if (count := sum(rule.mode is mode for rule in rules)))
    people = _number(len(report.rule_set.oncall.people), "person", "people")
    told = f"{files}, {_number(len(rules), 'rule')}{f' ({modes})' if modes else ''}, {people}"
    warned = f", {_number(report.warnings, 'warning')}" if report.warnings else ""
    return f"OK: {told}, rule set {report.rule_set.hash}{warned}"


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
