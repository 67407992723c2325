"""Writes how tests of rules went: as text, as JSON and as JUnit's XML. Pure."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import msgspec

from rules.testing.coverage import Coverage
from rules.testing.model import Failure, Result
from rules.testing.suite import Report

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
STYLES = {"passed": "green", "failed": "bold red", "todo": "yellow", "passes_now": "bold yellow"}
WORDS = {"passed": "ok", "failed": "FAIL", "todo": "todo", "passes_now": "PASSES NOW"}
Line = tuple[str, str]  # a line, and its style on a terminal


def result_lines(result: Result) -> Iterator[Line]:
    """Yield what is to be said of one test."""
    headline = f"{WORDS[result.outcome]:<5} {result.file}:{result.line}: {result.name}"
    if result.todo:
        headline += f" (todo: {result.todo})"
    yield headline, STYLES[result.outcome]
    if result.outcome == "passes_now":
        yield "      take its `todo` away", ""
    if result.outcome == "failed":
        for failure in result.failures:
            yield from _failure_lines(result.file, failure)


def _failure_lines(file: str, failure: Failure) -> Iterator[Line]:
    yield f"  at {failure.at}, {failure.subject} ({file}:{failure.line}:{failure.column})", ""
    if failure.expected:
        yield f"    - expected {failure.expected}", "red"
    elif failure.got and failure.subject != "event":
        yield "    - expected nothing more", "red"
    if failure.got:
        yield f"    + got      {failure.got}", "green"
    elif failure.expected:
        yield "    + got      nothing like it", "green"
    for number, why in enumerate(failure.why):
        yield f"    {'why: ' if not number else '     '}{why}", "dim"


def coverage_lines(coverage: Coverage) -> Iterator[Line]:
    """Yield what tests have not seen of each rule, and the sum."""
    for rule in coverage.rules:
        if rule.missing:
            yield f"{rule.file}:{rule.line}: {rule.rule}: {rule.seen} of {rule.points}", "yellow"
            for missing in rule.missing:
                yield f"  {missing}", ""
    yield f"coverage {coverage.percent:.1f} % ({coverage.seen} of {coverage.points})", ""


def summary(report: Report) -> Line:
    """Return the line that sums up."""
    words = {"passed": "passed", "failed": "failed", "todo": "todo", "passes_now": "todo that pass now"}
    counts = [f"{report.count(outcome)} {said}" for outcome, said in words.items() if report.count(outcome)]
    tests = ", ".join(counts) or "no test"
    files = f"{report.files} file{'' if report.files == 1 else 's'}"
    return f"{tests} in {files}, {report.seconds:.2f} s", "bold red" if report.count("failed") else "bold green"


def report_json(report: Report, *, ok: bool) -> dict[str, object]:
    """Return the report for programs."""
    return {
        "ok": ok,
        "files": report.files,
        "counts": {outcome: report.count(outcome) for outcome in WORDS},
        "seconds": round(report.seconds, 3),
        "tests": [msgspec.to_builtins(result) for result in report.results],
        "coverage": {
            "percent": round(report.coverage.percent, 2),
            "seen": report.coverage.seen,
            "points": report.coverage.points,
            "rules": [msgspec.to_builtins(rule) for rule in report.coverage.rules],
        },
    }


def report_junit(report: Report) -> str:
    """Return the report as the XML that build servers read: one suite a file, one case a test."""
    root = ET.Element("testsuites", name="tocsin rules test")
    for file in dict.fromkeys(result.file for result in report.results):
        results = [result for result in report.results if result.file == file]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_clean(file),
            tests=str(len(results)),
            failures=str(sum(result.outcome == "failed" for result in results)),
            errors="0",
            skipped=str(sum(result.outcome == "todo" for result in results)),
            time=f"{sum(result.seconds for result in results):.3f}",
        )
        for result in results:
            _case(suite, result)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(result.file),
        name=_clean(result.name),
        file=_clean(result.file),
        line=str(result.line),
        time=f"{result.seconds:.3f}",
    )
    if result.outcome == "todo":
        ET.SubElement(case, "skipped", message=_clean(result.todo))
    if result.outcome == "failed":
        first = result.failures[0]
        failure = ET.SubElement(case, "failure", message=_clean(f"at {first.at}: {first.subject}"))
        lines = (line for each in result.failures for line, _ in _failure_lines(result.file, each))
        failure.text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    return _NOT_XML.sub(lambda found: ascii(found.group())[1:-1], text)
