"""The channels under `tocsin serve`: a page becomes an alert in PagerDuty, a mail and a message, and a link ends it."""

import json

import pytest
import requests
from installation import firing
from mail_sink import mail_sink
from pagerduty_look_alike import KEY, pagerduty
from programs import eventually
from slack_look_alike import slack

__all__ = ["mail_sink", "pagerduty", "slack"]

pytestmark = pytest.mark.acceptance

ONCALL = """
people:
  amira: {{channels: [{{pagerduty: {{routing_key: {key}, url: "{pagerduty}"}}}}]}}
  bo: {{channels: [{{apprise: {{url: "{mail}"}}}}]}}
channels:
  incidents: {{slack: {{webhook_url: "{slack}"}}}}
  pager: {{webhook: {{url: "{sink}"}}}}
announce: [incidents]
paging:
  default: {{steps: [{{page: [amira, bo, channel:pager], acknowledge_within: 30m}}]}}
"""


def test_channels_from_the_page_to_the_link(tocsin, page_sink, pagerduty, mail_sink, slack):
    """Four channels are told at once; the link of one acknowledges for all, and PagerDuty hears of it."""
    text = ONCALL.format(
        key=KEY, pagerduty=pagerduty.events_url, mail=mail_sink.url, slack=slack.webhook_url, sink=page_sink.url
    )
    (tocsin.rules / "oncall.yml").write_text(text)
    tocsin.serve()
    tocsin.post(firing())

    page = page_sink.expect_page(person="channel:pager")
    pagerduty.expect_event("trigger", dedup_key=page["dedup_key"])
    assert page["incident"]["title"] in mail_sink.expect_mail()["Subject"]
    slack.expect_message(containing="(SEV2)", timeout=60)
    incident = page["incident"]["id"]
    eventually(lambda: len(tocsin.timeline(incident, "page_sent")) == 3, what="three pages on the timeline")

    shown = requests.get(page["acknowledge_url"], headers={"Accept": "text/html"}, timeout=60)
    assert "<form" in shown.text
    assert tocsin.only_incident()["status"] == "declared"
    assert requests.post(page["acknowledge_url"], timeout=60).json()["acknowledged"] == [incident]
    assert tocsin.only_incident()["status"] == "acknowledged"
    pagerduty.expect_event("acknowledge", dedup_key=page["dedup_key"])
    slack.expect_message(containing="Acknowledged by channel:pager", timeout=60)


def test_channels_are_tried_by_a_test_page(tocsin, page_sink):
    """`tocsin page test` says which channel took it, and with `--wait` who acknowledged."""
    tocsin.serve()
    program = tocsin.run("page", "test", "amira", "--wait", "--output", "json")
    page = page_sink.expect_page(reason="test", person="amira")
    assert requests.post(page["acknowledge_url"], timeout=60).status_code == 200
    assert program.wait(60) == 0
    said = json.loads(program.text())
    assert (said["channel"], said["acknowledged_by"]) == ("amira/1", "amira")
    assert tocsin.incidents() == []
