"""`tocsin incidents share` and `unshare` against a look-alike of the API: what they send, and what they say."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from tocsin.cli import main

LINK = {
    "id": "0a1b2c3d4e",
    "address": None,
    "audience": "customers",
    "by": "amira",
    "made_at": "2026-11-02T03:00:00.000Z",
    "expires_at": "2026-11-05T03:00:00.000Z",
}
PATH = "/api/v1/incidents/INC-2026-0001/status_links"


@pytest.fixture
def asked():
    return []


@pytest.fixture
def run(tmp_path, monkeypatch, asked):
    """Run a command against an API that takes everything."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.command, self.path, json.loads(text) if text else None))
            one = LINK | {"address": "https://tocsin.example/status/secret"} if self.command == "POST" else LINK
            is_list = self.command != "POST" and self.path == PATH
            body = json.dumps({"status_links": [LINK, LINK], "next": None} if is_list else one).encode()
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
    yield lambda *arguments: CliRunner().invoke(main, ["incidents", *arguments, *where])
    server.shutdown()
    server.server_close()


def test_share_prints_the_address_alone_on_its_line(run, asked):
    """So that it can be copied; then how long it holds."""
    done = run("share", "INC-2026-0001", "--audience", "customers", "--days", "3")
    assert asked == [("POST", PATH, {"days": 3, "audience": "customers"})]
    assert done.output.splitlines()[0] == "https://tocsin.example/status/secret"
    assert "unshare INC-2026-0001" in done.output
    assert run("share", "INC-2026-0001", "--days", "8").exit_code == 2


def test_share_lists_and_unshare_ends(run, asked):
    """One by its id, or every one."""
    assert "0a1b2c3d4e" in run("share", "INC-2026-0001", "--list").output
    assert "2 links have ended" in run("unshare", "INC-2026-0001").output
    assert "One link has ended" in run("unshare", "INC-2026-0001", "0a1b2c3d4e").output
    assert [(method, path) for method, path, _ in asked] == [
        ("GET", PATH),
        ("DELETE", PATH),
        ("DELETE", f"{PATH}/0a1b2c3d4e"),
    ]
