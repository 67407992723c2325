"""What `tocsin connect` prints for each sender is what the sender takes."""

import json
import subprocess

import pytest
import yaml
from click.testing import CliRunner

from tocsin.cli import main
from tocsin.config_file import load_settings

CONFIG = """
external_url: https://tocsin.example.com/alerts
sources:
- {name: prom, kind: prometheus, token_file: prom.token}
- {name: pd, kind: pagerduty, signing_secret_file: pd.secret}
- {name: events, kind: pagerduty_events, routing_key_file: events.key}
- {name: graf, kind: grafana, token: secret-token-secret}
- {name: cloud, kind: generic, token: secret-token-secret-2, mapping: cloudwatch-sns}
- {name: sentry, kind: generic, signing_secret: secret-of-sentry, mapping: sentry}
"""
BASE = "https://tocsin.example.com/alerts"
KINDS = ("prometheus", "pagerduty", "pagerduty-events", "grafana")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory, and nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOCSIN_CONFIG", "TOCSIN_TOKEN", "TOCSIN_LISTEN", "TOCSIN_DATA_DIR", "TOCSIN_RULES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def connect(here):
    """Run `tocsin connect`."""
    return lambda *arguments: CliRunner().invoke(main, ["connect", *arguments])


@pytest.fixture
def configured(here):
    """A source of each kind."""
    (here / "tocsin.yml").write_text(CONFIG)
    for name in ("prom.token", "pd.secret", "events.key"):
        (here / name).write_text(f"what-{name}-holds-here\n")
    return here


def test_connect_prometheus_is_accepted_by_promtool(connect, configured):
    """The snippet is a whole configuration for Prometheus' own check, and names the real address and file."""
    text = connect("prometheus").stdout
    (configured / "prometheus.yml").write_text(text)
    done = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"], cwd=configured, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [manager] = yaml.safe_load(text)["alerting"]["alertmanagers"]
    assert (manager["scheme"], manager["path_prefix"]) == ("https", "/alerts")
    assert manager["static_configs"] == [{"targets": ["tocsin.example.com"]}]
    assert manager["authorization"]["credentials_file"] == str(configured / "prom.token")


def test_connect_pagerduty_events_is_accepted_by_amtool(connect, configured):
    """The receiver is one that Alertmanager takes; it reads the key from the file."""
    text = connect("pagerduty-events").stdout + "\nroute: {receiver: tocsin}\n"
    (configured / "am.yml").write_text(text)
    done = subprocess.run(
        ["amtool", "check-config", "am.yml"], cwd=configured, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [receiver] = yaml.safe_load(text)["receivers"]
    assert receiver["pagerduty_configs"][0]["url"] == f"{BASE}/v2/enqueue"
    assert receiver["pagerduty_configs"][0]["routing_key_file"] == str(configured / "events.key")
    assert f"{BASE}/v2/change/enqueue" in text


def test_connect_grafana_is_a_contact_point(connect, configured):
    """Provisioning in YAML, with the real address; the token comes from Grafana's environment."""
    [point] = yaml.safe_load(connect("grafana").stdout)["contactPoints"]
    [receiver] = point["receivers"]
    assert (receiver["type"], receiver["settings"]["url"]) == ("webhook", f"{BASE}/webhooks/grafana")
    assert receiver["settings"]["authorization_credentials"] == "$TOCSIN_TOKEN"


def test_connect_pagerduty_names_the_place_of_the_secret(connect, configured):
    """The order that PagerDuty's API takes is JSON with the real address."""
    text = connect("pagerduty").stdout
    order = json.loads(text.partition("<<'END'\n")[2].partition("\nEND")[0])
    assert order["webhook_subscription"]["delivery_method"]["url"] == f"{BASE}/webhooks/pagerduty"
    assert f"it goes into {configured / 'pd.secret'}." in text


def test_connect_generic_tells_each_source_apart(connect, configured):
    """By token or by signature, and what the shipped mapping needs on the other side."""
    cloud, sentry = connect("generic"), connect("generic", "--source", "sentry")
    assert f"--data @payload.json {BASE}/webhooks/generic/cloud" in cloud.stdout
    assert "https://tocsin:TOKEN@tocsin.example.com/alerts/webhooks/generic/cloud" in cloud.stdout
    assert "SNS" in cloud.stdout
    assert "signing secret" in sentry.stdout
    assert "Bearer" not in sentry.stdout
    unknown = connect("generic", "--source", "asia")
    assert (unknown.exit_code, "there is cloud, sentry" in unknown.stderr) == (1, True)


@pytest.mark.parametrize("kind", KINDS)
def test_connect_prints_no_secret(connect, configured, kind):
    """Neither what stands in the configuration nor what is in the files."""
    text = connect(kind).stdout + connect(kind, "--output", "json").stdout
    assert text
    for secret in ("secret-token", "holds-here"):
        assert secret not in text


@pytest.mark.parametrize("kind", KINDS)
def test_connect_without_a_source_says_how_to_add_one(connect, here, kind):
    """The lines for the configuration are such that they load as they stand."""
    text = connect(kind).stdout
    assert "There is no such source yet." in text
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith(("# sources:", "# - {name"))]
    made = "\n".join(lines).replace("sha256:...", "sha256:" + "0" * 64).replace("/etc/tocsin/", f"{here}/")
    (here / "pagerduty.secret").write_text("a-secret-of-pagerduty\n")
    (here / "tocsin.yml").write_text(made + "\n")
    [source] = load_settings(here / "tocsin.yml", {}).sources
    assert source.kind.value == kind.replace("-", "_")


def test_connect_generic_without_a_source_names_the_mappings(connect, here):
    """A name and a mapping are one's own choice, so nothing is printed to paste."""
    done = connect("generic")
    assert done.exit_code == 1
    assert "cloudwatch-sns, datadog, sentry" in done.stderr
