import base64
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime

import msgspec
import pytest
from page_sink import CLOSE, DRIP, HANG, Answer, PageSink
from standardwebhooks import Webhook

from incidents.clock import utc_now
from workers.channels import DeliveryError, MessageType
from workers.channels.http import ANSWER_BYTES, HttpClient, user_agent
from workers.channels.webhook import WebhookSender, key_of, sign

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def quick():
    """A client that waits half a second where the product waits for some."""
    return HttpClient(connect_seconds=0.5, answer_seconds=0.5)


def fails(sender, message):
    """Send, expect a DeliveryError and return it."""
    with pytest.raises(DeliveryError) as caught:
        sender.send(message, NOW)
    return caught.value


def test_webhook_posts_the_page_as_json(page_sink, message, webhook):
    """The body is the message, field by field, and the headers say who sends it."""
    sent = message()
    receipt = WebhookSender(webhook(url=page_sink.url)).send(sent, NOW)
    request = page_sink.claim(lambda one: one.json == json.loads(msgspec.json.encode(sent)))
    assert receipt.answer == "200 OK"
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == user_agent()
    assert user_agent().startswith("Tocsin")
    assert "webhook-signature" not in request.headers


def test_webhook_keeps_the_connection(page_sink, message, webhook):
    """Later pages go over the connection of the first, also from another sender of the process."""
    numbers = set()
    for _ in range(3):
        WebhookSender(webhook(url=page_sink.url)).send(message(), NOW)
        numbers.add(page_sink.claim(lambda _: True).connection)
    assert len(numbers) == 1


def test_webhook_logs_in_with_what_its_address_bears(page_sink, message, webhook):
    """The user and password of an address go into the header, and not into the line of the request."""
    url = page_sink.url.replace("://", "://amira:s%20cret@")
    WebhookSender(webhook(url=url)).send(message(), NOW)
    request = page_sink.claim(lambda _: True)
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"amira:s cret").decode()
    assert request.path == "/pages"


def test_webhook_leaves_in_one_piece(message, webhook):
    """The other side is woken up once, with all there is to read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = WebhookSender(webhook(url=f"http://127.0.0.1:{server.getsockname()[1]}/"))
        sending = threading.Thread(target=sender.send, args=(message(), NOW), daemon=True)
        sending.start()
        connection, _ = server.accept()
        with connection:
            head, _, body = connection.recv(64 * 1024).partition(b"\r\n\r\n")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            sending.join()
    assert head.startswith(b"POST / HTTP/1.1")
    assert json.loads(body)["page_id"] == "pg-1"


@pytest.mark.parametrize("secret", [SECRET, "a plain text"])
def test_webhook_signature_holds_for_standard_webhooks(page_sink, message, webhook, secret):
    """The reference implementation verifies what we sign."""
    WebhookSender(webhook(url=page_sink.url, secret=secret)).send(message(), utc_now())
    request = page_sink.claim(lambda _: True)
    verifier = Webhook(secret if secret.startswith("whsec_") else secret.encode())
    assert verifier.verify(request.body, request.headers)["page_id"] == "pg-1"


def test_webhook_signature_is_the_same_as_the_reference_makes():
    """For one body and one instant, byte by byte."""
    headers = sign("pg-1", b'{"test": 1}', secret=key_of(SECRET), now=NOW)
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-signature"] == Webhook(SECRET).sign("pg-1", NOW, '{"test": 1}')


def test_webhook_id_is_the_same_over_attempts_and_another_for_the_end(page_sink, message, webhook):
    """A repeat is told from a new page, and the end is not dropped as a repeat of the page."""
    sender = WebhookSender(webhook(url=page_sink.url, secret=SECRET))
    ids = []
    for sent in (message(), message(attempt=2, repeat=True), message(type=MessageType.PAGE_RESOLVED)):
        sender.send(sent, NOW)
        ids.append(page_sink.claim(lambda _: True).headers["webhook-id"])
    assert ids == ["pg-1", "pg-1", "pg-1-over"]


def test_webhook_reads_its_files_at_each_send(page_sink, message, webhook, tmp_path):
    """A secret that was rotated on disk is used at once."""
    (tmp_path / "url").write_text(page_sink.url + "\n")
    (tmp_path / "secret").write_text("first\n")
    sender = WebhookSender(webhook(url_file=str(tmp_path / "url"), secret_file=str(tmp_path / "secret")))
    for secret in ("first", "second"):
        (tmp_path / "secret").write_text(secret + "\n")
        sender.send(message(), utc_now())
        request = page_sink.claim(lambda _: True)
        Webhook(secret.encode()).verify(request.body, request.headers)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"url_file": "/nowhere/url"}, "its `url_file` '/nowhere/url' cannot be read: No such file or directory"),
        ({"url": "http://127.0.0.1:1", "secret_file": "/nowhere/s"}, "its `secret_file` '/nowhere/s' cannot be read"),
        ({"url": "http://127.0.0.1:1", "secret": "whsec_???"}, "not base64"),
        ({"url": "ftp://127.0.0.1/"}, "its url is not an http or https address"),
        ({"url": "http://"}, "its url is not an http or https address"),
        ({"url": "http://[::1"}, "its url is not an http or https address"),
        ({"url": "http://a..b/"}, "url"),
        ({}, "its url is not an http or https address"),
    ],
)
def test_webhook_that_cannot_be_used_says_why(message, webhook, options, reason):
    """What only the operator can mend is permanent, and names the option."""
    error = fails(WebhookSender(webhook(**options)), message())
    assert error.permanent
    assert reason in error.reason


def test_webhook_with_an_empty_file_says_so(message, webhook, tmp_path):
    """An empty secret is not the absence of a secret: the page must not go out unsigned."""
    (tmp_path / "secret").write_text("\n")
    error = fails(WebhookSender(webhook(url="http://127.0.0.1:1", secret_file=str(tmp_path / "secret"))), message())
    assert "is empty" in error.reason


@pytest.mark.parametrize(
    ("status", "permanent"), [(302, True), (400, True), (404, True), (408, False), (429, False), (500, False)]
)
def test_webhook_error_says_whether_trying_again_can_help(page_sink, message, webhook, status, permanent):
    """By the status alone; an answered attempt is no reason to mark the next as a repeat."""
    page_sink.script(Answer(status, {"Location": page_sink.url, "Retry-After": "7"}))
    error = fails(WebhookSender(webhook(url=page_sink.url)), message())
    assert (error.permanent, error.unanswered, error.retry_after) == (permanent, False, 7.0)
    assert f"answered {status}" in error.reason
    assert len(page_sink.expect_attempts(1)) == 1


def test_webhook_error_tells_the_answer_without_the_secret(page_sink, message, webhook):
    """The provider's text helps, but it may repeat the address, and the address is the secret."""
    page_sink.script(
        Answer(404, body=b"Cannot POST /pages/T0/s3cret\n<b>\x1b[0m" + b"y" * 500), path="/pages/T0/s3cret"
    )
    error = fails(WebhookSender(webhook(url=page_sink.url_for("/pages/T0/s3cret"))), message())
    assert "Cannot POST ..." in error.reason
    assert "s3cret" not in error.reason
    assert "\x1b" not in error.reason
    assert len(error.reason) < 300


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("soon", None), ("-1", None), ("1e9", None), ("٣", None), ("", None)]
)
def test_webhook_passes_over_a_retry_after_that_is_no_number(page_sink, message, webhook, retry_after, seconds):
    """Dates and nonsense leave our own back-off in force."""
    page_sink.script(Answer(503, {"Retry-After": retry_after}))
    assert fails(WebhookSender(webhook(url=page_sink.url)), message()).retry_after is seconds


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [(HANG, "no answer from 127.0.0.1"), (DRIP, "no answer from 127.0.0.1"), (CLOSE, "closed the connection")],
)
def test_webhook_without_an_answer_is_bounded_and_a_repeat(page_sink, message, webhook, quick, behaviour, reason):
    """It is we who end silence and drips, by the time-out, for neither ends by itself; they may have taken the page."""
    page_sink.script(behaviour)
    client = HttpClient() if behaviour is CLOSE else quick
    error = fails(WebhookSender(webhook(url=page_sink.url), client), message())
    assert reason in error.reason
    assert (error.permanent, error.unanswered) == (False, True)


def test_webhook_works_again_after_a_hung_answer(page_sink, message, webhook, quick):
    """A time-out leaves no connection behind that the next page would trip over."""
    page_sink.script(HANG, 200)
    sender = WebhookSender(webhook(url=page_sink.url), quick)
    fails(sender, message())
    quick._timeout = (30.0, 30.0)  # an answer that comes may take its time
    sender.send(message(attempt=2), NOW)
    page_sink.expect_page(attempt=2)


def test_webhook_reads_no_more_of_an_answer_than_it_needs(page_sink, message, webhook):
    """An answer without end is cut, and accepted by its status."""
    page_sink.script(Answer(200, body=b"x" * 20_000_000))
    answer = HttpClient().post(page_sink.url, msgspec.json.encode(message()), {})
    assert (answer.status_code, len(answer.content)) == (200, ANSWER_BYTES)
    page_sink.expect_page()


def test_webhook_that_nobody_listens_to_was_not_delivered(message, webhook):
    """A refused connection is no repeat, and trying again can help."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/secret"
        error = fails(WebhookSender(webhook(url=url)), message())
    assert error.reason == "cannot connect to 127.0.0.1: Connection refused"
    assert (error.permanent, error.unanswered) == (False, False)


def test_webhook_whose_name_does_not_resolve_says_so(message, webhook):
    """Names under .invalid never resolve."""
    error = fails(WebhookSender(webhook(url="http://pager.invalid/secret")), message())
    assert error.reason == "the name pager.invalid cannot be resolved"
    assert not error.permanent


@pytest.fixture
def tls_url(tmp_path):
    """The address of a TLS server whose certificate nobody vouches for."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*command, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse():
        connection, _ = listener.accept()
        with pytest.raises(OSError), connection:  # the client ends the handshake
            context.wrap_socket(connection, server_side=True).recv(1)

    server = threading.Thread(target=refuse)
    server.start()
    yield f"https://localhost:{listener.getsockname()[1]}/secret"
    server.join(30)
    listener.close()


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_webhook_with_an_untrusted_certificate_is_refused_for_good(tls_url, message, webhook):
    """No page goes to a stranger; trying again within minutes cannot help, the next channel can."""
    error = fails(WebhookSender(webhook(url=tls_url)), message())
    assert error.reason == "the certificate of localhost is not trusted: self-signed certificate"
    assert (error.permanent, error.unanswered) == (True, False)


def test_webhook_uses_no_proxy_of_the_environment(page_sink, message, webhook, monkeypatch):
    """A page goes where the operator said, whatever the environment holds."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    WebhookSender(webhook(url=page_sink.url)).send(message(), NOW)
    page_sink.expect_page()


def test_webhook_provider_is_the_host_and_port(webhook):
    """Without the credentials of the address; the channel's name where there is no address."""
    assert WebhookSender(webhook(url="https://me:pw@pager.example.org:8443/x")).provider == "pager.example.org:8443"
    assert WebhookSender(webhook(url_file="/nowhere")).provider == "webhook:amira/1"


def test_webhook_keeps_reaching_each_of_many_hosts(message, webhook):
    """More hosts than connections are kept for: one that had to make room for others is connected to anew."""
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(contextlib.closing(PageSink())) for _ in range(40)]
        for _ in range(2):
            for sink in sinks:
                WebhookSender(webhook(url=sink.url)).send(message(), NOW)
        assert [len(sink.received) for sink in sinks] == [2] * 40
