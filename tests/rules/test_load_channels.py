"""Channels in rule files: each kind with its options, and an error for every way to get them wrong."""

import pytest
from builders import NOW

from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile


def problems(text):
    """What `rules check` says of one named channel."""
    loaded = load_rule_set([SourceFile("a.yml", f"channels:\n  x: {text}\nannounce: [x]\n")], now=NOW)
    return [told for one in (*loaded.errors, *loaded.warnings) if (told := str(one)).startswith("a.yml:2:")]


@pytest.mark.parametrize(
    "text",
    [
        "console",
        "{webhook: {url_file: /run/secrets/url, secret_file: /run/secrets/secret}}",
        "{pagerduty: {routing_key_file: /run/secrets/pd}}",
        "{pagerduty: {routing_key: R0123456789abcdef0123456789abcde}}",
        "{pagerduty: {routing_key: mine, url: 'http://127.0.0.1:9095/v2/enqueue'}}",
        "{slack: {webhook_url: 'https://hooks.slack.com/services/T0/B0/x'}}",
        "{slack: {webhook_url_file: /run/secrets/slack}}",
        "{apprise: {url: 'mailtos://user:pw@example.org?to=amira@example.org'}}",
        "{apprise: {url_file: /run/secrets/ntfy}}",
    ],
)
def test_channel_of_each_kind_loads(text):
    """Without a word."""
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{pigeon: {}}", "there is no kind of channel 'pigeon'"),
        ("{slak: {webhook_url_file: /x}}", "did you mean 'slack'?"),
        ("{slack: {webhook_ulr: 'https://x.example'}}", "did you mean 'webhook_url'?"),
        ("{slack: {}}", "needs webhook_url or webhook_url_file; neither is given"),
        ("{slack: {webhook_url: 'https://x.example', webhook_url_file: /x}}", "both are given"),
        ("{slack: {webhook_url: hooks.slack.com}}", "webhook_url is not an address"),
        ("{slack: {webhook_url: 'ftp://x.example'}}", "webhook_url is not an address"),
        ("{pagerduty: {}}", "needs routing_key or routing_key_file; neither is given"),
        ("{pagerduty: {routing_key: tooshort}}", "32 letters and digits"),
        ("{pagerduty: {routing_key_file: /x, url: nowhere}}", "url is not an address"),
        ("{apprise: {url: 'ntfy.sh/topic'}}", "url is not an address"),
        ("{apprise: {url: 'syslog://'}}", "url is not an address"),
        ("{apprise: {url: 'dbus://x'}}", "reaches only who sits at the machine"),
        ("{webhook: {url: 'https://x.example'}}", "not signed"),
        ("{slack: {webhook_url_file: /x}, console: }", "exactly one kind"),
    ],
)
def test_channel_that_is_wrong_is_told_with_its_place(text, said):
    """The file, the line, and what to do."""
    told = problems(text)
    assert told
    assert told[0].startswith("a.yml:2:")
    assert said in "\n".join(told)


@pytest.mark.parametrize("kind", ["slack: {webhook_url", "apprise: {url", "pagerduty: {routing_key", "webhook: {url"])
def test_channel_error_repeats_no_secret(kind):
    """What was written for an address or a key may be one."""
    assert "s3cretS3CRET" not in "\n".join(problems(f"{{{kind}: s3cretS3CRET}}}}"))
