"""A look-alike of the API, for what commands ask of a server and say of its answers."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from click.testing import CliRunner, Result

from tocsin.cli import main

Answer = Callable[[str, str, Any], Any]  # method, path with query, body, both as they came: what is answered as JSON


@contextmanager
def commands_against(folder: Path, answer: Answer, *group: str) -> Iterator[Callable[..., Result]]:
    """Give what runs a command of a group against an API that takes everything, with `given` as its input."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps(answer(self.command, self.path, json.loads(text) if text else None)).encode()
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("ETag", '"s1r0"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - as the server calls them

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    (folder / "tocsin.yml").write_text("rules: []\n")
    where = ["--config", str(folder / "tocsin.yml"), "--server", f"http://127.0.0.1:{server.server_port}"]

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(main, [*group, *arguments, *where], input=given, env={"TOCSIN_TOKEN": "t"})

    try:
        yield run
    finally:
        server.shutdown()
        server.server_close()
