"""The apprise channel, with a real mail server and an ntfy look-alike: what arrives, and what failures say."""

import logging
from datetime import UTC, datetime

import pytest
from mail_sink import mail_sink
from ntfy_look_alike import TOPIC, ntfy
from page_sink import CLOSE, DRIP, HANG, Answer

from incidents.oncall import Channel
from workers.channels import DeliveryError, MessageType, Senders
from workers.channels.apprise import AppriseSender, provider_of, title_of
from workers.channels.apprise_logs import scrub

__all__ = ["mail_sink", "ntfy"]

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
HOSTILE = "Down\r\nBcc: everybody@example.org\r\n\r\n<!channel> @everyone \x1b[2J"


def sender(url, **options):
    return AppriseSender(Channel(name="amira/1", kind="apprise", options={"url": url}), **options)


def fails(one, message):
    with pytest.raises(DeliveryError) as caught:
        one.send(message, NOW)
    return caught.value


def test_apprise_sends_a_mail(mail_sink, message):
    """Subject, text and the links arrive at a real mail server."""
    receipt = sender(mail_sink.url).send(message(text="SEV1 declared: Zahlungen stocken: überall"), NOW)
    mail = mail_sink.expect_mail()
    assert mail["Subject"] == "SEV1 Zahlungen stocken"
    assert mail["To"] == "amira@example.org"
    text = mail.get_content()
    assert "überall" in text
    assert "Acknowledge: http://127.0.0.1:9095/a/x" in text
    assert receipt.answer == "taken over mailto:127.0.0.1"


def test_apprise_title_cannot_add_headers_to_a_mail(mail_sink, message):
    """CR and LF in a title stay text, and nobody else gets the mail."""
    incident = {"id": "INC-1", "severity": "SEV1", "title": HOSTILE}
    sender(mail_sink.url).send(message(incident=incident, text=HOSTILE), NOW)
    mail = mail_sink.expect_mail()
    assert mail["Bcc"] is None
    assert mail_sink.recipients == [["amira@example.org"]]
    assert "\n" not in mail["Subject"]
    assert "Bcc: everybody@example.org" in mail["Subject"]


def test_apprise_sends_to_ntfy(ntfy, message):
    """Title and text arrive, and nothing in them mentions everybody."""
    incident = {"id": "INC-1", "severity": "SEV1", "title": "Down @everyone"}
    sender(ntfy.ntfy_url).send(message(incident=incident, text="<!channel> <@U1> @here"), NOW)
    posted = ntfy.expect_message()
    assert posted["topic"] == TOPIC
    assert posted["title"] == "SEV1 Down @\u200beveryone"
    assert "<!" not in posted["message"]
    assert "<@" not in posted["message"]
    assert "@here" not in posted["message"]


def test_apprise_says_what_is_over(message):
    """The title tells the end from a page."""
    assert title_of(message(type=MessageType.PAGE_RESOLVED)) == "Over: SEV1 Zahlungen stocken"


@pytest.mark.parametrize(
    ("refuse", "permanent", "reason"),
    [
        ("550 5.7.1 blocked", True, "mailto:127.0.0.1 refused it: 550 5.7.1 blocked"),
        ("451 4.3.0 try later", False, "mailto:127.0.0.1 refused it: 451 4.3.0 try later"),
        ("RCPT 550 5.1.1 no such user", True, "mailto:127.0.0.1 refused it: 550 5.1.1 no such user"),
        ("RCPT 450 4.2.1 mailbox busy", False, "mailto:127.0.0.1 refused it: 450 4.2.1 mailbox busy"),
    ],
)
def test_apprise_mail_that_is_refused_says_why(mail_sink, message, refuse, permanent, reason):
    """A mail server says 4xx for "not now" and 5xx for "never"."""
    mail_sink.refuse = refuse
    error = fails(sender(mail_sink.url), message())
    assert (error.reason, error.permanent) == (reason, permanent)


@pytest.mark.parametrize(
    ("answer", "permanent", "reason"),
    [
        (Answer(401, body=b'{"code":40101,"http":401,"error":"unauthorized"}'), True, "answered 401 Unauthorized"),
        (Answer(404), True, "answered 404 Not Found"),
        (Answer(429, {"Retry-After": "30"}), False, "answered 429 Too Many Requests"),
        (Answer(500), False, "answered 500 Internal Server Error"),
        (Answer(503, body=b"x" * 1_000_000), False, "answered 503"),
        (Answer(302, {"Location": "http://127.0.0.1:1/"}), True, "redirects are not followed"),
        (CLOSE, False, "closed the connection"),
    ],
)
def test_apprise_error_says_whether_trying_again_can_help(ntfy, message, answer, permanent, reason):
    """Read from what Apprise logs; the topic, which is a secret, is not told."""
    ntfy.script(answer, path="/")
    error = fails(sender(ntfy.ntfy_url), message())
    assert (error.permanent, reason in error.reason) == (permanent, True), error.reason
    assert TOPIC not in error.reason


@pytest.mark.parametrize("behaviour", [HANG, DRIP])
def test_apprise_without_an_answer_is_bounded_and_a_repeat(ntfy, message, behaviour):
    """Also where a server answers by drips, which time-outs between bytes would let go on for ever."""
    sender(ntfy.ntfy_url).send(message(), NOW)  # the first send loads the services
    ntfy.expect_message()
    ntfy.script(behaviour, path="/")
    error = fails(sender(ntfy.ntfy_url, seconds=1.0), message())
    assert (error.permanent, error.unanswered) == (False, True)
    assert "no answer" in error.reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ntfy://127.0.0.1:1/topic", "cannot connect: Connection refused"),
        ("ntfy://pager.invalid/topic", "the name cannot be resolved"),
        ("mailto://127.0.0.1:1?from=a@example.org&to=b@example.org", "cannot connect: Connection refused"),
    ],
)
def test_apprise_that_nobody_listens_to_can_be_tried_again(message, url, reason):
    """Names and ports without a server behind them."""
    error = fails(sender(url), message())
    assert (reason in error.reason, error.permanent, error.unanswered) == (True, False, False), error.reason


@pytest.mark.parametrize(
    "url", ["nonsense", "nosuchservice://x/y", "ntfy://", "mailto://", "syslog://", "dbus://", "gnome://", ""]
)
def test_apprise_address_that_cannot_be_used_is_refused_for_good(message, url):
    """What Apprise does not understand, and what reaches only who sits at this machine."""
    error = fails(sender(url), message())
    assert error.permanent
    assert "channel 'amira/1'" in error.reason or "names nobody to tell" in error.reason


def test_apprise_refuses_private_addresses_where_denied(ntfy, mail_sink, message):
    """Judged at the connection itself, over HTTP and over SMTP; nothing arrives."""
    deny = Senders(deny_private=True)
    for url in (ntfy.ntfy_url, ntfy.ntfy_url.replace("127.0.0.1", "localhost"), mail_sink.url):
        error = fails(deny(Channel(name="amira/1", kind="apprise", options={"url": url})), message())
        assert "deny_private_urls forbids" in error.reason, error.reason
        assert error.permanent
    assert ntfy.received == []
    sender(ntfy.ntfy_url).send(message(), NOW)  # another channel of the process may
    ntfy.expect_message()


class Listening(logging.Handler):
    """What reaches the root of our logs."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def test_apprise_logs_nothing_of_a_message(ntfy, message):
    """Apprise logs whole messages and addresses at its finest level; none of it reaches our logs."""
    listening = Listening()
    logging.getLogger().addHandler(listening)
    try:
        sender(ntfy.ntfy_url).send(message(), NOW)
    finally:
        logging.getLogger().removeHandler(listening)
    ntfy.expect_message()
    assert not [line for line in listening.lines if TOPIC in line or "Zahlungen" in line]


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("mailto://user:pw@mail.example.org?to=x@example.org", "mailto:mail.example.org"),
        ("ntfys://ntfy.example.org/topic", "ntfys:ntfy.example.org"),
        ("ntfy://topic", "ntfy"),
        ("tgram://123456:ABC/chat", "tgram"),
        ("slack://TokenA/TokenB/TokenC", "slack"),
    ],
)
def test_apprise_provider_has_nothing_secret(url, provider):
    """Many services have a token where others have a host."""
    assert provider_of(url) == provider


def test_apprise_scrubs_secrets_out_of_lines():
    """User, password, path and query."""
    url = "json://user:pass%20word@host/secret/path?token=abcdef"
    line = "sent to http://host/secret/path with abcdef by user, pass word and pass%20word"
    assert scrub(line, url) == "sent to http://host/.../... with ... by ..., ... and ..."
