"""`tocsin oncall override` against a look-alike of the API: what it sends, and what it says."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from tocsin.cli import main

MADE = {
    "id": "OVR-00c0ffee",
    "rotation": "commanders",
    "person": "bo",
    "from": "2026-11-02T03:00:00.000Z",
    "until": "2026-11-02T11:00:00.000Z",
    "note": "",
    "by": "amira",
    "at": "2026-11-02T03:00:00.000Z",
    "state": "active",
    "overlaps": [],
}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def run(tmp_path, monkeypatch, asked):
    """Run a sub-command against an API that takes everything."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.command, self.path, json.loads(text) if text else None))
            over = {**MADE, "id": "OVR-0", "state": "over"}
            body = json.dumps({"overrides": [over, MADE]} if self.command == "GET" else MADE).encode()
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - as the server calls them

        def log_message(self, *_):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    (tmp_path / "tocsin.yml").write_text("rules: []\n")
    monkeypatch.setenv("TOCSIN_TOKEN", "t")
    where = ["--config", str(tmp_path / "tocsin.yml"), "--server", f"http://127.0.0.1:{server.server_port}"]
    yield lambda *arguments: CliRunner().invoke(main, ["oncall", "override", *arguments, *where])
    server.shutdown()
    server.server_close()


def test_override_add_says_from_when_to_when(run, asked):
    """The end by an instant, or by how long."""
    done = run("add", "commanders", "bo", "--from", "2026-11-02T03:00:00Z", "--for", "8h", "--note", "swap")
    assert done.exit_code == 0, done.output
    assert "OVR-00c0ffee: bo holds commanders" in done.stdout
    assert asked == [
        ("POST", "/api/v1/oncall/overrides", {
            "rotation": "commanders", "person": "bo", "note": "swap",
            "from": "2026-11-02T03:00:00.000Z", "until": "2026-11-02T11:00:00.000Z",
        })
    ]  # fmt: skip


@pytest.mark.parametrize(
    "how", [[], ["--for", "1h", "--until", "2026-11-02"], ["--for", "soon"], ["--until", "soon"], ["--for", "900000w"]]
)
def test_override_add_needs_one_end(run, asked, how):
    """None, both, and what is no time are refused before anything is sent."""
    assert run("add", "commanders", "bo", *how).exit_code == 2
    assert asked == []


def test_override_list_leaves_out_what_is_over(run):
    """Those that are over are shown on request."""
    assert "OVR-0 " not in run("list").stdout
    assert len(json.loads(run("list", "--all", "--output", "json").stdout)["overrides"]) == 2


def test_override_end_takes_it_away(run, asked):
    """By its id."""
    assert run("end", "OVR-00c0ffee").exit_code == 0
    assert asked == [("DELETE", "/api/v1/oncall/overrides/OVR-00c0ffee", None)]
