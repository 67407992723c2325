"""`tocsin rules packs`: which packs of rules ship with Tocsin, and what is in one; no server is needed."""

from pathlib import Path
from typing import NamedTuple

import click

from incidents.clock import utc_now
from rules.loading.files import companions_of, pack_names, read_rule_files
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import PACK_PREFIX, SourceFile
from tocsin.commands.options import UNUSABLE
from tocsin.commands.printing import Out
from tocsin.commands.remote import end, with_out


class Pack(NamedTuple):
    """A shipped pack: its name, what it is for, the packs that it brings with it, and the ids of its rules."""

    name: str
    what: str
    comes_with: tuple[str, ...]
    rules: tuple[str, ...]


@click.command("packs")
@click.argument("name", required=False)
@with_out
def show_packs(out: Out, config_path: Path | None, name: str | None) -> None:
    """List the packs that ship with Tocsin; with NAME, print that one, to copy rules from it."""
    del config_path  # every sub-command takes --config; what ships does not depend on it
    if name is not None:
        file = _read(name.removeprefix(PACK_PREFIX))
        out.json({"name": file.name, "text": _text(file)}) if out.is_json else click.echo(_text(file), nl=False)
        return
    packs = [_described(each) for each in pack_names()]
    if out.is_json:
        out.json({"packs": [pack._asdict() for pack in packs]})
        return
    rows = [(PACK_PREFIX + pack.name, str(len(pack.rules)), ", ".join(pack.comes_with), pack.what) for pack in packs]
    out.table(("PACK", "RULES", "BRINGS", "WHAT IT IS FOR"), rows)


def _read(name: str) -> SourceFile:
    read = read_rule_files([PACK_PREFIX + name])
    if read.problems:
        end(UNUSABLE, "\n".join(map(str, read.problems)))
    return read.files[0]


def _described(name: str) -> Pack:
    file = _read(name)
    text = _text(file)
    rule_set = load_rule_set([file], now=utc_now()).rule_set
    ids = tuple(rule.id for rule in rule_set.rules) if rule_set is not None else ()
    return Pack(name, text.partition("\n")[0].strip("# ."), companions_of(text.encode()), ids)


def _text(file: SourceFile) -> str:
    return file.text if isinstance(file.text, str) else file.text.decode("utf-8")
