"""The configuration: every key is read, every mistake is named with its place in one run, no secret is ever shown."""

import hashlib
import json
from datetime import timedelta

import pytest

from tocsin.config_file import load_settings
from tocsin.settings import ApiRole, ConfigurationError, Durability, SourceKind, with_default_credentials
from tocsin.tokens import new_token

FULL = """\
listen: "[::1]:9095"
external_url: https://tocsin.example.com/
data_dir: ./data
redis_url: redis://user:hunter2-hunter2@db:6379/0
rules: [./rules.d, pack:default, /abs.yml]
durability: fsync
sources:
- {name: prod-alertmanager, kind: alertmanager, token_file: am.token}
- {name: prod-prometheus, kind: prometheus, tokens: [first-token-first, second-token-second]}
- {name: pagerduty, kind: pagerduty, signing_secrets: [signing-secret-signing]}
- {name: events, kind: pagerduty_events, routing_keys: [routing-key-routing-key]}
- {name: graf, kind: grafana, token: grafana-token-grafana, hmac_secret: hmac-secret-hmac-se}
- {name: sentry, kind: generic, token: generic-token-generic, mapping: {labels: {service: project}}}
api_tokens:
- {name: ops, token: "sha256:DIGEST", role: admin}
sign_in:
  issuer: https://id.example.com/realms/main/
  client_id: tocsin
  client_secret: oidc-client-secret
  roles: {admin: [chiefs], responder: [oncall, sre]}
prometheus: {url: http://127.0.0.1:9090}
alertmanagers: [{url: http://127.0.0.1:9093, source: prod-alertmanager}]
stale_after: 12h
retention: {incidents: 100d, journal: 9d}
heartbeat_url: https://hc.example.com/secret-ping-path
allow_volatile: true
deny_private_urls: true
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write a `tocsin.yml` into an empty working directory and load it with the given environment."""
    monkeypatch.chdir(tmp_path)

    def load(text=None, **environ):
        if text is not None:
            (tmp_path / "tocsin.yml").write_text(text, encoding="utf-8")
        return load_settings(None, environ)

    return load


def errors_of(load, text, **environ):
    with pytest.raises(ConfigurationError) as caught:
        load(text, **environ)
    return str(caught.value).splitlines()


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def test_settings_read_every_key(load, tmp_path):
    """Each key of the contract arrives in its field; relative paths start at the file."""
    (tmp_path / "am.token").write_text("alertmanager-token-1\n")
    settings = load(FULL.replace("DIGEST", sha256("ops").hex()))
    assert (settings.listen.host, settings.listen.port, str(settings.listen)) == ("::1", 9095, "[::1]:9095")
    assert settings.external_url == "https://tocsin.example.com"
    assert settings.data_dir == tmp_path / "data"
    assert settings.redis_url.reveal().endswith("@db:6379/0")
    assert settings.rules == (str(tmp_path / "rules.d"), "pack:default", "/abs.yml")
    assert settings.durability is Durability.FSYNC
    sources = {source.name: source for source in settings.sources}
    assert [source.kind for source in settings.sources] == list(SourceKind)
    assert sources["prod-alertmanager"].token_hashes == (sha256("alertmanager-token-1"),)
    assert len(sources["prod-prometheus"].token_hashes) == 2
    assert sources["pagerduty"].signing_secrets[0].reveal() == "signing-secret-signing"
    assert sources["events"].routing_key_hashes == (sha256("routing-key-routing-key"),)
    assert sources["graf"].signing_secrets[0].reveal() == "hmac-secret-hmac-se"
    assert sources["sentry"].mapping == {"labels": {"service": "project"}}
    assert settings.api_tokens[0].token_hashes == (sha256("ops"),)
    assert settings.api_tokens[0].role is ApiRole.ADMIN
    assert settings.prometheus.url == "http://127.0.0.1:9090"
    assert settings.alertmanagers[0].source == "prod-alertmanager"
    assert (settings.stale_after, settings.retention.journal) == (timedelta(hours=12), timedelta(days=9))
    assert (settings.allow_volatile, settings.deny_private_urls, settings.warnings) == (True, True, ())


def test_settings_never_show_a_secret(load, tmp_path):
    """Neither `repr` nor `redacted` contains a credential or its digest."""
    (tmp_path / "am.token").write_text("alertmanager-token-1")
    settings = load(FULL.replace("DIGEST", sha256("ops").hex()))
    shown = repr(settings) + str(settings) + json.dumps(settings.redacted())
    for secret in (
        "hunter2",
        "token-1",
        "first-token",
        "signing-secret-s",
        "routing-key-r",
        "hmac-secret-h",
        "ping-path",
    ):
        assert secret not in shown
    assert sha256("ops").hex() not in shown


def test_settings_without_configuration(load, tmp_path):
    """Nothing configured: loopback, and tokens in the data directory that the next start uses again."""
    settings = with_default_credentials(load())
    again = with_default_credentials(load())
    token = (tmp_path / "data" / "source.token").read_text().strip()
    assert str(settings.listen) == "127.0.0.1:9095"
    assert settings.external_url == "http://127.0.0.1:9095"
    assert settings.sources == again.sources
    assert settings.sources[0].name == "alertmanager"
    assert settings.sources[0].token_hashes == (sha256(token),)
    assert settings.api_tokens[0].name == "admin"
    assert settings.api_tokens[0].role is ApiRole.ADMIN
    assert (tmp_path / "data" / "admin.token").stat().st_mode & 0o777 == 0o600


def test_settings_environment_wins_over_the_file(load, tmp_path):
    """Variables replace keys, an empty one counts as not set, and the links that Kubernetes sets are no mistake."""
    settings = load(
        "listen: 127.0.0.1:1\nredis_url: redis://file\ndurability: fsync\n",
        TOCSIN_LISTEN=":9000",
        TOCSIN_EXTERNAL_URL="http://tocsin",
        TOCSIN_REDIS_URL="unix:///run/redis.sock",
        TOCSIN_RULES="a:pack:default:/b",
        TOCSIN_DURABILITY="",
        TOCSIN_TOKEN="for the command line",
        TOCSIN_PORT="tcp://10.0.0.1:9095",
        TOCSIN_SERVICE_HOST="10.0.0.1",
        TOCSIN_PORT_9095_TCP_ADDR="10.0.0.1",
    )
    assert str(settings.listen) == "0.0.0.0:9000"
    assert settings.redis_url.reveal() == "unix:///run/redis.sock"
    assert settings.rules == (str(tmp_path / "a"), "pack:default", "/b")
    assert settings.durability is Durability.FSYNC
    assert settings.external_url == "http://tocsin"


ERRORS = [
    ("listn: :1", "tocsin.yml:1:1: error[E202] tocsin.yml has no key 'listn' (did you mean 'listen'?)"),
    ("listen: 9095", "tocsin.yml:1:9: error[E201] listen must be a string, not a whole number (put it in quotes)"),
    ("listen: host", "tocsin.yml:1:9: error[E308] listen must be HOST:PORT"),
    ("listen: host:70000", "tocsin.yml:1:9: error[E308]"),
    ("external_url: tocsin.example.com", "tocsin.yml:1:15: error[E307] external_url must be an address"),
    ("redis_url: localhost:6379", "error[E307] redis_url must begin with redis://, rediss:// or unix://"),
    ("redis_url: redis://a\nredis_url_file: b", "tocsin.yml:2:17: error[E303] only one of redis_url"),
    ("durability: evrysec", "(did you mean 'everysec'?)"),
    ("rules: ./rules.d", "tocsin.yml:1:8: error[E201] rules must be a list, not a string"),
    ("- a", "tocsin.yml:1:1: error[E201] tocsin.yml must be a mapping, not a list"),
    ("a: [", "error[E101]"),
    ("sources: [{kind: alertmanager, token: x}]", "tocsin.yml:1:11: error[E203] a source needs 'name'"),
    ("sources: [{name: a b, kind: prometheus, token: x}]", "tocsin.yml:1:18: error[E311] name must be"),
    ("sources: [{name: a, kind: alertmanagr, token: x}]", "(did you mean 'alertmanager'?)"),
    ("sources: [{name: a, kind: alertmanager}]", "error[E312] a source of kind alertmanager needs a token"),
    ("sources: [{name: a, kind: pagerduty, token: x}]", "error[E312] a source of kind pagerduty has no 'token'"),
    ("sources: [{name: a, kind: alertmanager, token: ''}]", "tocsin.yml:1:48: error[E305] token is empty"),
    ("sources: [{name: a, kind: alertmanager, token: 12345}]", "error[E201] token must be a string, not a whole"),
    ("sources: [{name: a, kind: alertmanager, token: 'sha256:12'}]", "error[E306] token: sha256: must be followed by"),
    ("sources: [{name: a, kind: alertmanager, token: x, tokens: [y]}]", "error[E303] only one of token and tokens"),
    ("sources: [{name: a, kind: alertmanager, token_file: nowhere}]", "nowhere: No such file or directory"),
    ("sources: [{name: a, kind: alertmanager, token_file: .}]", "Is a directory"),
    ("sources: [{name: a, kind: generic, token: x}]", "error[E203] a source needs 'mapping'"),
    (
        "sources: [{name: a, kind: generic, token: x, mapping: sentri}]",
        "tocsin.yml:1:55: error[E314] mapping: there is no shipped mapping 'sentri' (did you mean 'sentry'?)",
    ),
    (
        "sources: [{name: a, kind: generic, token: x, mapping: {labels: {service: 'a['}}}]",
        "tocsin.yml:1:74: error[E314] mapping.labels.service: is no JMESPath expression",
    ),
    ("sources: [{name: a, kind: generic, token: x, mapping: {items: a}}]", "mapping.labels: a mapping needs 'labels'"),
    (
        "sources:\n- {name: a, kind: prometheus, token: x}\n- {name: a, kind: prometheus, token: y}",
        "tocsin.yml:3:3: error[E309] the name 'a' stands twice",
    ),
    (
        "sources:\n- {name: a, kind: prometheus, token: x}\n- {name: b, kind: prometheus, token: x}",
        "tocsin.yml:3:3: error[E310] b has the same credential as a",
    ),
    ("api_tokens: [{name: a, token: x, role: root}]", "error[E204] role cannot be 'root'; it is one of viewer"),
    ("api_tokens: [{name: a, role: viewer}]", "error[E312] an API token needs a token"),
    ("prometheus: {}", "error[E203] prometheus needs 'url'"),
    ("alertmanagers: [{url: http://a, source: b}]", "error[E313] there is no source 'b' of kind alertmanager"),
    ("stale_after: 24", "tocsin.yml:1:14: error[E205] stale_after: '24' is not a duration; write it like 24s or 24m"),
    ("retention: {incidents: 0s}", "error[E206] incidents must be longer than 0"),
    ("heartbeat_url: ftp://x", "tocsin.yml:1:16: error[E307] heartbeat_url must be an address"),
    ("allow_volatile: yes", "error[E201] allow_volatile must be true or false, not a string"),
    ("listen: &a :1\nexternal_url: *a", "error[E105] anchors are not allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ERRORS)
def test_settings_name_each_mistake(load, text, expected):
    """Every mistake is named with its place and, where there is one, the mend."""
    assert any(expected in line for line in errors_of(load, text))


def test_settings_show_all_errors_at_once(load):
    """File and environment are checked in one run."""
    lines = errors_of(load, "listn: 1\ndurability: never\n", TOCSIN_LISTEN="x", TOCSIN_DATADIR="y")
    assert [line.split(" ")[0] for line in lines] == [
        "tocsin.yml:1:1:",
        "tocsin.yml:2:13:",
        "TOCSIN_DATADIR:",
        "TOCSIN_LISTEN:",
    ]
    assert "did you mean 'TOCSIN_DATA_DIR'?" in lines[2]


def test_settings_missing_file_is_an_error(load, tmp_path):
    """A file that was asked for must be there; the default one need not."""
    with pytest.raises(ConfigurationError, match=r"error\[E301\] .*No such file"):
        load_settings(tmp_path / "nowhere.yml", {})
    with pytest.raises(ConfigurationError, match=r"error\[E301\]"):
        load(TOCSIN_CONFIG=str(tmp_path))


def test_settings_warn_without_refusing(load):
    """A short token and a link to loopback are odd, not wrong."""
    settings = load("listen: 0.0.0.0:9095\nsources: [{name: a, kind: alertmanager, token: short}]\n")
    assert [problem.code for problem in settings.warnings] == ["W302", "W301"]


def test_tokens_are_accepted_as_their_digest(load):
    """What `tocsin token` prints as digest stands for the token in the configuration."""
    token = new_token()
    settings = load(f"sources: [{{name: a, kind: alertmanager, token: '{token.digest}'}}]\n")
    assert settings.sources[0].token_hashes == (sha256(token.text),)
    assert token.text.startswith("toc_")
