"""A real SMTP server on loopback that keeps each mail, or refuses as told; mails that no test claimed fail the test."""

import email
import email.policy
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller


class _AnyPort(Controller):
    """A controller on whatever port is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailSink:
    """Listens until closed; `refuse` is what it answers to each message instead, `450 4.2.1 busy`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuse = ""
        self.claimed = 0
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0, ready_timeout=60)
        self._controller.start()

    @property
    def port(self) -> int:
        return self._controller.port

    @property
    def url(self) -> str:
        """The address that Apprise has for it."""
        return f"mailto://127.0.0.1:{self.port}?from=tocsin@example.org&to=amira@example.org&mode=insecure"

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802 - as called
        if self.refuse.startswith("RCPT "):
            return self.refuse.removeprefix("RCPT ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802 - as called
        if self.refuse:
            return self.refuse
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def expect_mail(self, *, timeout: float = 60.0) -> EmailMessage:
        """Wait for the next mail, claim it, and return it."""
        deadline = time.monotonic() + timeout
        while len(self.mails) <= self.claimed:
            if time.monotonic() > deadline:
                raise AssertionError(f"no mail within {timeout:g} s; {len(self.mails)} came before")
            time.sleep(0.01)
        self.claimed += 1
        return self.mails[self.claimed - 1]

    def close(self) -> None:
        """Stop listening."""
        self._controller.stop(no_assert=True)


@pytest.fixture
def mail_sink() -> Iterator[MailSink]:
    """A mail server of this test alone."""
    sink = MailSink()
    try:
        yield sink
        assert sink.claimed == len(sink.mails), f"mails that nobody expected: {sink.mails[sink.claimed :]}"
    finally:
        sink.close()
