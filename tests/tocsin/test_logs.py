"""What is logged: one JSON line for each event, nothing forged, no secret by name."""

import io
import json
import logging

import pytest

from tocsin.log_repeats import KNOWN, Repeats
from tocsin.logs import configure_logs, get_log


@pytest.fixture
def lines():
    """Configure the logs of a machine and give what they wrote."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("test", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_logs_are_one_json_line_each(lines):
    """Event and fields, the process and the time in UTC; line ends in values forge nothing."""
    get_log("a").info("page_sent", person="amira", text='x\n{"event": "forged"}\r\x1b[31m\u202e')
    (line,) = lines()
    assert list(line)[:4] == ["at", "level", "event", "process"]
    assert line["at"].endswith("Z")
    assert (line["event"], line["person"]) == ("page_sent", "amira")
    assert line["text"] == 'x\\u000a{"event": "forged"}\\u000d\\u001b[31m\\u202e'


def test_logs_are_readable_where_that_is_asked_for(lines):
    """`--output text` takes the form of a terminal, without its colours where there is none."""
    stream = io.StringIO()
    configure_logs("test", stream=stream, output="text")
    get_log("a").info("page_sent", person="amira")
    assert "page_sent" in stream.getvalue()
    assert "person=amira" in stream.getvalue()
    assert lines() == []


def test_logs_hide_secrets_by_name(lines):
    """Fields whose names say so are hidden."""
    get_log("a").warning("refused", authorization="Bearer abc", source_token="abc", person="amira")
    assert "abc" not in json.dumps(lines())


def test_logs_take_the_libraries_in(lines):
    """What libraries log comes out in the same form, with tracebacks in one field."""
    try:
        raise ValueError("broken\nline")
    except ValueError:
        logging.getLogger("some.library").exception("it failed: %s", "why\n")
    (line,) = lines()
    assert line["event"] == "it failed: why\\u000a"
    assert "ValueError: broken" in line["exception"]


def test_logs_tell_once_what_repeats(lines):
    """The same warning again and again is one line; another one, and what is no warning, is told each time."""
    for _ in range(3):
        get_log("a").warning("store_away", error="refused")
        get_log("a").info("page_sent")
    get_log("a").warning("store_away", error="timeout")
    told = [(line["event"], line.get("error")) for line in lines()]
    away = [("store_away", "refused"), ("store_away", "timeout")]
    assert [each for each in told if each[0] == "store_away"] == away
    assert told.count(("page_sent", None)) == 3


def test_logs_say_how_many_were_left_out():
    """After ten seconds the line comes again, with what it stands for."""
    now = [0.0]
    repeats = Repeats(clock=lambda: now[0])

    def said(at):
        now[0] = at
        record = logging.LogRecord("a", logging.WARNING, "", 0, {"event": "store_away", "at": str(at)}, None, None)
        return repeats.filter(record) and record.msg.get("left_out", 0)

    assert [said(at) for at in (0.0, 1.0, 9.9, 10.1, 11.0, 30.0, 50.0)] == [0, False, False, 2, False, 1, 0]


def test_logs_remember_no_more_than_they_must():
    """Texts that are always new do not fill the memory."""
    repeats = Repeats(clock=lambda: 0.0)
    for number in range(1000):
        record = logging.LogRecord("a", logging.WARNING, "", 0, {"event": str(number)}, None, None)
        assert repeats.filter(record)
    assert len(repeats._said) == KNOWN
