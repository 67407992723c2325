"""What somebody meets who starts Tocsin for the first time: a place that cannot be used, words that are no names."""

import logging

import click
import pytest
from click.testing import CliRunner

from tocsin.cli import main
from tocsin.commands.options import said
from tocsin.commands.rules.explain import wanted_of
from tocsin.granian_app import SLOW_STOP, OurWords
from tocsin.locks import DirectoryInUse, DirectoryLock, DirectoryUnusable


def test_data_directory_that_cannot_be_made_says_where_to_put_it(tmp_path):
    """The place, what the system says of it, and the two ways to name another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryUnusable, match=r"file/data cannot be used: Not a directory; .*TOCSIN_DATA_DIR"):
        DirectoryLock(tmp_path / "file" / "data", "tocsin serve")


def test_data_directory_in_use_says_who_has_it(tmp_path):
    """Its holder by name, and how to go elsewhere; free again, anybody may have it."""
    with (
        DirectoryLock(tmp_path, "tocsin serve"),
        pytest.raises(DirectoryInUse, match=r"by tocsin serve \(pid .*DATA_DIR"),
    ):
        DirectoryLock(tmp_path, "another")
    DirectoryLock(tmp_path, "another").release()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PermissionError(13, "Permission denied", "/etc/x"), "/etc/x: Permission denied"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (OSError("the file is empty"), "the file is empty"),
    ],
)
def test_errors_of_the_system_name_their_file(error, text):
    """A number helps nobody who has the words; what has no file is told as it is."""
    assert said(error) == text


def test_explain_says_how_to_ask_for_an_alert_by_its_name():
    """The name alone is no path and no label: the way to write it is told."""
    with pytest.raises(click.UsageError, match=r"CheckoutDown is none of them, .* alertname=CheckoutDown"):
        wanted_of(["CheckoutDown"], "", "", "")
    with pytest.raises(click.UsageError, match=r"name=value$"):
        wanted_of([], "", "", "")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["resolve", "INC-2026-0001"], "'incidents resolve'"),
        (["ack"], "'incidents acknowledge'"),
        (["incidents", "ack"], "'acknowledge'"),
        (["test"], "'page test' or 'rules test'"),
        (["docter"], "'doctor'"),
        (["serv"], "'serve'"),
    ],
)
def test_commands_that_lie_elsewhere_are_named(words, meant):
    """Nobody remembers at night which group a command is in."""
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, f"Did you mean {meant}?" in done.stderr) == (2, True), done.stderr


def test_a_slow_stop_is_told_with_what_it_means():
    """On a busy machine: in words of ours, and other lines stay as they are."""
    line = logging.LogRecord("_granian", logging.WARNING, "", 0, "Killing worker-1 after it refused", None, None)
    assert OurWords().filter(line)
    assert line.getMessage() == SLOW_STOP
    other = logging.LogRecord("_granian", logging.WARNING, "", 0, "something else", None, None)
    assert OurWords().filter(other)
    assert other.getMessage() == "something else"
