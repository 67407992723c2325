"""Every example works: rules load, configurations are read, alerts pass promtool, commands parse.

A YAML block says after its language what it is: `rules` (loaded alone), `rules with-people` (with the people of that
page's block `rules people`, where it does not define its own), `config`, `prometheus`, `scrape` or `alertmanager`.
"""

import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime

import click
import pytest
from documents import ROOT, Block, blocks

from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.loading.yaml import read_yaml
from tocsin.cli import main
from tocsin.config_file import load_settings

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
YAML = [block for block in blocks() if block.language in {"yaml", "yml"}]
SHELL = [block for block in blocks() if block.language in {"sh", "bash", "shell", "console"}]


def kind_of(block: Block) -> str:
    if block.words:
        return block.words[0]
    return "prometheus" if block.text.startswith("groups:") else ""


def place(block: Block) -> str:
    return block.place


def commands() -> list[tuple[str, list[str]]]:
    """Return every line that calls `tocsin`, with its place."""
    found = []
    for block in SHELL:
        text = re.sub(r"\\\n\s*", " ", block.text)
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "tocsin":
                ends = [index for index, word in enumerate(words) if word in {">", "|", ">>", "&&", "&"}]
                found.append((f"{block.place}: {line}", words[1 : ends[0] if ends else None]))
    return found


def test_examples_say_what_they_are():
    """Every YAML block names its kind, so that it is tested."""
    known = {"rules", "rules-test", "config", "prometheus", "scrape", "alertmanager"}
    assert [block.place for block in YAML if kind_of(block) not in known] == []


@pytest.mark.parametrize("block", [each for each in YAML if kind_of(each) == "rules"], ids=place)
def test_examples_of_rules_load(block):
    """An example of rules loads without an error."""
    assert rule_errors(block) == []


def rule_errors(block: Block) -> list[str]:
    files = [SourceFile(block.place, block.text)]
    if "with-people" in block.words:
        people = next(each for each in YAML if each.document == block.document and "people" in each.words)
        own = set(read_yaml(block.text, block.place, []).entries)
        rest = [part for part in re.split(r"^(?=\S)", people.text, flags=re.MULTILINE) if part.split(":")[0] not in own]
        files.append(SourceFile(people.place, "".join(rest)))
    return [str(problem) for problem in load_rule_set(files, now=NOW).errors]


@pytest.mark.parametrize("block", [each for each in YAML if kind_of(each) == "config"], ids=place)
def test_examples_of_configuration_are_read(block, tmp_path):
    """An example of a configuration is read without an error; the files that it names are there."""
    for name in re.findall(r"/run/secrets/(\w+)", block.text):
        (tmp_path / name).write_text(f"{name}-with-enough-letters\n")
    config = tmp_path / "tocsin.yml"
    config.write_text(block.text.replace("/run/secrets", str(tmp_path)), encoding="utf-8")
    load_settings(config, {})


@pytest.mark.parametrize("block", [each for each in YAML if kind_of(each) in {"prometheus", "scrape"}], ids=place)
def test_examples_for_prometheus_pass_promtool(block, tmp_path):
    """Prometheus takes the alerts about Tocsin, and what is to be scraped."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    file = tmp_path / "tocsin.rules.yml"
    file.write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        [promtool, "check", "rules" if kind_of(block) == "prometheus" else "config", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", [each for each in YAML if kind_of(each) == "alertmanager"], ids=place)
def test_examples_for_alertmanager_pass_amtool(block, tmp_path):
    """Alertmanager takes the configuration."""
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("amtool is not installed")
    file = tmp_path / "alertmanager.yml"
    file.write_text(block.text, encoding="utf-8")
    done = subprocess.run([amtool, "check-config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("line", "words"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_examples_of_commands_parse(line, words):
    """A command of an example has a name, options and arguments that the command line takes."""
    parse(main, words)


def parse(command: click.Command, words: list[str]) -> None:
    """Parse words as the command line does, down to the last sub-command, without running anything."""
    context = command.make_context("tocsin", list(words), resilient_parsing=False)
    while isinstance(command, click.Group):
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context = command.make_context(name, list(words), parent=context)


def test_examples_of_commands_are_found():
    """The control: commands are there, and one that nobody knows does not pass."""
    assert len(commands()) > 20
    with pytest.raises(click.UsageError):
        parse(main, ["incidents", "shwo"])
    with pytest.raises(click.UsageError):
        parse(main, ["incidents", "show"])


def test_examples_of_rules_can_fail():
    """The control: an example with a mistake does not pass."""
    block = Block(ROOT / "x.md", 1, "yaml", ("rules",), "rules:\n- {id: a, declare: SEV9}\n")
    assert rule_errors(block) != []
