"""`tocsin init`: writes a commented configuration and rules to begin with; it never overwrites anything."""

import os
import re
from pathlib import Path

import click

from rules.schema import render_schema
from rules.starter_files import starter_files
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_out
from tocsin.config_file import DEFAULT_FILE
from tocsin.tokens import keep_token

TOKENS = "tokens"
SCHEMA = "rules.schema.json"
# A list that the starter file shows in comments, and the file of a token in it.
_SHOWN_LIST = re.compile(r"^# (?:sources|api_tokens):\n(?:#[^\n]*\n?)+", re.MULTILINE)
_TOKEN_FILE = re.compile(r"token_file: /run/secrets/(\w+)_token\b")

NEXT_STEPS = """
Next, in {directory}:
  tocsin rules check                 what the rules say
  tocsin rules test                  whether they do what their tests expect
  tocsin serve                       run everything; the web pages are signed in to with what is in {tokens}/
  tocsin connect alertmanager        what to paste into alertmanager.yml
  tocsin doctor                      prove the whole way with a synthetic alert
Put tocsin.yml and rules.d into Git; {tokens}/ stays out of it."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@with_out
def init(out: Out, config_path: Path | None, directory: Path) -> None:
    """Write a commented tocsin.yml, and rules.d with one of everything, into DIRECTORY."""
    del config_path  # every sub-command takes --config; this one makes it
    files = {name: _with_tokens(text) if name == DEFAULT_FILE else (text, []) for name, text in starter_files().items()}
    files[SCHEMA] = (render_schema(), [])
    written, kept = [], []
    for name, (text, tokens) in files.items():
        if not _write(directory / name, text):
            kept.append(name)
            continue
        written.append(name)
        for token in tokens:
            keep_token(directory / token)
            written.append(token)
        if tokens and _write(directory / TOKENS / ".gitignore", "*\n"):
            written.append(f"{TOKENS}/.gitignore")
    if out.is_json:
        out.json({"directory": str(directory.absolute()), "written": written, "kept": kept})
        return
    for name in written:
        out.line(f"wrote  {directory / name}")
    for name in kept:
        out.line(f"kept   {directory / name} (it was there already)")
    if not written:
        return
    out.raw(NEXT_STEPS.format(directory=directory.absolute(), tokens=TOKENS))


def _with_tokens(text: str) -> tuple[str, list[str]]:
    """Let the lists of sources and API tokens be in force, with files for their tokens; return those files as well."""
    files: list[str] = []

    def own_file(found: re.Match[str]) -> str:
        files.append(f"{TOKENS}/{found[1]}.token")
        return f"token_file: ./{files[-1]}"

    def in_force(found: re.Match[str]) -> str:
        return _TOKEN_FILE.sub(own_file, re.sub(r"^# ?", "", found[0], flags=re.MULTILINE))

    return _SHOWN_LIST.sub(in_force, text), files


def _write(path: Path, text: str) -> bool:
    """Write a file that is not there yet; False when it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True
