"""`tocsin rules check`, `schema` and `diff` without a server: what they print, and how they end."""

import json
from datetime import timedelta

import msgspec
import pytest
from click.testing import CliRunner

from incidents.alert import Alert
from incidents.clock import to_ms, utc_now
from incidents.journal.lines import Became, Kind, Writing, encode_line
from incidents.journal.members import EntryId
from incidents.journal.writer import Chunk, Writer
from incidents.values import AlertStatus
from tocsin.cli import main

GOOD = "rules: [{id: a, match: 'severity=\"page\"', declare: SEV3}]\n"
GRAVER = GOOD.replace("SEV3", "SEV1")
WARNED = "rules: [{id: a, declare: SEV3}]\n"
BAD = "rules: [{id: a, match: severity, declare: SEV3}]\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOCSIN_CONFIG", raising=False)
    for name, text in {"good": GOOD, "graver": GRAVER, "warned": WARNED, "bad": BAD}.items():
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


@pytest.fixture
def rules(here):
    """Run a command of the group."""
    return lambda *arguments: CliRunner().invoke(main, ["rules", *arguments])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("good.yml",), 0),
        (("warned.yml",), 0),
        (("warned.yml", "--strict"), 3),
        (("bad.yml",), 1),
        (("bad.yml", "--strict"), 1),
        (("good.yml", "gone.yml"), 2),
        (("--output", "xml", "good.yml"), 2),
    ],
)
@pytest.mark.parametrize("output", ["text", "json", "github"])
def test_commands_rules_check_ends_as_promised(rules, arguments, code, output):
    """The code says whether the rules can be used, in every form of output."""
    more = () if "--output" in arguments else ("--output", output)
    assert rules("check", *arguments, *more).exit_code == code


def test_commands_rules_check_prints_no_colour_into_a_pipe(rules):
    """Only a terminal is given escape sequences."""
    assert "\x1b" not in rules("check", "bad.yml").stdout


def test_commands_rules_check_annotates_for_github(rules):
    """A workflow command beside the line."""
    first, *_ = rules("check", "bad.yml", "--output", "github").stdout.splitlines()
    assert first.startswith("::error file=bad.yml,line=1,col=32,title=E301::match: expected =")


@pytest.fixture
def journal(here):
    """A journal with one alert of an hour ago."""
    return journal_of(here, 1)


def journal_of(here, count):
    """A journal with so many alerts of an hour ago, and one of doctor's, which counts for nothing."""
    at = utc_now() - timedelta(hours=1)
    alert = Alert(fingerprint="0" * 16, status=AlertStatus.FIRING, labels={"alertname": "A", "severity": "warning"})
    probe = msgspec.structs.replace(alert, labels={"alertname": "TocsinProbe", "tocsin_probe": "x"})
    chunk = Chunk()
    for place, each in enumerate([probe, *[alert] * count]):
        line = Writing(
            id=f"{to_ms(at)}-0.{place}",
            kind=Kind.ALERT,
            received_at=at,
            decided_at=at,
            rules="abc",
            became=Became.FIRED,
            alert=msgspec.Raw(msgspec.json.encode(each)),
        )
        chunk.add(encode_line(line), to_ms(at), EntryId(to_ms(at), 0))
    writer = Writer(here / "data" / "journal")
    writer.append(chunk)
    writer.close()
    return here / "data" / "journal"


def test_commands_rules_check_looks_into_the_journal(rules, here, journal):
    """The one that is named, or that of the data directory where the rules are those of the configuration.

    There a journal of a few alerts says nothing, for the rules may be of yesterday.
    """
    said = "good.yml:1:24: warning[W328] none of the one alert in the journal matches this rule"
    assert rules("check", "good.yml").stdout.startswith("OK")
    assert rules("check", "good.yml", "--journal", str(journal)).stdout.startswith(said)
    (here / "tocsin.yml").write_text("rules: [./good.yml]\n")
    assert rules("check").stdout.startswith("OK")
    journal_of(here, 99)
    assert said.replace("one alert", "100 alerts") in rules("check").stdout
    assert rules("check", "--journal", "gone").exit_code == 2


def test_commands_rules_schema_prints_json(rules):
    """A schema of draft-07, whole."""
    done = rules("schema")
    assert (done.exit_code, json.loads(done.stdout)["$schema"]) == (0, "http://json-schema.org/draft-07/schema#")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("good.yml", "good.yml", "--exit-code"), 0),
        (("good.yml", "graver.yml"), 0),
        (("good.yml", "graver.yml", "--exit-code"), 1),
        (("good.yml", "bad.yml"), 2),
        (("gone.yml", "good.yml"), 2),
        (("good.yml", "good.yml", "good.yml"), 2),
        (("pack:practice", "good.yml"), 0),
    ],
)
def test_commands_rules_diff_ends_as_promised(rules, arguments, code):
    """1 only where it was asked for, 2 for rules that do not load."""
    assert rules("diff", *arguments).exit_code == code


def test_commands_rules_diff_tells(rules):
    """In words, or as JSON."""
    assert rules("diff", "good.yml", "graver.yml").stdout == "~ rule a\n    declare: SEV3 -> SEV1\nrule: 1 changed\n"
    found = json.loads(rules("diff", "good.yml", "graver.yml", "--output", "json").stdout)
    assert (found["equal"], found["old"]["name"]) == (False, "good.yml")
    assert found["changes"][0]["fields"] == [{"field": "declare", "old": "SEV3", "new": "SEV1"}]
    assert rules("diff", "good.yml", "good.yml").stdout == "no difference\n"


def test_commands_rules_diff_shows_why_rules_do_not_load(rules):
    """The errors are those of `check`."""
    done = rules("diff", "good.yml", "bad.yml")
    assert "bad.yml:1:32: error[E301]" in done.stderr
    assert done.stdout == ""


def test_commands_rules_backtest_says_what_of_the_journal_it_skipped(rules, journal):
    """A line that a crash tore is skipped, and whoever reads the figures is told."""
    whole = rules("backtest", "good.yml", "--journal", str(journal))
    assert (whole.exit_code, whole.stderr) == (0, "")
    with next(journal.glob("*.gz")).open("ab") as file:
        file.write(b"torn")
    torn = rules("backtest", "good.yml", "--journal", str(journal))
    assert torn.stdout.splitlines()[1:] == whole.stdout.splitlines()[1:]
    assert torn.stderr == f"tocsin: 1 place is torn or damaged in the journal at {journal}, and skipped\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "9999999d"), "--since goes back to before there was a calendar; say something like 30d"),
        (("--report", "gone/r.html"), "gone/r.html cannot be written: there is no directory gone"),
        (
            ("--prometheus", "file:///r"),
            "file:///r cannot be asked for its alerts: it is no address that begins with http:// or https://",
        ),
    ],
)
def test_commands_rules_backtest_says_what_is_wrong_before_it_plays(rules, journal, options, said):
    """A span, a file or an address that cannot be used: one line."""
    refused = rules("backtest", "good.yml", "--journal", str(journal), *options)
    assert refused.exit_code
    assert refused.stderr == f"tocsin: {said}\n"
