"""What holds for every command: examples, options, completion, a person's own configuration, and pipes that close."""

import os
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from rules.loading.yaml import MAX_BYTES
from tocsin.cli import main
from tocsin.commands.examples import EXAMPLES
from tocsin.commands.remote import client_of
from tocsin.settings import ConfigurationError
from tocsin.user_config import UserConfig, user_config


def commands(group=main, path=""):
    """Return every command that can be called, by the words that call it."""
    context, found = click.Context(group), {}
    for name in group.list_commands(context):
        command, words = group.get_command(context, name), f"{path} {name}".strip()
        found |= commands(command, words) if isinstance(command, click.Group) else {words: command}
    return found


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory and home, and nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("TOCSIN_CONFIG", "TOCSIN_TOKEN", "TOCSIN_LISTEN", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_commands_have_examples_that_are_understood(here):
    """Each command has one, none is left over, and each is a call that the command takes."""
    found = commands()
    assert set(EXAMPLES) == set(found)
    for words, examples in EXAMPLES.items():
        for example in examples:
            called = shlex.split(example.partition(" > ")[0])
            assert called[: len(words.split()) + 1] == ["tocsin", *words.split()]
            with found[words].make_context(words, called[len(words.split()) + 1 :]):
                pass


def test_commands_help_ends_with_examples(here):
    """Also that of commands deep below."""
    said = CliRunner().invoke(main, ["oncall", "override", "add", "--help"]).output
    assert said.rstrip().splitlines()[-1].strip() == EXAMPLES["oncall override add"][-1]


def test_commands_say_what_they_are_for():
    """A line for the list of commands, and a help text for each option that says something by itself."""
    for words, command in commands().items():
        assert command.get_short_help_str(), words
        options = [each for each in command.params if isinstance(each, click.Option)]
        assert [each.opts for each in options if not each.help] == [], words


def test_commands_take_the_output():
    """`--output json` can stand after every command; those that go on log in that form."""
    lacking = [
        words
        for words, command in commands().items()
        if not any("--output" in parameter.opts for parameter in command.params)
    ]
    assert lacking == []


@pytest.mark.parametrize(("words", "meant"), [(["backp"], "backup"), (["incidents", "acknowlege", "x"], "acknowledge")])
def test_commands_that_are_misspelt_say_which_is_meant(words, meant):
    """Usage is 2, and names the command that is like it."""
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, f"Did you mean '{meant}'?" in done.stderr) == (2, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(here, shell):
    """It asks tocsin itself, which knows its commands."""
    script = CliRunner().invoke(main, ["completion", shell]).output
    assert "_TOCSIN_COMPLETE" in script
    environ = {"_TOCSIN_COMPLETE": f"{shell}_complete", "COMP_WORDS": "tocsin incidents ac"}
    environ["COMP_CWORD"] = "ac" if shell == "fish" else "2"
    asked = CliRunner().invoke(main, [], env=environ, prog_name="tocsin")
    assert "acknowledge" in asked.output


def test_completion_of_incidents_without_a_server_says_nothing(here):
    """Nobody in the middle of a line wants to read an error; mistakes in a configuration are told by the command."""
    environ = {"_TOCSIN_COMPLETE": "bash_complete", "COMP_WORDS": "tocsin incidents show INC", "COMP_CWORD": "3"}
    (here / "tocsin.yml").write_text("listne: 1\n")
    for more in ({}, {"TOCSIN_CONFIG": "nowhere.yml"}, {"TOCSIN_TOKEN": "x", "TOCSIN_LISTEN": "127.0.0.1:1"}):
        asked = CliRunner().invoke(main, [], env=environ | more, prog_name="tocsin")
        assert (asked.stdout.strip(), asked.stderr) == ("", "")


def test_completion_for_bash_is_bash(here):
    """Bash itself reads it without a word."""
    script = CliRunner().invoke(main, ["completion", "bash"]).output
    read = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


# A person's own configuration


def write_own(here, text, token="toc_mine\n"):
    folder = here / ".config" / "tocsin"
    folder.mkdir(parents=True)
    (folder / "config.yml").write_text(text)
    (folder / "token").write_text(token)


def test_own_configuration_names_server_and_token(here):
    """Paths in it are taken from its directory; without one there is nothing."""
    assert user_config({"HOME": str(here)}) is None
    write_own(here, "server: https://tocsin.example.com/\ntoken_file: token\n")
    path = here / ".config" / "tocsin" / "config.yml"
    expected = UserConfig(path, "https://tocsin.example.com", "toc_mine")
    assert user_config({"HOME": str(here)}) == expected
    assert user_config({"HOME": "/nowhere", "XDG_CONFIG_HOME": str(here / ".config")}) == expected
    assert user_config({}) is None


@pytest.mark.parametrize(
    ("text", "token", "code"),
    [
        ("token_file: token\n", "x", "E203"),
        ("server: tocsin\n", "x", "E307"),
        ("server: https://a.example\ntoken_file: nowhere\n", "x", "E304"),
        ("server: https://a.example\ntoken_file: token\n", "", "E305"),
        ("server: https://a.example\ntoken_file: token\n", "one two", "E305"),
        ("server: https://a.example\ntokn_file: token\n", "x", "E202"),
        ("server: [\n", "x", "E101"),
        ("[]\n", "x", "E201"),
    ],
)
def test_own_configuration_with_mistakes(here, text, token, code):
    """Each is named with its place, and the command ends with 2."""
    write_own(here, text, token)
    with pytest.raises(ConfigurationError) as raised:
        user_config({"HOME": str(here)})
    assert f"config.yml:1:{''}" in str(raised.value) or "config.yml:2:" in str(raised.value)
    assert code in {problem.code for problem in raised.value.problems}
    done = CliRunner().invoke(main, ["incidents", "list"])
    assert (done.exit_code, code in done.stderr) == (2, True)


def test_own_token_goes_to_its_own_server_alone(here):
    """Another address, or a configuration of the working directory, never gets it."""
    write_own(here, "server: https://a.example\ntoken_file: token\n")
    assert client_of(None, None).server == "https://a.example"
    assert client_of(None, "https://a.example/").server == "https://a.example"
    with pytest.raises(SystemExit):
        client_of(None, "https://b.example")
    (here / "tocsin.yml").write_text("api_tokens: [{name: ops, token: 'local-token-local', role: admin}]\n")
    assert client_of(None, None).server == "http://127.0.0.1:9095"


# Input and output


def test_explain_refuses_what_is_too_large(here):
    """No more is read than anybody reads an explanation of, from a file and from the standard input."""
    (here / "large.json").write_bytes(b" " * (MAX_BYTES + 1))
    done = CliRunner().invoke(main, ["rules", "explain", "--alert", "large.json"])
    assert (done.exit_code, "large.json is larger than 1024 KiB" in done.stderr) == (2, True)
    done = CliRunner().invoke(main, ["rules", "explain", "-"], input=b" " * (MAX_BYTES + 1))
    assert (done.exit_code, "pasted is larger" in done.stderr) == (2, True)
    endless = CliRunner().invoke(main, ["rules", "explain", "--alert", "/dev/zero"])
    assert endless.exit_code == 2


@pytest.mark.parametrize("words", [["rules", "schema"], ["rules", "packs", "--output", "json"], ["token"]])
def test_commands_into_a_pipe_that_closes_say_nothing(here, words):
    """As with `| head`: nobody reads on, and that is no error to tell of."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "tocsin", *words], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""
