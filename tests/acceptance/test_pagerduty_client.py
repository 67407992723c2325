"""PagerDuty's own client library against the real receiver: one address is all that changes."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pagerduty
import pytest
import requests
from programs import eventually, free_port

pytestmark = pytest.mark.acceptance

SERVING = Path(__file__).resolve().parents[1] / "receiver"
ROOT = SERVING.parents[1]


class Receiver:
    """The receiver under granian with TLS, which the client insists on; `trust` is what its caller must trust."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._counts = directory
        certificate, key = directory / "certificate.pem", directory / "key.pem"
        make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=tocsin"
        names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*make.split(), *names], check=True, capture_output=True)
        self.trust = ssl.create_default_context(cafile=certificate)
        options = f"--workers=1 --blocking-threads=2 --interface=wsgi --http=1 --no-ws --port={self.port}".split()
        options += [f"--ssl-certificate={certificate}", f"--ssl-keyfile={key}", f"--working-dir={SERVING}"]
        command = [sys.executable, "-m", "granian", *options, "--factory", "serving:app"]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"COUNTS": str(directory), "READERS": "1", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        healthy = f"{self.url}/-/healthy"
        eventually(lambda: requests.get(healthy, timeout=5, verify=str(certificate)).ok, what="the receiver")

    def stop(self) -> None:
        """End it and its worker."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def client(self, routing_key: str = "source-token") -> pagerduty.EventsApiV2Client:
        """Return PagerDuty's client, pointed at us."""
        return pagerduty.EventsApiV2Client(routing_key, base_url=self.url, verify=self.trust)

    def stored(self) -> list[dict[str, Any]]:
        """Return what the store was given so far."""
        return [json.loads(line) for line in (self._counts / "incoming.jsonl").read_text().splitlines()]

    def connect(self) -> ssl.SSLSocket:
        """Return a connection."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return self.trust.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    """One receiver for all tests here."""
    receiver = Receiver(tmp_path_factory.mktemp("counts"))
    yield receiver
    receiver.stop()


def test_pagerduty_client_triggers_acknowledges_and_resolves(receiver):
    """It insists on 202 and the dedup key in the answer."""
    with receiver.client() as client:
        key = client.trigger("Disk of db-1 is full", "db-1", severity="warning", custom_details={"service": "db"})
        assert client.acknowledge(key) == key
        assert client.resolve(key) == key
    fired, touched, resolved = receiver.stored()[-3:]
    assert fired["incident_key"] == touched["incident_key"] == resolved["incident_key"] == key
    assert fired["alert"]["labels"]["service"] == "db"
    assert touched["touch"]["kind"] == "acknowledged"
    assert resolved["alert"]["status"] == "resolved"
    assert "source-token" not in json.dumps(receiver.stored())


def test_pagerduty_client_sends_changes(receiver):
    """With the time in the form that its documentation shows."""
    with receiver.client() as client:
        client.submit(
            "Deployed 1.2", source="ci", custom_details={"service": "db"}, timestamp="2026-11-02T03:00:00.000+0000"
        )
    action = receiver.stored()[-1]["action"]
    assert (action["kind"], action["service"], action["text"]) == ("change", "db", "Deployed 1.2")
    assert action["at"] == "2026-11-02T03:00:00Z"


def test_pagerduty_client_understands_our_refusals(receiver):
    """It raises with our answer, and does not try for ever."""
    with receiver.client("another-key") as client, pytest.raises(pagerduty.HttpError) as caught:
        client.trigger("x", "y")
    assert caught.value.response.status_code == 400
    assert caught.value.response.json()["errors"] == ["Invalid routing key"]


@pytest.mark.parametrize("path", ["/v2/enqueue", "/webhooks/pagerduty"])
@pytest.mark.parametrize("head", ["Content-Length: 10000000000", "Transfer-Encoding: chunked"])
def test_receiver_reads_little_of_a_stranger(receiver, path, head):
    """A body whose sender has not shown who it is ends at a mebibyte."""
    signature = f"X-PagerDuty-Signature: v1={'0' * 64}"
    with receiver.connect() as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{signature}\r\n{head}\r\n\r\n".encode())
        sent = 0
        try:
            while sent < 64 and "chunked" in head:
                connection.sendall(b"100000\r\n" + b" " * 1024 * 1024 + b"\r\n")
                sent += 1
            answer = connection.recv(4096)
        except (ConnectionError, ssl.SSLError):
            answer = b""
    assert sent < 32
    assert answer == b"" or b" 413 " in answer
