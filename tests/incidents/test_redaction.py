"""Credentials leave labels, annotations and texts; what only speaks about them stays."""

import msgspec
import pytest
from builders import alert
from explosions import cut_off_if_it_explodes
from hypothesis import given
from hypothesis import strategies as st

from incidents.incoming import Action, Incoming, Touch, TouchKind
from incidents.redaction import REDACTED, needs_redaction, redact, redact_alert, redact_incoming

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl-of_it"
SECRETS = [
    ("Authorization: Bearer abcdef123456", "abcdef123456"),
    ("authorization=Basic dXNlcjpwYXNzd29yZA== sent", "dXNlcjpwYXNzd29yZA=="),
    ("curl -H 'Authorization: Token token=y_NBAqDLDz' x", "y_NBAqDLDz"),
    ("it said Bearer correcthorse", "correcthorse"),
    ("the header was Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("login failed with password=hunter2, again", "hunter2"),
    ("DB_PASSWORD: hunter2", "hunter2"),
    ('{"db_password": "hunter 2", "user": "joe"}', "hunter 2"),
    ('{"raw": "{\\"password\\": \\"hunter 2\\"}"}', "hunter 2"),
    ("{'client_secret': 'hunter 2'}", "hunter 2"),
    ('password = "hunter 2"', "hunter 2"),
    ("mysql --password hunter2 --host db", "hunter2"),
    ("https://joe:s3cret@wiki.example/page", "s3cret"),
    ("redis://:s3cret@cache:6379/0", "s3cret"),
    ("https://wiki.example/?a=1&token=tok3n&b=2", "tok3n"),
    ("https://bucket.example/x?X-Amz-Signature=abc123&y=1", "abc123"),
    ("routing_key: 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
    ("key R0ABCDEFGHIJKLMNOPQRSTUVWXYZ0123 is used", "R0ABCDEFGHIJKLMNOPQRSTUVWXYZ0123"),
    ("https://events.pagerduty.com/integration/0123abcd/enqueue", "0123abcd"),
    ("pdus+_0XBPWQQ_f2b1c8e0 is refused", "pdus+_0XBPWQQ_f2b1c8e0"),
    ("AKIAIOSFODNN7EXAMPLE was rejected", "AKIAIOSFODNN7EXAMPLE"),
    ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG"),
    ("post to https://hooks.slack.com/services/T00/B00/xyz fails", "T00/B00/xyz"),
    ("xoxb-123456789012-abcdef is revoked", "xoxb-123456789012-abcdef"),
    (f"session {JWT} expired", JWT),
    ("the token toc_abcdefghijklmnopqrstuvwxyz0123456789 leaked", "toc_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("ghp_abcdefghijklmnopqrst1234 leaked", "ghp_abcdefghijklmnopqrst1234"),
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw leaked", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
]
HARMLESS = [
    "Bearer authentication failed for 3 % of requests",
    "Basic authentication is switched off",
    "The token expires in five minutes",
    "Password reset mails are late",
    'http_requests_total{code=~"5.."} / 100 > 0.05',
    "https://runbooks.example/runbooks/kubernetes/kubepodcrashlooping?team=a@b",
    "PWD=/srv/app",
    "ask joe@example.com",
    "commit 0123456789abcdef0123456789abcdef",
    "next_token_count=5",
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_redaction_takes_the_credential_and_leaves_the_rest(text: str, secret: str):
    """The credential is gone, a mark stands in its place, and a second time changes nothing."""
    redacted = redact(text)
    assert secret not in redacted
    assert REDACTED in redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_redaction_is_asked_for_by_the_bytes_of_an_alert(text: str, secret: str):
    """The one look over the JSON of many alerts sees what stands in one of them."""
    body = msgspec.json.encode([alert(), msgspec.structs.replace(alert(), annotations={"description": text})])
    assert needs_redaction(body)


@pytest.mark.parametrize("text", HARMLESS)
def test_redaction_leaves_what_only_speaks_about_credentials(text: str):
    """Prose, expressions and addresses stay as they are."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "name", ["password", "db_password", "apiKey", "X-Api-Key", "routing_key", "token", "client_secret", "set-cookie"]
)
def test_redaction_hides_values_by_their_names(name: str):
    """A label or annotation that is named like a secret is hidden whole, and is asked for by its bytes."""
    given = msgspec.structs.replace(alert(**{name: "s3cret"}), annotations={name: "s3cret too"})
    assert needs_redaction(msgspec.json.encode(given))
    done = redact_alert(given)
    assert (done.labels[name], done.annotations[name]) == (REDACTED, REDACTED)
    assert done.fingerprint == given.fingerprint


def test_redaction_of_an_alert_reaches_every_text():
    """Labels, annotations and the address; names that only sound alike stay."""
    given = msgspec.structs.replace(
        alert(secret_name="tls", note="password=a1"),
        annotations={"description": "Bearer abcdef123456"},
        generator_url="https://joe:s3cret@prometheus.example/graph",
    )
    done = redact_alert(given)
    assert done.labels["secret_name"] == "tls"
    assert done.labels["note"] == f"password={REDACTED}"
    assert done.annotations == {"description": f"Bearer {REDACTED}"}
    assert done.generator_url == f"https://{REDACTED}@prometheus.example/graph"


def test_redaction_of_an_event_reaches_its_parts():
    """The alert, what was done to it, and the action."""
    done = redact_incoming(
        Incoming(
            alert=alert(password="hunter2"),
            touch=Touch(fingerprint="f", kind=TouchKind.NOTE, text="password=hunter2"),
            action=Action(kind="k", service="s", actor="a", text="token: hunter2", labels={"api_key": "hunter2"}),
        )
    )
    assert "hunter2" not in msgspec.json.encode(done).decode()


@given(st.text(), st.sampled_from([text for text, _ in SECRETS]), st.text())
def test_redaction_never_changes_what_was_not_asked_for(before: str, text: str, after: str):
    """Whatever `redact` would change, the look over its JSON has seen; and no text is lost around it."""
    for given_text in (before + after, before + text + after, f"{before} {text} {after}"):
        if redact(given_text) != given_text:
            assert needs_redaction(msgspec.json.encode([given_text]))
    assert redact(f"{before}\n").startswith(before) or needs_redaction(before.encode("utf-8", "surrogatepass"))


def test_redaction_is_quick_on_what_is_made_to_be_slow():
    """No text explodes: the expressions run in linear time, and what is as long as this would take hours otherwise."""
    for text in ('"password":"' * 50_000, "://" * 200_000, "password=" + "\\" * 600_000, "eyJ" * 200_000):
        with cut_off_if_it_explodes():
            redact(text)
