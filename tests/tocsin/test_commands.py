"""The commands that need no server: what they print and write, and how they end."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from click.testing import CliRunner

from rules.schema import render_schema
from tocsin.cli import main
from tocsin.commands.connect import WEBHOOK
from tocsin.commands.printing import age, clean, one_line, span
from tocsin.config_file import load_settings
from tocsin.tokens import configured_hash, token_hash

ONCALL = """
people:
  amira: {name: Amira, channels: [console]}
  bo: {channels: [console]}
rotations:
  commanders:
    timezone: UTC
    handoff: {every: 1w, weekday: monday, at: "09:00", starting: 2026-01-05}
    order: [amira, bo]
  nobody: {timezone: UTC, order: [bo], handoff: {every: 1w, starting: 2026-01-05}}
roles:
  incident_commander: {rotation: commanders}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory, and nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOCSIN_CONFIG", "TOCSIN_TOKEN", "TOCSIN_LISTEN", "TOCSIN_DATA_DIR", "TOCSIN_RULES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def tocsin(here):
    """Run a command."""
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def with_rules(here):
    (here / "rules.d").mkdir()
    (here / "rules.d" / "oncall.yml").write_text(ONCALL)
    (here / "tocsin.yml").write_text("rules: [./rules.d]\n")


# init


def test_commands_init_writes_what_works(tocsin, here):
    """What init writes loads without a warning, and its tokens are for their owner alone."""
    done = tocsin("init", "site")
    assert (done.exit_code, done.stderr) == (0, "")
    settings = load_settings(here / "site" / "tocsin.yml", {})
    assert settings.warnings == ()
    assert [source.name for source in settings.sources] == ["prod-alertmanager"]
    assert [token.role for token in settings.api_tokens] == ["admin"]
    for name in ("alertmanager", "ops"):
        path = here / "site" / "tokens" / f"{name}.token"
        assert path.stat().st_mode & 0o777 == 0o600
    assert settings.sources[0].token_hashes == (
        token_hash((here / "site" / "tokens" / "alertmanager.token").read_text().strip()),
    )
    for name in ("oncall", "rules"):
        first, *_ = (here / "site" / "rules.d" / f"{name}.yml").read_text().splitlines()
        assert (here / "site" / "rules.d" / first.partition("$schema=")[2]).read_text() == render_schema()
    checked = tocsin("rules", "check", "--config", "site/tocsin.yml", "--strict")
    assert checked.exit_code == 0, checked.output


def test_commands_init_never_overwrites(tocsin, here):
    """Files that are there stay, and a configuration of one's own gets no tokens beside it."""
    (here / "tocsin.yml").write_text("# mine\n")
    done = tocsin("init", "--output", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["kept"] == ["tocsin.yml"]
    assert (here / "tocsin.yml").read_text() == "# mine\n"
    assert not (here / "tokens").exists()
    assert "was there already" in tocsin("init").stdout


# connect


def test_commands_connect_is_accepted_by_alertmanager(tocsin, here):
    """The snippet as it stands is a whole configuration for Alertmanager's own check, and names the real token."""
    tocsin("init")
    done = tocsin("connect", "alertmanager")
    (here / "am.yml").write_text(done.stdout)
    checked = subprocess.run(
        ["amtool", "check-config", "am.yml"], cwd=here, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f'credentials_file: "{here}/tokens/alertmanager.token"' in done.stdout
    assert f'url: "http://127.0.0.1:9095{WEBHOOK}"' in done.stdout


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [("alertname=Watchdog", "tocsin"), ("severity=critical", "tocsin,mine"), ("team=other", "tocsin,default")],
)
def test_commands_connect_leaves_other_routes_in_force(tocsin, here, labels, receivers):
    """Pasted as the comments say, every alert reaches Tocsin, and whoever got it before."""
    text = tocsin("connect", "alertmanager").stdout
    text = text.replace("\nreceivers:\n", "\nreceivers:\n- name: default\n- name: mine\n")
    text = text.replace("route:\n  receiver: tocsin", "route:\n  receiver: default")
    text += "  - {receiver: mine, matchers: ['severity=\"critical\"']}\n  - receiver: default\n"
    (here / "am.yml").write_text(text)
    routed = subprocess.run(
        ["amtool", "config", "routes", "test", "--config.file=am.yml", labels],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert routed.stdout.strip() == receivers, routed.stderr


def test_commands_connect_without_configuration_makes_the_token(tocsin, here):
    """The file that the snippet names is there before the first start."""
    found = json.loads(tocsin("connect", "alertmanager", "--output", "json").stdout)
    assert found["source"] == "alertmanager"
    assert (here / "data" / "source.token").read_text().startswith("toc_")
    assert found["token_file"] == str(here / "data" / "source.token")


def test_commands_connect_names_no_token(tocsin, here):
    """A token that stands in the configuration is not printed; it is said where it has to go."""
    (here / "tocsin.yml").write_text(
        "external_url: https://tocsin.example.com\n"
        "sources:\n- {name: eu, kind: alertmanager, token: secret-token-secret}\n"
        "- {name: us, kind: alertmanager, token: 'sha256:" + "0" * 64 + "'}\n"
    )
    eu, us = tocsin("connect", "alertmanager"), tocsin("connect", "alertmanager", "--source", "us")
    assert "secret-token" not in eu.stdout
    assert "Write the token of the source eu into this file" in eu.stdout
    assert "https://tocsin.example.com/webhooks/alertmanager" in eu.stdout
    assert "source us into this file" in us.stdout
    unknown = tocsin("connect", "alertmanager", "--source", "asia")
    assert (unknown.exit_code, "there is eu, us" in unknown.stderr) == (1, True)


# token


def test_commands_token_prints_the_digest_of_the_token(tocsin):
    """The digest stands for the token in the configuration; no two tokens are alike."""
    found = json.loads(tocsin("token", "--output", "json").stdout)
    assert configured_hash(found["sha256"]) == token_hash(found["token"])
    text = tocsin("token").stdout
    token, digest = re.search(r"toc_\S+", text)[0], re.search(r"sha256:\w{64}", text)[0]
    assert configured_hash(digest) == token_hash(token)
    assert token != found["token"]


# oncall


def test_commands_oncall_who(tocsin, with_rules):
    """Who holds each role, at any time, without a server."""
    done = tocsin("oncall", "who", "--at", "2026-01-06T00:00:00Z", "--output", "json")
    held = {"person": "amira", "name": "Amira", "until": "2026-01-12T09:00:00.000Z"}
    assert json.loads(done.stdout) == {"incident_commander": held}
    shown = tocsin("oncall", "who", "--at", "2026-01-12 10:00").stdout.splitlines()
    assert shown[0].split() == ["ROLE", "PERSON", "NAME", "UNTIL"]
    assert shown[1].split() == ["incident_commander", "bo", "2026-01-19", "09:00:00Z"]


def test_commands_oncall_preview(tocsin, with_rules):
    """The shifts of the coming weeks follow one another without a gap."""
    found = json.loads(tocsin("oncall", "preview", "--weeks", "3", "--output", "json").stdout)["rotations"][
        "commanders"
    ]
    assert len(found) == 4
    assert all(one["until"] == other["start"] for one, other in pairwise(found))
    assert {one["person"] for one in found} == {"amira", "bo"}
    assert tocsin("oncall", "preview").stdout.count("commanders") == 5


def test_commands_oncall_bad_input(tocsin, with_rules, here):
    """A bad instant is a mistake of usage; broken rule files are named with all their errors."""
    assert tocsin("oncall", "who", "--at", "tomorrow").exit_code == 2
    (here / "rules.d" / "oncall.yml").write_text("people: [amira]\nrotatons: {}\n")
    done = tocsin("oncall", "who")
    assert done.exit_code == 2
    assert done.stderr.count("error[") == 2


# without a server


@pytest.mark.parametrize(
    "arguments",
    [
        ("incidents", "list"),
        ("incidents", "show", "INC-2026-0001"),
        ("quarantine", "list"),
        ("incidents", "acknowledge", "INC-2026-0001"),
    ],
)
def test_commands_end_with_4_when_nobody_answers(tocsin, arguments, monkeypatch):
    """Nobody there: code 4, and where it was looked for."""
    monkeypatch.setenv("TOCSIN_TOKEN", "any")
    done = tocsin(*arguments, "--server", "http://127.0.0.1:1")
    assert done.exit_code == 4
    assert "http://127.0.0.1:1 cannot be reached: Connection refused" in done.stderr
    assert not done.stdout


def test_commands_say_that_there_is_no_token(tocsin, here):
    """Without any token nothing is asked; the mend depends on whether one is configured."""
    done = tocsin("incidents", "list")
    assert (done.exit_code, "run this where `tocsin serve` runs" in done.stderr) == (2, True)
    (here / "tocsin.yml").write_text(f"api_tokens: [{{name: ops, role: admin, token: 'sha256:{'0' * 64}'}}]\n")
    done = tocsin("incidents", "list")
    assert (done.exit_code, "no API token in plain" in done.stderr) == (2, True)


def test_commands_name_a_broken_configuration(tocsin, here):
    """Every mistake of the configuration, and code 2."""
    (here / "tocsin.yml").write_text("listn: x\nrules: 3\n")
    done = tocsin("incidents", "list")
    assert done.exit_code == 2
    assert done.stderr.count("error[") == 2


def test_commands_doctor_without_a_server(tocsin, monkeypatch):
    """Doctor says that nobody answers, with the mend, and ends with 4; a broken configuration is 1."""
    monkeypatch.setenv("TOCSIN_TOKEN", "any")
    done = tocsin("doctor", "--server", "http://127.0.0.1:1")
    assert done.exit_code == 4
    assert re.search(r"^FAIL  server .*Connection refused\n +start `tocsin serve`", done.stdout, re.MULTILINE)
    monkeypatch.setenv("TOCSIN_LISTEN", "nowhere")
    done = tocsin("doctor", "--output", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["checks"][0]["state"] == "FAIL"


def test_commands_healthcheck_without_a_server(tocsin, monkeypatch):
    """A container whose receiver is away is not healthy."""
    monkeypatch.setenv("TOCSIN_LISTEN", "127.0.0.1:1")
    assert tocsin("healthcheck").exit_code != 0


# printing


def test_commands_make_control_characters_visible():
    """A text of an alert steers no terminal, and breaks no table."""
    assert clean("a\x1b[2Jb\u202ec\nd") == "a\\x1b[2Jb\\u202ec\nd"
    assert one_line("a\nb\tc") == "a b\\tc"


def test_commands_write_durations_for_people():
    """The two largest units, and nothing negative."""
    assert [span(timedelta(seconds=each)) for each in (-5, 0, 59, 3600, 90061)] == ["0s", "0s", "59s", "1h", "1d 1h"]
    assert age("2026-01-05T09:00:00.000Z", datetime(2026, 1, 5, 9, 5, 10, tzinfo=UTC)) == "5m 10s"


# worker


def test_commands_worker_says_in_words_that_there_is_no_store(here):
    """A worker that is started by itself, beside no `tocsin serve`: what is missing, and no traceback."""
    command = [sys.executable, "-m", "tocsin", "worker", "pages"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "tocsin: the store does not answer" in done.stderr
    assert "parts apart need redis_url" in done.stderr
    assert "Traceback" not in done.stderr
