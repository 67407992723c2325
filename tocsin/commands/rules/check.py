"""`tocsin rules check`: every error of every rule file, without any server."""

import sys
from pathlib import Path

import click

from incidents.clock import utc_now
from rules.check import Report, check, render_github, render_json, render_text
from rules.files import read_rule_files
from tocsin.commands.options import FAILED, UNUSABLE, config_option, settings_or_exit

WARNED = 3


def _as_text(report: Report) -> str:
    return render_text(report, colour=sys.stdout.isatty())


RENDER = {"text": _as_text, "json": render_json, "github": render_github}


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option("--output", type=click.Choice(sorted(RENDER)), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="End with code 3 when there are warnings.")
@config_option
def check_files(paths: tuple[str, ...], output: str, *, strict: bool, config_path: Path | None) -> None:
    """Check rule files and directories, all errors at once; without PATHS, those of the configuration."""
    read = read_rule_files(paths or settings_or_exit(config_path).rules)
    report = check(read.files, utc_now(), unreadable=read.problems)
    click.echo(RENDER[output](report), nl=False)
    sys.exit(exit_code(report, unreadable=any(problem.severity == "error" for problem in read.problems), strict=strict))


def exit_code(report: Report, *, unreadable: bool, strict: bool) -> int:
    """Return 0 for rules that can be used, 1 for errors, 2 for what is unreadable, 3 for warnings under `--strict`."""
    if unreadable:
        return UNUSABLE
    if report.errors:
        return FAILED
    return WARNED if strict and report.warnings else 0
