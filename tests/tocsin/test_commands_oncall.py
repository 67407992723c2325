"""`tocsin oncall preview` and `calendar` beyond the table: a picture, one rotation, one person."""

import json
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qsl

import pytest
from click.testing import CliRunner
from icalendar import Calendar

from tocsin.cli import main

RULES = """
people:
  amira: {name: Amira, channels: [console]}
  bo: {channels: [console]}
rotations:
  commanders: {handoff: {every: 1d, starting: 2026-01-05}, order: [amira, bo]}
  sun:
    layers:
    - {timezone: Asia/Tokyo, order: [bo], hours: [{from: "08:00", until: "20:00"}]}
    - {order: [amira]}
roles: {incident_commander: {rotation: commanders}, communications: {rotation: sun}}
"""


@pytest.fixture
def oncall(tmp_path):
    """Run a sub-command over these rules."""
    (tmp_path / "rules.yml").write_text(RULES)
    config = tmp_path / "tocsin.yml"
    config.write_text("rules: [./rules.yml]\n")
    return lambda *arguments: CliRunner().invoke(main, ["oncall", *arguments, "--config", str(config)])


def test_commands_oncall_preview_of_one_rotation_from_an_instant(oncall):
    """One rotation alone, from a given time on."""
    done = oncall("preview", "--weeks", "1", "--rotation", "sun", "--from", "2026-03-03T00:00Z", "--output", "json")
    (shifts,) = json.loads(done.stdout)["rotations"].values()
    assert [shift["person"] for shift in shifts[:4]] == ["bo", "amira", "bo", "amira"]
    assert shifts[0] == {
        "person": "bo", "start": "2026-03-02T23:00:00.000Z", "until": "2026-03-03T11:00:00.000Z", "override": False,
    }  # fmt: skip


def test_commands_oncall_preview_draws_a_picture(oncall, tmp_path):
    """The picture is written where it is asked for, and is SVG."""
    done = oncall("preview", "--picture", str(tmp_path / "plan.svg"))
    assert done.stdout == f"Wrote {tmp_path / 'plan.svg'}\n"
    assert ET.parse(tmp_path / "plan.svg").getroot().tag.endswith("svg")


def test_commands_oncall_calendar_of_one_person(oncall):
    """The calendar of a person holds that person's shifts alone."""
    events = Calendar.from_ical(oncall("calendar", "--weeks", "2", "--person", "bo").stdout).walk("VEVENT")
    assert {str(event["summary"]) for event in events} == {"bo: commanders", "bo: sun"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("preview", "--rotation", "comanders"), "there is no rotation 'comanders' (did you mean 'commanders'?)"),
        (("calendar", "--person", "zoe"), "there is no person 'zoe' (there is amira, bo)"),
    ],
)
def test_commands_oncall_name_the_nearest(oncall, arguments, said):
    """What nobody knows ends with 2, and says what there is."""
    done = oncall(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


SHIFT = {
    "person": "cy",
    "name": "Cy",
    "from": "2026-03-02T00:00:00Z",
    "until": "2026-03-09T00:00:00Z",
    "override": True,
}
IN_FORCE = {
    "/api/v1/oncall": {
        "incident_commander": {"person": "cy", "name": "Cy", "until": "2026-03-09T00:00:00Z"},
        "engineer": {"person": None, "name": None, "until": None},
    },
    "/api/v1/oncall/shifts": {"rotations": [{"rotation": "commanders", "shifts": [SHIFT]}], "next": None},
}


@pytest.fixture
def running(tmp_path, monkeypatch):
    """Run a sub-command against an API that answers with what is in force; what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = self.path.partition("?")
            asked.append(dict(parse_qsl(query)))
            body = json.dumps(IN_FORCE[path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    config, address = tmp_path / "tocsin.yml", f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("TOCSIN_TOKEN", "t")

    def run(*given, external=address, how=("--running",)):
        config.write_text(f"rules: []\nexternal_url: {external}\n")
        return CliRunner().invoke(main, ["oncall", *given, *how, "--config", str(config)]), asked[-1]

    run.address = address
    yield run
    server.shutdown()
    server.server_close()


def test_commands_oncall_who_and_preview_as_it_is_in_force(running):
    """With `--running` the server is asked, which knows what the files do not."""
    done, asked = running("who", "--at", "2026-03-03T00:00:00Z", "--team", "shop")
    assert asked == {"at": "2026-03-03T00:00:00.000Z", "team": "shop"}
    assert done.stdout.splitlines()[1].split()[:3] == ["incident_commander", "cy", "Cy"]
    assert done.stdout.splitlines()[2].split() == ["engineer", "nobody"]
    done, asked = running("preview", "--weeks", "1", "--from", "2026-03-03T00:00:00Z", "--rotation", "commanders")
    assert asked["until"] == "2026-03-10T00:00:00.000Z"
    assert done.stdout.splitlines()[1].split()[-2:] == ["cy", "override"]


def test_commands_oncall_asks_the_server_that_is_named(running):
    """`--server` says which, and that it is to be asked."""
    elsewhere = {"external": "http://127.0.0.1:1", "how": ("--server", running.address)}
    for command in ("who", "preview"):
        done, _ = running(command, **elsewhere)
        assert (done.exit_code, " cy " in done.stdout) == (0, True), done.output
