"""Whatever is thrown at the real receiver, it says what is wrong, takes the good, goes on, and shows no traceback."""

import contextlib
import gzip
import json
import re
import socket
import sys
import tempfile
from pathlib import Path

import pytest
import requests
from installation import ADMIN_TOKEN, SOURCE_TOKEN, Installation, firing, notification
from page_sink import PageSink
from programs import Programs, eventually

pytestmark = pytest.mark.acceptance

MIB = 1024 * 1024
POST = f"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SOURCE_TOKEN}\r\n".encode()
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def running():
    """One `tocsin serve` for all of them: what one test throws at it, the next one must not feel."""
    sink = PageSink()
    with tempfile.TemporaryDirectory(prefix="tocsin-") as directory:
        programs = Programs(Path(directory))
        try:
            installation = Installation(programs, sink.url)
            serving = installation.serve()
            yield installation, sink
            serving.stop()
            said = serving.program.text()
            assert "Traceback" not in said
            assert SOURCE_TOKEN not in said
            assert ADMIN_TOKEN not in said
        finally:
            programs.end()
            sink.close()


@pytest.fixture
def tocsin(running) -> Installation:
    return running[0]


def check_problem(answer: requests.Response, status: int) -> dict:
    """Check that an answer is a problem with this status, and shows nothing from inside."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == PROBLEM
    assert not re.search(r"Traceback|File \"|\.py|site-packages", answer.text)
    assert answer.json()["status"] == status
    return answer.json()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        f"Bearer {SOURCE_TOKEN}x",
        f"Bearer {ADMIN_TOKEN}",
        "Basic !!!",
        f"Digest {SOURCE_TOKEN}",
    ],
)
def test_bad_input_without_the_token_of_a_source_is_401(tocsin, authorization):
    """A missing or wrong token, or one of another kind, is answered 401 with how to send one."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = requests.post(tocsin.webhook, b"{}", headers=headers, timeout=60)
    assert "Authorization: Bearer" in check_problem(answer, 401)["hint"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_bad_input_of_another_method_is_405_with_a_hint(tocsin, method):
    """Any other method is answered 405 with what to send."""
    answer = requests.request(method, tocsin.webhook, timeout=60)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    if method != "HEAD":
        assert "curl -X POST" in check_problem(answer, 405)["hint"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"nonsense", ""),
        (b'{"version": "4", "alerts": [', ""),
        (b"[]", ""),
        (b'"text"', ""),
        (b"\xff\xfe\x00", ""),
        (b'{"version": "4"}', "/alerts"),
        (b'{"version": "4", "alerts": {}}', "/alerts"),
        (b'{"version": "4", "alerts": null}', "/alerts"),
        (b"[" * 100_000, ""),
        (b'{"alerts":' * 20_000, ""),
    ],
)
def test_bad_input_of_another_shape_is_400_with_the_place(tocsin, body, pointer):
    """A body that is no notification is answered 400 with a JSON pointer to what is wrong."""
    assert check_problem(tocsin.post_body(body), 400)["pointer"] == pointer


def test_bad_input_over_the_cap_is_413_and_counted(tocsin):
    """A body over 64 MiB is refused from its length alone, and the count can be alarmed on."""
    before = tocsin.metric("tocsin_webhooks_total", code="413")
    with socket.create_connection(("127.0.0.1", tocsin.port), timeout=60) as connection:
        connection.sendall(POST + f"Content-Length: {65 * MIB}\r\n\r\n".encode())
        answer = b""
        while b"max_alerts" not in answer and (more := connection.recv(65536)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"max_alerts" in answer
    assert tocsin.metric("tocsin_webhooks_total", code="413") == before + 1


def test_bad_input_of_one_alert_among_good_goes_to_quarantine_alone(running):
    """The good alerts of a notification take effect, the bad ones are kept, counted and shown with the reason."""
    tocsin, sink = running
    before, alerts_before = tocsin.settled(), tocsin.metric("tocsin_alerts_received_total", status="firing")
    bad = [{"status": "burning", "labels": {"alertname": "Odd"}}, {"status": "firing", "labels": "none"}, 7]
    alerts = [bad[0], firing(service="good-1"), bad[1], firing(service="good-2"), bad[2]]
    answer = tocsin.post_body(json.dumps(notification(alerts)).encode())

    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["quarantined"]) == (2, 3)
    paged = {sink.expect_page(person="amira")["incident"]["identity"]["service"] for _ in range(2)}
    assert paged == {"good-1", "good-2"}
    after = tocsin.settled()
    assert after["quarantined"] - before["quarantined"] == 3
    assert tocsin.metric("tocsin_alerts_received_total", status="firing") == alerts_before + 2
    kept = tocsin.get("/quarantine")["events"]
    assert len(kept) == 3
    assert all(one["reason"] and one["source"] == "am" for one in kept)
    assert tocsin.metric("tocsin_quarantined") == 3


def test_bad_input_that_never_ends_is_cut_off_and_hurts_nobody(tocsin):
    """A chunked body without end is refused at the cap; meanwhile and afterwards others are served."""
    chunk = b"100000\r\n" + b" " * MIB + b"\r\n"
    with socket.create_connection(("127.0.0.1", tocsin.port), timeout=60) as endless:
        endless.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 300:
                endless.sendall(chunk)
                sent += 1
                if sent == 20:
                    assert tocsin.post(firing(severity="none")).status_code == 202
    assert 60 <= sent < 200, f"{sent} MiB were taken"
    assert tocsin.post(firing(severity="none")).status_code == 202
    eventually(lambda: tocsin.metric("tocsin_webhooks_total", code="413") >= 2, what="a 413 that was counted")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"GET /%00/%ff/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: \xff\r\n\r\n",
    ],
)
def test_bad_input_that_is_hardly_http_is_refused(tocsin, raw):
    """Broken requests are refused with 4xx or cut off; the receiver goes on."""
    connection = socket.create_connection(("127.0.0.1", tocsin.port), timeout=60)
    with connection, contextlib.suppress(ConnectionError):  # it may cut us off, and never leave us waiting
        connection.sendall(raw)
        with contextlib.suppress(OSError):  # it has cut us off already: that is no ConnectionError here
            connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
        assert re.match(rb"HTTP/1\.[01] 4\d\d", answer) or not answer, answer
        assert b"Traceback" not in answer
    assert tocsin.is_ready()


@pytest.mark.parametrize("path", ["/nowhere", "/webhooks", "/webhooks/alertmanager/", "//webhooks//alertmanager"])
def test_bad_input_at_another_address_is_never_a_redirect(tocsin, path):
    """A redirect would lose the alert: what is not there is 404, and a slash too many hurts nobody."""
    headers = {"Authorization": f"Bearer {SOURCE_TOKEN}"}
    answer = requests.post(tocsin.url + path, b'{"alerts": []}', headers=headers, timeout=60, allow_redirects=False)
    assert answer.status_code in (202, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/incidents?limit=x",
        "/incidents?status=burning",
        "/incidents?after=%00",
        "/incidents/INC-2026-9999",
        "/incidents/..%2f..%2fkeys",
        "/incidents/INC-2026-9999/timeline?after=nonsense",
        "/alerts?limit=-1",
        "/nowhere",
    ],
)
def test_bad_input_of_the_api_is_a_problem_with_a_reason(tocsin, path):
    """Every question that cannot be answered gets a problem of 400 or 404 that says why."""
    answer = tocsin.api("GET", path)
    assert answer.status_code in (400, 404), answer.text
    assert check_problem(answer, answer.status_code)["detail"]


@pytest.mark.parametrize("body", [None, [], "text", {"unknown": 1}, {"title": 7}, {"title": "t", "severity": "SEV9"}])
def test_bad_input_of_a_declaration_by_hand_is_422(tocsin, body):
    """POST incidents with a wrong body declares nothing and says what is wrong."""
    before = len(tocsin.incidents())
    assert check_problem(tocsin.api("POST", "/incidents", body), 422)["detail"]
    assert len(tocsin.incidents()) == before


def test_bad_input_in_configuration_and_variables_is_named(tocsin):
    """Unknown keys and variables end `tocsin serve` at once, each with its place and what was meant."""
    config = tocsin.directory / "bad.yml"
    config.write_text("listen: 127.0.0.1:1\nlissten: 127.0.0.1:2\nrules: [./rules.d]\nsources: [{name: x}]\n")
    command = [sys.executable, "-m", "tocsin", "serve", "--config", str(config)]
    program = tocsin.programs.start("bad", command, env={"TOCSIN_LISTENN": "x"})
    assert program.wait(60) == 2
    said = program.text()
    assert "bad.yml:2:1: error" in said
    assert "did you mean" in said
    assert "TOCSIN_LISTENN" in said
    assert "bad.yml:4:" in said
    assert "Traceback" not in said


def test_compressed_body_is_refused_and_not_inflated(tocsin):
    """A body that says it is compressed is 415: nothing is inflated, so nothing can be a bomb."""
    headers = {
        "Authorization": f"Bearer {SOURCE_TOKEN}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    headers["Content-Type"] = "application/json"
    body = gzip.compress(b" " * (8 * MIB))
    check_problem(requests.post(tocsin.webhook, data=body, headers=headers, timeout=60), 415)


def test_alert_with_far_too_many_labels_is_cut_and_marked(tocsin):
    """Of ten thousand labels and a value of a megabyte what fits is kept, what rules look at first, and it says so."""
    alert = firing(service="too-many", severity="info", blob="x" * MIB, **{f"label_{n}": "v" for n in range(10_000)})
    answer = tocsin.post_body(json.dumps(notification([alert])).encode())
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    tocsin.settled()
    kept = [each for each in tocsin.get("/alerts")["alerts"] if each["labels"].get("service") == "too-many"]
    assert len(kept) == 1
    assert len(kept[0]["labels"]) <= 64
    assert "tocsin_truncated" in kept[0]["annotations"]
