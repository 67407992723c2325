"""`tocsin rules test`: runs tests of rules under a virtual clock, on the code that runs in production."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from incidents.calendars import MOST_BYTES, unread_of
from incidents.clock import utc_now
from incidents.rota.reading import reader_over
from rules.check import Report as Checked
from rules.check import render_text
from rules.loading.files import read_rule_files
from rules.loading.nodes import Problem, problem_at
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import PACK_PREFIX
from rules.model import RuleSet
from rules.testing.calendars import span_of, with_given
from rules.testing.files import read_test_files
from rules.testing.load import load_test_file
from rules.testing.model import START, TestFile
from rules.testing.render import coverage_lines, report_json, report_junit, result_lines, summary
from rules.testing.suite import Report, Suite
from tocsin.commands.options import FAILED, UNUSABLE, config_option, settings_or_exit
from tocsin.commands.printing import FORMATS, TEXT, Out
from tocsin.commands.rules.sets import say_unread

WARNED = 3


class UnusableRules(Exception):
    """Rule files that a test names do not load; `report` says why."""

    def __init__(self, report: Checked) -> None:
        super().__init__("rule files do not load")
        self.report = report


@click.command("test")
@click.argument("paths", nargs=-1)
@click.option("--rules", "rules", multiple=True, help="Test these rule files, whatever the test files name.")
@click.option("--run", "only", default="", metavar="REGEX", help="Run only the tests whose name matches (RE2).")
@click.option("--coverage", "show_coverage", is_flag=True, help="Say which rules, tiers and matchers no test has seen.")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="End with code 1 when fewer percent are covered.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write the results as JUnit's XML.")
@click.option("--strict", is_flag=True, help="End with code 3 when a test passes that is marked as todo.")
@click.option("--verbose", "-v", is_flag=True, help="Name the tests that pass, too.")
@click.option("--output", type=click.Choice(FORMATS), default=TEXT, show_default=True, help="How to say it.")
@config_option
def test_files(  # noqa: PLR0913 - the options of the command
    paths: tuple[str, ...],
    rules: tuple[str, ...],
    only: str,
    junit: Path | None,
    output: str,
    config_path: Path | None,
    fail_under: float | None,
    *,
    show_coverage: bool,
    strict: bool,
    verbose: bool,
) -> None:
    """Run tests of rules: files, or directories with `*_test.yml`; without PATHS, beside the configured rules.

    A test file names its rules under `rule_files`, relative to itself; without, the rules of the configuration are
    tested.
    """
    configured = () if paths and rules else settings_or_exit(config_path).rules
    files = _test_files(paths or configured)
    suite = _suite(_RuleSets(rules, configured), only)
    out = Out(output)
    try:
        report = _run(suite, files, out, verbose=verbose)
    except UnusableRules as error:
        click.echo(render_text(error.report), err=True, nl=False)
        sys.exit(UNUSABLE)
    if only and not report.results:
        click.echo(f"tocsin: no test has a name that --run {only!r} matches", err=True)
        sys.exit(UNUSABLE)
    covered = fail_under is None or report.coverage.percent >= fail_under
    ok = not report.count("failed") and covered
    if junit is not None:
        _write(junit, report_junit(report))
    if out.is_json:
        out.json(report_json(report, ok=ok))
    else:
        _sum_up(out, report, show_coverage=show_coverage, fail_under=None if covered else fail_under)
    sys.exit(FAILED if not ok else WARNED if strict and report.count("passes_now") else 0)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"tocsin: {path} cannot be written: {error.strerror}", err=True)
        sys.exit(UNUSABLE)


def _suite(rule_sets: "_RuleSets", only: str) -> Suite:
    try:
        return Suite(rule_sets.of, only=only)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--run") from None


def _test_files(paths: Sequence[str]) -> list[TestFile]:
    """Return the test files; ends the command when one cannot be read, or when there is none."""
    read = read_test_files([path for path in paths if not path.startswith(PACK_PREFIX)])
    files = [load_test_file(file, utc_now()) for file in read.files]
    problems = [*read.problems, *(problem for file in files for problem in file.problems)]
    if any(problem.severity == "error" for problem in problems):
        click.echo(render_text(Checked(problems=tuple(problems), rule_set=None, files=read.files)), err=True, nl=False)
        sys.exit(UNUSABLE)
    for problem in problems:
        click.echo(str(problem), err=True)
    if not files:
        click.echo("tocsin: there is no test; tests of rules are files named *_test.yml", err=True)
        sys.exit(UNUSABLE)
    return files


class _RuleSets:
    """Loads the rules of each test file, the same ones once."""

    def __init__(self, instead: Sequence[str], configured: Sequence[str]) -> None:
        self._instead = tuple(instead)
        self._configured = tuple(configured)
        self._loaded: dict[tuple[str, ...], RuleSet] = {}
        self._said: set[tuple[str, ...]] = set()

    def of(self, file: TestFile) -> RuleSet:
        """Return the rule set of a test file; raises `UnusableRules`."""
        beside = Path(file.name).parent
        named = tuple(name if name.startswith(PACK_PREFIX) else str(beside / name) for name in file.rule_files)
        paths = self._instead or named or self._configured
        rule_set = self._loaded.get(paths)
        if rule_set is None:
            rule_set, has_calendars = _load(paths, file)
            if not has_calendars:  # they are read over the time of the tests, which differs
                self._loaded[paths] = rule_set
        rule_set = _with_calendars(rule_set, file, beside)
        if (unread := unread_of(rule_set.oncall)) and unread not in self._said:
            self._said.add(unread)
            say_unread(unread, "give the test file one: `calendars: {ROTATION: FILE.ics}`")
        return rule_set


def _load(paths: Sequence[str], file: TestFile) -> tuple[RuleSet, bool]:
    read = read_rule_files(paths)
    loaded = load_rule_set(read.files, now=START, read_calendar=reader_over(*span_of(file)))
    errors: list[Problem] = [each for each in (*read.problems, *loaded.problems) if each.severity == "error"]
    if errors or loaded.rule_set is None:
        raise UnusableRules(Checked(problems=tuple(errors), rule_set=None, files=tuple(read.files)))
    return loaded.rule_set, any(each.is_calendar for each in read.files)


def _with_calendars(rule_set: RuleSet, file: TestFile, beside: Path) -> RuleSet:
    problems, texts = [], {}
    for given in file.calendars:
        try:
            texts[given.rotation] = b"" if given.is_text else _read_calendar(beside / given.node.text)
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            problems.append(problem_at(given.node, "E409", f"{given.node.text[:80]} cannot be read: {said}"))
    if not problems:
        rule_set, wrong = with_given(rule_set, file, texts, reader_over(*span_of(file)))
        problems.extend(wrong)
    if problems:
        raise UnusableRules(Checked(problems=tuple(problems), rule_set=None, files=()))
    return rule_set


def _read_calendar(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _run(suite: Suite, files: Sequence[TestFile], out: Out, *, verbose: bool) -> Report:
    """Run all tests; what failed is printed at once, and a progress bar shows on a terminal."""
    console = Console(stderr=True)
    hidden = out.is_json or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("tests", total=sum(len(file.tests) for file in files))
        for result in suite.run(files):
            progress.advance(task)
            if not out.is_json and (verbose or result.outcome != "passed"):
                for line, style in result_lines(result):
                    out.line(line, style)
    return suite.report(files)


def _sum_up(out: Out, report: Report, *, show_coverage: bool, fail_under: float | None) -> None:
    if show_coverage or fail_under is not None:
        for line, style in coverage_lines(report.coverage):
            out.line(line, style)
    out.line(*summary(report))
    if fail_under is not None:
        out.line(f"fewer than the {fail_under:g} % that --fail-under asks for are covered", "bold red")
